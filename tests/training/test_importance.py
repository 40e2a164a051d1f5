"""The weights of the losses after each update."""

from itertools import pairwise

import pytest

from sigkit.training import multi_step_importance


def test_the_weights_shift_to_the_last_update():
    weights = [multi_step_importance(5, epoch, 10) for epoch in range(12)]
    assert weights[0] == pytest.approx([0.2] * 5)
    assert all(sum(each) == pytest.approx(1) for each in weights)
    assert all(later[-1] > earlier[-1] for earlier, later in pairwise(weights[:11]))
    assert weights[10] == weights[11] == [0, 0, 0, 0, 1]
    assert multi_step_importance(3, 0, 0) == [0, 0, 1]
