"""Experiments with trainings give the same scores in threads, to the last bit."""

import joblib
import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline

from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.experiments._torch_threads import at_most_threads
from sigkit.model_selection import WriterSplit
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer

DEV = (1, 2, 3)


@pytest.mark.parametrize("n_jobs", [4, 8])
def test_splits_in_threads(draw_blots, n_jobs):
    X, y = draw_blots(28, 36)
    pipeline = make_pipeline(
        SigNetFeaturizer("tiny", dev_writers=DEV, training=SigNetTraining(epochs=1, batch_size=8), random_state=0),
        WriterDependentSVC(gamma="scale", dev_writers=DEV, random_state=0),
    )
    cv = WriterSplit(n_references=3, n_queries=4, dev_writers=DEV, n_splits=8, random_state=0)
    expected = writer_dependent_experiment(pipeline, X, y, cv=cv)
    with joblib.parallel_config("threading"):
        found = writer_dependent_experiment(pipeline, X, y, cv=cv, n_jobs=n_jobs)
    for one, other in zip(found.trials, expected.trials, strict=True):
        assert np.array_equal(one.genuine_scores, other.genuine_scores)
        assert np.array_equal(one.forgery_scores, other.forgery_scores)


def test_splits_have_no_more_threads_than_the_caller():
    own = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with at_most_threads(2):
            assert torch.get_num_threads() == 2
        with at_most_threads(4):
            assert torch.get_num_threads() == 3
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(own)
