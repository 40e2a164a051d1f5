"""Run a writer-dependent experiment on a corpus: enroll writers, score queries and forgeries, report error rates.

    python reproduce/corpus.py cedar /data/CEDAR --weights synthetic
    python reproduce/corpus.py bhsig260 /data/BHSig260 --memory /tmp/sigkit
    python reproduce/corpus.py folder /data/mine

Every third writer belongs to the development set; the others are enrolled. With --memory, images and features are
cached, so that an interrupted run continues where it stopped and later runs are faster; --results saves the scores.

Expected of `corpus.py cedar` on 21 of CEDAR's 55 writers with an untrained SigNet, the default, as a baseline (23
November 2026; docs/results.rst has the whole output), over 10 splits: EER 19.10 +- 2.23 %, with user-specific
thresholds 17.26 +- 2.42 %; by "sigver" 19.25 +- 2.36 % and 16.45 +- 2.97 %.
"""

import argparse
import os
import tempfile
import time

import numpy as np
from sklearn.pipeline import Pipeline

from sigkit.datasets import list_corpora, load_corpus, load_folder
from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.nets import weights_path
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

CORPORA = (*list_corpora(), "folder")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=CORPORA)
    parser.add_argument("folder", help="the folder of the corpus")
    parser.add_argument("--pattern", help="the pattern of the file names, if the folder is of no usual layout")
    parser.add_argument("--weights", help="synthetic, or a .safetensors or .pth file (default: untrained)")
    parser.add_argument("--architecture", default="signet", help="architecture of a .pth file (default: signet)")
    parser.add_argument("--references", type=int, default=12, help="references per writer (default: 12)")
    parser.add_argument("--queries", type=int, default=10, help="genuine queries per writer (default: 10)")
    parser.add_argument("--splits", type=int, default=10, help="splits into references and queries (default: 10)")
    parser.add_argument("--scaling", choices=("shared", "writer"), default="shared", help="(default: shared)")
    parser.add_argument("--memory", help="folder of the cache of images and features (default: temporary)")
    parser.add_argument("--results", help="folder in which the scores of each split are saved")
    parser.add_argument("--det", help="file for the DET curve of the first split, such as det.png")
    return parser.parse_args()


def load(options):
    if options.corpus == "folder":
        return load_folder(options.folder, options.pattern, on_error="skip")
    return load_corpus(options.corpus, options.folder, on_error="skip")


def main():
    options = parse_arguments()
    if options.weights:
        weights_path(options.weights)
    if options.det and not os.path.exists(folder := os.path.dirname(os.path.abspath(options.det))):
        raise FileNotFoundError(f"{folder}: no such folder.")
    corpus = load(options)
    writers = np.unique(corpus.target[:, 0])
    dev_writers = writers[::3].tolist()
    print(f"{len(corpus.images)} scans of {len(writers)} writers, {len(dev_writers)} of them in the development set")

    with tempfile.TemporaryDirectory() as temporary:
        memory = options.memory or temporary
        preprocessor = SignaturePreprocessor(canvas_size=corpus.canvas_size, memory=memory, n_jobs=-1, verbose=1)
        settings = {"weights": options.weights, "epochs": 0, "precision": "auto", "memory": memory}
        featurizer = SigNetFeaturizer(options.architecture, **settings, random_state=0, verbose=1)
        start = time.perf_counter()
        # Features do not depend on the split: they are computed once, and only classifiers are trained in each split.
        features = Pipeline([("preprocess", preprocessor), ("features", featurizer)]).fit_transform(corpus.images)
        print(f"{len(features)} scans preprocessed and featurized in {time.perf_counter() - start:.0f} s")

    split = WriterSplit(options.references, options.queries, dev_writers, options.splits, random_state=0)
    settings = {"gamma": "auto", "scaling": options.scaling, "n_jobs": -1, "random_state": 0}
    model = WriterDependentSVC(dev_writers=dev_writers, **settings)
    results = writer_dependent_experiment(model, features, corpus.target, cv=split, folder=options.results, verbose=1)
    report = results.report(0, random_state=0)
    print(f"\nThe first split:\n{report}\n\nAll splits:\n{results}")
    if options.det:
        report.plot_det().figure_.savefig(options.det, dpi=150)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
