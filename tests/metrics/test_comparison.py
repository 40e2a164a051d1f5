"""Comparisons of systems, their differences, and tables to take away."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from sigkit.metrics import compare_systems, eer_score, frr_score, verification_report, wrong_decisions


def make_systems(n_writers=15, seed=0):
    rng = np.random.default_rng(seed)
    y = np.column_stack([np.repeat(np.arange(n_writers), 20), np.tile([0] * 8 + [1] * 12, n_writers)])
    signal = rng.normal(size=len(y)) + 2 * (y[:, 1] == 0) + rng.normal(size=n_writers)[y[:, 0]]
    return y, {"plain": signal + rng.normal(size=len(y)), "better": signal, "same": 3 * signal + 1}


def test_estimates_are_those_of_the_report():
    y, systems = make_systems()
    thresholds = {"plain": 1.0, "better": 1.0, "same": 4.0}
    found = compare_systems(systems, y, threshold=thresholds, n_bootstraps=50, random_state=0)
    for name, scores in systems.items():
        report = verification_report(y, scores, threshold=thresholds[name], n_bootstraps=50, random_state=0)
        assert found.estimates[name] == report.estimates
    assert found.resampled == "writers"


def test_differences_are_paired():
    """Resample writers by hand; the same writers for both systems."""
    y, systems = make_systems()
    found = compare_systems(systems, y, threshold=1.0, n_bootstraps=40, confidence=0.5, random_state=3)
    rates = {"eer": [], "frr": []}
    for drawn in np.random.RandomState(3).randint(15, size=(40, 15)):
        rows = np.concatenate([np.flatnonzero(y[:, 0] == writer) for writer in drawn])
        for name, rate in (("eer", eer_score), ("frr", lambda *given: frr_score(*given, threshold=1.0))):
            rates[name].append(rate(y[rows], systems["better"][rows]) - rate(y[rows], systems["plain"][rows]))
    for name, values in rates.items():
        difference = found.differences["better"][name]
        assert (difference.low, difference.high) == pytest.approx(tuple(np.quantile(values, [0.25, 0.75]))), name
    eer = {name: estimates["eer"].value for name, estimates in found.estimates.items()}
    assert found.differences["better"]["eer"].value == eer["better"] - eer["plain"] < 0


def test_a_paired_interval_is_narrower_than_two_intervals():
    y, systems = make_systems()
    systems["plain"] = systems["better"] + 0.3 * np.random.default_rng(1).normal(size=len(y))
    found = compare_systems(systems, y, n_bootstraps=200, random_state=0)
    width = {name: e["eer"].high - e["eer"].low for name, e in found.estimates.items()}
    difference = found.differences["better"]["eer"]
    assert difference.high - difference.low < 0.7 * np.hypot(width["plain"], width["better"])


def test_equal_systems_have_no_difference():
    y, systems = make_systems()
    found = compare_systems({"one": systems["better"], "two": systems["same"]}, y, n_bootstraps=20, random_state=0)
    assert {(d.value, d.low, d.high) for d in found.differences["two"].values()} == {(0, None, None)}


def test_plain_labels_matrices_and_frames_of_scores():
    y, systems = make_systems()
    genuine = y[:, 1] == 0
    found = compare_systems(pd.DataFrame(systems), genuine, n_bootstraps=20, random_state=0)
    assert (found.resampled, found.kind) == ("trials", "forgery")
    assert "resamples of trials" in str(found)
    report = verification_report(genuine, systems["better"], n_bootstraps=0)
    assert found.estimates["better"]["mean_auc"].value == report.estimates["mean_auc"].value
    assert found.differences["better"]["eer"].low < found.differences["better"]["eer"].high
    by_sigver = compare_systems(systems, y, method="sigver", n_bootstraps=5, random_state=0)
    assert by_sigver.estimates["plain"]["eer"].value == eer_score(y, systems["plain"], method="sigver")


def test_tables_of_a_comparison():
    y, systems = make_systems()
    found = compare_systems(systems, y, n_bootstraps=20, random_state=0)
    frame = found.to_frame()
    assert frame.index.names == ["metric", "system"]
    assert list(frame.index) == [(m, s) for m in ("eer", "eer_writer", "mean_auc") for s in systems]
    assert frame.loc[("eer", "better"), "difference_low"] == found.differences["better"]["eer"].low
    assert np.isnan(frame.loc[("eer", "plain"), "difference"])
    text = str(found)
    assert text.splitlines()[1].split()[:2] == ["EER", "plain"]
    assert "120 genuine trials and 180 forgeries of 15 writers" in text
    latex = found.to_latex()
    assert latex.count(r"\\") == 1 + len(frame)
    comment, first = latex.splitlines()[:2]
    assert comment.startswith("%")
    assert r"\usepackage{booktabs}" in comment
    assert first == r"\begin{tabular}{lrrrrr}"
    assert "95 \\% interval" in latex
    assert "FRR" not in text.split("\n\n")[0]


def notes_of(latex):
    """Return the notes below a LaTeX table, which a document prints."""
    below = latex.partition(r"\end{tabular}")[2]
    return [line for line in below.splitlines() if not line.startswith("%")]


def test_marks_are_explained_below_latex_tables():
    """A star for exact intervals, a dash for none, and the unit of the intervals."""
    y, scores = [1, 1, 1, 0, 0, 0], [0.9, 0.8, 0.7, 0.3, 0.2, 0.1]
    report = verification_report(y, scores, n_bootstraps=20, random_state=0)
    latex = report.to_latex()
    assert "]* &" in latex
    notes = notes_of(latex)
    assert any(note.startswith("* Exact interval") for note in notes)
    assert any("Intervals are in the unit of the value." in note for note in notes)
    found = compare_systems({"a": scores, "b": scores}, y, n_bootstraps=20, random_state=0)
    same = "No interval (-) of a difference that is the same in all resamples."
    assert any(same in note for note in notes_of(found.to_latex()))
    assert same in str(found)
    without = compare_systems({"a": scores, "b": scores}, y, n_bootstraps=0)
    assert any("No intervals (-)" in note for note in notes_of(without.to_latex()))
    assert same not in str(without)


def test_det_plot_of_a_comparison():
    pytest.importorskip("matplotlib").use("Agg")
    y, systems = make_systems()
    found = compare_systems(systems, y, n_bootstraps=0)
    assert list(found.plot_det().displays_) == list(systems)
    of_labels = compare_systems(systems, y[:, 1] == 0, n_bootstraps=0)
    assert list(of_labels.plot_det().displays_) == list(systems)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"systems": {"one": [1, 0]}}, "two systems or more; got 1"),
        ({"systems": [[1, 0], [0, 1]]}, "mapping of names to scores; got list"),
        ({"threshold": {"a": 1.0}}, r"found \['a'\], and the systems \['a', 'b'\]"),
        ({"confidence": 95}, "confidence must be"),
        ({"kind": "traced"}, "kind must be"),
        ({"y_true": [["a", 0], ["a", 2]]}, "no skilled forgeries"),
    ],
)
def test_invalid_comparisons_raise(options, message):
    given = {"systems": {"a": [1, 0], "b": [1, 0]}, "y_true": [1, 0], **options}
    with pytest.raises(ValueError, match=message):
        compare_systems(**given)


def test_tables_of_a_report():
    y, systems = make_systems()
    report = verification_report(y, systems["better"], n_bootstraps=20, random_state=0)
    frame = report.to_frame()
    assert frame.index.name == "metric"
    assert frame.loc["frr", "iso_term"] == "FNMR"
    assert frame.loc["far_skilled", ["n_genuine", "n_forgeries", "n_writers"]].tolist() == [0, 180, 15]
    assert frame["value"].to_dict() == {name: estimate.value for name, estimate in report.estimates.items()}
    latex = report.to_latex()
    assert "EER skilled, user-specific thresholds &" in latex
    assert latex.split(r"\end{tabular}")[0].count(r"\%") == 1 + 4
    assert "FNMR" in str(report)
    assert json.dumps(report.to_dict())


def test_rates_of_each_writer():
    y, systems = make_systems()
    y = np.concatenate([y, [[99, 0]]])
    scores = np.append(systems["better"], 5.0)
    with pytest.warns(UserWarning, match="1 of 16 writers"):
        report = verification_report(y, scores, threshold=1.0, n_bootstraps=0)
    found = report.per_writer()
    assert found.writer.tolist() == [*range(15), 99]
    rows = y[:, 0] == 3
    assert found.eer[3] == eer_score(y[rows], scores[rows])
    assert found.frr[3] == frr_score(y[rows], scores[rows], threshold=1.0)
    assert np.nanmean(found.auc) == pytest.approx(report.estimates["mean_auc"].value)
    assert np.average(found.far[:15], weights=found.n_forgeries[:15]) == pytest.approx(
        report.estimates["far_skilled"].value
    )
    assert np.isnan([found.eer[15], found.far[15], found.auc[15]]).all()
    assert (found.frr[15], found.n_forgeries[15]) == (0, 0)
    assert len(pd.DataFrame(found)) == 16
    with pytest.raises(ValueError, match="claimed writer"):
        verification_report([1, 0], [1, 0], n_bootstraps=0).per_writer()


def test_wrong_decisions_of_a_matrix():
    y = [["ada", 0], ["bob", 0], ["ada", 1], ["bob", 2]]
    matrix = [[-1.0, 3.0], [-2.0, 1.0], [0.0, 9.0], [9.0, -0.1]]
    found = wrong_decisions(y, matrix, classes=["ada", "bob"])
    table = list(zip(found.row, found.writer, found.kind, found.y_score, found.margin))
    assert table == [
        (0, "bob", "random", 3.0, 3.0),
        (0, "ada", "genuine", -1.0, 1.0),
        (2, "ada", "skilled", 0.0, 0.0),
    ]
    of_kind = wrong_decisions(y, matrix, classes=["ada", "bob"], kind="skilled")
    assert of_kind.row.tolist() == [0, 2]
    by_writer = wrong_decisions(y, matrix, classes=["ada", "bob"], threshold={"ada": -1.5, "bob": 4})
    assert list(zip(by_writer.row, by_writer.kind)) == [(1, "genuine"), (2, "skilled")]
    with pytest.raises(ValueError, match="no simple forgeries"):
        wrong_decisions(y[:3], matrix[:3], classes=["ada", "bob"], kind="simple")


def test_wrong_decisions_agree_with_the_rates():
    y, systems = make_systems()
    scores = systems["better"]
    report = verification_report(y, scores, threshold=1.0, n_bootstraps=0)
    found = wrong_decisions(y, scores, threshold=1.0)
    assert np.sum(found.kind == "genuine") == round(report.estimates["frr"].value * 120)
    assert np.sum(found.kind == "skilled") == round(report.estimates["far_skilled"].value * 180)
    np.testing.assert_array_equal(scores[found.row], found.y_score)
    assert (np.diff(found.margin) <= 0).all()
    of_labels = wrong_decisions(y[:, 1] == 0, scores, threshold=1.0)
    assert of_labels.row.tolist() == found.row.tolist()
    assert set(of_labels.kind) == {"genuine", "forgery"}
    assert "writer" not in of_labels


def test_errors_name_the_system():
    y, systems = make_systems()
    for scores, message in ((systems["plain"][:-1], "number of rows"), (np.full(len(y), np.nan), "NaN")):
        with pytest.raises(ValueError, match=f"System 'bad': .*{message}"):
            compare_systems({"good": systems["plain"], "bad": scores}, y)


def test_rows_in_another_order_are_not_compared():
    y, systems = make_systems()
    first, second = (pd.Series(systems[name]) for name in ("plain", "better"))
    with pytest.raises(ValueError, match="index of system 'two' has the same labels as that of system 'one'"):
        compare_systems({"one": first, "two": second.sort_values()}, y)
    with pytest.raises(ValueError, match="index of system 'one' has the same labels as that of y_true"):
        compare_systems({"one": first, "two": second}, pd.DataFrame(y)[::-1])
    # An index that is not shared says nothing about the order.
    other = second.set_axis(np.arange(len(y)) + 7)
    assert compare_systems({"one": first, "two": other}, y, n_bootstraps=0).trials["two"].y_score[0] == second[0]


def test_an_undefined_rate_is_not_printed_as_a_number():
    with pytest.warns(UndefinedMetricWarning, match="have no genuine trials or no forgeries"):
        report = verification_report([["ada", 0], ["bob", 1]], [1.0, -1.0], random_state=0)
    assert report.estimates["eer_writer"].interval is None
    assert "nan" not in str(report) + report.to_latex()
