"""Simulated movements of the pen."""

import numpy as np
import pytest

from sigkit.datasets._synthesis._hand import execute_plan
from sigkit.datasets._synthesis._kinematics import lognormal_path, smooth_arcs
from sigkit.datasets._synthesis._motor_plan import SCRIPTS, plan_signature, sample_style, sample_wording


@pytest.mark.parametrize("n_targets", [2, 3, 10])
@pytest.mark.parametrize("roundness", [0.0, 0.8])
def test_the_pen_goes_from_the_first_target_to_the_last(n_targets, roundness):
    rng = np.random.default_rng(n_targets)
    targets = np.cumsum(rng.normal(1, 0.5, n_targets) + 1j * rng.normal(0, 1, n_targets))
    arcs = smooth_arcs(targets, roundness)
    assert arcs.shape == (n_targets - 1,)
    onsets = 0.1 * np.arange(n_targets - 1)
    path, times = lognormal_path(targets, arcs, onsets, np.full(n_targets - 1, -2.5), np.full(n_targets - 1, 0.25))
    assert path[0] == targets[0]
    assert abs(path[-1] - targets[-1]) < 0.02 * np.abs(np.diff(targets)).sum()
    np.testing.assert_allclose(np.diff(times), times[1] - times[0])


def test_a_stroke_has_the_speed_of_a_lognormal():
    mu, sigma = -1.5, 0.3
    path, times = lognormal_path(np.array([0, 2.0 + 0j]), np.zeros(1), np.zeros(1), np.array([mu]), np.array([sigma]))
    fastest = times[np.argmax(np.abs(np.diff(path)))]
    assert fastest == pytest.approx(np.exp(mu - sigma**2), abs=2 * (times[1] - times[0]))


def test_strokes_between_the_corners_of_a_polygon_make_a_circle():
    corners = np.exp(2j * np.pi * np.arange(9) / 8)
    arcs = smooth_arcs(corners, 1.0)
    np.testing.assert_allclose(arcs, np.pi / 4)
    # One stroke after the other, without any overlap.
    path, _ = lognormal_path(corners, arcs, np.arange(8) * 1.0, np.full(8, -2.0), np.full(8, 0.2))
    np.testing.assert_allclose(np.abs(path), 1, atol=0.01)


def test_reversals_remain_sharp():
    np.testing.assert_array_equal(smooth_arcs(np.array([0, 1, 0.01j]), 1.0), 0)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_component_of_a_plan_is_executed(script):
    rng = np.random.default_rng(0)
    for _ in range(20):
        style = sample_style(rng, script)
        plan = plan_signature(sample_wording(rng, script), style)
        plan.optional = [False] * len(plan.components)
        movements = execute_plan(plan, style, rng, variation=0.0)
        assert len(movements) == len(plan.components)
        for movement, targets in zip(movements, plan.components):
            planned = np.abs(targets - targets[0]).max()
            assert 0.4 * planned < np.abs(movement.path - movement.path[0]).max() < 2 * planned
