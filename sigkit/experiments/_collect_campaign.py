"""Putting together the results of a campaign."""

import numpy as np
from sklearn.base import clone

from sigkit.experiments._campaign_results import COLUMNS, CampaignResults
from sigkit.experiments._campaign_systems import eer_of_queries, score_claims


def collect_results(systems, split, queries, defences, outcomes):
    """Decide which attacks succeed, with and without defences, and make the results of a campaign.

    Parameters
    ----------
    systems : dict of str to System
        The systems.
    split : CampaignSplit
        The split of the campaign.
    queries : Queries
        The attacked queries.
    defences : dict of str to transformer
        Transformers that clean images.
    outcomes : dict of (str, str, str) to dict or str
        By system, knowledge and attack: the arrays of the attack, or the reason why it is not applicable.

    Returns
    -------
    CampaignResults
        The results.
    """
    originals = split.X[queries.rows]
    eers = {(name, "none"): system.eer for name, system in systems.items()}
    for defence, cleaner in defences.items():
        cleaned = clone(cleaner).fit_transform(split.X[split.queries])
        eers |= {(name, defence): eer_of_queries(system, cleaned, split) for name, system in systems.items()}
    attacked = {cell: arrays for cell, arrays in outcomes.items() if not isinstance(arrays, str)}
    scores_before = {name: score_claims(system, originals, queries.claims) for name, system in systems.items()}
    columns = {name: [] for name in COLUMNS}
    for (name, knowledge, attack), arrays in attacked.items():
        system = systems[name]
        for defence, scores, success in _with_defences(system, queries, defences, arrays):
            values = {
                "system": name,
                "knowledge": knowledge,
                "attack": attack,
                "defence": defence,
                "writer": queries.claims,
                "query": queries.kinds,
                "row": queries.rows,
                "threshold": system.threshold,
                "score_before": scores_before[name],
                "score_after": scores,
                "attacker_success": arrays["attacker_success"],
                "success": success,
                "rmse": arrays["rmse"],
            }
            for column, value in values.items():
                columns[column].append(np.broadcast_to(value, len(queries.rows)))
    return CampaignResults(
        table={name: np.concatenate(parts) if parts else np.empty(0) for name, parts in columns.items()},
        eers=eers,
        images={cell: arrays["images"] for cell, arrays in attacked.items()},
        originals=originals,
        not_applicable={cell: reason for cell, reason in outcomes.items() if isinstance(reason, str)},
    )


def _with_defences(system, queries, defences, arrays):
    """Yield each defence ("none" first) with the scores of the attacked images and the successes."""
    scores = {"none": arrays["after"]}
    for defence, cleaner in defences.items():
        scores[defence] = score_claims(system, clone(cleaner).fit_transform(arrays["images"]), queries.claims)
    wants_accepted = queries.goals == "accept"
    # Cleaning alone may change a decision. Only attacks that succeed without the defence count, so that the defence can
    # only lower success rates.
    undefended = (arrays["after"] >= system.threshold) == wants_accepted
    for defence, values in scores.items():
        yield defence, values, undefended & ((values >= system.threshold) == wants_accepted)
