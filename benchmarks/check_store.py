"""Check that no acknowledged enrollment into a store is lost after SIGKILL, and that readers see whole states.

    python benchmarks/check_store.py --kills 50

A process enrolls writers into a store and reports each call that has returned; it is ended by SIGKILL at a random time,
and another one goes on. Each call enrolls a new writer, or a pair of writers whose references change between two sets
in one call; some writers get further references, and some are removed. Two processes score claims meanwhile: the scores
of the pair must be those of one set, for both writers. After each kill the file is checked, and each writer of an
acknowledged call must be in the store with the scores that a verifier in memory has. The status is 1 otherwise.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time

import numpy as np

from sigkit.estimators import WriterDependentSVC
from sigkit.persistence import StoredVerifier, WriterStore

N_FEATURES, N_DEV, FIRST_NEW = 32, 10, 1000
PAIR, N_READERS = (101, 102), 2


def draw(writer, number, n=3):
    """Return the references of a writer; `number` tells sets of them apart."""
    hand = np.random.default_rng(writer).normal(size=N_FEATURES)
    noise = np.random.default_rng([writer, number]).normal(size=(n, N_FEATURES))
    return (2 * hand + noise).astype(np.float32)


def fit_verifier():
    X, y = np.concatenate([draw(writer, 0, 8) for writer in range(N_DEV)]), np.repeat(np.arange(N_DEV), 8)
    return WriterDependentSVC(gamma=0.03, dev_writers=range(N_DEV), random_state=0).fit(X, y)


def enroll_pair(verifier, which):
    """Enroll both writers of the pair, with one of two sets of references."""
    verifier.enroll(np.concatenate([draw(writer, which) for writer in PAIR]), np.repeat(PAIR, 3))


def enroll_forever(model, path, first, acknowledged):
    """Enroll, extend and remove writers; send what was done after each call."""
    verifier = StoredVerifier(model, WriterStore(path))
    for number in range(first, first + 10**6):
        verifier.enroll(draw(number, 0), [number] * 3)
        acknowledged.send((number, "enrolled"))
        enroll_pair(verifier, number % 2)
        acknowledged.send((None, "pair"))
        if number % 3 == 0:
            verifier.add_references(draw(number, 1), [number] * 3)
            acknowledged.send((number, "extended"))
        if number % 5 == 0:
            verifier.remove([number])
            acknowledged.send((number, "removed"))


def score_until(model, path, finished, results):
    """Score claims for the pair until told to end; send the number of claims, and wrong scores."""
    queries = np.concatenate([draw(writer, 2, 1) for writer in PAIR])
    allowed = []
    for which in (0, 1):
        enroll_pair(model, which)
        allowed.append(model.claim_scores(queries, PAIR))
    n_scored, wrong, longest = 0, [], 0.0
    with WriterStore(path) as store:
        verifier = StoredVerifier(model, store)
        while not finished.is_set():
            start = time.perf_counter()
            scores = verifier.claim_scores(queries, PAIR)
            longest = max(longest, time.perf_counter() - start)
            n_scored += 1
            if not any(np.array_equal(scores, one) for one in allowed):
                wrong.append(scores.tolist())
    results.send((n_scored, wrong, longest))


def kill_once(context, model, path, first, rng):
    """Start a process, kill it at a random time after its first call, and return what it has acknowledged."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=enroll_forever, args=(model, path, first, sender))
    process.start()
    sender.close()
    # Some are killed while they open the store.
    found = [receiver.recv()] if rng.random() < 0.8 else []
    time.sleep(rng.uniform(0, 0.5))
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    try:
        while True:
            found.append(receiver.recv())
    except (EOFError, OSError):
        # The last message may be cut short.
        return found


def find_lost(model, store, states):
    """Return what is wrong with writers in the store; the last call of each process may be there unacknowledged."""
    verifier, problems = StoredVerifier(model, store), []
    for number, state in states.items():
        events = [event.event for event in store.history(number)]
        expected = {"enrolled": ["enroll"], "extended": ["enroll", "add_references"]}.get(state)
        if state == "removed":
            if events[-1:] != ["remove"]:
                problems.append(f"writer {number} was removed, but has the events {events}")
            continue
        if events[: len(expected)] != expected:
            problems.append(f"writer {number} was {state}, but has the events {events}")
        elif events == expected:
            n_sets = len(expected)
            model.enroll(np.concatenate([draw(number, which) for which in range(n_sets)]), [number] * 3 * n_sets)
            query = draw(number, 2, 1)
            if not np.array_equal(verifier.claim_scores(query, [number]), model.claim_scores(query, [number])):
                problems.append(f"the scores of writer {number} are others")
            model.remove([number])
    return problems


def check(n_kills, folder):
    """Return a summary and the problems."""
    context, rng = multiprocessing.get_context("fork"), random.Random(0)
    model, path = fit_verifier(), os.path.join(folder, "writers.sqlite")
    problems, states, n_acknowledged, first = [], {}, 0, FIRST_NEW
    with WriterStore(path) as store:
        enroll_pair(StoredVerifier(model, store), 0)
        finished = context.Event()
        readers = []
        for _ in range(N_READERS):
            receiver, sender = context.Pipe(duplex=False)
            reader = context.Process(target=score_until, args=(model, path, finished, sender))
            reader.start()
            readers.append((reader, receiver))
        for _ in range(n_kills):
            acknowledged = kill_once(context, model, path, first, rng)
            n_acknowledged += len(acknowledged)
            new = {number: state for number, state in acknowledged if number is not None}
            first = max([first, *new]) + 2
            problems += find_lost(model, store, new) + store.check()
            states |= new
        finished.set()
        n_scored, longest = 0, 0.0
        for reader, receiver in readers:
            n, wrong, slowest = receiver.recv()
            n_scored, longest = n_scored + n, max(longest, slowest)
            problems += [f"the pair has the scores {scores}" for scores in wrong]
            reader.join()
        problems += find_lost(model, store, states)
    summary = (
        f"{n_kills} processes killed, {n_acknowledged} calls acknowledged, {len(states)} writers; "
        f"{N_READERS} other processes scored {n_scored} times meanwhile, the slowest in {longest * 1e3:.0f} ms"
    )
    return summary, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="processes that are killed")
    parser.add_argument("--folder", help="where the store is written; a temporary folder by default")
    arguments = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        summary, problems = check(arguments.kills, folder)
    result = "; ".join(problems[:3]) or "nothing lost, all scores right, the file is sound"
    print(f"{summary}; {time.perf_counter() - start:.0f} s in all: {result}")
    sys.exit(int(bool(problems)))


if __name__ == "__main__":
    main()
