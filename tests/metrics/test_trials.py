"""Trials of every accepted form of input, and errors for other input."""

import numpy as np
import pandas as pd
import pytest

from sigkit.metrics import eer_score, far_score, frr_score, verification_trials

ROWS = [["ada", 0], ["bob", 0], ["ada", 1], ["bob", 2], ["eve", 0]]
MATRIX = np.array([[0.9, -0.5], [-0.7, 0.4], [0.1, 0.2], [0.8, -0.3], [-0.9, 0.6]])
CLASSES = ["ada", "bob"]


def table(trials):
    return sorted(zip(trials.writer.tolist(), trials.kind.tolist(), trials.y_score.tolist(), trials.y_true.tolist()))


def test_matrix_gives_genuine_random_and_claimed_forgeries():
    trials = verification_trials(ROWS, MATRIX, classes=CLASSES)
    assert table(trials) == [
        ("ada", "genuine", 0.9, 1),
        ("ada", "random", -0.9, 0),
        ("ada", "random", -0.7, 0),
        ("ada", "skilled", 0.1, 0),
        ("bob", "genuine", 0.4, 1),
        ("bob", "random", -0.5, 0),
        ("bob", "random", 0.6, 0),
        ("bob", "simple", -0.3, 0),
    ]


def test_matrix_with_writer_ids_only_is_all_genuine():
    trials = verification_trials(["ada", "bob"], MATRIX[:2], classes=CLASSES)
    assert trials.kind.tolist() == ["genuine", "random", "random", "genuine"]


def test_matrix_of_one_column_is_a_matrix():
    trials = verification_trials([[7, 0], [8, 0], [7, 1]], [[1.0], [2.0], [3.0]], classes=[7])
    assert trials.kind.tolist() == ["genuine", "random", "skilled"]
    assert trials.writer.tolist() == [7, 7, 7]


def test_order_of_the_columns_does_not_matter():
    straight = verification_trials(ROWS, MATRIX, classes=CLASSES)
    swapped = verification_trials(ROWS, MATRIX[:, ::-1], classes=CLASSES[::-1])
    assert table(straight) == table(swapped)


def test_pandas_and_object_arrays():
    expected = table(verification_trials(ROWS, MATRIX, classes=CLASSES))
    frame = pd.DataFrame(ROWS, columns=["writer", "forgery"])
    assert table(verification_trials(frame, pd.DataFrame(MATRIX), classes=pd.Series(CLASSES))) == expected
    objects = np.array(ROWS, dtype=object)
    assert table(verification_trials(objects, MATRIX, classes=np.array(CLASSES, dtype=object))) == expected


def test_claims_are_trials_of_the_writer_in_their_row():
    trials = verification_trials(ROWS[:4], [0.9, 0.4, 0.1, -0.3])
    assert trials.kind.tolist() == ["genuine", "genuine", "skilled", "simple"]
    assert trials.writer.tolist() == ["ada", "bob", "ada", "bob"]


def test_a_genuine_signature_that_claims_another_writer_is_a_random_forgery():
    trials = verification_trials(ROWS[:3], [0.9, -0.7, 0.1], writers=["ada", "ada", "ada"])
    assert trials.kind.tolist() == ["genuine", "random", "skilled"]
    assert far_score(ROWS[:3], [0.9, -0.7, 0.1], writers=["ada", "ada", "ada"], kind="random") == 0


def test_a_forgery_cannot_claim_another_writer_than_its_own():
    with pytest.raises(ValueError, match="rows 2 imitate another writer"):
        verification_trials(ROWS[:3], [0.9, -0.7, 0.1], writers=["ada", "ada", "bob"])


def test_matrix_and_claims_and_labels_agree():
    rng = np.random.default_rng(0)
    y = np.column_stack([np.repeat(np.arange(5), 8), np.tile([0, 0, 0, 0, 1, 1, 1, 1], 5)])
    scores = rng.normal(size=(40, 5)) + (y[:, :1] == np.arange(5)) * (1 + (y[:, 1:] == 0))
    claimed = scores[np.arange(40), y[:, 0]]
    reference = (y[:, 1] == 0).astype(int)
    for user_specific in (False, True):
        for method in ("nearest", "interpolated", "sigver"):
            options = {"user_specific": user_specific, "method": method}
            expected = eer_score(y, scores, classes=np.arange(5), **options)
            assert 0 < expected < 0.5
            assert eer_score(y, claimed, **options) == expected
            assert eer_score(reference, claimed, writers=y[:, 0], **options) == expected
    assert frr_score(y, scores, classes=np.arange(5), threshold=1) == frr_score(reference, claimed, threshold=1)
    assert far_score(y, scores, classes=np.arange(5), threshold=1) == far_score(reference, claimed, threshold=1)


