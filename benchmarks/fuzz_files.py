"""Damage files that sigkit wrote, read them, and compare what comes out with what the whole file gives.

    python benchmarks/fuzz_files.py [--n 20000] [--seed 0] [--kinds weights ...] [--list] [--forged]

Each file is damaged at random: bits flipped, bytes set, blocks zeroed or exchanged, content cut off, put in or taken
out; and, with the digest left as it was, as a program would damage it: an array removed, renamed, of another type or
shape, with NaN or huge numbers, a metadata entry removed or changed. It is then read as a user would read it. The
scores, features or images must equal those of the whole file to the last bit, or there must be a ValueError or OSError
that names the file. Anything else is counted in the last two columns, and the exit status is 1.

Files of other programs have no digest, so that damage to a number cannot be noticed. They are listed apart: of them
only raw errors count. With --forged, values are damaged and the digest is renewed, as someone would who writes a file
on purpose: there, too, only raw errors count.

A kind is a function that is decorated by `kind`; it makes a file in a folder, and returns a `Target`.
"""

import argparse
import copy
import importlib
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from file_damage import RAW, STRUCTURED
from safetensors.numpy import save as save_safetensors

from sigkit.datasets import load_npz, save_npz
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.nets import build_network
from sigkit.training import InnerLoop, MetaTraining, SigNetTraining
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

OUTCOMES = ("same", "refused", "SILENT DIFFERENCES", "RAW ERRORS")
KINDS = {}


@dataclass
class Target:
    """A file to damage.

    Parameters
    ----------
    path : Path
        The file.
    read : callable
        Returns what is computed from the file, an array or a list of arrays.
    format : {"safetensors", "torch", "npz", "json", "pickle", "sqlite"}
        The format.
    has_digest : bool, default=True
        Whether damage to a number can be noticed.
    refuses : bool, default=True
        Whether a damaged file may be refused. The entries of a cache may not: they are computed again.
    """

    path: Path
    read: object
    format: str
    has_digest: bool = True
    refuses: bool = True


def kind(function):
    """Register a kind of files under the name of a function."""
    KINDS[function.__name__] = function
    return function


def draw_images(n_writers=4, n_genuine=4, n_skilled=2, size=(28, 36)):
    """Draw images of one rectangle per writer, and rows `[writer, forgery]`."""
    rng = np.random.default_rng(0)
    images, target = [], []
    for writer in range(1, n_writers + 1):
        for number in range(n_genuine + n_skilled):
            image = rng.integers(0, 255, size, dtype=np.uint8)
            image *= rng.random(size) > 0.8
            image[4 + 2 * writer : 8 + 2 * writer, 4:-4] = 200 - 90 * (number >= n_genuine)
            images.append(image)
            target.append((writer, int(number >= n_genuine)))
    return np.array(images), np.array(target)


IMAGES, TARGET = draw_images()
RNG = np.random.default_rng(1)
VECTORS = RNG.normal(size=(7, 8))[np.arange(70) // 10] * 2 + RNG.normal(size=(70, 8))
VECTORS, WRITERS = VECTORS.astype(np.float32), np.arange(70) // 10


def weight_target(path, **options):
    def read():
        return SigNetFeaturizer(weights=path, architecture="tiny").fit(IMAGES[:2]).transform(IMAGES[:2])

    return Target(path, read, "safetensors" if path.suffix == ".safetensors" else "torch", **options)


@kind
def weights(folder):
    path = folder / "weights.safetensors"
    SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0).fit(IMAGES).save_weights(path)
    return weight_target(path)


@kind
def half_weights(folder):
    path = folder / "half.safetensors"
    training = SigNetTraining(epochs=1, batch_size=8)
    SigNetFeaturizer("tiny", training=training, random_state=0).fit(IMAGES, TARGET).save_weights(path, half=True)
    return weight_target(path)


def make_verifier(**parameters):
    training = MetaTraining(epochs=1, n_queries=(1, 1, 1), inner_loop=InnerLoop(lr=0.1))
    sizes = {"n_references": 2, "n_random_forgeries": 1, "n_updates": 1}
    model = MetaLearnedVerifier("tiny", dev_writers=[1, 2, 3], training=training, random_state=0, **sizes)
    return model.set_params(**parameters)


def meta_target(path, **parameters):
    make_verifier(**parameters).fit(IMAGES, TARGET).save_weights(path)

    def read():
        model = make_verifier(weights=path, training__epochs=0, **parameters).fit(IMAGES, TARGET)
        return model.claim_scores(IMAGES[-2:], [4, 4])

    return Target(path, read, "safetensors")


