"""Gradients of tasks computed in parallel."""

import threading

import numpy as np
import pytest
import torch

from sigkit.nets import MetaLearner, build_network
from sigkit.training._task_threads import TaskThreads, add_gradients

IMPORTANCE = [0.5, 0.5]


@pytest.fixture
def learner():
    return MetaLearner(build_network("tiny", seed=0), n_updates=2, inner_lr=0.1).eval()


def draw_passes(n=5):
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([1.0, 1.0, 0.0])
    return [[tuple((torch.rand(3, 1, 12, 9, generator=generator), labels) for _ in range(2))] for _ in range(n)]


def threads_of_a_new_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_gradients_are_those_of_a_sequential_computation(learner, n_threads):
    with TaskThreads(learner, n_threads) as threads:
        found = [*threads.gradients(iter(draw_passes()), IMPORTANCE, n_tasks=5)]
    learner.zero_grad()
    for (losses, gradients), (task,) in zip(found, draw_passes(), strict=True):
        loss = learner.task_loss(*task, IMPORTANCE)[0]
        wanted = torch.autograd.grad(loss / 5, list(learner.parameters()), allow_unused=True)
        torch.testing.assert_close(losses, loss.detach()[None])
        torch.testing.assert_close(gradients, wanted)


def test_tasks_are_computed_at_the_same_time(learner, monkeypatch):
    both, task_loss = threading.Barrier(2, timeout=60), MetaLearner.task_loss

    def waiting(self, *task):
        both.wait()
        return task_loss(self, *task)

    monkeypatch.setattr(MetaLearner, "task_loss", waiting)
    with TaskThreads(learner, 2) as threads:
        assert len([*threads.gradients(draw_passes(4), IMPORTANCE, n_tasks=4)]) == 4


def test_threads_share_parameters_and_use_changed_ones_at_once(learner):
    with TaskThreads(learner, 2) as threads:
        before = [losses for losses, _ in threads.gradients(draw_passes(2), IMPORTANCE, n_tasks=2)]
        with torch.no_grad():
            learner.head.bias.add_(1.0)
        after = [losses for losses, _ in threads.gradients(draw_passes(2), IMPORTANCE, n_tasks=2)]
    assert all(not torch.equal(*pair) for pair in zip(before, after))


def test_an_error_is_raised_and_the_number_of_threads_is_restored(learner, monkeypatch):
    own, shares, task_loss = torch.get_num_threads(), [], MetaLearner.task_loss

    def counting(self, *task):
        shares.append(torch.get_num_threads())
        return task_loss(self, *task)

    monkeypatch.setattr(MetaLearner, "task_loss", counting)
    references = torch.rand(3, 1, 12, 9), torch.ones(2)
    torch.set_num_threads(4)
    passes = [*draw_passes(3), [(references, references)], *draw_passes(3)]

    def compute():
        with TaskThreads(learner, 2) as threads:
            assert threads_of_a_new_thread() == 4
            return list(threads.gradients(passes, IMPORTANCE, 7))

    try:
        with pytest.raises(ValueError, match="Target size"):
            compute()
        assert torch.get_num_threads() == threads_of_a_new_thread() == 4
    finally:
        torch.set_num_threads(own)
    assert set(shares) == {2}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sigkit-task")]


def test_tasks_are_drawn_only_as_they_are_computed(learner):
    taken = []
    with TaskThreads(learner, 2) as threads:
        found = threads.gradients((taken.append(part) or part for part in draw_passes(6)), IMPORTANCE, n_tasks=6)
        next(found)
        assert len(taken) == 3
        assert len([*found]) == 5


@pytest.mark.parametrize("n_threads", [1, 2])
def test_gradients_are_added_as_backward_adds_them(learner, n_threads):
    added = []
    for _ in range(2):
        learner.zero_grad()
        with TaskThreads(learner, n_threads) as threads:
            for _, gradients in threads.gradients(draw_passes(3), IMPORTANCE, n_tasks=3):
                add_gradients(learner.parameters(), gradients)
        added.append([parameter.grad for parameter in learner.parameters()])
    learner.zero_grad()
    for (task,) in draw_passes(3):
        (learner.task_loss(*task, IMPORTANCE)[0] / 3).backward()
    for parameter, *grads in zip(learner.parameters(), *added):
        assert parameter.grad.stride() == grads[0].stride()
        assert torch.equal(*grads)
        torch.testing.assert_close(grads[0], parameter.grad)


def test_meta_training_in_parallel(blots, make_verifier):
    X, y = blots
    one, two, again = (make_verifier(training__n_jobs=n_jobs).fit(X, y) for n_jobs in (None, 2, 2))
    assert [epoch["train_loss"] for epoch in two.history_] == [epoch["train_loss"] for epoch in again.history_]
    assert all(torch.equal(*pair) for pair in zip(two.learner_.parameters(), again.learner_.parameters()))
    np.testing.assert_allclose(two.decision_function(X), one.decision_function(X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("parameters", "n_threads"),
    [
        ({"training__n_jobs": 3}, 3),
        ({"training__n_jobs": 3, "training__meta_batch_size": 2}, 2),
        ({"training__n_jobs": 3, "adapt": "head"}, 1),
        ({}, 1),
    ],
)
def test_number_of_threads(blots, make_verifier, monkeypatch, parameters, n_threads):
    found, enter = [], TaskThreads.__enter__
    monkeypatch.setattr(TaskThreads, "__enter__", lambda self: found.append(self.n_threads) or enter(self))
    make_verifier(training__epochs=1, device="cpu", **parameters).fit(*blots)
    assert found == [n_threads]
