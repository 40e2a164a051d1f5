"""Checks of states from files: each part of a fitted state passes, and each change of it that cannot be is refused."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import LikelihoodRatioCalibrator, StrokeMatcher, VerifierFusion, WriterDependentSVC, check_stored
from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor, StrokeFeaturizer

RNG = np.random.default_rng(0)
WRITERS = np.repeat(np.arange(3), 4)
VECTORS = RNG.normal(size=(12, 5)) + WRITERS[:, None] * 3


@pytest.fixture(scope="module")
def strokes():
    scans, target = make_signatures(n_writers=2, n_genuine=3, n_skilled=0, random_state=0)
    steps = SignaturePreprocessor(canvas_size=(765, 1089)), StrokeFeaturizer(n_points=80), StrokeMatcher()
    return make_pipeline(*steps).fit(scans, target[:, 0])[-1]._enrolled


@pytest.fixture(scope="module")
def svm():
    return WriterDependentSVC(random_state=0).fit(VECTORS, WRITERS)._enrolled


def changed(array, position, value):
    array = np.array(array)
    array[position] = value
    return array


def parts(state):
    """Yield a state and everything in it."""
    yield state
    if isinstance(state, dict):
        inner = state.values()
    elif is_dataclass(state):
        inner = [getattr(state, field.name) for field in fields(state)]
    else:
        is_array = isinstance(state, np.ndarray) and state.dtype.hasobject
        inner = state.tolist() if is_array else state if isinstance(state, tuple) else ()
    for each in inner:
        yield from parts(each)


@pytest.mark.filterwarnings("ignore")
def test_fitted_states_pass(strokes, svm, fitted_verifier):
    checked = set()
    states = [strokes, svm, WriterDependentSVC("linear", scaling="writer").fit(VECTORS, WRITERS)._enrolled]
    states += [fitted_verifier()._enrolled, fitted_verifier(keep="weights")._enrolled]
    for state in states:
        for part in parts(state):
            check_stored(part)
            checked.add(type(part).__name__)
    assert {"NegativeBank", "RbfModel", "LinearModel", "References", "StrokePoints", "PackedImages"} <= checked
    fusion = VerifierFusion([("a", WriterDependentSVC()), ("b", WriterDependentSVC())]).fit(VECTORS, WRITERS)
    check_stored(fusion._fused)
    check_stored(fusion)
    check_stored(WriterDependentSVC())
    check_stored(CLBPFeaturizer())


def with_model(state, **changes):
    return replace(state, models=state.models | {0: state.models[0]._replace(**changes)})


IN_SVM = {
    "bank": lambda state: replace(state.bank, owners=state.bank.owners[1:]),
    "n_dev": lambda state: replace(state.bank, n_dev=99),
    "coefficients": lambda state: state.models[0]._replace(coef=state.models[0].coef[1:]),
    "rows": lambda state: with_model(state, rows=changed(state.models[0].rows, 0, len(state.bank.rows))),
    "negative rows": lambda state: with_model(state, rows=changed(state.models[0].rows, 0, -1)),
    "features": lambda state: with_model(state, references=np.zeros((4, 7))),
    "scaling": lambda state: with_model(state, factor=np.ones(5)),
    "kernel": lambda state: replace(state, settings=state.settings._replace(kernel="linear")),
    "classes": lambda state: replace(state, classes=state.classes + 1),
    "order": lambda state: replace(state, classes=state.classes[::-1]),
    "development": lambda state: replace(state, dev_writers=frozenset([0])),
    "marks": lambda state: replace(state, marks={0: np.zeros((4, 3))}),
    "marks of nobody": lambda state: replace(state, marks={9: np.zeros((4, 64))}),
    "references": lambda state: replace(state, references={0: 1.0}),
    "blank": lambda state: state.references[0]._replace(is_blank=np.zeros(9, dtype=bool)),
}
POINTS = {
    "nan": lambda points: replace(points, design=changed(points.design, (0, 0, 0), np.nan)),
    "huge": lambda points: replace(points, sites=changed(points.sites, (0, 0, 0), 1e30)),
    "pixel": lambda points: replace(points, pixel=points.pixel * 0),
    "absent": lambda points: replace(points, n_present=points.n_present * 0),
    "too many": lambda points: replace(points, n_present=points.n_present + 1000),
    "shape": lambda points: replace(points, cos=points.cos[:, 1:]),
    "map": lambda points: replace(points, maps=changed(points.maps, 0, 1.5)),
    "inside": lambda points: replace(points, maps=changed(points.maps, 0, far(points.maps[0], "inside", 0))),
    "cell": lambda points: replace(points, maps=changed(points.maps, 0, far(points.maps[0], "cells", 0, 2**30))),
    "cells": lambda points: replace(points, maps=changed(points.maps, 0, fewer_cells(points.maps[0]))),
    "entry": lambda points: replace(points, maps=changed(points.maps, 0, far(points.maps[0], "entries"))),
}


def far(one, name, place=(0, 0), number=5000):
    return replace(one, **{name: changed(getattr(one, name), place, number)})


def fewer_cells(one):
    return replace(one, cells=one.cells[1:])


@pytest.mark.parametrize("name", IN_SVM)
def test_impossible_svms_are_refused(name, svm):
    with pytest.raises(ValueError, match=r"^[A-Z]\w+ (has|refers) "):
        check_stored(IN_SVM[name](svm))


@pytest.mark.parametrize("name", POINTS)
def test_impossible_strokes_are_refused(name, strokes):
    with pytest.raises(ValueError, match=r"^StrokePoints (has|refers) "):
        check_stored(POINTS[name](next(iter(strokes.known.values())).points))


@pytest.mark.filterwarnings("ignore")
def test_impossible_meta_learned_writers_are_refused(fitted_verifier):
    state = fitted_verifier()._enrolled
    writer, own = next(iter(state.known.items()))
    for known in ({writer: own._replace(forgeries=own.forgeries + 1000)}, {writer: 1.0}, {writer: {1: own}}, {}):
        with pytest.raises(ValueError, match=r"^AdaptedWriters (has|refers) "):
            check_stored(replace(state, known=(state.known if known else {}) | known))
    packed = state.references[writer]
    for shape in ((len(packed) + 1, *packed.shape[1:]), packed.shape[:2], (1, *packed.shape[1:])):
        with pytest.raises(ValueError, match=r"^PackedImages (has|refers) "):
            check_stored(replace(packed, shape=shape))


def test_impossible_fusions_are_refused():
    fusion = VerifierFusion([("a", WriterDependentSVC()), ("b", WriterDependentSVC())]).fit(VECTORS, WRITERS)
    fused = fusion._fused
    other = WriterDependentSVC().fit(VECTORS[:8], WRITERS[:8])
    for verifiers in ((), fused.verifiers[:1], (fused.verifiers[0], other)):
        with pytest.raises(ValueError, match=r"^Fused (has|refers) "):
            check_stored(replace(fused, verifiers=verifiers))
    fusion._fused = 1.0
    with pytest.raises(ValueError, match="fuses no verifiers"):
        check_stored(fusion)


def test_impossible_calibrators_are_refused():
    target = np.column_stack([np.repeat(np.arange(8), 6), np.tile([0, 0, 0, 0, 1, 1], 8)])
    X = RNG.normal(size=(48, 5)) + target[:, :1] * 3 + target[:, 1:] * 2
    model = LikelihoodRatioCalibrator(WriterDependentSVC(dev_writers=range(6)), random_state=0).fit(X, target)
    check_stored(model)
    model.calibrator_.bounds_ = 3
    with pytest.raises(ValueError, match="has no calibrator with two bounds"):
        check_stored(model)