@kind
def meta_learned_weights(folder):
    return meta_target(folder / "meta.safetensors")


@kind
def meta_learned_distance(folder):
    return meta_target(folder / "distance.safetensors", head="distance", adapt="head")


@kind
def foreign_weights(folder):
    path = folder / "foreign.safetensors"
    network = build_network("tiny", seed=0)
    path.write_bytes(save_safetensors({name: tensor.numpy() for name, tensor in network.state_dict().items()}))
    return weight_target(path, has_digest=False)


@kind
def foreign_pth(folder):
    path = folder / "foreign.pth"
    layer = torch.nn.Linear(16, 4).state_dict()
    torch.save((build_network("tiny", seed=0).state_dict(), layer, layer), path)
    return weight_target(path, has_digest=False)


def writer_target(path, kernel, scaling, n_peers):
    model = WriterDependentSVC(
        kernel, gamma=0.1, scaling=scaling, dev_writers=[0, 1, 2], n_peer_negatives=n_peers, random_state=0
    ).fit(VECTORS[::2], WRITERS[::2])
    model.export_writer(4, path)

    def read():
        return copy.deepcopy(model).load_writer(path).decision_function(VECTORS[1::7])

    return Target(path, read, "safetensors")


@kind
def writer_rbf(folder):
    return writer_target(folder / "rbf.writer", "rbf", "shared", 0)


@kind
def writer_rbf_peers(folder):
    return writer_target(folder / "peers.writer", "rbf", "shared", 2)


@kind
def writer_rbf_own_scale(folder):
    return writer_target(folder / "own.writer", "rbf", "writer", 2)


@kind
def writer_linear(folder):
    return writer_target(folder / "linear.writer", "linear", "shared", 2)


@kind
def writer_linear_own_scale(folder):
    return writer_target(folder / "linear-own.writer", "linear", "writer", 0)


def cache_target(folder, step, compute):
    """Make the only entry of one step of a cache a target; the entries of other steps are removed."""
    compute()
    [path] = [path for path in folder.rglob("*") if path.is_file() and step in path.parts]

    def read():
        for other in folder.rglob("*"):
            if other.is_file() and other != path:
                other.unlink()
        return compute()

    return Target(path, read, "safetensors", refuses=False)


def draw_scan():
    scan = np.full((60, 110), 240, dtype=np.uint8)
    scan[20:40, 20:90] -= (RNG.random((20, 70)) > 0.6).astype(np.uint8) * np.uint8(200)
    return scan


@kind
def cache_ink(folder):
    scan = draw_scan()

    def compute():
        return SignaturePreprocessor(image_size=(28, 36), memory=folder).fit_transform([scan])

    return cache_target(folder, "ink", compute)


@kind
def cache_images(folder):
    scan = draw_scan()
    preprocessor = SignaturePreprocessor(canvas_size=(56, 72), image_size=(28, 36), memory=folder)
    return cache_target(folder, "preprocessed", lambda: preprocessor.fit_transform([scan]))


@kind
def cache_features(folder):
    featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), memory=folder, random_state=0).fit(IMAGES)
    return cache_target(folder, "features", lambda: featurizer.transform(IMAGES[:1]))


@kind
def checkpoint_features(folder):
    training = SigNetTraining(epochs=1, batch_size=8, checkpoint_dir=folder)
    path = folder / "training.pt"
    SigNetFeaturizer("tiny", training=training, random_state=0).fit(IMAGES, TARGET)

    def read():
        return SigNetFeaturizer("tiny", training=training, random_state=0).fit(IMAGES, TARGET).transform(IMAGES[:2])

    return Target(path, read, "torch")


@kind
def checkpoint_meta(folder):
    path = folder / "training.pt"
    model = make_verifier(training__checkpoint_dir=folder)

    def read():
        return model.fit(IMAGES, TARGET).claim_scores(IMAGES[-2:], [4, 4])

    read()
    return Target(path, read, "torch")


def npz_target(path, **options):
    def read():
        bunch = load_npz(path)
        return [bunch.images, bunch.target, bunch.filenames]

    return Target(path, read, "npz", **options)


@kind
def npz(folder):
    path = folder / "signatures.npz"
    save_npz(path, IMAGES, TARGET, [f"{number}.png" for number in range(len(IMAGES))])
    return npz_target(path)


