"""Pickles have the version of sigkit in them."""

import copy
import pickle

import numpy as np
import pytest

import sigkit
from sigkit.estimators import WriterDependentSVC
from sigkit.transformers import SignaturePreprocessor


def test_another_version_is_warned_about(monkeypatch):
    X = np.random.default_rng(0).normal(size=(10, 4)) + np.repeat([[0], [3]], 5, axis=0)
    model = WriterDependentSVC(gamma=0.1).fit(X, np.repeat(["a", "b"], 5))
    for estimator in (model, SignaturePreprocessor(canvas_size=(100, 150))):
        same = pickle.loads(pickle.dumps(copy.deepcopy(estimator)))
        assert same.get_params() == estimator.get_params()
        assert vars(same).keys() == vars(estimator).keys()
        with monkeypatch.context() as patch:
            patch.setattr(sigkit, "__version__", "0.0.1")
            saved = pickle.dumps(estimator)
        with pytest.warns(UserWarning, match=r"saved by sigkit 0\.0\.1 and is loaded by") as caught:
            pickle.loads(saved)
        assert caught[0].filename == __file__
