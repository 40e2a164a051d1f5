"""Cllr, ECE, Tippett plots and the verbal scale, compared with slow direct computations."""

import math
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sigkit.metrics import EceDisplay, ScoreCalibrator, TippettDisplay, cllr_score, min_cllr_score, verbal_scale

matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


def draw(seed, ties=False, n=60):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 3 == 0).astype(int)
    s = rng.normal(2 * y - 1)
    return y, np.round(s) if ties else s


def cross_entropy(y, log10_lr, prior):
    """Sum the bits trial by trial; infinite logarithms are allowed."""
    odds = prior / (1 - prior)
    total = 0.0
    for genuine, value in zip(y, log10_lr):
        share = (prior / sum(y)) if genuine else (1 - prior) / (len(y) - sum(y))
        exponent = -value if genuine else value
        posterior_odds = 0.0 if exponent == -math.inf else 10**exponent
        total += share * math.log2(1 + posterior_odds * (1 / odds if genuine else odds))
    return total


def pav(y, s):
    """Compute log10 LRs by pooling one pair of neighbors at a time."""
    blocks = [[sum(y[s == t]), sum(s == t), [t]] for t in np.unique(s)]
    while any(a[0] * b[1] >= b[0] * a[1] for a, b in pairwise(blocks)):
        at = next(i for i, (a, b) in enumerate(pairwise(blocks)) if a[0] * b[1] >= b[0] * a[1])
        (g, n, scores), (h, m, more) = blocks[at : at + 2]
        blocks[at : at + 2] = [[g + h, n + m, scores + more]]
    of_score = {}
    for g, n, scores in blocks:
        f = n - g
        lr = math.inf if f == 0 else -math.inf if g == 0 else math.log10(g / f * (len(y) - sum(y)) / sum(y))
        of_score |= dict.fromkeys(scores, lr)
    return np.array([of_score[t] for t in s])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_cllr_and_pav_are_those_of_a_direct_computation(seed, ties):
    y, s = draw(seed, ties)
    assert cllr_score(y, s) == pytest.approx(cross_entropy(y, s, 0.5), rel=1e-12)
    assert min_cllr_score(y, s) == pytest.approx(cross_entropy(y, pav(y, s), 0.5), abs=1e-12)
    display = EceDisplay.from_predictions(y, s, log10_odds=[-1.5, 0, 2])
    for at, prior in enumerate(1 / (1 + 10**-display.log10_odds)):
        assert display.ece[at] == pytest.approx(cross_entropy(y, s, prior))
        assert display.ece_calibrated[at] == pytest.approx(cross_entropy(y, pav(y, s), prior), abs=1e-12)
        assert display.ece_prior[at] == pytest.approx(cross_entropy(y, 0 * s, prior))


def test_properties_of_cllr():
    y, s = draw(0, n=300)
    assert cllr_score(y, 0 * s) == 1
    assert 0 < min_cllr_score(y, s) < cllr_score(y, s)
    assert min_cllr_score(y, np.exp(s)) == min_cllr_score(y, s)
    assert min_cllr_score([1, 0], [1.0, 0.0]) == 0
    assert min_cllr_score([1, 0], [0.0, 1.0]) == 1
    with pytest.warns(UndefinedMetricWarning, match="below one half"):
        assert cllr_score(y, -100 * s) > 1
    assert cllr_score([1, 0], [1e5, -1e5]) == 0


def test_calibrated_scores_of_other_trials_cost_little_more_than_the_minimum():
    (y_dev, s_dev), (y, s) = draw(1, n=2000), draw(2, n=2000)
    for method in ("logistic", "isotonic"):
        log10_lr = ScoreCalibrator(method=method).fit(5 * s_dev + 3, y_dev).transform(5 * s + 3)
        assert cllr_score(y, log10_lr) < min_cllr_score(y, s) + 0.03


def test_kinds_and_matrices():
    y = [["a", 0], ["a", 1], ["b", 0], ["b", 2]]
    matrix = [[1, -1], [2, 0], [-1, 1], [0, -3]]
    given = {"classes": ["a", "b"]}
    genuine = math.log2(1.1)
    assert cllr_score(y, matrix, **given) == pytest.approx((genuine + math.log2(101)) / 2)
    assert cllr_score(y, matrix, kind="random", **given) == pytest.approx(genuine)
    assert min_cllr_score(y, matrix, kind="simple", **given) == 0
    assert min_cllr_score(y, matrix, **given) == 1


def test_tippett_curves_are_the_fractions_above():
    rows = np.column_stack([np.arange(90) % 3, np.repeat([0, 1, 2], 30)])
    s = np.random.default_rng(0).normal(size=90).round(1)
    display = TippettDisplay.from_predictions(rows, s)
    assert list(display.lines_) == ["genuine", "skilled", "simple"]
    for kind, line in display.lines_.items():
        values = s[rows[:, 1] == {"genuine": 0, "skilled": 1, "simple": 2}[kind]]
        x, above = line.get_data()
        assert above[0] == 1
        for value, fraction in zip(x[1:], above[1:]):
            last = x[1:] == value
            assert np.mean(values > value) == pytest.approx(above[1:][last].min())
            assert fraction >= np.mean(values > value) - 1e-12
        misleading = np.mean(values < 0) if kind == "genuine" else np.mean(values > 0)
        assert display.misleading_[kind] == misleading
    assert (
        f"{100 * display.misleading_['genuine']:.2f} % misleading" in display.ax_.get_legend().get_texts()[0].get_text()
    )


def test_plots_of_many_trials_have_few_points(tmp_path):
    y, s = draw(0, n=30_000)
    display = TippettDisplay.from_predictions(y, s)
    assert all(len(line.get_xdata()) <= 2001 for line in display.lines_.values())
    figure, (left, right) = plt.subplots(1, 2)
    assert EceDisplay.from_predictions(y, s, ax=right).ax_ is right
    assert display.plot(ax=left).figure_ is figure
    figure.savefig(tmp_path / "evidence.png")


@pytest.mark.parametrize(
    ("lr", "words"),
    [
        (1.9, "no support for either"),
        (2, "weak support for a genuine signature"),
        (9.9, "weak support for a genuine signature"),
        (10, "moderate support for a genuine signature"),
        (100, "moderately strong support for a genuine signature"),
        (1000, "strong support for a genuine signature"),
        (1e4, "very strong support for a genuine signature"),
        (1e6, "extremely strong support for a genuine signature"),
        (1 / 50, "moderate support for a forgery"),
        (1e-7, "extremely strong support for a forgery"),
    ],
)
def test_verbal_scale(lr, words):
    assert verbal_scale(np.log10(lr)) == words
    assert verbal_scale([np.log10(lr)]).tolist() == [words]


def test_verbal_scale_of_other_propositions_and_invalid_values():
    found = verbal_scale([[1.0], [-1.0]], propositions=("one speaker", "two speakers"))
    assert found.tolist() == [["moderate support for one speaker"], ["moderate support for two speakers"]]
    with pytest.raises(ValueError, match="log10_lr holds NaN"):
        verbal_scale(np.nan)


@pytest.mark.parametrize("odds", [np.nan, [0.0, np.inf], "even"])
def test_prior_odds_are_numbers(odds):
    y, s = draw(0)
    with pytest.raises(ValueError, match="log10_odds"):
        EceDisplay.from_predictions(y, s, log10_odds=odds)


def test_two_propositions_are_named():
    for propositions in (("genuine",), "ab"):
        with pytest.raises(ValueError, match="propositions must be two texts"):
            verbal_scale(1.0, propositions=propositions)
