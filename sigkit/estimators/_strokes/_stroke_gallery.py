"""The writers who are enrolled in a `StrokeMatcher`."""

from dataclasses import dataclass, field, replace

import numpy as np

from sigkit._utils import by_writer
from sigkit.estimators._enrolled import EnrolledChecks, joined, left_out, warn_single
from sigkit.estimators._marks import mark
from sigkit.estimators._strokes._agreement import SIGNALS, compare_points
from sigkit.estimators._strokes._stroke_points import StrokePoints
from sigkit.estimators._strokes._writer_strokes import Typical, WriterStrokes, best_agreement, enroll_strokes
from sigkit.estimators._verifier import report_no_information

_PAIRS = 512
"""Pairs of signatures that are compared at once, about: it bounds the memory."""


@dataclass(frozen=True, eq=False)
class StrokeGallery(EnrolledChecks):
    """The enrolled writers at one moment, an immutable state that is replaced as a whole.

    Parameters
    ----------
    classes : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted.
    known : dict of writer id to WriterStrokes or None
        The strokes of each; None if no reference has ink.
    dev_writers : frozenset of writer ids
        The development writers, who cannot be enrolled.
    typical : Typical
        The agreement of genuine signatures where a writer has too few references.
    marks : dict of writer id to ndarray of shape (n_references, 64)
        Marks of the references, by which copies are recognized.
    """

    classes: np.ndarray
    known: dict
    dev_writers: frozenset
    typical: Typical
    marks: dict = field(default_factory=dict)

    @property
    def base(self):
        """What the strokes of new writers are compared with."""
        return self.typical

    @property
    def references(self):
        """The strokes of each writer, with the references."""
        return self.known

    def fit_writers(self, X, has_ink, writers, extend):
        """Measure the strokes of writers.

        Parameters
        ----------
        X : ndarray of shape (n_samples, 7 * n_points)
            References.
        has_ink : ndarray of shape (n_samples,), dtype bool
            Those with points.
        writers : ndarray of shape (n_samples,)
            The writer of each.
        extend : bool
            Whether the references that the writers have so far are kept.

        Returns
        -------
        found : dict of writer id to WriterStrokes or None
            The strokes of each writer; None if no reference has ink.
        marks : dict of writer id to ndarray of shape (n_references, 64)
            The marks of the references.
        """
        found, marks = {}, {}
        for writer, rows in by_writer(np.arange(len(X)), writers).items():
            marks[writer] = mark(X[rows])
            if extend:
                marks[writer] = np.concatenate([self.marks[writer], marks[writer]])
            own = distinct_rows(X[rows[has_ink[rows]]])
            earlier = self.known[writer] if extend else None
            if not len(own):
                found[writer] = earlier
                continue
            points = StrokePoints.from_rows(own)
            if earlier is not None:
                is_new = ~points.find_copies(earlier.points)
                points = StrokePoints.join([earlier.points, points.take(is_new)])
            found[writer] = enroll_strokes(points, self.typical)
        return found, marks

    def with_writers(self, fitted):
        """Return a gallery in which some writers are enrolled, replacing their earlier enrollment.

        Parameters
        ----------
        fitted : tuple of (dict, dict)
            Their strokes and the marks of their references, as `fit_writers` returns them.

        Returns
        -------
        StrokeGallery
            The new gallery.
        """
        found, marks = fitted
        blind = [writer for writer, strokes in found.items() if strokes is None]
        report_no_information(blind, len(found), "Their references have no ink. Enroll them with other references.")
        warn_single({writer: len(strokes.points) for writer, strokes in found.items() if strokes is not None})
        classes = joined(self.classes, np.array(sorted(found)))
        return replace(self, classes=classes, known=self.known | found, marks=self.marks | marks)

    def without(self, writers):
        """Return a gallery without some writers.

        Parameters
        ----------
        writers : set of writer ids
            Enrolled writers.

        Returns
        -------
        StrokeGallery
            The new gallery.
        """
        known, marks = (left_out(kept, writers) for kept in (self.known, self.marks))
        return replace(self, classes=self.classes[~np.isin(self.classes, list(writers))], known=known, marks=marks)

    def check_storable(self, name):
        """Do nothing: the strokes of a writer never depend on other enrolled writers.

        Parameters
        ----------
        name : str
            The class of the verifier.
        """

    def arrays_of(self, writer):
        """Return the strokes of a writer and the marks of the references as named arrays.

        Parameters
        ----------
        writer : int or str
            An enrolled writer.

        Returns
        -------
        dict of str to ndarray
            The arrays; only marks if no reference has ink.
        """
        strokes, marks = self.known[writer], {"marks": self.marks[writer]}
        if strokes is None:
            return marks
        return marks | {"mean": strokes.mean, "spread": strokes.spread} | strokes.points.to_arrays()

    def holding(self, writers):
        """Return a gallery of exactly the writers with given arrays.

        Parameters
        ----------
        writers : dict of writer id to dict of str to ndarray
            What `arrays_of` returned.

        Returns
        -------
        StrokeGallery
            The new gallery.
        """
        known = {
            writer: WriterStrokes(StrokePoints.from_arrays(own), own["mean"], own["spread"]) if "mean" in own else None
            for writer, own in writers.items()
        }
        marks = {writer: own["marks"] for writer, own in writers.items()}
        classes = np.array(sorted(writers)) if writers else self.classes[:0]
        return replace(self, classes=classes, known=known, marks=marks)

    @property
    def learned(self):
        """What is typical, as values that have a digest."""
        return list(self.typical)

    def signals(self, queries, rows, writers):
        """Compare queries with the references of writers.

        Parameters
        ----------
        queries : StrokePoints
            Queries.
        rows : ndarray of shape (n_claims,), dtype int
            The query of each claim.
        writers : list of n_claims writer ids
            The claimed writers. Claims of one writer in succession are compared faster.

        Returns
        -------
        ndarray of shape (n_claims, 5)
            The signals, in standard deviations from the mean of the writer's references; NaN if the writer has no
            information.
        """
        signals = np.full((len(rows), len(SIGNALS)), np.nan)
        usable = [claim for claim, writer in enumerate(writers) if self.known[writer] is not None]
        first = 0
        while first < len(usable):
            last, n_pairs = first, 0
            while last < len(usable) and n_pairs < _PAIRS:
                n_pairs += len(self.known[writers[usable[last]]].points)
                last += 1
            claims = usable[first:last]
            signals[claims] = self._signals_of(queries, rows[claims], [writers[claim] for claim in claims])
            first = last
        return signals

    def _signals_of(self, queries, rows, writers):
        """Compare some queries at once, by all pairs of a query and a reference of its claimed writer."""
        involved = list(dict.fromkeys(writers))
        strokes = [self.known[writer] for writer in involved]
        used, query = np.unique(rows, return_inverse=True)
        points = StrokePoints.join([queries.take(used), *(one.points for one in strokes)])
        counts = np.array([len(one.points) for one in strokes])
        begins = len(used) + np.cumsum(counts) - counts
        number = {writer: position for position, writer in enumerate(involved)}
        claimed = np.array([number[writer] for writer in writers])
        place = np.arange(counts.max())
        # Writers with fewer references than others have places without a reference.
        claim, column = np.nonzero(place < counts[claimed, None])
        agreement = np.full((len(rows), len(place), len(SIGNALS)), -np.inf)
        agreement[claim, column] = compare_points(points, query[claim], begins[claimed[claim]] + column)
        mean, spread = (np.array([getattr(one, name) for one in strokes]) for name in ("mean", "spread"))
        return (best_agreement(agreement) - mean[claimed]) / spread[claimed]


def distinct_rows(X):
    """Return the rows that differ from all earlier ones.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n_distinct, n_features)
        The distinct rows, in their order.
    """
    # Much faster than np.unique, which sorts the rows. Adding 0 makes -0 equal to 0.
    first = {}
    for number, row in enumerate(X + 0.0):
        first.setdefault(row.tobytes(), number)
    return X[list(first.values())]
