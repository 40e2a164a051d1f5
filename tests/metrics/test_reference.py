"""The error rates of the original experiments, recomputed from their stored scores."""

import json

import numpy as np
import pytest

from sigkit.metrics import eer_score, frr_at_far_score, verification_report

PROTOCOLS = ("rbf_dev", "linear_dev", "rbf_peers")


@pytest.fixture(scope="module")
def reference(shared_data):
    return shared_data / "reference"


def load(reference, protocol):
    """Arrange the stored scores as the score matrix of a writer-dependent model."""
    with np.load(reference / "cedar_wd_scores.npz") as stored:
        writers = stored[f"{protocol}_writers"]
        genuine, skilled, random = (stored[f"{protocol}_{kind}_scores"] for kind in ("genuine", "skilled", "random"))
    n_writers, n_genuine, n_skilled = len(writers), genuine.shape[1], skilled.shape[1]
    scores = np.full((n_writers, n_genuine + n_skilled, n_writers), -99.0)
    for column in range(n_writers):
        scores[column, :n_genuine, column] = genuine[column]
        scores[column, n_genuine:, column] = skilled[column]
        others = np.delete(np.arange(n_writers), column)
        scores[others, :n_genuine, column] = random[column].reshape(n_writers - 1, n_genuine)
    kind = np.tile([0] * n_genuine + [1] * n_skilled, n_writers)
    y = np.column_stack([np.repeat(writers, n_genuine + n_skilled), kind])
    return y, scores.reshape(-1, n_writers), writers


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_error_rates_of_the_original(reference, protocol):
    expected = json.loads((reference / "cedar_wd_metrics.json").read_text())[protocol]["metrics"]
    y, scores, writers = load(reference, protocol)
    report = verification_report(y, scores, classes=writers, method="sigver", n_bootstraps=0)
    values = {name: estimate.value for name, estimate in report.estimates.items()}
    assert values == pytest.approx(
        {
            "frr": expected["FRR"],
            "far_random": expected["FAR_random"],
            "far_skilled": expected["FAR_skilled"],
            "frr_at_far_0.01": frr_at_far_score(y, scores, classes=writers, far=0.01),
            "eer": expected["EER"],
            "eer_writer": expected["EER_userthresholds"],
            "mean_auc": expected["mean_AUC"],
        },
        abs=1e-9,
    )
    assert report.eer_threshold == pytest.approx(expected["global_threshold"], abs=1e-9)
    random = report.estimates["far_random"]
    assert (random.n_forgeries, random.n_writers) == (19_800, 45)


@pytest.mark.parametrize(("method", "percent"), [("sigver", 6.90), ("nearest", 7.80), ("interpolated", 7.96)])
def test_user_specific_eer_by_each_method(reference, method, percent):
    y, scores, writers = load(reference, "rbf_peers")
    rate = eer_score(y, scores, classes=writers, method=method, user_specific=True)
    assert round(100 * rate, 2) == percent
