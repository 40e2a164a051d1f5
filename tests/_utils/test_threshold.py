import numpy as np
import pytest

from sigkit._utils import check_threshold, thresholds_of_writers


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.array(1), float("inf")])
def test_a_number_is_a_threshold(value):
    assert check_threshold(value) == float(value)


@pytest.mark.parametrize("value", ["1", None, True, float("nan"), [1.0], np.ones((1, 1)), np.ma.masked, 10**400, 1j])
def test_everything_else_is_refused(value):
    with pytest.raises(ValueError, match="threshold"):
        check_threshold(value)
    if not (isinstance(value, float) and value != value):
        with pytest.raises(ValueError, match="threshold"):
            thresholds_of_writers({7: value})
