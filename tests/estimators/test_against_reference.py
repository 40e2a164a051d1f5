"""Agreement with the original code's classifiers, on the features, references and negatives it used."""

import json

import numpy as np
import pytest

from sigkit.estimators import WriterDependentSVC
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
def test_scores_and_error_rates_equal_the_originals(reference, protocol, tolerance):
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
        assert report.figures[name].value == pytest.approx(expected[original], abs=1e-3), name
