"""Checks of the states of verifiers that were read from a file: every number of a row or point must exist."""

import math
import zlib
from functools import singledispatch

import numpy as np

from sigkit._utils import last_step
from sigkit.estimators._decisions._likelihood_ratio_calibrator import LikelihoodRatioCalibrator
from sigkit.estimators._decisions._wrapped_verifier import WrappedVerifier
from sigkit.estimators._enrolled import EnrolledChecks
from sigkit.estimators._fusion._fused import Fused
from sigkit.estimators._fusion._verifier_fusion import VerifierFusion
from sigkit.estimators._marks import N_VALUES
from sigkit.estimators._meta._meta_gallery import AdaptedWriters, PackedImages, StoredReferences
from sigkit.estimators._meta._random_forgeries import RandomForgeries
from sigkit.estimators._strokes._agreement import SIGNALS
from sigkit.estimators._strokes._neighbor_map import UNSURE, NeighborMap
from sigkit.estimators._strokes._stroke_gallery import StrokeGallery
from sigkit.estimators._strokes._stroke_points import StrokePoints
from sigkit.estimators._strokes._writer_strokes import Typical, WriterStrokes
from sigkit.estimators._svc._bank import NegativeBank
from sigkit.estimators._svc._fit_writer import References
from sigkit.estimators._svc._gallery import Gallery
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel
from sigkit.estimators._verifier import VerifierMixin
from sigkit.metrics import ScoreCalibrator

# Positions in pixels and their products stay far from overflow.
_LARGEST = 1e6


@singledispatch
def check_stored(state):
    """Check a state of a verifier, or a verifier, that was read from a file. Others are not checked.

    Each part of a state is checked before the state that holds it.

    Parameters
    ----------
    state : object
        The state.

    Raises
    ------
    ValueError
        If arrays do not fit each other, or numbers of rows and points do not exist.
    """


@check_stored.register
def _(state: VerifierMixin):
    if not state.__sklearn_is_fitted__():
        return
    state._validate_params()
    if isinstance(state, WrappedVerifier):
        _require(isinstance(last_step(state.verifier_), VerifierMixin), state, "wraps no verifier")
    elif isinstance(state, VerifierFusion):
        _require(isinstance(state._fused, Fused), state, "fuses no verifiers")
    else:
        _require(isinstance(state._enrolled, EnrolledChecks), state, "has no enrolled writers")
    if isinstance(state, LikelihoodRatioCalibrator):
        fits = type(state.calibrator_) is ScoreCalibrator and np.shape(state.calibrator_.bounds_) == (2,)
        _require(fits, state, "has no calibrator with two bounds")
    # These read nested attributes, which an error names.
    _ = state.classes_, state.threshold_


@check_stored.register
def _(state: NegativeBank):
    _require(state.rows.ndim == 2 and state.rows.dtype in (np.float32, np.float64), state, "has no rows of features")
    n_rows, n_features = state.rows.shape
    _shapes(state, {(n_features,): ("center", "scale"), (n_rows,): ("owners", "active", "squared_norms")})
    _require(state.active.dtype == bool and 0 <= state.n_dev <= n_rows, state, "has rows that do not exist")


@check_stored.register
def _(state: RbfModel):
    _require(state.references.ndim == 2 and state.rows.dtype.kind == "i", state, "has no references")
    n_features = state.references.shape[1]
    _shapes(state, {state.references.shape[:1]: ("reference_coef",), state.coef.shape[:1]: ("rows", "coef")})
    _require(state.factor is None or state.factor.shape == (n_features,), state, "has a factor of another size")


@check_stored.register
def _(state: LinearModel):
    _require(state.direction.ndim == 1, state, "has no direction")


@check_stored.register
def _(state: References):
    _require(state.rows.ndim == 2 and state.is_blank.shape == state.rows.shape[:1], state, "has other rows")


@check_stored.register
def _(state: Gallery):
    _check_enrolled(state)
    n_rows, n_features = state.bank.rows.shape
    expected = RbfModel if state.settings.kernel == "rbf" else LinearModel
    for writer, model in state.models.items():
        _require(type(model) is expected, state, f"has no model of the writer {writer!r}")
        own = model.references if expected is RbfModel else model.direction
        _require(own.shape[-1] == n_features, state, f"has another number of features for the writer {writer!r}")
        if expected is RbfModel:
            _in_range(state, model.rows, n_rows)
            has_factor = model.factor is not None
            _require(has_factor == (state.settings.scaling == "writer"), state, "has models of another scaling")
    for writer, own in state.references.items():
        fits = type(own) is References and own.rows.shape[1] == n_features
        _require(fits, state, f"has no references of the writer {writer!r}")


@check_stored.register
def _(state: Typical):
    _shapes(state, {(len(SIGNALS),): ("mean", "spread", "between")})


@check_stored.register
def _(state: WriterStrokes):
    _shapes(state, {(len(SIGNALS),): ("mean", "spread")})
    _require((state.spread > 0).all(), state, "has a spread that is not positive")


