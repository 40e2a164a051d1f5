"""Thresholds and likelihood ratios on writers who had no part in them: the tables of docs/operating_points.rst.

    python benchmarks/check_operating_points.py DATA --cache operating_points

The corpora are CEDAR, Bengali (writers 21 to 100) and Hindi (writers 1 to 60). All verifiers have 90 drawn writers as
development writers; other 90 drawn writers are a fourth corpus. Features and scores are stored in the folder `--cache`:
the first run takes an hour, the next ones a few minutes.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from sigkit.datasets import load_bhsig260, load_npz, make_signatures
from sigkit.estimators import OperatingPointVerifier, StrokeMatcher, VerifierFusion, WriterDependentSVC
from sigkit.metrics import ScoreCalibrator, cllr_score, far_threshold, min_cllr_score
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer, StrokeFeaturizer

N_FEATURES, N_DRAWS, LEVELS = 2048, 20, (0.01, 0.05, 0.10)
DRAWN = [
    f"drawn_{script}_{scan}" for script in ("latin", "indic", "abstract") for scan in ("grey", "two-valued", "jpeg")
]
CORPORA = ("cedar", "bengali", "hindi")
WRITERS = {"bengali": range(21, 101), "hindi": range(1, 61)}
# The weight of the strokes in a VerifierFusion.
WEIGHT = 0.4
SYSTEMS = ("fusion", "svm")
KINDS = np.array(["genuine", "skilled", "simple"])


class Recorded(WriterDependentSVC):
    """A verifier whose trials were computed before; its own scores are not used."""

    def __init__(self, trials=None):
        super().__init__()
        self.trials = trials

    @property
    def development_trials_(self):
        return self.trials


class Scores:
    """Scores of claims, computed once and stored."""

    def __init__(self, data, cache):
        self.data, self.cache = data, cache
        cache.mkdir(parents=True, exist_ok=True)

    def trials(self, name, n_references, system):
        path = self.cache / f"scores_{name}_{n_references}.npz"
        if not path.exists():
            np.savez(path, **self._score(name, n_references))
        with np.load(path) as found:
            kind = found["kind"]
            return Bunch(
                y_true=(kind == "genuine").astype(int), y_score=found[system], kind=kind, writer=found["writer"]
            )

    def _features(self, name):
        path = self.cache / f"{name}.npz"
        if not path.exists():
            images, target = self._images(name)
            network = SigNetFeaturizer(weights="synthetic", magnification=(1, 1.25), precision="float32")
            both = [network.fit_transform(images), StrokeFeaturizer().fit_transform(images)]
            np.savez(
                path, features=np.concatenate(both, axis=1).astype(np.float32), target=np.asarray(target).astype(str)
            )
        with np.load(path) as found:
            target = found["target"]
            return found["features"], np.array([f"{name}/{one}" for one in target[:, 0]]), target[:, 1].astype(int)

    def _images(self, name):
        if name == "cedar":
            corpus = load_npz(self.data / "reference" / "cedar_170x242.npz")
            return corpus.images, corpus.target
        if name in WRITERS:
            corpus = load_bhsig260(self.data / "BHSig260")
            wanted = {f"{name[0].upper()}-{number:03}" for number in WRITERS[name]}
            rows = [row for row, (writer, _) in enumerate(corpus.target.tolist()) if writer in wanted]
            scans, target, canvas = [corpus.images[row] for row in rows], corpus.target[rows], corpus.canvas_size
        else:
            _, script, scan = name.split("_")
            first = 1 + 20 * DRAWN.index(name)
            scans, target = make_signatures(20, 22, 10, random_state=21, first_writer=first, script=script, scan=scan)
            canvas = (765, 1089)
        return SignaturePreprocessor(canvas_size=canvas).fit_transform(scans), target

    def _score(self, name, n_references):
        drawn = [np.concatenate(parts) for parts in zip(*map(self._features, DRAWN))]
        rng = np.random.RandomState(1)
        names = np.unique(drawn[1])
        dev = np.concatenate([rng.choice(names[np.char.startswith(names, one)], 10, replace=False) for one in DRAWN])
        is_dev = np.isin(drawn[1], dev)
        X, writers, forgery = [part[~is_dev] for part in drawn] if name == "drawn" else self._features(name)
        rng = np.random.RandomState(0)
        references, queries = split(writers, forgery, n_references, rng)
        query, claimed, kind = claims(writers[queries], forgery[queries], rng)
        signatures = drawn[0][is_dev & (drawn[2] == 0)], drawn[1][is_dev & (drawn[2] == 0)]
        X_fit, y_fit = (
            np.concatenate([signatures[0], X[references]]),
            np.concatenate([signatures[1], writers[references]]),
        )
        svm = WriterDependentSVC(dev_writers=dev, random_state=0).fit(X_fit[:, :N_FEATURES], y_fit)
        strokes = StrokeMatcher(dev_writers=dev).fit(X_fit[:, N_FEATURES:], y_fit)
        fixed = VerifierFusion([("svm", svm), ("strokes", strokes)])
        first, second = svm.claim_scores(X[queries][query][:, :N_FEATURES], claimed), np.full(len(query), -10.0)
        near = first >= fixed.reach
        second[near] = strokes.claim_scores(X[queries][query][near, N_FEATURES:], claimed[near])
        fused = first + WEIGHT * np.clip(second, *fixed.bounds)
        return {"svm": first, "strokes": second, "fusion": fused, "kind": kind, "writer": claimed}


def split(writers, forgery, n_references, rng):
    """Draw references and ten genuine queries of each writer; all forgeries are queries."""
    references, queries = [], []
    for writer in np.unique(writers):
        own = rng.permutation(np.flatnonzero((writers == writer) & (forgery == 0)))
        n_drawn = min(n_references, len(own) // 2)
        references.extend(own[:n_drawn])
        queries.extend(own[n_drawn : n_drawn + 10])
        queries.extend(np.flatnonzero((writers == writer) & (forgery > 0)))
    return np.array(references), np.array(queries)


def claims(writers, forgery, rng):
    """Claims of the queries, and of each genuine query also five of other writers; sorted by query."""
    names = np.unique(writers)
    query, claimed, kind = [np.arange(len(writers))], [writers], [KINDS[forgery]]
    for row in np.flatnonzero(forgery == 0):
        query.append(np.full(5, row))
        claimed.append(rng.choice(names[names != writers[row]], 5, replace=False))
        kind.append(np.full(5, "random"))
    order = np.argsort(np.concatenate(query), kind="stable")
    return [np.concatenate(part)[order] for part in (query, claimed, kind)]


def select(trials, rows):
    return Bunch(**{name: values[rows] for name, values in trials.items()})


def halves(trials, seed):
    names = np.random.RandomState(seed).permutation(np.unique(trials.writer))
    first = np.isin(trials.writer, names[: len(names) // 2])
    return select(trials, first), select(trials, ~first)


def rate(trials, threshold, kind):
    return np.mean(trials.y_score[trials.kind == kind] >= threshold)


def show_defaults(scores):
    print("Default thresholds. FAR of skilled and of random forgeries, FRR, in percent")
    verifiers = {"fusion": VerifierFusion([]), "svm": WriterDependentSVC(), "strokes": StrokeMatcher()}
    for system, verifier in verifiers.items():
        threshold = verifier.threshold_
        for n_references in (12, 5):
            drawn = scores.trials("drawn", n_references, system)
            lowest = np.quantile(drawn.y_score[drawn.kind == "skilled"], 0.9)
            print(
                f"{system}, {n_references} references: threshold {threshold}; drawn writers need {lowest:.2f} for 10 %"
            )
            for name in ("drawn", *CORPORA):
                trials = scores.trials(name, n_references, system)
                far = [rate(trials, threshold, kind) for kind in ("skilled", "random")]
                frr = 1 - rate(trials, threshold, "genuine")
                print(f"  {name:8} {100 * far[0]:6.1f} {100 * far[1]:6.2f} {100 * frr:6.1f}")


def operating_point(trials, level, n_judged, other_corpus):
    writers = np.repeat(np.arange(max(2, n_judged)), 2)
    X = np.column_stack([writers, np.tile([0.0, 0.1], len(writers) // 2)])
    model = OperatingPointVerifier(Recorded(trials), level=level, other_corpus=other_corpus, random_state=0)
    return model.fit(X, writers).operating_point_


def show_coverage(scores):
    print(f"\nThresholds for a FAR of skilled forgeries, 12 references, {N_DRAWS} draws of halves of the writers")
    print(
        "set on      judged    system  level   FAR, mean [lowest, highest]   interval, mean   covered   FRR   covered"
    )
    for system in SYSTEMS:
        drawn = scores.trials("drawn", 12, system)
        for name in CORPORA:
            trials = scores.trials(name, 12, system)
            for source in ("half", "drawn"):
                for level in LEVELS:
                    show_covered(trials, drawn if source == "drawn" else None, name, source, system, level)


def show_covered(trials, drawn, name, source, system, level):
    measured, rates = [], []
    for seed in range(N_DRAWS):
        known, judged = halves(trials, seed)
        n_judged = len(np.unique(judged.writer))
        if drawn is None or not seed:
            point = operating_point(known if drawn is None else drawn, level, n_judged, drawn is not None)
        measured.append((rate(judged, point.threshold, "skilled"), 1 - rate(judged, point.threshold, "genuine")))
        rates.append([(point.rates[one].low, point.rates[one].high) for one in ("far_skilled", "frr")])
    measured, rates = 100 * np.array(measured), 100 * np.array(rates)
    covered = ((rates[:, :, 0] <= measured) & (measured <= rates[:, :, 1])).sum(axis=0)
    low, high = rates[:, 0].mean(axis=0)
    far, frr = measured.T
    print(
        f"{source:11} {name:9} {system:7} {level:5.0%} {far.mean():7.1f} [{far.min():.1f}, {far.max():.1f}]"
        f"   [{low:.1f}, {high:.1f}]   {covered[0]:2} of {N_DRAWS}   {frr.mean():4.1f}   {covered[1]:2} of {N_DRAWS}"
    )


def pair(trials):
    kept = (trials.kind == "genuine") | (trials.kind == "skilled")
    return select(trials, kept & (trials.y_score > -10))


def show_calibration(scores):
    print(f"\nCllr and minimal Cllr of skilled forgeries, 12 references, means of {N_DRAWS} draws of halves")
    print("system   calibrated on   judged   Cllr   min Cllr   largest difference")
    for system in SYSTEMS:
        all_trials = {name: pair(scores.trials(name, 12, system)) for name in ("drawn", *CORPORA)}
        for name in CORPORA:
            for source in ("half", *all_trials):
                if source == name:
                    continue
                found = []
                for seed in range(N_DRAWS):
                    known, judged = halves(all_trials[name], seed)
                    known = known if source == "half" else all_trials[source]
                    calibrator = ScoreCalibrator().fit(known.y_score, known.y_true)
                    log10_lr = calibrator.transform(judged.y_score)
                    found.append((cllr_score(judged.y_true, log10_lr), min_cllr_score(judged.y_true, judged.y_score)))
                (cllr, least), worst = np.mean(found, axis=0), np.max(np.subtract(*np.transpose(found)))
                print(f"{system:8} {source:15} {name:8} {cllr:.3f}  {least:.3f}      {worst:.3f}")


def show_corpora(scores):
    print("\nStandard deviation of the logit of the FAR between drawn writers of nine kinds, without sampling")
    squares = []
    for system in ("fusion", "svm", "strokes"):
        for n_references in (12, 5):
            trials = scores.trials("drawn", n_references, system)
            trials = select(trials, trials.kind != "random")
            kinds = np.array([writer.split("/")[0] for writer in trials.writer])
            for level in LEVELS:
                for one in DRAWN:
                    others, own = select(trials, kinds != one), select(trials, kinds == one)
                    threshold = far_threshold(others.y_true, others.y_score, far=level)
                    squares.append(squared_deviation(select(own, own.kind == "skilled"), threshold, level))
    print(f"{np.sqrt(np.mean(squares)):.2f}")


def squared_deviation(trials, threshold, level):
    names, number = np.unique(trials.writer, return_inverse=True)
    errors = np.bincount(number, weights=trials.y_score >= threshold)
    totals = np.bincount(number)
    rng = np.random.RandomState(0)
    drawn = rng.randint(len(names), size=(200, len(names)))
    sampled = logit(errors[drawn].sum(axis=1), totals[drawn].sum(axis=1))
    return (logit(errors.sum(), totals.sum()) - np.log(level / (1 - level))) ** 2 - np.var(sampled)


def logit(errors, totals):
    return np.log((errors + 0.5) / (totals - errors + 0.5))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with reference/cedar_170x242.npz and BHSig260")
    parser.add_argument("--cache", type=Path, required=True, help="folder of features and scores")
    options = parser.parse_args()
    scores = Scores(options.data, options.cache)
    show_defaults(scores)
    show_coverage(scores)
    show_calibration(scores)
    show_corpora(scores)


if __name__ == "__main__":
    main()
