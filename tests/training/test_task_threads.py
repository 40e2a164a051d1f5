"""Gradients of tasks side by side."""

import threading

import numpy as np
import pytest
import torch

from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier
from sigkit.nets import MetaLearner, build_network
from sigkit.training._task_threads import TaskThreads, add_gradients
from sigkit.transformers import SignaturePreprocessor

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
def test_gradients_are_those_of_one_after_another(learner, n_threads):
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


def test_parameters_are_shared_and_what_is_learned_counts_at_once(learner):
    with TaskThreads(learner, 2) as threads:
        before = [losses for losses, _ in threads.gradients(draw_passes(2), IMPORTANCE, n_tasks=2)]
        with torch.no_grad():
            learner.head.bias.add_(1.0)
        after = [losses for losses, _ in threads.gradients(draw_passes(2), IMPORTANCE, n_tasks=2)]
    assert all(not torch.equal(*pair) for pair in zip(before, after))


def test_an_error_arrives_and_later_threads_are_as_before(learner, monkeypatch):
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


def test_no_more_tasks_are_taken_than_are_computed(learner):
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


def test_meta_training_side_by_side():
    scans, target = make_signatures(n_writers=6, n_genuine=6, n_skilled=3, random_state=0)
    images = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(40, 57)).fit_transform(scans)
    sizes = {"n_references": 3, "n_random_forgeries": 3, "n_query_random": 3, "n_query_genuine": 3}
    sizes |= {"n_query_skilled": 3, "dev_writers": [1, 2, 3, 4], "epochs": 2, "random_state": 0}
    one, two, again = (MetaLearnedVerifier("tiny", n_jobs=n, **sizes).fit(images, target) for n in (None, 2, 2))
    assert [epoch["train_loss"] for epoch in two.history_] == [epoch["train_loss"] for epoch in again.history_]
    assert all(torch.equal(*pair) for pair in zip(two.learner_.parameters(), again.learner_.parameters()))
    np.testing.assert_allclose(two.decision_function(images), one.decision_function(images), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "n_threads"),
    [({"n_jobs": 3}, 3), ({"n_jobs": 3, "meta_batch_size": 2}, 2), ({"n_jobs": 3, "adapt": "head"}, 1), ({}, 1)],
)
def test_how_many_side_by_side(monkeypatch, settings, n_threads):
    asked = []
    enter = TaskThreads.__enter__
    monkeypatch.setattr(TaskThreads, "__enter__", lambda self: asked.append(self.n_threads) or enter(self))
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (30, 12, 9), dtype=np.uint8)
    y = np.repeat([[writer, forgery] for writer in range(3) for forgery in (0, 1)], 5, axis=0)
    sizes = {"n_references": 2, "n_random_forgeries": 2, "n_query_random": 2, "n_query_genuine": 2}
    sizes |= {"n_query_skilled": 2, "dev_writers": [0, 1], "epochs": 1, "random_state": 0, "device": "cpu"}
    MetaLearnedVerifier("tiny", **sizes | settings).fit(X, y)
    assert asked == [n_threads]
