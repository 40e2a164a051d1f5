"""The page of one claim."""

import datetime
import os

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import check_several, last_step, whole_file
from sigkit.estimators._evidence._claim_facts import claim_facts
from sigkit.estimators._evidence._claim_html import claim_html
from sigkit.estimators._evidence._claim_picture import draw_claim, new_figure, png_bytes
from sigkit.estimators._verifier import VerifierMixin


class ClaimReportDisplay:
    """The page of one claim: what was compared, how it agrees, what was decided, and by which system.

    The figure has the query beside the references that agree best; the strokes of the query, aligned with the best
    reference and colored by the agreement of direction and of pressure; and the score among those of development
    writers, with the threshold. What the verifier does not have is left out. :meth:`to_html` writes the figure with all
    facts to one file, without scripts or addresses: nothing is sent to or fetched from elsewhere.

    Parameters
    ----------
    facts : Bunch
        The facts, see Attributes; :meth:`from_estimator` collects them.

    Attributes
    ----------
    facts : Bunch
        `writer`, the claimed writer; `score`, `threshold`, `accepted` and `has_information`; `log10_lr`, the base-10
        logarithm of the likelihood ratio, or None, with `alternative`, the kind of forgeries it was calibrated on, and
        `is_lr_limit`, whether the development data support no stronger one; `operating_point` and `trials` of the
        verifier, or None; `among`, the trials and the claim on the scale before calibration; `is_poor`, whether the
        query is a poor scan, whose decision is inconclusive; `is_copy`, whether the query is a copy of an enrolled
        reference or of one of the scans; `parts`, the score of each verifier of a fusion; `sum_of_parts`, what is
        counted of them, with `weights`, `counted` and `total`; `signals`, the agreement of strokes by signal, in
        standard deviations from the references; `scans`, for the query and each reference its name, size, problems and
        whether it was judged, SHA-256 digest, whether the query is a copy of it, and whether the verifier has enrolled
        it; `system`, versions, digests of weights and settings.
    axes_ : dict of str to matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    OperatingPointVerifier : Has the threshold and the development scores that the page shows.
    sigkit.imaging.find_copies : Finds replays.
    WrongDecisionsDisplay : Pictures of the signatures that were decided wrongly.

    Notes
    -----
    The likelihood ratio is that of a `LikelihoodRatioCalibrator`, or calibrated on the `development_trials_` of the
    verifier by :class:`~sigkit.metrics.ScoreCalibrator`. It holds for writers, scans and forgeries like those of the
    development set. A query that is a poor scan or a copy of a reference has none.

    The colors explain the `StrokeMatcher` only, and one reference of those that it compares. They do not explain the
    score of a network.

    Examples
    --------
    >>> from sigkit.estimators import ClaimReportDisplay
    >>> display = ClaimReportDisplay.from_estimator(pipe, "query.png", 7, references=paths)  # doctest: +SKIP
    >>> display.figure_.savefig("claim.png")  # doctest: +SKIP
    >>> display.to_html("claim.html")  # doctest: +SKIP
    """

    def __init__(self, facts):
        self.facts = facts

    @classmethod
    def from_estimator(cls, estimator, query, writer, *, references, figure=None):
        """Verify one claim, and plot its page.

        Parameters
        ----------
        estimator : estimator
            A fitted verifier, or a Pipeline that ends in one. Without a preprocessing step, scans are preprocessed
            images.
        query : str, os.PathLike, bytes, file object or ndarray of shape (height, width), dtype uint8
            The questioned signature: a path, the content of a file, a file that is open for reading bytes, or a scan.
        writer : int or str
            The claimed writer, who is enrolled.
        references : sequence of n_references scans
            Scans of the writer's references, as `query`. The verifier does not keep them.
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        ClaimReportDisplay
            The display.

        Raises
        ------
        ValueError
            If the estimator is no fitted verifier, the writer is not enrolled, or there are no references.
        ImageError
            If a scan cannot be read; it is named.
        ImportError
            If matplotlib is not installed.
        """
        figure = new_figure(cls.__name__, figsize=(11, 9.5), layout="constrained") if figure is None else figure
        if not isinstance(last_step(estimator), VerifierMixin):
            raise ValueError(
                f"estimator must be a verifier, or a Pipeline that ends in one; found {type(estimator).__name__}. Pass "
                "the best_estimator_ of a search."
            )
        check_is_fitted(last_step(estimator))
        check_several(references, "references")
        if np.ndim(writer) != 0:
            raise ValueError(f"writer must be the id of one writer; found {writer!r}.")
        if references is None or len(references) == 0:
            raise ValueError(f"references is empty. Pass the scans with which the writer {writer!r} was enrolled.")
        return cls(claim_facts(estimator, query, writer, list(references))).plot(figure=figure)

    def plot(self, *, figure=None):
        """Plot the page.

        Parameters
        ----------
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        ClaimReportDisplay
            The display.
        """
        name = type(self).__name__
        self.figure_ = new_figure(name, figsize=(11, 9.5), layout="constrained") if figure is None else figure
        self.axes_ = draw_claim(self.facts, self.figure_)
        return self

    def to_html(self, path=None):
        """Make one HTML page with the figure and all facts.

        Parameters
        ----------
        path : str or os.PathLike, default=None
            The file to write; none by default.

        Returns
        -------
        str
            The page. The figure is part of it; there are no scripts, and nothing is loaded.
        """
        date = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        page = claim_html(self.facts, png_bytes(self.figure_), date)
        if path is not None:
            with whole_file(os.fspath(path)) as file:
                file.write(page.encode())
        return page
