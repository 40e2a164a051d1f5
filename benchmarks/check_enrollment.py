"""Check that no enrollment of several threads is lost, and that scores meanwhile are those of before or after.

    python benchmarks/check_enrollment.py --changes 1000

Eight threads enroll and remove writers of their own, and enroll again one writer whose references change between two
sets, while four threads score claims for that writer and for one who never changes. At the end the enrolled writers
must be exactly those that the threads left, with the scores that a verifier has which enrolled them one after another.
The status is 1 if a change was lost, or a score is another one. Features are small, and
1,000 calls of each thread end: on two cores with other work, after 1 to 9 minutes for each verifier.
"""

import argparse
import sys
import threading
import time

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier, StrokeMatcher, VerifierFusion, WriterDependentSVC
from sigkit.training import MetaTraining
from sigkit.transformers import SignaturePreprocessor, StrokeFeaturizer

DEV, STEADY, CHANGING, OWN = (1, 2, 3), 4, 5, 6
N_SIGNATURES = 8

N_LOOPS, N_CHANGES = 10, 25
"""In 10 loops a thread enrolls a writer of its own and the one who changes 10 times each, and removes 5 writers."""

PAUSE = 0.1
"""Seconds between the claims of a thread: without a pause, they take the processor from those that enroll."""


def make_inputs():
    """Return the input of each verifier, and the writers."""
    scans, target = make_signatures(n_writers=6, n_genuine=N_SIGNATURES, n_skilled=0, random_state=0)
    writers = target[:, 0]
    images = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(40, 57)).fit_transform(scans)
    points = StrokeFeaturizer(n_points=16).fit_transform(images)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(writers), 32)) + 2 * rng.normal(size=(7, 32))[writers]
    both = np.concatenate([features, points], axis=1).astype(np.float32)
    return {"svc": features.astype(np.float32), "strokes": points, "fusion": both, "meta": images}, writers


def make_verifiers():
    svc, strokes = WriterDependentSVC(gamma=0.03, dev_writers=DEV, random_state=0), StrokeMatcher(dev_writers=DEV)
    parts = [
        ("svm", make_pipeline(FunctionTransformer(lambda X: X[:, :32]), svc)),
        ("strokes", make_pipeline(FunctionTransformer(lambda X: X[:, 32:]), strokes)),
    ]
    meta = MetaLearnedVerifier(
        "tiny", dev_writers=DEV, n_references=3, n_random_forgeries=3, training=MetaTraining(epochs=0), random_state=0
    )
    return {"svc": svc, "strokes": strokes, "fusion": VerifierFusion(parts, dev_writers=DEV), "meta": meta}


def check(model, X, writers, n_loops, n_clerks, n_readers):
    """Return the number of scores that were computed meanwhile, and the problems that were found."""
    steady, changing, own = (X[writers == writer] for writer in (STEADY, CHANGING, OWN))
    known = writers < CHANGING
    model.fit(X[known], writers[known])
    sets = own[:3], own[3:6]
    queries = np.concatenate([steady[:2], changing[:2]])
    claims = [STEADY, STEADY, CHANGING, CHANGING]
    allowed = []
    for references in (changing[:3], changing[3:6]):
        model.enroll(references, [CHANGING] * 3)
        allowed.append(model.claim_scores(queries, claims))
    finished, problems, n_scored = threading.Event(), [], [0] * n_readers

    def clerk(number):
        try:
            for change in range(n_loops):
                name = 1000 * (number + 1) + change % 10
                model.enroll(sets[change % 2], [name] * 3)
                model.enroll((changing[:3], changing[3:6])[change % 2], [CHANGING] * 3)
                if change % 10 >= 5:
                    model.remove([name])
        except BaseException as error:
            problems.append(f"a change failed: {error!r}")

    def reader(number):
        while not finished.is_set():
            scores = model.claim_scores(queries, claims)
            n_scored[number] += 1
            if not any(np.array_equal(scores, one) for one in allowed):
                problems.append(f"scores {scores.tolist()} are neither those of before nor those of after")
            time.sleep(PAUSE)

    clerks = [threading.Thread(target=clerk, args=(number,)) for number in range(n_clerks)]
    readers = [threading.Thread(target=reader, args=(number,)) for number in range(n_readers)]
    for thread in clerks + readers:
        thread.start()
    for thread in clerks:
        thread.join()
    finished.set()
    for thread in readers:
        thread.join()
    left = {
        1000 * (number + 1) + change % 10: change % 2
        for number in range(n_clerks)
        for change in range(n_loops)
        if change % 10 < 5
    }
    if model.classes_.tolist() != [STEADY, CHANGING, *sorted(left)]:
        problems.append(f"{len(model.classes_)} writers are enrolled, not {len(left) + 2}")
        return sum(n_scored), problems
    for which in (0, 1):
        names = [name for name, last in left.items() if last == which]
        if names:
            found = model.claim_scores(np.repeat(own[6:7], len(names), axis=0), names)
            expected = model.enroll(sets[which], [9] * 3).claim_scores(own[6:7], [9])
            if (found != expected).any():
                problems.append(f"the references of {int((found != expected).sum())} writers are others")
    return sum(n_scored), problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--changes", type=int, default=50, help="calls of enroll and remove in each thread")
    parser.add_argument("--clerks", type=int, default=8, help="threads that enroll and remove")
    parser.add_argument("--readers", type=int, default=4, help="threads that score")
    parser.add_argument("--verifiers", nargs="+", default=["svc", "strokes", "fusion", "meta"])
    arguments = parser.parse_args()
    inputs, writers = make_inputs()
    failed = False
    for name, model in make_verifiers().items():
        if name not in arguments.verifiers:
            continue
        start = time.perf_counter()
        n_loops = -(-arguments.changes * N_LOOPS // N_CHANGES)
        n_scored, problems = check(model, inputs[name], writers, n_loops, arguments.clerks, arguments.readers)
        duration, n = time.perf_counter() - start, arguments.clerks * n_loops * N_CHANGES / N_LOOPS
        print(
            f"{name}: {arguments.clerks} threads x {arguments.changes} calls of enroll and remove in "
            f"{duration:.0f} s ({n / duration:.0f} calls/s), {n_scored} times 4 claims scored meanwhile: "
            f"{'; '.join(problems[:3]) or 'nothing lost, all scores right'}",
            flush=True,
        )
        failed = failed or bool(problems)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
