"""Agreement with the original code's classifiers, on the features, references and negatives it used."""

import json

import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sigkit.estimators import WriterDependentSVC
from sigkit.estimators._svc import _fit_writer
from sigkit.estimators._svc._solver import solve
from sigkit.metrics import verification_report


@pytest.fixture(scope="module")
def reference(shared_data):
    folder = shared_data / "reference"
    with np.load(folder / "cedar_features.npz") as file:
        features, y = file["features"].astype(np.float32), np.stack([file["writer"], file["forgery"]], axis=1)
    with np.load(folder / "cedar_wd_scores.npz") as file:
        scores = dict(file)
    metrics = json.loads((folder / "cedar_wd_metrics.json").read_text())
    return features, y, scores, metrics


@pytest.mark.parametrize(("protocol", "tolerance"), [("rbf_dev", 2e-3), ("rbf_peers", 2e-3), ("linear_dev", 0.05)])
def test_scores_and_error_rates_equal_those_of_the_original_code(reference, protocol, tolerance):
    features, y, scores, metrics = reference
    test, dev = scores[f"{protocol}_test"], scores[f"{protocol}_dev_negatives"]
    rows = np.concatenate([dev, scores[f"{protocol}_train"]])
    negatives = {"dev_writers": range(10)} if len(dev) else {"n_peer_negatives": 12}
    model = WriterDependentSVC(protocol.split("_")[0], scaling="writer", **negatives).fit(features[rows], y[rows])
    ours = model.decision_function(features[test])

    assert np.array_equal(model.classes_, scores[f"{protocol}_writers"])
    writer, forgery = y[test].T
    for column, enrolled in enumerate(model.classes_):
        own = writer == enrolled
        kinds = {"genuine": own & (forgery == 0), "skilled": own & (forgery == 1), "random": ~own & (forgery == 0)}
        for kind, chosen in kinds.items():
            expected = scores[f"{protocol}_{kind}_scores"][column]
            np.testing.assert_allclose(ours[chosen, column], expected, rtol=0, atol=tolerance)

    report = verification_report(y[test], ours, classes=model.classes_, method="sigver", n_bootstraps=0)
    expected = metrics[protocol]["metrics"]
    pairs = {
        "frr": "FRR",
        "far_random": "FAR_random",
        "far_skilled": "FAR_skilled",
        "eer": "EER",
        "eer_writer": "EER_userthresholds",
        "mean_auc": "mean_AUC",
    }
    for name, original in pairs.items():
        assert report.estimates[name].value == pytest.approx(expected[original], abs=1e-3), name


@pytest.mark.parametrize("protocol", ["rbf_dev", "rbf_peers", "linear_dev"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_solution_is_that_of_libsvm(reference, protocol, dtype, monkeypatch):
    features, y, scores, _ = reference
    dev = scores[f"{protocol}_dev_negatives"]
    rows = np.concatenate([dev, scores[f"{protocol}_train"]])
    duals = []

    def kept(*arguments, **options):
        duals.append(solve(*arguments, **options))
        return duals[-1]

    monkeypatch.setattr(_fit_writer, "solve", kept)
    monkeypatch.setattr("sigkit.estimators._svc._solver.INITIAL_SIZE", 60)
    monkeypatch.setattr("sigkit.estimators._svc._solver.INCREMENT", 40)
    negatives = {"dev_writers": range(10)} if len(dev) else {"n_peer_negatives": 12}
    kernel = protocol.split("_")[0]
    model = WriterDependentSVC(kernel, scaling="writer", **negatives).fit(features[rows].astype(dtype), y[rows])
    for number, writer in enumerate(model.classes_[::9]):
        own = features[rows][y[rows, 0] == writer].astype(np.float64)
        others = features[dev] if len(dev) else features[rows][y[rows, 0] != writer]
        samples = np.concatenate([own, others])
        samples /= StandardScaler(with_mean=False).fit(samples).scale_
        gram = rbf_kernel(samples, gamma=2**-11) if kernel == "rbf" else samples @ samples.T
        svm = SVC(kernel="precomputed", class_weight={1: len(others) / len(own)}, tol=1e-6)
        svm.fit(gram, np.repeat([1, -1], [len(own), len(others)]))
        expected = np.zeros(len(samples))
        expected[svm.support_] = svm.dual_coef_[0]
        dual = duals[9 * number]
        # The writer's own references are rows of the bank where peers are negatives.
        place = np.cumsum(model.bank_.negatives_for(writer)) - 1
        found = np.zeros(len(samples))
        found[: len(own)] = dual.reference_coef
        found[len(own) + place[dual.rows]] = dual.coef
        objectives = [np.abs(coef).sum() - 0.5 * coef @ gram @ coef for coef in (found, expected)]
        assert objectives[0] == pytest.approx(objectives[1], rel=1e-4)
