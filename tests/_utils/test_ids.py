"""Ids of every type are kept apart, or refused by an error that names them."""

import enum
import uuid
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from sigkit._utils import development_rows, parse_ids, parse_target
from sigkit.metrics import verification_trials
from sigkit.model_selection import WriterSplit


class Name(str):
    """A string that prints as something else."""

    def __str__(self):
        return "a name"


class Number(enum.IntEnum):
    SEVEN = 7


NAN = float("nan")
REFUSED = [
    ([7, "7"], "mixes int, str"),
    ([NAN, "ada"], "NaN or None as a writer id, in rows 0"),
    (["ada", None], "NaN or None as a writer id, in rows 1"),
    ([pd.NA, 7], "NaN or None as a writer id, in rows 0"),
    ([pd.NaT, 7], "NaN or None as a writer id, in rows 0"),
    ([7.0, np.inf], "NaN or infinity"),
    (["ada", "ada\0"], r"null characters, which numpy drops: 'ada\\x00'"),
    ([np.str_("ada"), np.str_("ada\0\0")], "null characters"),
    (["ada", ""], "empty string as a writer id, in rows 1"),
    ([2**53 + 1, float(2**53)], r"floats so large .*: 9007199254740992\.0"),
    ([1e20, 2e20], r"floats so large .*: 1e\+20, 2e\+20"),
    ([np.float32(2**24), 5], "floats so large"),
    ([np.float16(2048)], "floats so large"),
    ([1.5, 2.0], r"has float64: 1\.5"),
    ([2**63, 1], "beyond 64-bit integers.*: 9223372036854775808"),
    ([-(2**63) - 1], "beyond 64-bit integers"),
    ([np.uint64(2**63 + 7)], "beyond 64-bit integers.*: 9223372036854775815"),
    ([True, False], "has bool: True, False"),
    ([1, True], "has bool: True"),
    ([np.bool_(True), 2], "has bool: True"),
    ([b"ada", "ada"], "has bytes: b'ada'"),
    ([uuid.UUID(int=1)], r"has UUID: UUID\('0{8}-.*Convert them with str\(\)"),
    ([Decimal(7), 7], r"has Decimal: Decimal\('7'\)"),
    ([Fraction(7)], r"has Fraction: Fraction\(7, 1\)"),
    ([1 + 0j], "has complex"),
    ([np.datetime64("2020-01-01")], "has datetime64"),
    ([np.timedelta64(7)], "has timedelta64"),
    ([object()], "has object"),
]


