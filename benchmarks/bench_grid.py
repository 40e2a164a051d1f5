"""Grid search over 9 SVM settings on 5 splits: the whole Pipeline with `memory`, against precomputed features.

    python benchmarks/bench_grid.py [CEDAR_FOLDER]

Without a folder it uses synthetic signatures. The reference computes the features of all images once, without
`memory`, and searches the same grid on the features.
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sigkit.datasets import load_cedar, make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.nets import build_network, save_weights
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

GRID = {"svc__C": [0.1, 1, 10], "svc__gamma": [2**-13, 2**-11, 2**-9]}


def load():
    if len(sys.argv) > 1:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".* are absent")
            corpus = load_cedar(sys.argv[1])
        return corpus.images, corpus.target, corpus.canvas_size
    images, target = make_signatures(n_writers=20, n_genuine=24, n_skilled=24, random_state=0)
    return images, target, SignaturePreprocessor().fit(images).canvas_size_


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main():
    images, target, canvas_size = load()
    dev = np.unique(target[:, 0])[:10].tolist()
    split = WriterSplit(n_references=12, n_queries=10, dev_writers=dev, n_splits=5, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "signet.safetensors")
        save_weights(weights, build_network("signet", seed=0), "signet")

        def steps(memory=None):
            return [
                ("preprocess", SignaturePreprocessor(canvas_size=canvas_size, memory=memory)),
                ("features", SigNetFeaturizer(weights=str(weights), memory=memory)),
            ]

        def search(steps, X):
            pipe = Pipeline([*steps, ("svc", WriterDependentSVC(dev_writers=dev, random_state=0))])
            options = {"cv": split, "scoring": verification_scorer, "refit": False, "error_score": "raise"}
            return GridSearchCV(pipe, GRID, **options).fit(X, target).cv_results_["mean_test_neg_eer"]

        preprocess, featurize = (step for _, step in steps())
        t_preprocess, preprocessed = timed(lambda: preprocess.fit_transform(images))
        t_featurize, features = timed(lambda: featurize.fit_transform(preprocessed))
        t_grid, on_features = timed(lambda: search([], features))
        t_whole, on_images = timed(lambda: search(steps(memory=folder), images))
    print(
        f"{len(images)} images: preprocessing {t_preprocess:.1f} s, features {t_featurize:.1f} s, grid {t_grid:.1f} s"
    )
    print(f"whole Pipeline with memory: {t_whole:.1f} s")
    print(f"ratio to preprocessing + features + grid: {t_whole / (t_preprocess + t_featurize + t_grid):.2f}")
    print(f"ratio to features + grid: {t_whole / (t_featurize + t_grid):.2f}")
    print(f"largest difference of a mean EER: {np.abs(on_features - on_images).max():.2e}")


if __name__ == "__main__":
    main()
