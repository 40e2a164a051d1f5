"""A million enrolled writers on disk: enrollment, one claim, identification, memory; beside an index library.

    python benchmarks/million_writers.py --writers 10000 --folder /tmp/writers
    python benchmarks/million_writers.py --writers 1000000 --folder /data/writers --workers 2

Features are drawn: mean, covariance of writers and covariance within writers are those of the features of the network
in the package (magnifications 1 and 1.25: 2,048 values) of drawn signatures. Each writer has three references. What is
stored of a writer is the references and a linear SVM of them against the development writers, both in float16: 16 KiB.
A linear model is a vector, so that the scores of all writers are one matrix product. RBF models of a million writers
would be rows of kernel coefficients; where they are wanted, the model of the claimed writer is fitted from its
references at the claim, which is measured too.

Writers are enrolled in parts of 10,000, in processes of a dask cluster. Parts that are complete are not computed again.
The index is HNSW of faiss, on as many writers as fit; its answers are compared with those of the exact search.
"""

import argparse
import os
import resource
import time
from functools import cache
from pathlib import Path

import numpy as np

PART, N_REFERENCES, N_DEV, N_DEV_SAMPLES, N_FACTORS = 10_000, 3, 32, 14, 256
N_DRAWN, N_DRAWN_SAMPLES, STEP, N_BEST = 150, 6, 500, 10


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=10_000)
    parser.add_argument("--folder", required=True, help="folder of the writers: 17 GB for a million")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--queries", type=int, default=16, help="queries that are identified at once")
    parser.add_argument("--index-writers", type=int, default=20_000, help="writers in the index; 0 leaves it out")
    return parser.parse_args()


def fit_distribution(folder):
    """Store the mean and the covariances of the features of drawn signatures, as factors."""
    path = folder / "distribution.npz"
    if path.exists():
        return
    from sigkit.datasets import make_signatures
    from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

    scans, _ = make_signatures(N_DRAWN, N_DRAWN_SAMPLES, n_skilled=0, random_state=9)
    images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    features = SigNetFeaturizer(weights="synthetic", magnification=(1, 1.25)).fit_transform(images)
    features = features.reshape(N_DRAWN, N_DRAWN_SAMPLES, -1).astype(np.float64)
    means = features.mean(axis=1)
    within = (features - means[:, None]).reshape(N_DRAWN * N_DRAWN_SAMPLES, -1)
    within *= np.sqrt(N_DRAWN_SAMPLES / (N_DRAWN_SAMPLES - 1))
    factors = {"mean": means.mean(axis=0)}
    for name, rows in (("between", means - factors["mean"]), ("within", within)):
        _, sizes, directions = np.linalg.svd(rows / np.sqrt(len(rows)), full_matrices=False)
        factors[name] = sizes[:N_FACTORS, None] * directions[:N_FACTORS]
        # What the factors leave of the variance is independent noise.
        left = rows.var(axis=0) - np.square(factors[name]).sum(axis=0)
        factors[f"{name}_noise"] = np.sqrt(np.maximum(left, 0))
    temporary = folder / "unfinished.npz"
    np.savez(temporary, **{name: values.astype(np.float32) for name, values in factors.items()})
    temporary.rename(path)


@cache
def read_distribution(folder):
    with np.load(Path(folder) / "distribution.npz") as file:
        return dict(file)


def draw(folder, first, n_writers, n_samples):
    """Draw features; shape (n_writers, n_samples, n_features). Those of a block of writers depend on its first one."""
    given = read_distribution(str(folder))
    rng = np.random.default_rng([1, first])

    def drawn(name, n_rows):
        factors = given[name]
        rows = rng.standard_normal((n_rows, len(factors)), dtype=np.float32) @ factors
        return rows + rng.standard_normal(rows.shape, dtype=np.float32) * given[f"{name}_noise"]

    hands = given["mean"] + drawn("between", n_writers)
    return hands[:, None] + drawn("within", n_writers * n_samples).reshape(n_writers, n_samples, -1)


@cache
def empty_verifier(folder, kernel):
    """Return a verifier that knows the development writers, and has enrolled none."""
    from sigkit.estimators import WriterDependentSVC

    # Beyond the numbers of all enrolled writers.
    ids = -1 - np.arange(N_DEV)
    features = draw(folder, 10**9, N_DEV, N_DEV_SAMPLES)
    svc = WriterDependentSVC(kernel, gamma="auto", dev_writers=ids.tolist(), random_state=0)
    return svc.fit(features.reshape(len(ids) * N_DEV_SAMPLES, -1), np.repeat(ids, N_DEV_SAMPLES))


