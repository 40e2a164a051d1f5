"""Error rates of each writer."""

import numpy as np
from sklearn.utils import Bunch

from sigkit.metrics._by_writer import _rows_of_writers, _threshold_of_trials
from sigkit.metrics._curves import _area_under_roc, _equal_error, _equal_error_rate, _operating_points
from sigkit.metrics._trials import _Trials


def _rates_of_writers(bunch: Bunch, threshold: float | dict, kind: str, method: str) -> Bunch:
    """Compute the error rates of each writer; see `VerificationReport.per_writer`."""
    trials = _Trials.from_bunch(bunch)
    kinds = "all" if kind == "forgery" else kind
    trials = trials.select(trials.genuine | trials.require_forgeries(kinds))
    rows = {name: [] for name in ("n_genuine", "n_forgeries", "frr", "far", "eer", "eer_threshold", "auc")}
    groups = _rows_of_writers(trials)
    accepted = trials.score >= _threshold_of_trials(trials, threshold)
    for group in groups:
        genuine = trials.genuine[group]
        found = dict.fromkeys(rows, np.nan)
        found |= {"n_genuine": int(genuine.sum()), "n_forgeries": int((~genuine).sum())}
        if found["n_genuine"]:
            found["frr"] = 1 - accepted[group][genuine].mean()
        if found["n_forgeries"]:
            found["far"] = accepted[group][~genuine].mean()
        if found["n_genuine"] and found["n_forgeries"]:
            points = _operating_points(trials.score[group], genuine)
            found["eer"] = _equal_error_rate(points, method)
            found["eer_threshold"] = _equal_error(points, method).threshold
            found["auc"] = _area_under_roc(points)
        for name, value in found.items():
            rows[name].append(value)
    return Bunch(writer=trials.writers, **{name: np.array(values) for name, values in rows.items()})
