"""The cache of arrays by image: shared by processes, damaged, and without space, in a whole Pipeline."""

import multiprocessing
import os

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import make_fused_verifier
from sigkit.transformers import SignaturePreprocessor
from sigkit.transformers._memory import ImageMemory

IMAGES = np.random.default_rng(0).integers(0, 255, (40, 6, 7), dtype=np.uint8)


def fill(folder, start, seed, found):
    """Cache and read all images again and again, while entries are damaged and removed."""
    rng, memory = np.random.default_rng(seed), ImageMemory(folder, "mean")
    start.wait()
    for _ in range(8):
        for number in rng.permutation(len(IMAGES)).tolist():
            cached = memory.get(IMAGES[number])
            if cached is not None and not np.array_equal(cached["mean"], IMAGES[number].mean(axis=0)):
                found.put(f"image {number}: {cached}")
            memory.put(IMAGES[number], mean=IMAGES[number].mean(axis=0))
            paths = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in names]
            victim = paths[rng.integers(len(paths))]
            if not victim.endswith(".unfinished") and rng.random() < 0.2:
                with open(victim, "r+b") as file:
                    file.seek(100)
                    file.write(rng.bytes(30))
    found.put(memory.problem)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked on POSIX only")
def test_processes_share_a_folder_whose_entries_are_damaged(tmp_path):
    context = multiprocessing.get_context("fork")
    start, found = context.Event(), context.Queue()
    processes = [context.Process(target=fill, args=(tmp_path, start, seed, found)) for seed in range(3)]
    for process in processes:
        process.start()
    start.set()
    assert [found.get(timeout=60) for _ in processes] == [None] * 3
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0


def test_a_pipeline_says_once_that_its_folder_cannot_be_written(tmp_path):
    scans, target = make_signatures(n_writers=3, n_genuine=3, n_skilled=0, random_state=0)
    memory = tmp_path / "memory"
    memory.mkdir()
    (memory / "sigkit").touch()

    def score(memory):
        verifier = make_fused_verifier(memory=memory, random_state=0)
        pipe = make_pipeline(SignaturePreprocessor(canvas_size=(765, 1089), memory=memory), verifier)
        return pipe.fit(scans, target[:, 0]).decision_function(scans)

    with pytest.warns(UserWarning, match="results cannot be kept there") as caught:
        scores = score(memory)
    assert [str(memory) in str(warning.message) for warning in caught] == [True]
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(scores, score(None))