@check_stored.register
def _(state: StrokePoints):
    n, _, n_points = state.design.shape
    _shapes(
        state,
        {
            (n, 3, n_points): ("design",),
            (n, 2, n_points): ("sites",),
            (n, 2): ("center",),
            (n,): ("pixel", "n_present", "maps"),
            (n, n_points): ("cos", "sin", "darkness", "straightness"),
        },
    )
    for name in ("design", "sites", "center", "pixel", "cos", "sin", "darkness", "straightness"):
        # A comparison with NaN is False.
        largest = np.abs(getattr(state, name)).max(initial=0)
        _require(largest <= _LARGEST, state, f"has NaN, infinite or huge numbers in {name}")
    _require(n > 0 and (state.pixel > 0).all() and state.n_present.dtype.kind == "i", state, "has no points")
    _in_range(state, state.n_present - 1, n_points)
    for one in state.maps.tolist():
        fits = type(one) is NeighborMap and one.entries.dtype == np.uint16 and one.cells.shape == one.inside.shape
        _require(fits and (one.entries.ndim, one.cells.ndim) == (2, 1), state, "has no maps of its points")
        _in_range(state, one.cells, one.entries.size)
        _in_range(state, one.inside, n_points)
        # The low bits are the number of a point.
        _in_range(state, one.entries & (UNSURE - 1), n_points)


@check_stored.register
def _(state: StrokeGallery):
    _check_enrolled(state)
    known = [own for own in state.known.values() if own is not None]
    _require(all(type(own) is WriterStrokes for own in known), state, "has other things than strokes")
    _require(len({own.points.design.shape[2] for own in known}) < 2, state, "has different numbers of points")


@check_stored.register
def _(state: PackedImages):
    fits = len(state.shape) == 3 and all(type(side) is int and side >= 0 for side in state.shape)
    _require(fits, state, f"has the shape {state.shape}")
    size = math.prod(state.shape)
    # Limited, because a few bytes can be unpacked to gigabytes.
    _require(
        len(zlib.decompressobj().decompress(state.packed, size + 1)) == size, state, "has another number of pixels"
    )


@check_stored.register
def _(state: RandomForgeries):
    _require(state.images.ndim == 3 and state.images.dtype == np.uint8, state, "has no images")
    _shapes(state, {state.images.shape[:1]: ("owners", "active")})


@check_stored.register
def _(state: AdaptedWriters):
    _check_enrolled(state)
    size = state.others.images.shape[1:]
    for writer, own in state.references.items():
        fits = type(own) is PackedImages and own.shape[1:] == size
        _require(fits, state, f"has no references of the writer {writer!r}")
    for writer, own in state.known.items():
        _require(own is None or type(own) in (dict, StoredReferences), state, f"has no model of the writer {writer!r}")
        if type(own) is dict:
            named = all(type(name) is str for name in own)
            _require(named, state, f"has no named weights of the writer {writer!r}")
        if type(own) is StoredReferences:
            _in_range(state, own.forgeries, len(state.others.images))


@check_stored.register
def _(state: Fused):
    _require(len(state.combination.weights) == len(state.verifiers) > 0, state, "has another number of weights")
    for one in state.verifiers:
        _require(np.array_equal(last_step(one).classes_, state.classes), state, "has verifiers with other writers")


def check_writers(verifier):
    """Check the models of all writers who are enrolled in a verifier.

    Parameters
    ----------
    verifier : estimator
        A verifier whose writers were read from a file, or a Pipeline that ends in one.

    Raises
    ------
    ValueError
        If arrays do not fit each other, or numbers of rows and points do not exist.
    """
    last = last_step(verifier)
    if isinstance(last, WrappedVerifier):
        check_writers(last.verifier_)
    elif isinstance(last, VerifierFusion):
        for one in last.verifiers_:
            check_writers(one)
    else:
        for model in last._enrolled.known.values():
            if isinstance(model, WriterStrokes):
                check_stored(model.points)
            check_stored(model)
        check_stored(last._enrolled)


def _check_enrolled(state):
    """Check that each enrolled writer has a model, and that marks are those of enrolled writers."""
    fits = state.classes.ndim == 1 and state.classes.tolist() == sorted(state.known)
    _require(fits and state.dev_writers.isdisjoint(state.known), state, "has models of other writers than the enrolled")
    _require(state.marks.keys() | state.references.keys() <= state.known.keys(), state, "has other writers' references")
    for writer, marks in state.marks.items():
        fits = isinstance(marks, np.ndarray) and marks.ndim == 2 and marks.shape[1] == N_VALUES and len(marks)
        _require(fits, state, f"has no marks of the writer {writer!r}")


def _shapes(state, expected):
    for shape, names in expected.items():
        for name in names:
            found = getattr(state, name).shape
            _require(found == shape, state, f"has a {name} of shape {found}, not {shape}")


def _in_range(state, numbers, n):
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < n):
        _require(False, state, f"refers to something beyond the {n} that it has")


def _require(fits, state, what):
    if not fits:
        raise ValueError(f"{type(state).__name__} {what}")