def part_paths(folder, part):
    return {name: Path(folder) / f"{name}_{part:04d}.npy" for name in ("references", "directions", "intercepts")}


def enroll_part(folder, part, n_writers):
    """Enroll a part of the writers, and store it; return the time of the processor for the enrollment."""
    from threadpoolctl import threadpool_limits

    arrays, seconds = {name: [] for name in part_paths(folder, part)}, 0.0
    with threadpool_limits(1):
        for start in range(0, n_writers, STEP):
            first, count = part * PART + start, min(STEP, n_writers - start)
            features = draw(folder, first, count, N_REFERENCES)
            begin = time.process_time()
            # A copy of the empty verifier: a million models would not fit into memory.
            svc = copy_of(empty_verifier(folder, "linear"))
            ids = np.arange(first, first + count)
            svc.enroll(features.reshape(count * N_REFERENCES, -1), np.repeat(ids, N_REFERENCES))
            models = [svc.models_[writer] for writer in ids.tolist()]
            seconds += time.process_time() - begin
            arrays["references"].append(features.astype(np.float16))
            arrays["directions"].append(np.array([model.direction for model in models], dtype=np.float16))
            arrays["intercepts"].append(np.array([model.intercept for model in models], dtype=np.float32))
    for name, path in part_paths(folder, part).items():
        temporary = path.with_suffix(".unfinished")
        with open(temporary, "wb") as file:
            np.save(file, np.concatenate(arrays[name]))
        temporary.rename(path)
    return seconds


def copy_of(svc):
    import copy

    # The fitted state is replaced as a whole, so a shallow copy is independent.
    return copy.copy(svc)


