"""Kinds of files of `sigkit.persistence`, for `fuzz_files.py` and `check_system_file.py`."""

import numpy as np
from fuzz_files import IMAGES, TARGET, VECTORS, WRITERS, Target, kind, make_verifier
from sklearn.pipeline import make_pipeline

from sigkit.estimators import (
    LikelihoodRatioCalibrator,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
)
from sigkit.persistence import load, save
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer, StrokeFeaturizer


def system_target(path, system, queries, claims):
    save(system, path)

    def read():
        loaded = load(path)
        return [loaded.decision_function(queries), loaded.claim_scores(queries, claims)]

    return Target(path, read, "safetensors")


def make_fusion():
    network = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
    svm = make_pipeline(network, WriterDependentSVC(n_peer_negatives=2, dev_writers=[1], random_state=0))
    strokes = make_pipeline(StrokeFeaturizer(n_points=60), StrokeMatcher(dev_writers=[1]))
    return VerifierFusion([("svm", svm), ("strokes", strokes)], dev_writers=[1], reach=-np.inf)


@kind
def system_fused(folder):
    point = OperatingPointVerifier(make_fusion(), source="references", criterion="frr", level=0.2, random_state=0)
    return system_target(folder / "fused.system", point.fit(IMAGES, TARGET), IMAGES[6:12], TARGET[6:12, 0])


@kind
def system_calibrated(folder):
    target = np.column_stack([WRITERS, np.arange(70) % 10 > 7])
    svc = WriterDependentSVC(gamma=0.1, scaling="writer", dev_writers=range(5), random_state=0)
    model = LikelihoodRatioCalibrator(svc, random_state=0).fit(VECTORS, target)
    return system_target(folder / "calibrated.system", model, VECTORS[50::3], WRITERS[50::3])


@kind
def system_meta_learned(folder):
    return system_target(folder / "meta.system", make_verifier().fit(IMAGES, TARGET), IMAGES[-2:], [4, 4])


@kind
def system_adapted_weights(folder):
    model = make_verifier(keep="weights").fit(IMAGES, TARGET)
    return system_target(folder / "weights.system", model, IMAGES[-2:], [4, 4])
