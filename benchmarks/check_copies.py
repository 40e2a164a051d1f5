"""How many copies of references are recognized, and how many other signatures are taken for copies.

    python benchmarks/check_copies.py
    python benchmarks/check_copies.py path/to/CEDAR

Five references of each writer are enrolled, of 30 synthetic writers or of every second writer of CEDAR. Queries are the
first two references, changed in several ways, and the other genuine signatures of the writers, which are no copies.
"""

import argparse
import io

import numpy as np
from PIL import Image
from sklearn.pipeline import make_pipeline

from sigkit.datasets import load_cedar, make_signatures
from sigkit.estimators import StrokeMatcher, WriterDependentSVC
from sigkit.imaging import find_copies, read_image
from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor, SigNetFeaturizer, StrokeFeaturizer

N_REFERENCES, N_CHANGED = 5, 2


def compress(scan, quality):
    file = io.BytesIO()
    Image.fromarray(scan).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("L"))


def resize(scan, factor):
    size = round(scan.shape[1] * factor), round(scan.shape[0] * factor)
    return np.asarray(Image.fromarray(scan).resize(size, Image.Resampling.BICUBIC))


def rotate(scan, degrees):
    paper = int(np.median(scan))
    return np.asarray(Image.fromarray(scan).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper))


def add_noise(scan):
    return np.clip(scan + np.random.default_rng(0).normal(0, 8, scan.shape), 0, 255).astype(np.uint8)


CHANGES = {
    "the same": np.copy,
    "JPEG, quality 90": lambda scan: compress(scan, 90),
    "JPEG, quality 40": lambda scan: compress(scan, 40),
    "brighter": lambda scan: np.minimum(scan.astype(int) + 15, 255).astype(np.uint8),
    "darker": lambda scan: (scan * 0.8).astype(np.uint8),
    "another margin": lambda scan: np.pad(scan, ((30, 5), (7, 60)), constant_values=int(np.median(scan))),
    "noise": add_noise,
    "0.95 of the size": lambda scan: resize(scan, 0.95),
    "0.7 of the size": lambda scan: resize(scan, 0.7),
    "rotated by 1 degree": lambda scan: rotate(scan, 1),
}


def load(folder):
    """Return scans and writers: genuine signatures only."""
    if folder is None:
        scans, target = make_signatures(n_writers=30, n_genuine=12, n_skilled=0, random_state=5)
        return scans, target[:, 0]
    corpus = load_cedar(folder)
    kept = (corpus.target[:, 1] == 0) & (corpus.target[:, 0] % 2 == 1)
    return [read_image(path) for path in corpus.images[kept]], corpus.target[kept, 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="CEDAR; default: synthetic signatures")
    scans, writers = load(parser.parse_args().folder)
    number = np.array([np.count_nonzero(writers[:row] == writer) for row, writer in enumerate(writers)])
    references, others = np.flatnonzero(number < N_REFERENCES), np.flatnonzero(number >= N_REFERENCES)
    preprocess = SignaturePreprocessor(canvas_size=(765, 1089), on_poor_scan="ignore").fit(scans)
    images = preprocess.transform(scans)
    verifiers = {
        "SVM": make_pipeline(SigNetFeaturizer(weights="synthetic"), WriterDependentSVC(gamma="auto")),
        "CLBP": make_pipeline(CLBPFeaturizer(), WriterDependentSVC(gamma="scale")),
        "strokes": make_pipeline(StrokeFeaturizer(), StrokeMatcher()),
    }
    for verifier in verifiers.values():
        verifier.fit(images[references], writers[references])

    def count(changed_scans, rows):
        """Return the share of scans that are taken for copies, by each verifier and by the scans themselves."""
        changed = preprocess.transform(changed_scans)
        shares = []
        for verifier in verifiers.values():
            found = verifier[-1].find_copies(verifier[:-1].transform(changed), writers[rows])
            shares.append(np.mean(found >= 0))
        n_found = 0
        for writer in np.unique(writers[rows]):
            queries = [scan for scan, row in zip(changed_scans, rows) if writers[row] == writer]
            copies = find_copies(queries, [scans[row] for row in references if writers[row] == writer])
            n_found += len(copies) - copies.count(None)
        return [*shares, n_found / len(rows)]

    print(f"{'':<22}" + "".join(f"{name:>10}" for name in (*verifiers, "scans")))
    changed_rows = references[number[references] < N_CHANGED]
    for name, change in CHANGES.items():
        shares = count([change(scans[row]) for row in changed_rows], changed_rows)
        print(f"{name:<22}" + "".join(f"{share:>10.1%}" for share in shares), flush=True)
    shares = count([scans[row] for row in others], others)
    print(f"{'other signatures':<22}" + "".join(f"{share:>10.2%}" for share in shares))
    print(f"{len(changed_rows)} copies for each change, {len(others)} other signatures.")


if __name__ == "__main__":
    main()
