"""DevelopmentSet: the tasks of a meta-training, and the writers that they are drawn from."""

import numpy as np
import pytest

from sigkit.training._tasks import DevelopmentSet, TaskSizes, draw_from_each

SIZES = TaskSizes(4, 3, 10, 2, 3)


@pytest.fixture(scope="module")
def development(blots):
    """Development writers 1 to 4, with a duplicate, and two images that are labeled in two ways."""
    X, y = blots
    is_dev = y[:, 0] <= 4
    X = X[is_dev].copy()
    X[1] = X[0]
    X[2 * 12] = X[1 * 12]
    X[2 * 12 + 9] = X[2 * 12 + 1]
    return DevelopmentSet(X, *y[is_dev].T)


def assert_distinct(task):
    rows = np.concatenate([task.references, task.queries])
    assert len(np.unique(rows)) == len(rows)


def test_duplicates_are_used_once_and_contradictory_labels_never(development):
    assert [len(rows) for rows in development.genuine.values()] == [7, 7, 6, 8]
    assert [len(rows) for rows in development.skilled.values()] == [4, 4, 3, 4]
    assert development.genuine[1].tolist() == [0, 2, 3, 4, 5, 6, 7]


def test_a_task(development, blots):
    _, y = blots
    rng = np.random.default_rng(0)
    for _ in range(20):
        task = development.draw_task(2, SIZES, rng)
        writers, forgery = y[task.references].T
        assert (task.reference_labels == (writers == 2)).all()
        assert task.reference_labels.tolist() == [1] * 4 + [0] * 3
        assert sorted(writers[4:]) == [1, 3, 4]
        assert not forgery.any()
        writers, forgery = y[task.queries].T
        assert (task.query_labels == ((writers == 2) & (forgery == 0))).all()
        assert task.query_labels.tolist() == [1] * 3 + [0] * 5
        assert forgery.tolist() == [0] * 5 + [1] * 3
        assert (writers[5:] == 2).all()
        assert_distinct(task)


def test_tasks_use_all_random_forgeries_if_there_are_few(development):
    task = development.draw_task(2, TaskSizes(4, 15, 3, 10, 0), np.random.default_rng(0))
    assert len(task.references) == 4 + 15
    assert len(task.queries) == 3 + 21 - 15
    assert_distinct(task)


def test_with_few_other_writers_several_signatures_of_each_are_drawn(development):
    drawn = draw_from_each(development.genuine, [1, 3], 5, np.random.default_rng(0))
    counts = sorted(np.isin(drawn, development.genuine[writer]).sum() for writer in (1, 3))
    assert counts == [2, 3]


@pytest.mark.parametrize("seed", range(5))
def test_roles_of_development_writers(blots, seed):
    X, y = blots
    development = DevelopmentSet(X, *y.T, 0.3, 2, seed)
    assert len(development.validation_writers) == 2
    assert sorted(development.validation_writers + development.training_writers) == list(range(1, 8))
    forged = set(development.skilled)
    assert len(forged & set(development.training_writers)) == 2
    assert set(development.validation_writers) <= forged
    learned = y[development.training_rows()]
    assert set(learned[:, 0]) == set(development.training_writers)
    assert set(learned[learned[:, 1] == 1, 0]) == forged & set(development.training_writers)
    task = development.draw_task(development.validation_writers[0], SIZES, np.random.default_rng(0))
    assert set(y[task.references[4:], 0]) <= set(development.training_writers)