def enroll_all(folder, n_writers, n_workers):
    """Enroll the parts that are missing, and report the progress."""
    parts = [(part, min(PART, n_writers - part * PART)) for part in range(-(-n_writers // PART))]
    missing = [one for one in parts if not all(path.exists() for path in part_paths(folder, one[0]).values())]
    print(f"{len(parts) - len(missing)} of {len(parts)} parts are there", flush=True)
    if not missing:
        return
    from distributed import Client, LocalCluster, as_completed

    start, done, seconds = time.perf_counter(), 0, 0.0
    workers = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**workers) as cluster, Client(cluster) as client:
        futures = {client.submit(enroll_part, str(folder), *one, pure=False): one for one in missing}
        for future in as_completed(futures):
            seconds += future.result()
            done += futures[future][1]
            passed = time.perf_counter() - start
            left = sum(count for _, count in missing) - done
            print(
                f"{done:,} writers in {passed:.0f} s, {done / passed:.0f} per second; {left / done * passed:.0f} s "
                f"left; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(f"enrollment without drawing and writing: {1000 * seconds / done:.2f} ms of a processor per writer\n")


def memory():
    """Return the peak memory of this process in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def open_all(folder, n_writers):
    """Return the memory-mapped arrays of all parts, by name."""
    paths = [part_paths(folder, part) for part in range(-(-n_writers // PART))]
    return {name: [np.load(own[name], mmap_mode="r") for own in paths] for name in paths[0]}


def measure_claims(folder, stored, n_writers, n_claims=200):
    """Measure claims by the stored linear model, and by an RBF model fitted at the claim."""
    linear, rbf = empty_verifier(str(folder), "linear"), empty_verifier(str(folder), "rbf")
    rng, times, genuine = np.random.default_rng(0), ([], []), []
    for _ in range(n_claims):
        number, query = query_of(folder, rng, n_writers)
        start = time.perf_counter()
        part, row = divmod(number, PART)
        direction = stored["directions"][part][row].astype(np.float32)
        score = linear.bank_.standardise(query) @ direction + stored["intercepts"][part][row]
        times[0].append(time.perf_counter() - start)
        genuine.append(score[0])
        start = time.perf_counter()
        own = copy_of(rbf)
        own.enroll(stored["references"][part][row].astype(np.float32), [number] * N_REFERENCES)
        own.claim_scores(query, [number])
        times[1].append(time.perf_counter() - start)
    for label, own in zip(("stored linear model", "RBF model fitted at the claim"), times):
        p50, p99 = 1000 * np.percentile(own, [50, 99])
        print(f"one claim, {label}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, first {1000 * own[0]:.1f} ms")
    print(f"share of genuine claims with a score of at least 0: {np.mean(np.array(genuine) >= 0):.2f}")


def query_of(folder, rng, n_writers):
    """Return a random writer, and a genuine signature that is no reference: with the writer's hand, drawn anew."""
    number = int(rng.integers(n_writers))
    given, first = read_distribution(str(folder)), number // STEP * STEP
    count = min(STEP, min(n_writers, (number // PART + 1) * PART) - first)
    # The mean of a writer's three references stands for the hand, which is not stored.
    references = draw(folder, first, count, N_REFERENCES)[number - first]
    noise = rng.standard_normal(len(given["within"]), dtype=np.float32) @ given["within"]
    noise += rng.standard_normal(len(noise), dtype=np.float32) * given["within_noise"]
    return number, (references.mean(axis=0) + noise)[None]


def measure_identification(folder, stored, n_writers, n_queries):
    """Measure the identification among all writers; return the queries."""
    from sigkit.estimators import find_best_writers

    svc, rng = empty_verifier(str(folder), "linear"), np.random.default_rng(1)
    numbers, queries = zip(*(query_of(folder, rng, n_writers) for _ in range(n_queries)))
    numbers, queries = np.array(numbers), svc.bank_.standardise(np.concatenate(queries))
    for label in ("first", "again"):
        start = time.perf_counter()
        found, _ = find_best_writers(queries, stored["directions"], stored["intercepts"], N_BEST)
        passed = time.perf_counter() - start
        print(
            f"identification of {n_queries} queries among {n_writers:,} writers, {label}: {passed:.2f} s, "
            f"{passed / n_queries:.3f} s per query; first {np.mean(found[:, 0] == numbers):.2f}, among the best "
            f"{N_BEST} {np.mean((found == numbers[:, None]).any(axis=1)):.2f}"
        )
    start = time.perf_counter()
    find_best_writers(queries[:1], stored["directions"], stored["intercepts"], N_BEST)
    print(f"identification of one query: {time.perf_counter() - start:.2f} s")
    return queries


def as_distances(directions, intercepts, queries):
    """Return vectors of models and of queries whose Euclidean distances are in the opposite order of the scores.

    The intercept is one more feature, which is 1 in every query. One more gives all models one length: the graph of an
    index of inner products finds a tenth of the best writers only.
    """
    rows = np.column_stack([directions, intercepts])
    squares = np.square(rows).sum(axis=1)
    rows = np.column_stack([rows, np.sqrt(squares.max() - squares)])
    asked = np.column_stack([queries, np.ones(len(queries)), np.zeros(len(queries))])
    return np.ascontiguousarray(rows, dtype=np.float32), np.ascontiguousarray(asked, dtype=np.float32)


def measure_index(stored, queries, n_writers):
    """Compare an index with the exact search."""
    try:
        import faiss
    except ImportError:
        print("no index: pip install faiss-cpu")
        return
    from sigkit.estimators import find_best_writers

    directions = np.concatenate([part[:n_writers] for part in stored["directions"]])[:n_writers].astype(np.float32)
    intercepts = np.concatenate(stored["intercepts"])[:n_writers]
    start = time.perf_counter()
    exact, _ = find_best_writers(queries, [directions], [intercepts], N_BEST)
    seconds = (time.perf_counter() - start) / len(queries)
    rows, asked = as_distances(directions, intercepts, queries)
    index = faiss.IndexHNSWFlat(rows.shape[1], 32)
    index.hnsw.efConstruction = 80
    start = time.perf_counter()
    index.add(rows)
    built = time.perf_counter() - start
    print(f"\nindex of {len(rows):,} writers: built in {built:.0f} s, {1000 * built / len(rows):.2f} ms per writer")
    print(f"exact search in float32 in memory: {1000 * seconds:.1f} ms per query, {len(queries)} at once")
    for effort in (64, 256, 1024):
        index.hnsw.efSearch = effort
        start = time.perf_counter()
        _, found = index.search(asked, N_BEST)
        passed = (time.perf_counter() - start) / len(queries)
        same = np.mean([len(set(one) & set(other)) / N_BEST for one, other in zip(found.tolist(), exact.tolist())])
        print(
            f"HNSW, efSearch {effort}: {1000 * passed:.1f} ms per query, {100 * same:.0f} % of the exact best {N_BEST}"
        )


def main():
    options = parse_arguments()
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    fit_distribution(folder)
    enroll_all(folder, options.writers, options.workers)
    size = sum(path.stat().st_size for path in folder.glob("*.npy"))
    start = time.perf_counter()
    stored = open_all(folder, options.writers)
    print(f"on disk {size / 1e9:.2f} GB; opened in {1000 * (time.perf_counter() - start):.0f} ms")
    measure_claims(folder, stored, options.writers)
    queries = measure_identification(folder, stored, options.writers, options.queries)
    print(f"peak memory of this process so far, with mapped pages: {memory():.2f} GiB; load {os.getloadavg()[0]:.1f}")
    if options.index_writers:
        measure_index(stored, queries, min(options.writers, options.index_writers))


if __name__ == "__main__":
    main()