@pytest.mark.parametrize("labels", [[1, 0], [1, -1], [True, False], [1.0, 0.0]])
def test_plain_labels(labels):
    trials = verification_trials(labels, [0.3, 0.7])
    assert trials.y_true.tolist() == [1, 0]
    assert trials.kind.tolist() == ["genuine", "forgery"]
    assert trials.writer is None


def test_pos_label_is_the_genuine_label():
    assert verification_trials(["live", "spoof"], [1, 0], pos_label="live").y_true.tolist() == [1, 0]
    assert verification_trials(["live", "spoof"], [1, 0], pos_label="spoof").y_true.tolist() == [0, 1]
    # 0 is the genuine kind in targets, so reversed labels must be possible.
    assert verification_trials([0, 1], [1, 0], pos_label=0).y_true.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("y_true", "y_score", "options", "message"),
    [
        ([1, 0], [np.nan, 1], {}, r"NaN or infinity in 1 of 2 rows \(rows 0\)"),
        ([1, 0], [1, np.inf], {}, r"rows 1"),
        (ROWS, np.where(MATRIX > 0.8, np.nan, MATRIX), {"classes": CLASSES}, "NaN or infinity"),
        ([1, 0, 1], [0.1, 0.2], {}, r"found \(3,\) and \(2,\)"),
        ([], [], {}, "not empty"),
        ([1, 0], np.zeros((2, 2, 2)), {}, r"got \(2, 2, 2\)"),
        (["a", "b"], [1, 0], {}, "pos_label"),
        ([0, 1, 2], [1, 0, 0], {}, "Plain y_true must hold 1"),
        (["a", "b"], [1, 0], {"pos_label": "c"}, "pos_label='c'"),
        (["a", "b", "c"], [1, 0, 2], {"pos_label": "c"}, "two labels"),
        (ROWS[:4], [1, 2, 3, 4], {"pos_label": 1}, "plain binary"),
        ([1, 0], [1, 0], {"classes": [0, 1]}, "Leave classes out"),
        ([1, 0], [1, 0], {"writers": [1]}, r"each of 2 scores; got shape \(1,\)"),
        (ROWS, MATRIX, {}, "classes=estimator.classes_"),
        (ROWS, MATRIX, {"classes": ["ada"]}, r"2 columns of y_score; got shape \(1,\)"),
        (ROWS, MATRIX, {"classes": ["ada", "ada"]}, "a writer twice"),
        (ROWS, MATRIX, {"classes": [1, 2]}, "different types"),
        (ROWS, MATRIX, {"classes": CLASSES, "writers": ["ada"] * 5}, "name the columns of a score matrix with classes"),
        ([["ada", 0], ["zoe", 1]], MATRIX[:2], {"classes": CLASSES}, "not enrolled: 'zoe'"),
        ([["ada", 0], ["bob", 5]], MATRIX[:2], {"classes": CLASSES}, "found 5"),
    ],
)
def test_malformed_input_raises(y_true, y_score, options, message):
    with pytest.raises(ValueError, match=message):
        verification_trials(y_true, y_score, **options)


def test_missing_kinds_of_trials_are_named():
    with pytest.raises(ValueError, match="no genuine trials to reject; found 2 forgery"):
        frr_score([0, 0], [0.1, 0.2])
    with pytest.raises(ValueError, match="no skilled forgeries among the trials; found 2 genuine, 1 simple"):
        far_score([[1, 0], [1, 0], [1, 2]], [1, 2, 3])
    with pytest.raises(ValueError, match=r"no random forgeries.*pass scores against every writer"):
        eer_score([[1, 0], [1, 1]], [1, 2], kind="random")
    with pytest.raises(ValueError, match=r"no forgeries among the trials; found 2 genuine. Pass forgeries"):
        eer_score([1, 1], [1, 2], kind="all")


@pytest.mark.parametrize("scores", [[1j, 0], np.array([0, 1], "M8[s]"), ["high", "low"], [10**400, 0]])
def test_scores_are_real_numbers(scores):
    with pytest.raises(ValueError, match="y_score must hold real numbers in the range of floats"):
        eer_score([1, 0], scores)


def test_probabilities_of_both_classes_are_not_one_score():
    with pytest.raises(ValueError, match="pass the column of the genuine class"):
        eer_score([1, 0], [[0.1, 0.9], [0.8, 0.2]])
