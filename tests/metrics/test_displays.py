"""The displays plot the error rates and scores of the trials."""

from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import det_curve

from sigkit.metrics import ScoreHistogramDisplay, VerificationDetDisplay, verification_report, verification_trials

matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

ROWS = np.column_stack([np.tile([0, 1], 60), np.repeat([0, 0, 1, 2], 30)])
MATRIX = np.random.default_rng(0).normal(size=(120, 2)) + (ROWS[:, 1:] == 0)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_det_has_one_curve_per_kind():
    display = VerificationDetDisplay.from_predictions(ROWS, MATRIX, classes=[0, 1])
    assert labels(display.ax_) == ["random forgeries", "skilled forgeries", "simple forgeries", "equal error"]
    assert display.ax_.get_xlabel() == "False acceptance rate"
    trials = verification_trials(ROWS, MATRIX, classes=[0, 1])
    rows = np.isin(trials.kind, ["genuine", "skilled"])
    fpr, fnr, _ = det_curve(trials.y_true[rows], trials.y_score[rows])
    shown = display.displays_["skilled"]
    # Rates of 0 and 1 are drawn at half an error.
    fpr, fnr = fpr.clip(1 / 60, 59 / 60), fnr.clip(1 / 120, 119 / 120)
    points = np.column_stack([fpr, fnr])
    for point in list(zip(shown.fpr, shown.fnr))[1:-1]:
        assert np.abs(points - point).max(axis=1).min() < 1e-12
    # Points in between lie on a step of the curve.
    for point in points:
        steps = np.sort(list(pairwise(zip(shown.fpr, shown.fnr))), axis=1)
        inside = (steps[:, 0] <= point + 1e-12) & (point <= steps[:, 1] + 1e-12)
        assert (inside.all(axis=1) & (np.ptp(steps, axis=1).min(axis=1) < 1e-12)).any()


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


def visible(display):
    """The parts of the curve that are inside the axes."""
    line = display.line_
    (left, right), (low, high) = display.ax_.get_xlim(), display.ax_.get_ylim()
    x, y = line.get_data()
    return (left <= x) & (x <= right) & (low <= y) & (y <= high)


def test_a_curve_without_errors_shows_itself_and_says_so(tmp_path):
    display = VerificationDetDisplay.from_predictions([1, 1, 0, 0], [4, 3, 2, 1])
    display.figure_.savefig(tmp_path / "det.png")
    assert labels(display.ax_)[0] == "forgeries (no errors)"
    curve = display.displays_["forgery"]
    corner = np.flatnonzero((curve.fpr == 0.25) & (curve.fnr == 0.25))
    assert visible(curve)[corner].all()
    assert curve.line_.get_marker() == "o"
    assert curve.line_.get_markevery() == corner.tolist()


def tick_labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def test_axes_follow_the_number_of_trials():
    y = np.repeat([1, 0], [50, 20_000])
    s = np.random.default_rng(0).normal(4 * y)
    display = VerificationDetDisplay.from_predictions(y, s)
    assert tick_labels(display.ax_.xaxis) == ["0.01 %", "0.1 %", "1 %", "5 %", "10 %", "20 %", "40 %"]
    assert tick_labels(display.ax_.yaxis) == ["1 %", "5 %", "10 %", "20 %", "40 %"]
    assert visible(display.displays_["forgery"]).sum() > 10
    few = VerificationDetDisplay.from_predictions(ROWS, MATRIX, classes=[0, 1])
    assert (tick_labels(few.ax_.xaxis)[0], tick_labels(few.ax_.yaxis)[0]) == ("1 %", "1 %")
    fewer = VerificationDetDisplay.from_predictions([1, 1, 0, 0], [4, 2, 3, 1])
    assert tick_labels(fewer.ax_.xaxis) == ["40 %", "60 %", "80 %", "90 %", "95 %", "99 %"]


def boxes(axis):
    return [text.get_window_extent() for text in axis.get_ticklabels()]


def million(distance, n_genuine=100_000):
    y = np.repeat([1, 0], [n_genuine, 1_000_000 - n_genuine])
    return y, np.random.default_rng(0).normal(distance * y)


@pytest.mark.parametrize("distance", [2.5, 6.5])
def test_axes_of_many_trials_follow_the_curve(distance):
    display = VerificationDetDisplay.from_predictions(*million(distance))
    curve, x, y = display.displays_["forgery"], display.ax_.get_xlim(), display.ax_.get_ylim()
    shown = visible(curve)
    assert x[0] > norm.ppf(1e-4) - 0.11
    # The curve ends near the axes' corners, also where the rates are low.
    far, frr = norm.ppf(curve.fpr[shown]), norm.ppf(curve.fnr[shown])
    assert np.ptp(far) > 0.6 * np.ptp(x)
    assert np.ptp(frr) > 0.6 * np.ptp(y)


