"""scikit-learn's common checks on every public estimator."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

import sigkit.estimators
import sigkit.transformers
from sigkit.estimators import (
    AdversarialTrainer,
    EnsembleAdversarialTrainer,
    MetaLearnedVerifier,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
)
from sigkit.training import MetaTraining, SigNetTraining
from sigkit.transformers import (
    BackgroundRemover,
    CLBPFeaturizer,
    SignaturePreprocessor,
    SigNetFeaturizer,
    StrokeFeaturizer,
)

ONE_COLUMN_PER_WRITER = "decision_function has one column per writer for two writers too, as a claim picks a column"
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipping check check_array_api_input"),
    # The checks fit to a few signatures.
    pytest.mark.filterwarnings("ignore:.*are too few for a FRR"),
]


class _FlatRows:
    """Images as rows of numbers: without 2-D input scikit-learn's checks check nothing."""

    def fit(self, X, y=None):
        X = validate_data(self, X, dtype=np.float64)
        return super().fit(self._images(X), y)

    def _check_rows(self, X):
        check_is_fitted(self)
        return self._images(validate_data(self, X, dtype=np.float64, reset=False))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = True, False
        tags.input_tags.string = False
        return tags


class _FlatTransformer(_FlatRows):
    def transform(self, X):
        images = self._check_rows(X)
        return super().transform(images).reshape(len(images), -1)


class FlatPreprocessor(_FlatTransformer, SignaturePreprocessor):
    """Numbers become blocks of ink of different grays in a row on white paper."""

    def fit_transform(self, X, y=None):
        X = validate_data(self, X, dtype=np.float64)
        images = SignaturePreprocessor.fit_transform(self, self._images(X), y)
        return images.reshape(len(images), -1)

    def _images(self, X):
        blocks = np.kron(60 / (1 + np.exp(-X / 10)), np.ones(24)).astype(np.uint8)
        rows = np.repeat(blocks[:, None], 24, axis=1)
        return np.pad(rows, ((0, 0), (12, 12), (12, 12)), constant_values=255)


class _OneRow(_FlatTransformer):
    """Numbers become the pixels of an image of one row."""

    def _images(self, X):
        return 255 / (1 + np.exp(-X[:, None, :] / 10))


class FlatFeaturizer(_OneRow, SigNetFeaturizer):
    pass


class FlatRemover(_OneRow, BackgroundRemover):
    pass


class FlatAdversarialTrainer(_OneRow, AdversarialTrainer):
    pass


class FlatEnsembleTrainer(_OneRow, EnsembleAdversarialTrainer):
    pass


class FlatStrokes(_OneRow, StrokeFeaturizer):
    pass


class FlatPatterns(_FlatTransformer, CLBPFeaturizer):
    """Numbers become squares of different grays in a row."""

    def _images(self, X):
        rows = np.repeat(255 / (1 + np.exp(-X[:, None, :] / 10)), 3, axis=1)
        return np.repeat(rows, 3, axis=2)


class FlatVerifier(_FlatRows, MetaLearnedVerifier):
    """Numbers become an image of one row; scores are in float32, whose last digits are rounded off.

    There are two pixels for a number, so that few images are equal, and an empty one, so that none is blank: equal
    images of two writers, and blank ones, have no information.
    """

    def decision_function(self, X):
        return super().decision_function(self._check_rows(X)).round(5)

    def predict(self, X):
        return super().predict(self._check_rows(X))

    def score(self, X, y):
        return np.mean(self.predict(X) == y)

    def _images(self, X):
        pixels = 130 + 120 * np.sin(np.concatenate([X, 40 * X], axis=1))
        return np.pad(pixels[:, None, :], ((0, 0), (0, 0), (1, 0)))


class FlatMatcher(StrokeMatcher):
    """Each number becomes a line of points, and is the direction of their strokes.

    Six references of a writer are enough: the time of enrollment grows with the square of their number.
    """

    def _check_genuine(self, X, y, *, reset):
        points = self._points(validate_data(self, X, dtype=np.float64, reset=reset))
        points, has_ink, writers = StrokeMatcher()._check_genuine(points, y, reset=True)
        few = np.sort(np.concatenate([np.flatnonzero(writers == writer)[:6] for writer in np.unique(writers)]))
        return points[few], has_ink[few], writers[few]

    def _check_queries(self, X):
        check_is_fitted(self)
        points = self._points(validate_data(self, X, dtype=np.float64, reset=False))
        return StrokeMatcher()._check_genuine(points, np.zeros(len(points), dtype=int), reset=True)[:2]

    def _points(self, X):
        line, column = np.indices((X.shape[1], 6)).reshape(2, -1)
        angle = X[:, line]
        ones = np.ones_like(angle)
        parts = [ones * 3 * column, ones * 40 * line, np.cos(angle), np.sin(angle), ones, ones, ones]
        return np.stack(parts, axis=2).reshape(len(X), -1)


EXPECTED_FAILURES = {
    estimator: {
        "check_classifiers_classes": ONE_COLUMN_PER_WRITER,
        "check_classifiers_train": ONE_COLUMN_PER_WRITER,
    }
    for estimator in (WriterDependentSVC, FlatVerifier, FlatMatcher, VerifierFusion, OperatingPointVerifier)
}


def expected_failures(estimator):
    return EXPECTED_FAILURES.get(type(estimator), {})


TINY = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=0)
CHECKED = [
    WriterDependentSVC(),
    FlatPreprocessor(image_size=(17, 24), on_poor_scan="ignore"),
    FlatFeaturizer("tiny", training=SigNetTraining(epochs=2), random_state=0),
    FlatPatterns(),
    FlatStrokes(n_points=3),
    FlatRemover(),
    FlatAdversarialTrainer(TINY, n_steps=1),
    FlatEnsembleTrainer(TINY, [TINY]),
    FlatVerifier("tiny", n_references=1, training=MetaTraining(epochs=0), random_state=0),
    FlatMatcher(),
    VerifierFusion([("first", WriterDependentSVC()), ("second", WriterDependentSVC(gamma=0.1))], reach=-30),
    OperatingPointVerifier(WriterDependentSVC(), source="references", criterion="frr", random_state=0),
]


@parametrize_with_checks(CHECKED, expected_failed_checks=expected_failures, xfail_strict=True)
def test_common_checks(estimator, check):
    check(estimator)


def test_every_public_estimator_is_checked():
    rooms = (sigkit.estimators, sigkit.transformers)
    public = [getattr(room, name) for room in rooms for name in room.__all__]
    estimators = {cls for cls in public if isinstance(cls, type) and issubclass(cls, BaseEstimator)}
    # It needs forgeries of development writers, which the checks do not have.
    estimators.remove(sigkit.estimators.LikelihoodRatioCalibrator)
    # Each fit converts a network, which takes seconds; the checks have hundreds.
    estimators.remove(sigkit.transformers.OnnxFeaturizer)
    assert estimators == {cls for estimator in CHECKED for cls in type(estimator).__mro__ if cls in estimators}
    assert len(estimators) == 12


def test_the_checks_are_not_empty():
    assert min(len(list(estimator_checks_generator(estimator))) for estimator in CHECKED) > 40
