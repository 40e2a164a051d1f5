import numpy as np
import pandas as pd
import pytest

from sigkit._utils import content_digest, development_rows, parse_target


@pytest.mark.parametrize(
    "y",
    [
        [["ada", 0], ["bob", 1], ["bob", 2]],
        np.array([["ada", "0"], ["bob", "1"], ["bob", "2"]]),
        np.array([["ada", 0], ["bob", 1], ["bob", 2]], dtype=object),
        pd.DataFrame({"writer": ["ada", "bob", "bob"], "forgery": [0, 1, 2]}),
    ],
)
def test_tables_of_strings_and_kinds(y):
    writers, forgery = parse_target(y)
    assert writers.tolist() == ["ada", "bob", "bob"]
    assert forgery.tolist() == [0, 1, 2]


@pytest.mark.parametrize("y", [[3, 1], np.array([3, 1]), pd.Series([3, 1]), np.array([[3.0], [1.0]]), [[3, 0], [1, 0]]])
def test_integers_stay_integers(y):
    writers, forgery = parse_target(y)
    assert writers.tolist() == [3, 1]
    assert writers.dtype.kind == "i"
    assert forgery.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "found None"),
        (np.zeros((2, 3)), r"\(2, 3\)"),
        ([[1, 0], [1, 7]], "found 7 in"),
        ([["ada", "real"]], "found 'real'"),
        ([["ada", 0], [3, 0]], "mixes int, str"),
        ([["ada", 0], [None, 0]], "rows 1"),
        ([np.nan, 1.0], "NaN"),
    ],
)
def test_invalid_targets_raise(y, message):
    with pytest.raises(ValueError, match=message):
        parse_target(y)


def test_development_writers_must_be_in_y():
    writers = np.array([1, 2, 2])
    assert development_rows(writers, np.array([2])).tolist() == [False, True, True]
    assert not development_rows(writers, None).any()
    with pytest.raises(ValueError, match="not in y: 8, 9"):
        development_rows(writers, [8, 9])
    with pytest.raises(ValueError, match="not in y: '2'"):
        development_rows(writers, ["2"])


def test_digest_depends_on_shape_dtype_and_values():
    zeros = np.zeros((2, 3), dtype=np.uint8)
    others = [np.zeros((3, 2), np.uint8), np.zeros((2, 3), np.int8), np.ones((2, 3), np.uint8)]
    assert content_digest(zeros) == content_digest(zeros.copy(order="F"))
    assert len({content_digest(array) for array in [zeros, *others]}) == 4
    assert content_digest(b"ink") != content_digest(b"paper")


def test_tables_are_read_by_column_names():
    table = pd.DataFrame({"forgery": [0, 1], "writer": [7, 8], "date": ["x", "y"]})
    writers, forgery = parse_target(table)
    assert writers.tolist() == [7, 8]
    assert forgery.tolist() == [0, 1]


@pytest.mark.parametrize("y", ["ada", 7])
def test_a_single_id_raises(y):
    with pytest.raises(ValueError, match=rf"\[{y!r}\] instead of {y!r}"):
        parse_target(y)


def test_missing_ids_of_pandas():
    with pytest.raises(ValueError, match="rows 1"):
        parse_target(pd.Series(["ada", pd.NA], dtype="string"))


def test_digests_of_object_arrays_raise():
    with pytest.raises(TypeError, match="Python objects"):
        content_digest(np.array([object()]))
