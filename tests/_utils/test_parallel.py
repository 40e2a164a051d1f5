"""Parallel calls have the configuration and the filters of the caller, and threads do not change the filters."""

import threading
import warnings

import joblib
import numpy as np
import sklearn
from sklearn.base import BaseEstimator

from sigkit._utils import filters_lock, map_parallel, own_random_state, validate_data
from sigkit._utils._warning_filters import CallerFilters

OWN = ("ignore", None, DeprecationWarning, None, 0)


def seen(_, both=None):
    """Return the configuration and the filters; with a barrier, while another call runs."""
    if both is not None:
        both.wait()
    return sklearn.get_config()["working_memory"], id(warnings.filters), list(warnings.filters)


def test_threads_share_the_filters():
    filters = warnings.filters
    both = threading.Barrier(2, timeout=60)
    with joblib.parallel_config("threading"), sklearn.config_context(working_memory=77):
        found = [result for _, result in map_parallel(seen, [0, 1], both, n_jobs=2)]
    assert found == [(77, id(filters), list(filters))] * 2
    assert warnings.filters is filters


def test_processes_have_the_filters_of_the_caller():
    with joblib.parallel_config("loky"), warnings.catch_warnings(), sklearn.config_context(working_memory=78):
        warnings.simplefilter("ignore", UnicodeWarning)
        found = [result for _, result in map_parallel(seen, [0, 1], n_jobs=2)]
        assert [(memory, filters) for memory, _, filters in found] == [(78, list(warnings.filters))] * 2
    with joblib.parallel_config("loky"):
        after = joblib.Parallel(n_jobs=2)(joblib.delayed(seen)(number) for number in (0, 1))
    assert not any(entry[2] is UnicodeWarning for _, _, filters in after for entry in filters)


def test_the_last_thread_restores_the_filters():
    before, other = list(warnings.filters), CallerFilters([OWN])
    with CallerFilters([OWN]):
        other.__enter__()
        assert warnings.filters == [OWN]
    assert warnings.filters == [OWN]
    other.__exit__()
    assert warnings.filters == before


def test_input_that_is_computed_in_another_thread(is_free):
    class Lazy:
        def __array__(self, dtype=None, copy=None):
            assert is_free(filters_lock)
            return np.ones((2, 3), dtype=dtype)

    assert validate_data(BaseEstimator(), Lazy(), dtype=np.float64).shape == (2, 3)


def test_none_is_a_new_random_state():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    one, other = own_random_state(None), own_random_state(None)
    assert one.randint(2**31) != other.randint(2**31)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    own = np.random.RandomState(3)
    assert own_random_state(own) is own
