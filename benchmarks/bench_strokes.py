"""Comparison of strokes: pairs of signatures, and a claim against 12 references, beside a plain reference.

    python benchmarks/bench_strokes.py

The reference aligns one pair at a time, with a k-d tree in each iteration. Signatures are drawn; pairs are those of
claims: a query, genuine or forged, with a reference of the same writer. Times are those of the processor.
"""

import argparse
import time

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import rankdata

from sigkit.datasets import make_signatures
from sigkit.estimators import StrokeMatcher, WriterDependentSVC
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer, StrokeFeaturizer

N_REFERENCES, N_ITERATIONS, KEPT, NEAR, MATCHED = 12, 6, 0.8, 2.5, 4.0
RADIUS, PARALLEL, FAR = 3.0, 0.9, (1e-3, 0.3)
RIDGE, IDENTITY = np.diag([60.0, 60.0, 1e-3]), np.array([[1.0, 0], [0, 1], [0, 0]])


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=5, help="the fastest of so many repeats counts")
    return parser.parse_args()


def as_reference(row):
    """Return the points of a signature: positions around their mean, double angle, darkness, and straightness."""
    points = row.reshape(-1, 7)
    points = points[points[:, 6] > 0].astype(np.float64)
    positions = points[:, :2] - points[:, :2].mean(axis=0)
    weight = np.exp(-((positions[:, None] - positions) ** 2).sum(axis=2) / (2 * RADIUS**2))
    straightness = np.hypot(*(weight @ points[:, 2:4]).T) / weight.sum(axis=1)
    return positions, np.arctan2(points[:, 3], points[:, 2]), points[:, 4], straightness


def compare_one_way(moving, fixed):
    """Return the signals of one pair."""
    (positions, angle, dark, straight), (sites, other_angle, other_dark, other_straight) = moving, fixed
    tree, moved = cKDTree(sites), positions
    design = np.column_stack([positions, np.ones(len(positions))])
    for _ in range(N_ITERATIONS):
        distance, nearest = tree.query(moved)
        kept = distance <= np.quantile(distance, KEPT) + 1e-6
        part = design[kept]
        affine = np.linalg.solve(part.T @ part + RIDGE, part.T @ sites[nearest[kept]] + RIDGE @ IDENTITY)
        moved = design @ affine
    distance, nearest = tree.query(moved)
    near = np.exp(-(distance**2) / (2 * NEAR**2))
    turn = 2 * np.arctan2(affine[0, 1] - affine[1, 0], affine[0, 0] + affine[1, 1])
    matched = distance < MATCHED
    pressure = 0.0
    if matched.sum() > 10:
        ranks = rankdata(dark[matched]), rankdata(other_dark[nearest[matched]])
        if min(np.ptp(rank) for rank in ranks) > 0:
            pressure = np.corrcoef(*ranks)[0, 1] * matched.mean()
    cosine = np.cos(angle + turn - other_angle[nearest])
    difference = (near * np.abs(straight - other_straight[nearest])).mean()
    parallel = (near * (cosine > PARALLEL)).mean()
    straightness = -(difference + FAR[0] * FAR[1]) / (near.mean() + FAR[0])
    return np.array([(near * cosine).mean(), near.mean(), pressure, parallel, straightness])


def seconds(function, repeats):
    """Return the least time of the processor, and the result."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return min(times), result


def main():
    options = parse_arguments()
    scans, target = make_signatures(options.writers, N_REFERENCES + 6, n_skilled=6, random_state=3)
    images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    time_points, points = seconds(lambda: StrokeFeaturizer().fit_transform(images), 1)
    print(f"points of strokes: {1000 * time_points / len(images):.1f} ms per image")

    number = np.concatenate([np.arange(count) for count in np.unique(target[:, 0], return_counts=True)[1]])
    is_reference = (target[:, 1] == 0) & (number < N_REFERENCES)
    queries, references = np.flatnonzero(~is_reference), np.flatnonzero(is_reference)
    query, reference = np.nonzero(target[queries, None, 0] == target[None, references, 0])
    query, reference = queries[query], references[reference]
    prepared = [as_reference(row) for row in points]

    def compare_plainly():
        pairs = zip(query[::4], reference[::4])
        return [compare_one_way(prepared[a], prepared[b]) + compare_one_way(prepared[b], prepared[a]) for a, b in pairs]

    time_plain, expected = seconds(compare_plainly, 1)
    time_plain /= 2 * len(expected)
    matcher = StrokeMatcher().fit(points[is_reference], target[is_reference, 0])
    claimed = target[queries, 0]
    time_claims, _ = seconds(lambda: matcher.claim_scores(points[queries], claimed), options.repeats)
    time_pair = time_claims / (2 * len(query))
    print(
        f"directed pairs, {len(queries)} claims at once, with the maps of the queries: plain {1e6 * time_plain:.0f} "
        f"us, sigkit {1e6 * time_pair:.0f} us, ratio {time_plain / time_pair:.1f}"
    )
    agreement = matcher.compare(points[query[::4]], points[reference[::4]])
    difference = np.abs(agreement - expected)
    print(
        f"largest difference of {len(expected)} pairs: direction, coverage, pressure, parallel, straightness "
        f"{', '.join(f'{value:.1e}' for value in difference.max(axis=0))}; median {np.median(difference):.0e}; "
        f"pairs beyond 1e-3: {(difference.max(axis=1) > 1e-3).sum()}"
    )

    features = SigNetFeaturizer(weights="synthetic", magnification=(1, 1.25)).fit_transform(images)
    svm = WriterDependentSVC(gamma="auto", random_state=0).fit(features[is_reference], target[is_reference, 0])
    row = queries[0]

    def one_claim():
        svm.claim_scores(features[[row]], target[[row], 0])
        matcher.claim_scores(points[[row]], target[[row], 0])

    one, _ = seconds(one_claim, 20 * options.repeats)
    print(f"one claim against {N_REFERENCES} references, SVM and strokes, after the features: {1e3 * one:.1f} ms")


if __name__ == "__main__":
    main()
