"""Kill experiments and trainings at random moments, resume them, share folders, and score while writers are enrolled.

    python benchmarks/check_kills.py
    python benchmarks/check_kills.py --small --tasks experiment --kills 2 --races 1

Each check prints one line; the exit status is 1 if a result differs from that of an uninterrupted run in one bit, if an
unfinished file is left, or if two different experiments were both begun in one folder. Processes are forked, which
needs Linux.
"""

import argparse
import copy
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.pipeline import make_pipeline

from sigkit.attacks import AnnealingAttack
from sigkit.estimators import MetaLearnedVerifier, WriterDependentSVC
from sigkit.experiments import AttackCampaign, writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.training import InnerLoop, MetaTraining, SigNetTraining
from sigkit.transformers import SigNetFeaturizer

CONTEXT = multiprocessing.get_context("fork")
START = time.perf_counter()
CHANCE_AT_A_FILE = 0.05
"""How probably a process is killed directly before a file gets its name, and directly afterwards."""


def draw_features(n_writers=16, n_features=64):
    rng = np.random.default_rng(0)
    y = np.array([[writer, forgery] for writer in range(n_writers) for forgery in [0] * 10 + [1] * 4])
    X = rng.normal(size=(n_writers, n_features))[y[:, 0]] + rng.normal(size=(len(y), n_features)) * (1 + y[:, 1:])
    return X.astype(np.float32), y


def draw_images(n_writers=8):
    """Draw images of blots, one shape per writer; forgeries have more noise."""
    rng = np.random.default_rng(0)
    y = np.array([[writer, forgery] for writer in range(1, n_writers + 1) for forgery in [0] * 10 + [1] * 4])
    shapes = rng.random((n_writers + 1, 6, 8)) > 0.6
    images = np.kron(shapes[y[:, 0]], np.full((1, 5, 5), 200))
    kept = rng.random(images.shape) > 0.1 + 0.3 * y[:, 1][:, None, None]
    return np.pad((images * kept).astype(np.uint8), ((0, 0), (2, 2), (4, 4))), y


def experiment(folder, n_splits, C=1.0):
    cv = WriterSplit(n_references=5, n_queries=5, dev_writers=range(4), n_splits=n_splits, random_state=0)
    model = WriterDependentSVC(gamma=0.02, C=C, dev_writers=range(4), random_state=0)
    results = writer_dependent_experiment(model, *draw_features(), cv=cv, folder=folder)
    found = {name: values for name, values in results.metrics.items()}
    for number, trials in enumerate(results.trials):
        found |= {f"{number} genuine": trials.genuine_scores, f"{number} forgeries": trials.forgery_scores}
    return found


def other_experiment(folder, n_splits):
    return experiment(folder, n_splits, C=1000.0)


def campaign(folder, n_attacks):
    features = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
    system = make_pipeline(features, WriterDependentSVC("linear", random_state=0))
    attacks = {f"annealing {n_steps}": AnnealingAttack(n_steps=n_steps) for n_steps in range(1, n_attacks + 1)}
    settings = {"knowledge": ["perfect"], "n_references": 3, "n_queries": 4, "folder": folder}
    results = AttackCampaign({"tiny": system}, attacks, **settings).run(*draw_images())
    return results.table | {str(cell): images for cell, images in results.images.items()}


def training_of_features(folder, n_epochs):
    training = SigNetTraining(epochs=n_epochs, batch_size=16, checkpoint_dir=folder)
    featurizer = SigNetFeaturizer("tiny", training=training, random_state=0)
    images, y = draw_images()
    return {"features": featurizer.fit(images, y).transform(images)} | weights(featurizer.net_.module_)


def meta_training(folder, n_epochs):
    training = MetaTraining(n_epochs, inner_loop=InnerLoop(lr=0.1), n_queries=(4, 3, 2), checkpoint_dir=folder)
    verifier = MetaLearnedVerifier(
        "tiny",
        dev_writers=(1, 2, 3, 4),
        n_references=4,
        n_random_forgeries=3,
        n_updates=2,
        training=training,
        random_state=0,
    )
    images, y = draw_images()
    return {"scores": verifier.fit(images, y).decision_function(images)} | weights(verifier.learner_)


def weights(module):
    return {f"weight {name}": tensor.numpy() for name, tensor in module.state_dict().items()}


