"""Success rates and perturbation sizes of the attacks of a campaign."""

import numpy as np

CELL_COLUMNS = ("system", "knowledge", "attack", "defence")
QUERY_KINDS = ("genuine", "random", "skilled")


def success_rates(table):
    """Compute the success rate and the median perturbation of each attack.

    Parameters
    ----------
    table : dict of str to ndarray of shape (n_outcomes,)
        The table of :class:`CampaignResults`.

    Returns
    -------
    list of dict
        See `CampaignResults.summary`.
    """
    keys = np.stack([table[name].astype(str) for name in CELL_COLUMNS], axis=1)
    # np.unique sorts; the indices of first occurrences restore the order of the table.
    _, first = np.unique(keys, axis=0, return_index=True)
    rows = []
    for key in keys[np.sort(first)]:
        in_cell = (keys == key).all(axis=1)
        row = dict(zip(CELL_COLUMNS, key.tolist()))
        for kind in QUERY_KINDS:
            attacked = in_cell & (table["query"] == kind)
            successful = attacked & table["success"]
            row[kind] = float(table["success"][attacked].mean()) if attacked.any() else np.nan
            row[f"{kind}_rmse"] = float(np.median(table["rmse"][successful])) if successful.any() else np.nan
        rows.append(row)
    return rows
