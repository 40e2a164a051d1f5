"""Save and load a fused system with many enrolled writers, beside joblib's pickles in the same run.

    python benchmarks/bench_system.py [--writers 1000] [--references 5] [--repeats 5] [--folder FOLDER]

A hundred writers are drawn. The others are these, mirrored and sheared: their features and points differ, and are as
many, which is what the time depends on. Printed are the time of saving, the best and the median time of loading in a
warm process, the size of the file, the same of `joblib.dump` and `joblib.load` without compression, and the ratio of
the times of loading. The scores of the three systems must be equal to the last bit.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time

import joblib
import numpy as np

from sigkit.datasets import make_signatures
from sigkit.estimators import make_fused_verifier
from sigkit.persistence import load, save
from sigkit.transformers import SignaturePreprocessor

N_DRAWN, N_DEVELOPMENT = 100, 10


def shear(image, step):
    """Shift each row in proportion to its distance from the middle row."""
    rows = np.arange(len(image))[:, None]
    columns = np.arange(image.shape[1]) - step * (rows - len(image) // 2) // 16
    return image[rows, columns % image.shape[1]]


def draw_images(n_writers, n_references):
    """Return images and writers: the development writers, and those to be enrolled."""
    scans, target = make_signatures(n_writers=N_DRAWN, n_genuine=n_references, n_skilled=0, random_state=0)
    drawn = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    images, writers = [], []
    for number in range(N_DEVELOPMENT + n_writers):
        own = drawn[target[:, 0] == np.unique(target[:, 0])[number % N_DRAWN]]
        variant = number // N_DRAWN
        own = own[:, :: -1 if variant % 2 else 1]
        own = own[:, :, :: -1 if variant // 2 % 2 else 1]
        images += [shear(image, variant // 4) for image in own]
        writers += [number] * len(own)
    return np.array(images), np.array(writers)


def timed(function, repeats=1):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return result, times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=1000)
    parser.add_argument("--references", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", help="where the files are written; a temporary folder by default")
    options = parser.parse_args()
    images, writers = draw_images(options.writers, options.references)
    system = make_fused_verifier(dev_writers=range(N_DEVELOPMENT), random_state=0)
    _, [seconds] = timed(lambda: system.fit(images, writers))
    print(f"{options.writers} writers, {options.references} references each, enrolled in {seconds:.0f} s")
    print(f"{'':10}{'save, s':>10}{'load, best, s':>16}{'median, s':>12}{'file, MB':>11}")
    queries, claimed = images[-20::3], writers[-20::3]
    expected, loaded, equal = system.claim_scores(queries, claimed), {}, True
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for name, write, read in (("sigkit", save, load), ("joblib", joblib.dump, joblib.load)):
            path = os.path.join(folder, name)
            _, [saving] = timed(lambda write=write, path=path: write(system, path))
            again, loading = timed(lambda read=read, path=path: read(path), options.repeats)
            loaded[name], size = min(loading), os.path.getsize(path) / 1e6
            print(f"{name:10}{saving:10.2f}{loaded[name]:16.2f}{statistics.median(loading):12.2f}{size:11.0f}")
            equal &= np.array_equal(again.claim_scores(queries, claimed), expected)
    print(f"loading takes {loaded['sigkit'] / loaded['joblib']:.2f} times as long as joblib.load")
    print(f"scores equal to the last bit: {equal}")
    return int(not equal)


if __name__ == "__main__":
    sys.exit(main())
