"""Verification by the strokes: a query is aligned with each reference, point by point."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_consistent_length

from sigkit._utils import GENUINE, check_ordered, development_rows
from sigkit.estimators._strokes._agreement import SCORED, SIGNALS, compare_points
from sigkit.estimators._strokes._check_strokes import check_strokes
from sigkit.estimators._strokes._stroke_gallery import StrokeGallery, distinct_rows
from sigkit.estimators._strokes._stroke_points import StrokePoints
from sigkit.estimators._strokes._writer_strokes import Typical, measure_typical
from sigkit.estimators._verifier import VerifierMixin, check_has_target, check_target, unchanged_on_error

_TYPICAL = Typical(
    mean=np.array([0.84, 1.46, 0.44, 0.69, -0.30]),
    spread=np.array([0.21, 0.10, 0.27, 0.18, 0.06]),
    between=np.array([0.26, 0.14, 0.17, 0.21, 0.09]),
)
"""Without development writers: the first ten writers of CEDAR."""

_N_TYPICAL = 8
"""Signatures of a development writer that are compared with each other: the time grows with the square."""


class StrokeMatcher(VerifierMixin, ClassifierMixin, BaseEstimator):
    """Verify signatures by the direction, the curves and the pressure of their strokes, without training.

    Forgers copy the outline of a signature; the direction of its strokes, and where they are dark, is harder to copy.
    The points of a query are moved onto those of each reference by an affine map, which is fitted to the nearest four
    fifths of the matches of points, six times, and pulled to the identity. At matched points five signals are
    computed, in both ways, and added:

    - direction: the mean cosine of twice the angle between the strokes, weighted by nearness;
    - coverage: the mean nearness, :math:`\\exp(-d^2 / 12.5)` at a distance of d pixels;
    - pressure: the rank correlation of the darkness of the ink at matches of less than 4 pixels, times their share;
    - parallel: the share of the points whose stroke has the direction of the other to within 13 degrees, weighted by
      nearness;
    - straightness: minus the mean difference of how straight the strokes are around the points, weighted by nearness.

    The three best references count, signal by signal. Each signal is standardized by the writer's references, which are
    left out one by one and compared with the others. The score is the mean of all signals but coverage, plus
    `allowance`.

    Parameters
    ----------
    allowance : float, default=1.0
        The standard deviations by which a query may agree less than the references agree with each other; 0 is the
        score of such a query.
    dev_writers : iterable of writer ids or None, default=None
        The development writers, who are not enrolled. The agreement of their signatures is what is typical.

    Attributes
    ----------
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted: the columns of `decision_function`.
    pixel_ : float
        The side of a pixel of the images, in pixels of an image of 170 rows.
    threshold_ : float
        The threshold of `verify` by default, 0.6. It was chosen on drawn writers for a FAR of skilled forgeries of at
        most 10 %.
    n_features_in_ : int
        Number of features seen in `fit`.

    See Also
    --------
    sigkit.transformers.StrokeFeaturizer : Measures the points.
    VerifierFusion : Combines the strokes with an SVM on features of a network.

    Notes
    -----
    References without ink, and copies of another reference of the writer, are left out. Writers without a reference
    that has ink are named in a warning, or in an error if there are no others; they, and queries without ink, have the
    score -10.0 and are rejected.

    Few references do not show how well the signatures of a writer agree. Their mean and variance are averaged with
    those of the development writers, or of ten writers of CEDAR if no development writer has three distinct signatures:
    the typical mean counts as one observation more, the typical variance as six. The variance includes the uncertainty
    of the mean, so a query is judged less strictly where there are few references.

    Nearest points are exact. A reference has a map, which is computed at enrollment: the points that can be nearest in
    each cell of the grid of pixels, which are compared. A reference of 170 x 242 pixels takes 38 KiB on average.

    `fit`, `enroll`, `add_references` and `remove` replace the fitted state as a whole at their end, so other threads
    may score meanwhile. Several threads may enroll and remove writers at once.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import StrokeMatcher
    >>> from sigkit.transformers import SignaturePreprocessor, StrokeFeaturizer
    >>> scans, target = make_signatures(n_writers=2, n_genuine=5, n_skilled=1, random_state=0)
    >>> references = [row for row in range(len(scans)) if row % 6 < 4]
    >>> verifier = make_pipeline(SignaturePreprocessor(canvas_size=(765, 1089)), StrokeFeaturizer(), StrokeMatcher())
    >>> verifier.fit([scans[row] for row in references], target[references]).decision_function(scans[4:6]).shape
    (2, 2)
    """

    _default_threshold = 0.6
    _parameter_constraints: dict = {  # noqa: RUF012
        "allowance": [Interval(Real, 0, None, closed="left")],
        "dev_writers": ["array-like", set, range, None],
    }

    def __init__(self, *, allowance=1.0, dev_writers=None):
        self.allowance = allowance
        self.dev_writers = dev_writers

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Measure the agreement of the development writers' signatures, and enroll all other writers.

        Parameters
        ----------
        X : array-like of shape (n_samples, 7 * n_points)
            Points of strokes.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are ignored.

        Returns
        -------
        StrokeMatcher
            The fitted model.

        Raises
        ------
        ValueError
            If these are no points of strokes, the images had different resolutions, a development writer has no row, a
            writer has forgeries but no genuine signature, or no reference has ink.

        Warns
        -----
        UserWarning
            If some writers have no reference with ink, or one only.
        """
        with unchanged_on_error(self):
            X, has_ink, writers = self._check_genuine(X, y, reset=True)
            is_dev = development_rows(writers, self.dev_writers)
            names = np.unique(writers[is_dev]).tolist()
            drawn = (distinct_rows(X[(writers == writer) & has_ink])[:_N_TYPICAL] for writer in names)
            typical = measure_typical((own for own in drawn if len(own) > 1), _TYPICAL)
            gallery = StrokeGallery(np.unique(writers)[:0], {}, frozenset(names), typical)
            fitted = gallery.fit_writers(X[~is_dev], has_ink[~is_dev], writers[~is_dev], extend=False)
            self._enrolled = gallery.with_writers(fitted)
        return self

    def claim_signals(self, X, writers):
        """Compare each query with the references of its claimed writer, signal by signal.

        Parameters
        ----------
        X : array-like of shape (n_queries, 7 * n_points)
            Points of queries.
        writers : array-like of shape (n_queries,)
            The claimed writer of each query.

        Returns
        -------
        ndarray of shape (n_queries, 5)
            Direction, coverage, pressure, parallel and straightness, in standard deviations from the mean of the
            references; NaN where the query or the references have no ink.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled; the writer is named.
        """
        gallery = self._enrolled_writers()
        X, has_ink = self._check_queries(X)
        claimed = gallery.group_claims(X, writers)
        signals = np.full((len(X), len(SIGNALS)), np.nan)
        claims = [(row, writer) for writer, rows in claimed.items() for row in rows[has_ink[rows]].tolist()]
        if claims:
            rows = np.array([row for row, _ in claims])
            # A row that equals the one before it, as if a query claims several writers, is measured once.
            is_new = np.ones(len(X), dtype=bool)
            is_new[1:] = (X[1:] != X[:-1]).any(axis=1)
            starts = np.flatnonzero(is_new & has_ink)
            queries = StrokePoints.from_rows(X[starts])
            number = np.searchsorted(starts, rows, side="right") - 1
            signals[rows] = gallery.signals(queries, number, [writer for _, writer in claims])
        return signals

    def compare(self, X, Y):
        """Compare pairs of signatures, without enrolled writers.

        Parameters
        ----------
        X, Y : array-like of shape (n_pairs, 7 * n_points)
            Points of the two signatures of each pair.

        Returns
        -------
        ndarray of shape (n_pairs, 5)
            Direction, coverage, pressure, parallel and straightness: the agreement of both ways, each from -2 to 2; NaN
            where a signature has no ink.

        Raises
        ------
        ValueError
            If the numbers of signatures or of their points differ, or the images had different resolutions.
        """
        check_consistent_length(X, Y)
        shapes = np.shape(X), np.shape(Y)
        if shapes[0] != shapes[1]:
            raise ValueError(f"X and Y must have the same shape, found {shapes[0]} and {shapes[1]}. Use one n_points.")
        both, has_ink = check_strokes(clone(self), np.concatenate([X, Y]), reset=True)
        first, second = np.split(has_ink, 2)
        comparable = first & second
        agreement = np.full((len(X), len(SIGNALS)), np.nan)
        rows, which = np.unique(both[np.tile(comparable, 2)], axis=0, return_inverse=True)
        if len(rows):
            agreement[comparable] = compare_points(StrokePoints.from_rows(rows), *np.split(which, 2))
        return agreement

    def _score_claims(self, X, writers):
        scores = self._combine(self.claim_signals(X, writers))
        return scores, ~np.isnan(scores)

    def _score_enrolled(self, X):
        gallery = self._enrolled_writers()
        X, has_ink = self._check_queries(X)
        names, rows = gallery.classes.tolist(), np.flatnonzero(has_ink)
        scores = np.full((len(X), len(names)), np.nan)
        if len(rows):
            queries = StrokePoints.from_rows(X[rows])
            claims = [writer for writer in names for _ in rows]
            signals = gallery.signals(queries, np.tile(np.arange(len(rows)), len(names)), claims)
            scores[rows] = self._combine(signals).reshape(len(names), len(rows)).T
        return gallery.classes, scores

    def _combine(self, signals):
        return signals[:, SCORED].mean(axis=1) + self.allowance

    def _check_genuine(self, X, y, *, reset):
        """Validate training data and return the genuine signatures, whether they have ink, and their writers."""
        check_has_target(self, y)
        check_ordered(X)
        X, has_ink = check_strokes(self, X, reset=reset)
        writers, forgery = check_target(X, y)
        genuine = forgery == GENUINE
        return X[genuine], has_ink[genuine], writers[genuine]

    def _check_references(self, X, y):
        return self._check_genuine(X, y, reset=False)

    def _fit_writers(self, gallery, X, has_ink, writers, *, extend):
        return gallery.fit_writers(X, has_ink, writers, extend)

    def _describe(self):
        return [*super()._describe(), self.allowance, self.pixel_]

    def _check_queries(self, X):
        check_ordered(X)
        return check_strokes(self, X, reset=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
