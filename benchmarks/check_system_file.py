"""Check files of whole systems: equal scores in other processes, and nothing wrong from damaged files.

    python benchmarks/check_system_file.py [--mutations 1000] [--seed 0] [--forged]

First, a fused system, one with an operating point and one that is meta-learned are saved here, and loaded in fresh
processes with 1 and 2 threads of numpy and PyTorch. Their scores must equal those of the saved system with as many
threads to the last bit. Second, files of small systems are damaged as by `fuzz_files.py`: each is an error that names
the file, or has the same scores. With --forged the digest fits the damage, and only errors without the name of the file
count. The status is 1 if a score differs, or if an error is another one.
"""

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import fuzz_files
import numpy as np
import torch
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier, OperatingPointVerifier, make_fused_verifier
from sigkit.persistence import save
from sigkit.training import MetaTraining
from sigkit.transformers import SignaturePreprocessor

DEV = range(1, 7)
PROGRAM = """
import sys
import numpy as np, torch
from sigkit.persistence import load
torch.set_num_threads(int(sys.argv[2]))
system = load(sys.argv[1] + ".system")
with np.load(sys.argv[1] + ".npz") as archive:
    scores = system.decision_function([archive[name] for name in archive.files])
np.save(sys.argv[1] + ".npy", scores)
"""


def systems():
    fused = make_fused_verifier(dev_writers=DEV, random_state=0)
    yield "fused", fused
    yield "operating point", OperatingPointVerifier(fused, random_state=0)
    training = MetaTraining(epochs=1, n_queries=(2, 2, 2))
    sizes = {"n_references": 2, "n_updates": 2}
    yield "meta-learned", MetaLearnedVerifier("smallcnn", dev_writers=DEV, training=training, random_state=0, **sizes)


def check_processes(folder):
    """Save systems, load them in fresh processes, and print whether scores are equal; return how many are not."""
    scans, target = make_signatures(n_writers=10, n_genuine=6, n_skilled=3, random_state=0)
    known, n_different = np.flatnonzero(np.arange(len(scans)) % 9 != 5), 0
    queries = [scans[row] for row in range(5, len(scans), 9)]
    for name, verifier in systems():
        system = make_pipeline(SignaturePreprocessor(canvas_size=(765, 1089)), verifier)
        system.fit([scans[row] for row in known], target[known])
        path = os.path.join(folder, name)
        save(system, f"{path}.system")
        np.savez(f"{path}.npz", *queries)
        by_threads = []
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            with threadpool_limits(n_threads):
                expected = system.decision_function(queries)
            threads = {f"{library}_NUM_THREADS": str(n_threads) for library in ("OMP", "OPENBLAS", "MKL")}
            command = [sys.executable, "-c", PROGRAM, path, str(n_threads)]
            subprocess.run(command, check=True, env=os.environ | threads)
            n_other = int((np.load(f"{path}.npy") != expected).sum())
            n_different += n_other
            by_threads.append(expected)
            print(f"{name:18}{n_threads} threads: {n_other} of {expected.size} scores differ")
        largest = np.abs(by_threads[0] - by_threads[1]).max()
        print(f"{name:18}1 and 2 threads in this process, without a file: scores differ by at most {largest:.1g}")
    return n_different


def main():
    importlib.import_module("fuzz_systems")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--forged", action="store_true", help="renew the digest of damaged files")
    options = parser.parse_args()
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        n_different = check_processes(Path(folder))
        torch.set_num_threads(1)
        names = [name for name in fuzz_files.KINDS if name.startswith("system_")]
        n_bad = fuzz_files.run(options.mutations, names, options.seed, options.forged)
    return int(n_different + n_bad > 0)


if __name__ == "__main__":
    sys.exit(main())