TASKS = {task.__name__: task for task in (experiment, other_experiment, campaign, training_of_features, meta_training)}
STEPS = {"experiment": 20, "other_experiment": 20, "campaign": 10, "training_of_features": 20, "meta_training": 16}
"""Number of splits, attacks or epochs, after each of which a task can be resumed."""
SHARES = {"experiment": 0.4, "campaign": 0.2, "training_of_features": 0.2, "meta_training": 0.2}
"""The shares of the tasks in the kills."""


def serve(name, folder, n_steps, barrier, seed, connection):
    """Run a task in a process of its own; with a seed, it may be killed at a file."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if seed is not None:
        kill_at_files(np.random.default_rng(seed))
    if barrier is not None:
        barrier.wait()
    connection.send("begun")
    try:
        connection.send(TASKS[name](folder, n_steps))
    except ValueError as error:
        connection.send(str(error))


def kill_at_files(rng):
    def dangerous(function):
        def call(*arguments):
            for step in (None, function, None):
                if step is not None:
                    step(*arguments)
                elif rng.random() < CHANCE_AT_A_FILE:
                    os.kill(os.getpid(), signal.SIGKILL)

        return call

    os.replace, os.link = dangerous(os.replace), dangerous(os.link)


class Child:
    """A process that runs a task."""

    def __init__(self, name, folder, barrier=None, seed=None):
        self.receiver, sender = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=serve, args=(name, str(folder), STEPS[name], barrier, seed, sender))
        self.process.start()
        sender.close()

    def result(self, seconds=None):
        """Return the arrays of the task, or the message of its error; None if it was killed, at the latest now."""
        try:
            self.receiver.recv()
            return self.receiver.recv() if self.receiver.poll(seconds) else None
        except EOFError:
            return None
        finally:
            self.process.kill()
            self.process.join()


def differences(found, expected):
    """Name the arrays that are not equal to the last bit."""
    if not isinstance(found, dict):
        return [f"no result: {found}"]
    equal = {name for name in found.keys() & expected.keys() if same(found[name], expected[name])}
    return sorted((found.keys() | expected.keys()) - equal)


def same(found, expected):
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def unfinished(folder):
    return [path.name for path in Path(folder).rglob("*") if path.name.endswith(".unfinished")]


def check_kills(name, n_kills, scratch):
    """Kill a task again and again, in as many new folders as it takes."""
    expected = Child(name, scratch / f"{name} whole").result()
    start = time.perf_counter()
    wrong = differences(Child(name, scratch / f"{name} again").result(), expected)
    longest = (time.perf_counter() - start) / 2
    rng = np.random.default_rng(0)
    killed, folders, left = 0, 0, []
    while killed < n_kills:
        folders += 1
        folder = scratch / f"{name} {folders}"
        found = None
        while found is None:
            if killed < n_kills:
                child = Child(name, folder, seed=int(rng.integers(2**31)))
                found = child.result(rng.uniform(0, longest))
                killed += found is None
            else:
                found = Child(name, folder).result()
        wrong += differences(found, expected)
        left += unfinished(folder)
    return report(
        f"{name}: {killed} kills in {folders} folders", wrong + left, "equal to the last bit, no unfinished file"
    )


def check_shared(scratch, n_rounds):
    expected = Child("experiment", scratch / "shared whole").result()
    wrong = []
    for number in range(n_rounds):
        folder = scratch / f"shared {number}"
        barrier = CONTEXT.Barrier(3)
        children = [Child("experiment", folder, barrier) for _ in range(3)]
        for child in children:
            wrong += differences(child.result(), expected)
        wrong += unfinished(folder)
        n_files = len(list(folder.iterdir()))
        wrong += [] if n_files == 1 + STEPS["experiment"] else [f"{n_files} files"]
    return report(f"3 processes in one folder, {n_rounds} times", wrong, "equal to the last bit")


def check_races(scratch, n_races):
    """Begin two different experiments at once, and resume both."""
    expected = {
        name: Child(name, scratch / f"{name} alone").result() for name in ("experiment", "other_experiment", "campaign")
    }
    wrong, first = [], {}
    for number in range(n_races):
        names = ("experiment", ("other_experiment", "campaign")[number % 2])
        barrier = CONTEXT.Barrier(2)
        for again in (False, True):
            children = [Child(name, scratch / f"race {number}", None if again else barrier) for name in names]
            results = {name: child.result() for name, child in zip(names, children)}
            won = [name for name, found in results.items() if isinstance(found, dict)]
            if len(won) != 1 or any("contains another" not in results[name] for name in set(names) - set(won)):
                wrong.append(f"race {number}: {won} went on")
                continue
            wrong += differences(results[won[0]], expected[won[0]])
            if again and first.get(number) != won:
                wrong.append(f"race {number}: first {first.get(number)} went on, then {won}")
            first[number] = won
    n_first = sum(won == ["experiment"] for won in first.values())
    return report(f"{n_races} races of two experiments ({n_first} to {n_races - n_first})", wrong, "0 mixed")


def check_threads(model, X, y, old, n_queries):
    """Score in three threads while writers are enrolled one by one; a score belongs to one whole gallery."""
    queries = X[:n_queries]
    model.fit(X[np.isin(y[:, 0], old)], y[np.isin(y[:, 0], old)])
    new = [writer for writer in np.unique(y[:, 0]).tolist() if writer not in old]
    galleries = [copy.deepcopy(model)]
    for writer in new:
        galleries.append(copy.deepcopy(galleries[-1]).enroll(X[y[:, 0] == writer], y[y[:, 0] == writer]))
    expected = {len(gallery.classes_): gallery.decision_function(queries) for gallery in galleries}
    found, wrong, over = [], [], threading.Event()

    def score():
        while not over.is_set():
            try:
                found.append(model.decision_function(queries))
            except Exception as error:
                wrong.append(f"{type(error).__name__}: {error}")
                return

    threads = [threading.Thread(target=score) for _ in range(3)]
    for thread in threads:
        thread.start()
    for writer in new:
        model.enroll(X[y[:, 0] == writer], y[y[:, 0] == writer])
        # Each gallery is scored at least twice, unless a score was wrong.
        before = len(found)
        while len(found) < before + 2 and not wrong:
            time.sleep(0.001)
    over.set()
    for thread in threads:
        thread.join()
    wrong += [f"scores of {scores.shape[1]} writers" for scores in found if not same(scores, expected[scores.shape[1]])]
    seen = len({scores.shape[1] for scores in found})
    return report(
        f"{type(model).__name__}: {len(found)} times scored in 3 threads, {seen} of {len(expected)} galleries",
        wrong,
        "always the scores of a whole gallery",
    )


def report(checked, wrong, right):
    found = f"DIFFERENT: {wrong[:5]}" if wrong else right
    print(f"[{time.perf_counter() - START:3.0f} s] {checked}: {found}", flush=True)
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="number of kills over all tasks")
    parser.add_argument("--races", type=int, default=20, help="number of races of two different experiments")
    parser.add_argument("--small", action="store_true", help="few splits, attacks and epochs")
    parser.add_argument("--tasks", nargs="+", choices=SHARES, default=list(SHARES), help="what is killed")
    options = parser.parse_args()
    if options.small:
        STEPS.update(dict.fromkeys(STEPS, 3))
    if "training" in "".join(options.tasks):
        # Optimizers import it: here once, instead of in each child.
        importlib.import_module("torch._dynamo")
    warnings.simplefilter("ignore")
    right, total = [], sum(SHARES[name] for name in options.tasks)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        for name in options.tasks:
            n_kills = round(SHARES[name] / total * options.kills)
            right.append(check_kills(name, n_kills, scratch))
        right.append(check_shared(scratch, max(1, options.races // 7)))
        right.append(check_races(scratch, options.races))
    # Only now does this process compute: children that are forked after that could wait forever.
    torch.set_num_threads(1)
    X, y = draw_features()
    svc = WriterDependentSVC(gamma=0.02, dev_writers=range(4), random_state=0)
    right.append(check_threads(svc, X, y, range(6), 40))
    if "meta_training" in options.tasks:
        training = MetaTraining(epochs=0, inner_loop=InnerLoop(lr=0.1))
        settings = {"n_references": 4, "n_updates": 2, "training": training, "random_state": 0}
        meta = MetaLearnedVerifier("tiny", dev_writers=(1, 2), **settings)
        right.append(check_threads(meta, *draw_images(10), range(1, 5), 2))
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
