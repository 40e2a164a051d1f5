"""Meta-training steps and adaptation to a writer: sigkit against a plain PyTorch loop, in seconds and as a ratio.

    python benchmarks/bench_meta_learning.py

A step has 4 tasks of 5 references, 10 random forgeries and 30 queries, and 5 second-order updates of all weights. The
plain loop computes one task at a time in float32 and contiguous layout, as the original code does, with PyTorch's own
layers. Both minimize the loss after the last update, or with `--multi-step` the losses after all updates. sigkit
computes in bfloat16 where the device is fast in it. First-order steps, steps that only adapt the last layer, and steps
that recompute their updates are timed as well. Reported is the fastest of `--rounds`; an adaptation is that of one of
several writers.
"""

import argparse
import time

import torch
from torch import nn
from torch.func import functional_call

from sigkit._utils import freed_memory_kept
from sigkit.nets import MetaLearner, balanced_cross_entropy, build_network, choose_device, choose_precision
from sigkit.training import TaskThreads, add_gradients, multi_step_importance, n_task_threads

N_TASKS, N_REFERENCES, N_RANDOM, N_QUERIES, N_UPDATES, LR = 4, 5, 10, 30, 5, 0.01


def plain_small_cnn():
    """The small network, with the layers in the order of the original code."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(5), nn.Conv2d(32, 32, 5), nn.ReLU(), nn.MaxPool2d(5)),
        *(nn.Flatten(), nn.Linear(32 * 5 * 7, 1024), nn.ReLU(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 1)),
    )


def plain_signet():
    """SigNet, with the layers of the paper."""

    def normalized(layer, normalization):
        return layer, normalization, nn.ReLU()

    def convolution(n_inputs, n_outputs, kernel_size, **steps):
        layer = nn.Conv2d(n_inputs, n_outputs, kernel_size, bias=False, **steps)
        return normalized(layer, nn.BatchNorm2d(n_outputs))

    def fully_connected(n_inputs, n_outputs):
        return normalized(nn.Linear(n_inputs, n_outputs, bias=False), nn.BatchNorm1d(n_outputs))

    return nn.Sequential(
        *(*convolution(1, 96, 11, stride=4), nn.MaxPool2d(3, 2), *convolution(96, 256, 5, padding=2)),
        *(nn.MaxPool2d(3, 2), *convolution(256, 384, 3, padding=1), *convolution(384, 384, 3, padding=1)),
        *(*convolution(384, 256, 3, padding=1), nn.MaxPool2d(3, 2), nn.Flatten()),
        *(*fully_connected(256 * 3 * 5, 2048), *fully_connected(2048, 2048), nn.Linear(2048, 1)),
    )


PLAIN = {"smallcnn": plain_small_cnn, "signet": plain_signet}


def plain_updates(network, images, labels, create_graph):
    """Adapt in a plain loop; return the weights after each update."""
    weights, course = dict(network.named_parameters()), []
    for _ in range(N_UPDATES):
        loss = balanced_cross_entropy(functional_call(network, weights, images)[:, 0], labels)
        slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=create_graph)
        weights = {name: weight - LR * gradient for (name, weight), gradient in zip(weights.items(), slopes)}
        if not create_graph:
            weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
        course.append(weights)
    return course


def plain_step(network, tasks, importance):
    network.zero_grad()
    for (images, labels), (queries, query_labels) in tasks:
        loss = 0
        for share, weights in zip(importance, plain_updates(network, images, labels, create_graph=True)):
            if share:
                scores = functional_call(network, weights, queries)[:, 0]
                loss = loss + share * balanced_cross_entropy(scores, query_labels)
        (loss / N_TASKS).backward()


def sigkit_step(learner, tasks, importance, threads):
    learner.zero_grad()
    passes = ([[(learner.prepare(images), labels) for images, labels in task]] for task in tasks)
    for _, gradients in threads.gradients(passes, importance, N_TASKS):
        add_gradients(learner.parameters(), gradients)


def adapt(learner, references):
    with torch.no_grad():
        *_, weights = learner.updates(learner.prepare(references[0]), references[1])
    return weights


def draw_tasks(device, layout):
    generator = torch.Generator().manual_seed(0)
    tasks = []
    for _ in range(N_TASKS):
        parts = []
        for n_genuine, n_images in ((N_REFERENCES, N_REFERENCES + N_RANDOM), (N_QUERIES // 3, N_QUERIES)):
            ink = (torch.rand(n_images, 1, 150, 220, generator=generator) > 0.95).float()
            labels = (torch.arange(n_images) < n_genuine).float()
            parts.append((ink.to(device, memory_format=layout), labels.to(device)))
        tasks.append(tuple(parts))
    return tasks


def best_time(rounds, function, *arguments):
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        function(*arguments)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds, the fastest of which counts (default: 3)")
    parser.add_argument("--n-jobs", type=int, default=-1, help="parallel tasks of sigkit (default: all cores)")
    parser.add_argument("--multi-step", action="store_true", help="losses after all updates, as in the first epochs")
    parser.add_argument("--networks", nargs="+", choices=PLAIN, default=[*PLAIN], help="architectures")
    options = parser.parse_args()
    device = choose_device()
    bfloat16 = choose_precision("auto", device) == "bfloat16"
    importance = multi_step_importance(N_UPDATES, 0, 10 if options.multi_step else 0)
    print(f"{device}, sigkit in {'bfloat16' if bfloat16 else 'float32'}, seconds")
    for name in options.networks:
        reference, tasks = PLAIN[name]().to(device).eval(), draw_tasks(device, torch.contiguous_format)
        wanted = best_time(options.rounds, plain_step, reference, tasks, importance)
        wanted_once = best_time(options.rounds, plain_updates, reference, *tasks[0][0], False)
        print(f"{name}: a plain step {wanted:.2f}, adaptation to a writer {wanted_once:.2f}", flush=True)
        tasks = draw_tasks(device, torch.channels_last)
        for label, settings in (
            ("second order", {}),
            ("second order, recomputed", {"recompute": True}),
            ("first order", {"order": 1}),
            ("last layer", {"adapt": "head"}),
        ):
            learner = MetaLearner(build_network(name, seed=0), N_UPDATES, LR, bfloat16=bfloat16, **settings)
            learner = learner.to(device, memory_format=torch.channels_last).eval()
            with freed_memory_kept():  # as `MetaLearnedVerifier` does
                with TaskThreads(learner, n_task_threads(learner, options.n_jobs, N_TASKS)) as threads:
                    step = best_time(options.rounds, sigkit_step, learner, tasks, importance, threads)
                once = best_time(options.rounds, adapt, learner, tasks[0][0])
            print(
                f"{name}: {label}: a step {step:.2f} (ratio {wanted / step:.2f}; parallel tasks: "
                f"{threads.n_threads}), adaptation to a writer {once:.2f} (ratio {wanted_once / once:.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