@kind
def foreign_npz(folder):
    path = folder / "foreign.npz"
    n = len(IMAGES)
    arrays = {"x": IMAGES[:, None], "y": TARGET[:, 0] - 1, "yforg": TARGET[:, 1], "filenames": np.full(n, "a.png")}
    np.savez(path, **arrays, user_mapping=np.arange(4))
    return npz_target(path, has_digest=False)


def equal(found, expected):
    found, expected = (parts if isinstance(parts, list) else [parts] for parts in (found, expected))
    return len(found) == len(expected) and all(
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
        if one.dtype != object
        else one.tolist() == other.tolist()
        for one, other in zip(found, expected)
    )


def outcome(target, expected):
    """Read a damaged file; return the outcome and, of the last two, a description."""
    try:
        found = target.read()
    except (ValueError, OSError) as error:
        if target.refuses and str(target.path) in str(error) and not isinstance(error, UnicodeError):
            return "refused", ""
        return "RAW ERRORS", f"{type(error).__name__}: {error}"
    # Anything else is what this program looks for.
    except Exception as error:
        return "RAW ERRORS", f"{type(error).__name__}: {error}"
    return ("same", "") if equal(found, expected) else ("SILENT DIFFERENCES", "other values")


def fuzz(name, n, seed, folder, forged):
    """Damage one file n times; return the numbers of outcomes, examples of bad ones, and whether it has a digest."""
    target = KINDS[name](folder)
    whole, expected = target.path.read_bytes(), target.read()
    if not equal(target.read(), expected):
        raise SystemExit(f"{name}: two readings of the whole file differ")
    counts, examples = Counter(), {}
    for number in range(n):
        rng = np.random.default_rng([seed, number])
        if forged or rng.random() < 0.35:
            damage = STRUCTURED[target.format]
            damaged = damage(rng, whole, forged)
        else:
            damage = RAW[int(rng.integers(len(RAW)))]
            damaged = damage(rng, whole)
        target.path.write_bytes(damaged)
        found, what = outcome(target, expected)
        counts[found] += 1
        if what:
            examples.setdefault(found, f"{name}, number {number}, {damage.__name__}: {what[:200]}")
    target.path.write_bytes(whole)
    return counts, examples, target.has_digest and not forged


def run(n, names, seed=0, forged=False, out=sys.stdout):
    """Damage files of some kinds n times in all, and print a table; return the number of bad outcomes that count."""
    print(f"{'kind':26}{'files':>8}" + "".join(f"{name:>20}" for name in OUTCOMES), file=out)
    bad, shown, totals, apart = 0, [], Counter(), []
    for position, name in enumerate(names):
        with tempfile.TemporaryDirectory() as folder:
            share = n // len(names) + (position < n % len(names))
            counts, examples, has_digest = fuzz(name, share, seed, Path(folder), forged)
        line = f"{name:26}{sum(counts.values()):8}" + "".join(f"{counts[name]:20}" for name in OUTCOMES)
        bad += counts["RAW ERRORS"] + has_digest * counts["SILENT DIFFERENCES"]
        shown += [text for found, text in examples.items() if has_digest or found == "RAW ERRORS"]
        if has_digest:
            totals += counts
            print(line, file=out, flush=True)
        else:
            apart.append(line)
    print(f"{'all':26}{sum(totals.values()):8}" + "".join(f"{totals[name]:20}" for name in OUTCOMES), file=out)
    if apart:
        print("\nwithout a digest that protects it:", *apart, sep="\n", file=out)
    if shown:
        print("\nthe first of each:", *shown, sep="\n", file=out)
    return bad


def main():
    for module in ("fuzz_experiments", "fuzz_sigver", "fuzz_store", "fuzz_systems"):
        importlib.import_module(module)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20_000, help="number of damaged files, of all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS], metavar="KIND")
    parser.add_argument("--forged", action="store_true", help="damage values only, and renew the digest")
    parser.add_argument("--list", action="store_true", help="print the kinds and stop")
    options = parser.parse_args()
    if options.list:
        print(*KINDS, sep="\n")
        return 0
    torch.set_num_threads(1)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bad = run(options.n, options.kinds, options.seed, options.forged)
    print(f"\n{options.n} files in {time.perf_counter() - start:.0f} s")
    return int(bad > 0)


if __name__ == "__main__":
    # Modules that register kinds import this one by its name.
    sys.modules["fuzz_files"] = sys.modules["__main__"]
    sys.exit(main())
