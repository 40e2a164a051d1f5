"""Enrollment and scoring at the size of GPDS-300, against a loop of scikit-learn's `SVC` over writers.

    python benchmarks/bench_writer_dependent.py
    python benchmarks/bench_writer_dependent.py --scaling writer --loop-writers 10

300 writers with 12 references each; 581 development writers, whose 8,134 signatures are negatives for every writer;
2,048 random features (`drawn_features.py`). Trials: the 3,000 genuine queries against all 300 writers, and each of the
12,000 queries (10 genuine ones and 30 forgeries per writer) against its claimed writer. The loop enrolls and scores
some of the writers only, and its time is extrapolated to all.
"""

import argparse
import resource
import time
from contextlib import contextmanager

import numpy as np
from drawn_features import draw_features
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sigkit.estimators import WriterDependentSVC

GAMMA = 2**-11
N_REFERENCES, N_GENUINE, N_FORGERIES = 12, 10, 30


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scaling", nargs="+", choices=("shared", "writer"), default=("shared", "writer"))
    parser.add_argument("--writers", type=int, default=300)
    parser.add_argument("--dev-writers", type=int, default=581)
    parser.add_argument("--loop-writers", type=int, default=10, help="number of writers of the scikit-learn loop")
    parser.add_argument("--n-jobs", type=int, default=-1)
    return parser.parse_args()


@contextmanager
def timed(seconds):
    start = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - start)


def dual_objective(kernel, coef):
    return np.abs(coef).sum() - 0.5 * coef @ kernel @ coef


def scikit_learn_loop(references, negatives, genuine, own, scaling, scale):
    """Enroll some writers with scikit-learn; return seconds per fit and per trial of both kinds, and the models."""
    fitting, on_all, on_own, models = [], [], [], []
    labels = np.repeat([1, -1], [N_REFERENCES, len(negatives)])
    for positives, claims in zip(references, own):
        samples = np.concatenate([positives, negatives])
        svm = SVC(gamma=GAMMA, class_weight={1: len(negatives) / N_REFERENCES})
        if scaling == "writer":
            model = make_pipeline(StandardScaler(with_mean=False), svm)
        else:
            model, samples, claims = svm, samples / scale, claims / scale
        with timed(fitting):
            model.fit(samples, labels)
        sample = genuine[:500] if scaling == "writer" else genuine[:500] / scale
        with timed(on_all):
            scores = model.decision_function(sample)
        with timed(on_own):
            model.decision_function(claims)
        models.append((model, scores))
    return np.mean(fitting), np.mean(on_all) / 500, np.mean(on_own) / own.shape[1], models


def compare(model, writer, references, negatives, genuine, loop_scores):
    """Compare a writer's scores and dual objective with those of `SVC` with a tolerance of 1e-6."""
    ours = model.models_[writer]
    scale = model.bank_.scale if ours.factor is None else model.bank_.scale / ours.factor
    samples = np.concatenate([references, negatives]) / scale
    labels = np.repeat([1, -1], [len(references), len(negatives)])
    exact = SVC(gamma=GAMMA, class_weight={1: len(negatives) / len(references)}, tol=1e-6).fit(samples, labels)
    scores = exact.decision_function(genuine[:500] / scale)
    support = np.concatenate([ours.references, model.bank_.rows[ours.rows]]).astype(float)
    support *= 1 if ours.factor is None else ours.factor
    coef = np.concatenate([ours.reference_coef, ours.coef])
    objectives = []
    for rows, weights in ((support, coef), (exact.support_vectors_, exact.dual_coef_[0])):
        square = (rows**2).sum(axis=1)
        objectives.append(
            dual_objective(np.exp(-GAMMA * (square[:, None] + square - 2 * rows @ rows.T).clip(0)), weights)
        )
    mine = model.claim_scores(genuine[:500], np.full(500, writer))
    return (
        len(exact.support_),
        np.abs(mine - scores).max(),
        np.abs(loop_scores - scores).max(),
        abs(objectives[0] / objectives[1] - 1),
    )


def main():
    options = parse_arguments()
    n = options.writers
    some = np.unique(np.linspace(0, n - 1, options.loop_writers).astype(int))
    dev = draw_features(options.dev_writers, 14, first=n)
    drawn = draw_features(n, N_REFERENCES + N_GENUINE + N_FORGERIES)
    references, own = drawn[:, :N_REFERENCES], drawn[:, N_REFERENCES:]
    genuine = np.ascontiguousarray(own[:, :N_GENUINE]).reshape(-1, dev.shape[2])
    X = np.concatenate([dev.reshape(-1, dev.shape[2]), references.reshape(-1, dev.shape[2])])
    y = np.concatenate([np.repeat(np.arange(n, n + len(dev)), 14), np.repeat(np.arange(n), N_REFERENCES)])
    claims, claimed = own.reshape(-1, dev.shape[2]), np.repeat(np.arange(n), own.shape[1])
    negatives = X[: len(dev) * 14].astype(np.float64)
    print(f"{n} writers, {N_REFERENCES} references, {len(negatives)} negatives, {dev.shape[2]} features")
    for scaling in options.scaling:
        seconds = []
        model = WriterDependentSVC(
            gamma=GAMMA, dev_writers=range(n, n + len(dev)), scaling=scaling, n_jobs=options.n_jobs, random_state=0
        )
        with timed(seconds):
            model.fit(X, y)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        with timed(seconds):
            scores = model.decision_function(genuine)
        with timed(seconds):
            model.claim_scores(claims, claimed)
        peak_scoring = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        fit, on_all, on_own, models = scikit_learn_loop(
            references[some], negatives, genuine, own[some], scaling, model.bank_.scale
        )
        loop_all, loop_own = on_all * scores.size, on_own * len(claims)
        size = np.mean([writer.nbytes for writer in model.models_.values()]) / 1024
        support = np.mean([len(writer.rows) + len(writer.references) for writer in model.models_.values()])
        print(
            f"\nscaling={scaling!r}; scikit-learn loop over {len(some)} writers, extrapolated to {n}; "
            f"n_jobs={options.n_jobs}"
        )
        print(f"fit: scikit-learn {fit * n:.0f} s, sigkit {seconds[0]:.1f} s, ratio {fit * n / seconds[0]:.1f}")
        print(
            f"score {len(genuine)} genuine queries against all and {len(claims)} claims: scikit-learn "
            f"{loop_all + loop_own:.1f} s, sigkit {seconds[1] + seconds[2]:.2f} s, ratio "
            f"{(loop_all + loop_own) / (seconds[1] + seconds[2]):.0f}"
        )
        print(f"  all: scikit-learn {loop_all:.1f} s, sigkit {seconds[1]:.2f} s, ratio {loop_all / seconds[1]:.0f}")
        print(f"  claims: scikit-learn {loop_own:.1f} s, sigkit {seconds[2]:.2f} s, ratio {loop_own / seconds[2]:.0f}")
        print(f"{support:.0f} support vectors and {size:.0f} KiB per writer")
        print(f"peak memory of the process: {peak:.2f} GiB after fitting, {peak_scoring:.2f} GiB after scoring")
        columns = zip(
            *[
                compare(model, writer, references[writer], negatives, genuine, loop_scores)
                for writer, (_, loop_scores) in zip(some.tolist(), models)
            ]
        )
        n_support, ours, libsvm, objective = (max(column) for column in columns)
        print(
            f"against SVC(tol=1e-6), at most {n_support} support vectors: scores within {ours:.1e} (SVC(tol=1e-3): "
            f"{libsvm:.1e}), dual objective within {objective:.1e}"
        )


if __name__ == "__main__":
    main()
