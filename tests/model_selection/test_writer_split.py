import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sigkit.model_selection import WriterSplit


@pytest.fixture
def corpus():
    """Four writers of 9 genuine, 3 skilled and 2 simple forgeries, each a row of features."""
    y = np.array([[writer, forgery] for writer in range(1, 5) for forgery in [0] * 9 + [1] * 3 + [2] * 2])
    return np.random.default_rng(0).normal(size=(len(y), 5)), y


def test_references_are_in_training_folds_and_queries_in_test_folds(corpus):
    X, y = corpus
    split = WriterSplit(n_references=4, n_queries=3, dev_writers=[2], n_splits=3, random_state=0)
    assert split.get_n_splits() == 3
    folds = list(split.split(X, y))
    assert len(folds) == 3
    for train, test in folds:
        assert not set(train) & set(test)
        assert (y[train][:, 0] == 2).sum() == 14
        for writer in (1, 3, 4):
            assert y[train][y[train][:, 0] == writer].tolist() == [[writer, 0]] * 4
            kinds = y[test][y[test][:, 0] == writer][:, 1]
            assert np.bincount(kinds).tolist() == [3, 3, 2]
        assert 2 not in y[test][:, 0]
    assert len({tuple(train) for train, _ in folds}) == 3


def test_splits_repeat_with_an_integer_seed(corpus):
    split = WriterSplit(n_references=4, n_queries=3, n_splits=2, random_state=5)
    for (train, test), (train_again, test_again) in zip(split.split(*corpus), split.split(*corpus)):
        assert np.array_equal(train, train_again)
        assert np.array_equal(test, test_again)
    other = WriterSplit(n_references=4, n_queries=3, n_splits=2, random_state=6)
    assert not np.array_equal(next(split.split(*corpus))[0], next(other.split(*corpus))[0])


def with_duplicates(kind, tmp_path):
    """Make twelve genuine signatures of two writers; those from 4 to 11, of the first writer, are the same image."""
    images = [np.full((3, 4 + k % 2), k, dtype=np.uint8) for k in range(24)]
    for k in range(5, 12):
        images[k] = images[4].copy()
    if kind == "list":
        return images
    if kind == "object array":
        array = np.empty(24, dtype=object)
        array[:] = images
        return array
    if kind == "features":
        return np.array([image.ravel()[:10] for image in images])
    if kind == "table":
        return pd.DataFrame([image.ravel()[:10] for image in images])
    paths = [tmp_path / f"{k}.png" for k in range(24)]
    for image, path in zip(images, paths):
        Image.fromarray(image).save(path)
    return np.array([str(path) for path in paths])


@pytest.mark.parametrize("kind", ["files", "list", "object array", "features", "table"])
def test_duplicates_are_never_in_both_folds(kind, tmp_path):
    X = with_duplicates(kind, tmp_path)
    y = np.repeat(["ada", "bob"], 12)
    split = WriterSplit(n_references=3, n_queries=2, n_splits=20, random_state=0)
    for train, test in split.split(X, y):
        assert np.isin(np.concatenate([train, test]), range(4, 12)).sum() <= 1
        assert len(train) == 6
        assert len(test) == 4


def test_equal_images_of_different_writers_are_kept(corpus):
    _, y = corpus
    X = np.tile(np.arange(14.0)[:, None], (4, 1))
    train, test = next(WriterSplit(n_references=4, n_queries=3, n_splits=1).split(X, y))
    assert len(train) == 16
    assert len(test) == 4 * 8


def test_duplicate_forgeries_are_used_once(corpus):
    X, y = corpus
    X[9:12] = X[9]
    _, test = next(WriterSplit(n_references=4, n_queries=3, n_splits=1).split(X, y))
    assert (y[test].tolist()).count([1, 1]) == 1


def test_writers_with_too_few_signatures_give_half_to_each_fold(corpus):
    X, y = corpus
    keep = ~((y[:, 0] == 3) & (y[:, 1] == 0)) | (np.arange(len(y)) % 2 == 0)
    split = WriterSplit(n_references=5, n_queries=4, n_splits=2, random_state=0)
    with pytest.warns(UserWarning, match=r"1 of 4 writers have fewer than 5 \+ 4 .*: 3 \(5\)\.") as warned:
        folds = list(split.split(X[keep], y[keep]))
    assert len(warned) == 1
    assert warned[0].filename == __file__
    for train, test in folds:
        assert (y[keep][train][:, 0] == 3).sum() == 2
        assert (y[keep][test].tolist()).count([3, 0]) == 3
        assert (y[keep][train][:, 0] == 1).sum() == 5