@pytest.mark.parametrize(("ids", "message"), REFUSED)
@pytest.mark.parametrize("form", [list, tuple, "rows", "objects", "rows of objects", "series"])
def test_ids_that_could_be_confused_are_refused(ids, message, form):
    if form == "rows":
        y = [[writer, 0] for writer in ids]
    elif form in ("objects", "series"):
        y = np.empty(len(ids), dtype=object)
        y[:] = ids
        y = pd.Series(y, dtype=object) if form == "series" else y
    elif form == "rows of objects":
        y = np.array([[writer, 0] for writer in ids], dtype=object)
    else:
        y = form(ids)
    with pytest.raises(ValueError, match=message):
        parse_target(y)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.array([2**63 + 7, 3], dtype=np.uint64), "beyond 64-bit integers.*: 9223372036854775815"),
        (np.array([1e20, 3.0]), "floats so large"),
        (np.float32([2**24, 3]), r"floats so large .*: 16777216\.0"),
        (np.array([True, False]), "has bool"),
        (np.array([b"ada"]), "has bytes"),
        (np.array(["", "ada"]), "empty string"),
        (np.array(["2020"], dtype="M8[Y]"), "has datetime64"),
        (np.ma.array([7, 8], mask=[False, True]), "masked"),
        (pd.Series([7, pd.NA], dtype="Int64"), "NaN"),
        (pd.Series(["ada", pd.NA], dtype="string"), "rows 1"),
        (pd.Series(["ada", None], dtype="category"), "rows 1"),
        (pd.Series([7, None], dtype="category"), "NaN"),
        (pd.Series([True, False]), "has bool"),
        ({7, 8}, "y is a set, whose items have no fixed order"),
        ({7: 0}, "y is a dict"),
        ([7, [8, 0]], "ids among rows"),
        ([[7, 0], [8]], "rows of different lengths"),
        ([np.array(7), [8]], "rows of different lengths"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_arrays_and_tables_that_are_refused(ids, message):
    with pytest.raises(ValueError, match=message):
        parse_target(ids)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([7, np.uint8(8), np.int64(-9), 10.0, np.float32(11)], [7, 8, -9, 10, 11]),
        ([2**63 - 1, 2**63 - 2, -(2**63)], [2**63 - 1, 2**63 - 2, -(2**63)]),
        ([2**53 + 1, 2**53, 3.0], [2**53 + 1, 2**53, 3]),
        (np.array([2**63 - 1, 2**53 + 1], dtype=np.uint64), [2**63 - 1, 2**53 + 1]),
        (pd.Series([2**53 + 1, 2**53], dtype="Int64"), [2**53 + 1, 2**53]),
        (pd.Series([7, 8], dtype="category"), [7, 8]),
        ([Number.SEVEN, 8], [7, 8]),
        ([Name("ada"), Name("bob"), "cyd"], ["ada", "bob", "cyd"]),
        (["ada", " ada", "ada ", "Ada", "a\0da"], ["ada", " ada", "ada ", "Ada", "a\0da"]),
        (["\u00e9", "e\u0301"], ["\u00e9", "e\u0301"]),
        (["007", "7", "7.0"], ["007", "7", "7.0"]),
        (pd.Series(["ada", "bob"], dtype="string"), ["ada", "bob"]),
        (pd.Categorical(["ada", "bob"]), ["ada", "bob"]),
        (np.array(["ada", "bob"], dtype=np.dtypes.StringDType()), ["ada", "bob"]),
        (range(3), [0, 1, 2]),
        ([], []),
    ],
    ids=lambda value: str(value)[:20],
)
def test_ids_that_stay_apart(ids, expected):
    writers, forgery = parse_target(ids)
    assert writers.tolist() == expected
    assert {type(writer) for writer in writers.tolist()} <= {int, str}
    assert not forgery.any()


def test_a_table_keeps_the_type_of_each_column():
    writers = np.array([2**53 + 1, 2**53], dtype=np.int64)
    for table in (
        pd.DataFrame({"forgery": [0.0, 1.0], "writer": writers}),
        pd.DataFrame({"writer": writers.astype(np.uint64), "forgery": [0, 1]}),
        pd.DataFrame({"of": writers, "kind": [0.0, 1.0]}),
        [[2**53 + 1, 0.0], [2**53, 1]],
    ):
        found, forgery = parse_target(table)
        assert found.tolist() == writers.tolist()
        assert forgery.tolist() == [0, 1]
    with pytest.raises(ValueError, match="columns writer and forgery"):
        parse_target(pd.DataFrame({"a": [1], "b": [2], "c": [3]}))


@pytest.mark.parametrize("dev_writers", [[True], [1.5], ["1"], [Decimal(1)], [1, "2"], [None], [b"1"]])
def test_development_writers_are_parsed_as_ids(dev_writers):
    with pytest.raises(ValueError, match="dev_writers"):
        development_rows(np.array([1, 2]), dev_writers)
    with pytest.raises(ValueError, match="dev_writers"):
        next(WriterSplit(1, 1, dev_writers=dev_writers).split(np.arange(8).reshape(8, 1), [1, 1, 1, 1, 2, 2, 2, 2]))


@pytest.mark.parametrize("dev_writers", [{2}, (2.0,), np.array([2], dtype=np.uint8), pd.Series([2]), range(2, 3)])
def test_development_writers_of_every_form(dev_writers):
    assert development_rows(np.array([1, 2]), dev_writers).tolist() == [False, True]


def test_ids_of_one_dimension():
    assert parse_ids({7}).tolist() == [7]
    with pytest.raises(ValueError, match=r"writers must be a list of writer ids, \(n_ids,\); got \(2, 2\)"):
        parse_ids(np.zeros((2, 2)), "writers")


@pytest.mark.parametrize("ids", [[True, 2], [7, "7"], [1.5, 2], ["ada", "ada\0"]])
def test_metrics_parse_ids(ids):
    for options in ({"classes": ids}, {"writers": ids}):
        scores = [[0.5, 0.1], [0.2, 0.3]] if "classes" in options else [0.5, 0.1]
        with pytest.raises(ValueError, match=r"mixes|has bool|has float|null characters"):
            verification_trials([[1, 0], [2, 0]], scores, **options)