@pytest.mark.parametrize(
    "given",
    [
        *(million(distance) for distance in (2.5, 6.5, 8, 20)),
        million(8.2, n_genuine=1000),
        (np.repeat([1, 0], 60), np.random.default_rng(0).normal(size=120)),
    ],
    ids=["usual", "good", "better", "perfect", "few genuine", "random"],
)
def test_nothing_is_cut_off_and_ticks_do_not_overlap(given):
    figure = VerificationDetDisplay.from_predictions(*given).figure_
    assert figure.get_size_inches().tolist() == [6.4, 4.8]
    figure.canvas.draw()
    [ax] = figure.axes
    box = ax.get_tightbbox()
    assert (box.x0 >= 0, box.y0 >= 0, box.x1 <= figure.bbox.x1, box.y1 <= figure.bbox.y1) == (True,) * 4
    for one, other in pairwise(boxes(ax.xaxis)):
        assert one.x1 + 4 < other.x0
    for one, other in pairwise(boxes(ax.yaxis)):
        assert one.y1 < other.y0
    assert min(len(boxes(ax.xaxis)), len(boxes(ax.yaxis))) > 1


def test_the_layout_of_given_axes_stays():
    figure, ax = plt.subplots(figsize=(3, 3))
    before = ax.get_position().bounds
    VerificationDetDisplay.from_predictions(ROWS, MATRIX, classes=[0, 1], ax=ax)
    figure.canvas.draw()
    assert figure.get_layout_engine() is None
    assert ax.get_position().bounds == before
    for one, other in pairwise(boxes(ax.xaxis)):
        assert one.x1 < other.x0


def test_curves_of_many_trials_have_few_points():
    y = np.repeat([1, 0], [20_000, 80_000])
    s = np.random.default_rng(0).normal(2 * y)
    curve = VerificationDetDisplay.from_predictions(y, s).displays_["forgery"]
    assert len(curve.fpr) < 4000
    for threshold in np.linspace(-1, 3, 30):
        far, frr = np.mean(s[y == 0] >= threshold), np.mean(s[y == 1] < threshold)
        distance = np.hypot(norm.ppf(curve.fpr) - norm.ppf(far), norm.ppf(curve.fnr) - norm.ppf(frr))
        assert distance.min() < 0.02


def test_several_systems_in_one_plot():
    systems = {"SVM": MATRIX, "strokes": 5 * MATRIX**3, "both": np.where(ROWS[:, 1:] == 0, 1.0, 0.0) + 0 * MATRIX}
    given = {"classes": [0, 1]}
    display = VerificationDetDisplay.from_systems(systems, ROWS, **given)
    assert labels(display.ax_) == ["SVM", "strokes", "both (no errors)", "equal error"]
    alone = VerificationDetDisplay.from_predictions(ROWS, MATRIX, **given)
    np.testing.assert_array_equal(display.displays_["SVM"].fpr, alone.displays_["skilled"].fpr)
    simple = VerificationDetDisplay.from_systems(systems, ROWS, kind="simple", **given)
    np.testing.assert_array_equal(simple.displays_["SVM"].fnr, alone.displays_["simple"].fnr)


def test_names_of_systems_are_no_formulas_and_are_not_hidden(tmp_path):
    systems = {"_new": MATRIX, r"$\frac$ & 50 %": 2 * MATRIX}
    display = VerificationDetDisplay.from_systems(systems, ROWS, classes=[0, 1])
    assert labels(display.ax_)[0] == " _new"
    assert list(display.displays_) == list(systems)
    display.figure_.savefig(tmp_path / "det.png")


@pytest.mark.parametrize(("y", "found"), [([1, 1], "genuine"), ([0, 0], "forgery")])
def test_a_det_curve_needs_both_kinds_of_trials(y, found):
    with pytest.raises(ValueError, match=f"needs genuine trials and forgeries; found {found} only"):
        VerificationDetDisplay.from_predictions(y, [0.1, 0.2])


@pytest.mark.parametrize(("systems", "message"), [({}, "must name a system; got 0"), ([MATRIX], "mapping of names")])
def test_systems_are_checked(systems, message):
    with pytest.raises(ValueError, match=message):
        VerificationDetDisplay.from_systems(systems, ROWS, classes=[0, 1])