def test_single_numbers_are_distinct_signatures(corpus):
    _, y = corpus
    train, test = next(WriterSplit(n_references=4, n_queries=3, n_splits=1).split(np.zeros(len(y)), y))
    assert len(train) == 16
    assert len(test) == 32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_references": 0}, "n_references must be a positive integer; found 0"),
        ({"n_queries": 2.5}, "n_queries"),
        ({"n_splits": -1}, "n_splits"),
        ({"dev_writers": [1, 9]}, "not in y: 9"),
        ({"dev_writers": [1, 2, 3, 4]}, "no writer is left to enroll"),
    ],
)
def test_bad_parameters(corpus, change, message):
    with pytest.raises(ValueError, match=message):
        next(WriterSplit(**{"n_references": 4, "n_queries": 3, **change}).split(*corpus))


def test_bad_targets(corpus):
    X, y = corpus
    with pytest.raises(ValueError, match="X has 55 signatures, but y has 56 rows"):
        next(WriterSplit(4, 3).split(X[1:], y))
    with pytest.raises(ValueError, match="found None"):
        next(WriterSplit(4, 3).split(X, None))
    forged = (y[:, 0] != 3) | (y[:, 1] != 0)
    with pytest.raises(ValueError, match=r"fewer than two distinct genuine signatures .*: 3"):
        next(WriterSplit(4, 3).split(X[forged], y[forged]))


def test_repr():
    assert repr(WriterSplit(4, 3, dev_writers=[1], n_splits=2, random_state=0)).startswith("WriterSplit(")


@pytest.mark.parametrize(("script", "n_short"), [("Bengali", 51)])
def test_duplicates_in_a_real_corpus(shared_data, script, n_short):
    paths = sorted((shared_data / "BHSig260" / script).glob("*/*-G-*.tif"))
    writers = [path.parent.name for path in paths]
    with pytest.warns(UserWarning, match=rf"{n_short} of 100 writers have fewer than 12 \+ 10"):
        next(WriterSplit(12, 10, n_splits=1, random_state=0).split(paths, writers))


@pytest.mark.parametrize(("asked", "given"), [((3, 20), (3, 19)), ((20, 3), (11, 3)), ((12, 11), (11, 11))])
def test_folds_never_exceed_the_requested_sizes(asked, given):
    X, y = np.arange(22.0)[:, None], np.zeros(22, dtype=int)
    with pytest.warns(UserWarning, match="fewer than"):
        train, test = next(WriterSplit(*asked, n_splits=1).split(X, y))
    assert (len(train), len(test)) == given


def test_duplicates_of_python_objects(tmp_path):
    rows = np.repeat(np.arange(6.0), 2)
    y = np.zeros(12, dtype=int)
    paths = with_duplicates("files", tmp_path)[np.repeat([0, 1, 2, 3, 4, 12], 2)]
    tables = [
        rows[:, None].astype(object),
        pd.DataFrame({"slant": rows, "pen": ["felt"] * 12}),
        pd.DataFrame({"path": paths}),
    ]
    for X in tables:
        for train, test in WriterSplit(3, 3, n_splits=10, random_state=0).split(X, y):
            assert len({row // 2 for row in [*train, *test]}) == 6


def test_first_rows_of_a_training_fold_contain_every_writer(corpus):
    X, y = corpus
    train, _ = next(WriterSplit(4, 3, dev_writers=[2], n_splits=1).split(X, y))
    assert (y[train[:14], 0] == 2).all()
    for start in range(14, 26, 3):
        assert sorted(y[train[start : start + 3], 0]) == [1, 3, 4]


def test_iterators_and_missing_files_raise(corpus):
    split = WriterSplit(4, 3, dev_writers=iter([2]))
    with pytest.raises(ValueError, match="dev_writers must be a list"):
        next(split.split(*corpus))
    with pytest.raises(FileNotFoundError, match=r"^no\.png: no such file"):
        next(WriterSplit(4, 3).split(np.array(["no.png"] * 56), corpus[1]))
    with pytest.raises(ValueError, match="found NoneType"):
        next(WriterSplit(4, 3).split(None, corpus[1]))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are files on POSIX only")
def test_what_is_no_file_is_named(tmp_path):
    for number in range(7):
        (tmp_path / f"{number}.png").write_bytes(bytes([number]))
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "large.png").touch()
    os.truncate(tmp_path / "large.png", 50 * 10**9)
    y = np.repeat([1, 2], 4)
    paths = [str(tmp_path / f"{number}.png") for number in range(7)]
    for other, message in [
        (tmp_path / "pipe.png", "is a named pipe, not a file"),
        (tmp_path, "is a folder, not a file"),
        (tmp_path / "large.png", "has 50,000,000,000 bytes, more than 1,073,741,824"),
        ("/dev/zero", "/dev/zero: is a device, not a file"),
        ("null\0.png", "embedded null byte"),
    ]:
        with pytest.raises(OSError, match=message):
            next(WriterSplit(2, 2).split([*paths, str(other)], y))
