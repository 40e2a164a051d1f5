"""The displays plot the error rates and scores of the trials."""

import matplotlib
import numpy as np
import pytest
from sklearn.metrics import det_curve

from sigkit.metrics import ScoreHistogramDisplay, VerificationDetDisplay, verification_report, verification_trials

matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

ROWS = np.column_stack([np.tile([0, 1], 60), np.repeat([0, 0, 1, 2], 30)])
MATRIX = np.random.default_rng(0).normal(size=(120, 2)) + (ROWS[:, 1:] == 0)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_det_has_one_curve_per_kind():
    display = VerificationDetDisplay.from_predictions(ROWS, MATRIX, classes=[0, 1])
    assert labels(display.ax_) == ["random forgeries", "skilled forgeries", "simple forgeries", "equal error"]
    assert display.ax_.get_xlabel() == "False acceptance rate"
    trials = verification_trials(ROWS, MATRIX, classes=[0, 1])
    rows = np.isin(trials.kind, ["genuine", "skilled"])
    fpr, fnr, _ = det_curve(trials.y_true[rows], trials.y_score[rows])
    np.testing.assert_allclose(display.displays_["skilled"].fpr, fpr, atol=1e-12)
    np.testing.assert_allclose(display.displays_["skilled"].fnr, fnr, atol=1e-12)


def test_histograms_have_an_area_of_one_and_a_line_at_the_threshold():
    display = ScoreHistogramDisplay.from_predictions(ROWS, MATRIX, classes=[0, 1], threshold=0.5, bins=7)
    assert labels(display.ax_) == [
        "genuine",
        "random forgeries",
        "skilled forgeries",
        "simple forgeries",
        "threshold 0.5",
    ]
    assert list(display.line_.get_xdata()) == [0.5, 0.5]
    for patch in display.ax_.patches:
        corners = patch.get_xy()
        area = np.sum(corners[:-1, 0] * corners[1:, 1] - corners[1:, 0] * corners[:-1, 1]) / 2
        assert abs(area) == pytest.approx(1)


def test_plain_labels_and_no_threshold():
    display = ScoreHistogramDisplay.from_predictions([1, 1, 0, 0], [0.8, 0.3, 0.4, 0.1])
    assert labels(display.ax_) == ["genuine", "forgeries"]
    assert display.line_ is None
    assert list(VerificationDetDisplay.from_predictions([1, 1, 0, 0], [0.8, 0.3, 0.4, 0.1]).displays_) == ["forgery"]


def test_report_plots_on_given_axes(tmp_path):
    report = verification_report(ROWS, MATRIX, classes=[0, 1], threshold=0.3, n_bootstraps=0)
    figure, (left, right) = plt.subplots(1, 2)
    assert report.plot_det(ax=left).ax_ is left
    histogram = report.plot_scores(ax=right)
    assert histogram.figure_ is figure
    assert list(histogram.line_.get_xdata()) == [0.3, 0.3]
    figure.savefig(tmp_path / "report.png")
    assert plt.get_fignums() == [figure.number]
    by_writer = verification_report(ROWS, MATRIX, classes=[0, 1], threshold=[0.1, 0.2], n_bootstraps=0)
    assert by_writer.plot_scores().line_ is None


def test_det_of_perfect_separation(tmp_path):
    display = VerificationDetDisplay.from_predictions([1, 1, 0, 0], [4, 3, 2, 1])
    display.figure_.savefig(tmp_path / "det.png")
    assert display.displays_["forgery"].fpr.max() < 1e-9
