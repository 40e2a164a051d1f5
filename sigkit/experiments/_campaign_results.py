"""What came of a campaign."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone

COLUMNS = (
    "system",
    "knowledge",
    "attack",
    "defence",
    "writer",
    "query",
    "row",
    "threshold",
    "score_before",
    "score_after",
    "attacker_success",
    "success",
    "rmse",
)
MAGNIFICATION = 20


@dataclass(eq=False)
class CampaignResults:  # numpydoc ignore=PR01
    """What came of each attack of a campaign on each query; `print` it for success rates and noise.

    Attributes
    ----------
    table : dict of str to ndarray of shape (n_outcomes,)
        A row for each attacked query and each defence: "system", "knowledge", "attack"; "defence", "none" for none;
        "writer", whom the query claims to be of; "query", "genuine" (to be rejected), "random" or "skilled" (to be
        accepted); "row" of the signature; the system's "threshold"; "score_before" and "score_after", the system's;
        "attacker_success", by the attacker's own verifier, and "success", by the system (with a defence, an attack must
        succeed without it, too); "rmse" of the change, in grey levels. `pandas.DataFrame(results.table)` makes a frame
        of it.
    eers : dict of (str, str) to float
        The EER of each system with each defence for skilled forgeries, from 0 to 1, on what is not attacked.
    images : dict of (str, str, str) to ndarray of shape (n_queries, height, width)
        Attacked images by system, knowledge and attack, in the order of the table's rows.
    originals : ndarray of shape (n_queries, height, width), dtype uint8
        The images of the queries.
    not_applicable : dict of (str, str, str) to str
        Attacks that were left out, and why.

    See Also
    --------
    AttackCampaign : Makes it.

    Examples
    --------
    >>> from sigkit.experiments import CampaignResults
    >>> CampaignResults.__name__  # AttackCampaign.run makes one
    'CampaignResults'
    """

    table: dict[str, np.ndarray]
    eers: dict[tuple, float]
    images: dict[tuple, np.ndarray] = field(repr=False)
    originals: np.ndarray = field(repr=False)
    not_applicable: dict[tuple, str]

    @classmethod
    def of(cls, systems, cast, queries, defences, found):
        """Put together what was found.

        Parameters
        ----------
        systems : dict of str to System
            The systems.
        cast : CampaignSplit
            The signatures.
        queries : Queries
            The queries.
        defences : dict of str to transformer
            What cleans images.
        found : dict of (str, str, str) to dict or str
            Of each cell, arrays or why there are none.

        Returns
        -------
        CampaignResults
            The results.
        """
        originals = cast.X[queries.rows]
        eers = {(name, "none"): system.eer for name, system in systems.items()}
        for defence, cleaner in defences.items():
            cleaned = clone(cleaner).fit_transform(cast.X[cast.queries])
            eers |= {(name, defence): system.eer_on(cleaned, cast) for name, system in systems.items()}
        columns = {name: [] for name in COLUMNS}
        done = {cell: arrays for cell, arrays in found.items() if not isinstance(arrays, str)}
        before = {name: system.scores(originals, queries.claims) for name, system in systems.items()}
        wants = queries.goals == "accept"
        for (name, knowledge, attack), arrays in done.items():
            system = systems[name]
            after = {"none": arrays["after"]}
            for defence, cleaner in defences.items():
                after[defence] = system.scores(clone(cleaner).fit_transform(arrays["images"]), queries.claims)
            won = (arrays["after"] >= system.threshold) == wants
            for defence, scores in after.items():
                values = {
                    "system": name,
                    "knowledge": knowledge,
                    "attack": attack,
                    "defence": defence,
                    "writer": queries.claims,
                    "query": queries.kinds,
                    "row": queries.rows,
                    "threshold": system.threshold,
                    "score_before": before[name],
                    "score_after": scores,
                    "attacker_success": arrays["attacker_success"],
                    "success": won & ((scores >= system.threshold) == wants),
                    "rmse": arrays["rmse"],
                }
                for column, value in values.items():
                    columns[column].append(np.broadcast_to(value, len(wants)))
        return cls(
            {name: np.concatenate(parts) if parts else np.empty(0) for name, parts in columns.items()},
            eers,
            {cell: arrays["images"] for cell, arrays in done.items()},
            originals,
            {cell: reason for cell, reason in found.items() if isinstance(reason, str)},
        )

    def summary(self):
        """Count successes and measure noise, by system, knowledge, attack and defence.

        Returns
        -------
        list of dict
            For each: "system", "knowledge", "attack", "defence", and for each kind of query, such as "genuine", its
            success rate and "genuine_rmse", the median change of those that succeed in grey levels; NaN for none.
        """
        keys = np.stack([self.table[name].astype(str) for name in COLUMNS[:4]], axis=1)
        _, first = np.unique(keys, axis=0, return_index=True)
        rows = []
        for key in keys[np.sort(first)]:
            of_key = (keys == key).all(axis=1)
            row = dict(zip(COLUMNS[:4], key.tolist()))
            for kind in ("genuine", "random", "skilled"):
                asked = of_key & (self.table["query"] == kind)
                won = asked & self.table["success"]
                row[kind] = float(self.table["success"][asked].mean()) if asked.any() else np.nan
                row[f"{kind}_rmse"] = float(np.median(self.table["rmse"][won])) if won.any() else np.nan
            rows.append(row)
        return rows

    def __str__(self):
        lines = [
            "| system | knowledge | attack | defence | type I | RMSE | II, random | RMSE | II, skilled | RMSE |",
            "| --- " * 10 + "|",
        ]
        for row in self.summary():
            cells = [row[name] for name in COLUMNS[:4]]
            for kind in ("genuine", "random", "skilled"):
                rate, rmse = row[kind], row[f"{kind}_rmse"]
                cells += ["-" if np.isnan(rate) else f"{100 * rate:.0f} %", "-" if np.isnan(rmse) else f"{rmse:.2f}"]
            lines.append(f"| {' | '.join(cells)} |")
        reasons = {}
        for (name, knowledge, attack), reason in self.not_applicable.items():
            reasons.setdefault(f"{name}: {reason}", {}).setdefault(knowledge, []).append(attack)
        lines.append("")
        for what, by_knowledge in reasons.items():
            told = "; ".join(f"{knowledge}: {', '.join(attacks)}" for knowledge, attacks in by_knowledge.items())
            lines.append(f"Not applicable to {what} ({told}).")
        for (name, defence), eer in self.eers.items():
            lines.append(f"EER of {name}, not attacked, defence {defence}: {100 * eer:.2f} %.")
        return "\n".join(lines)

    def plot(self, system, knowledge, attack, *, n_queries=3, query=None):
        """Plot originals, attacked images, and their differences magnified 20 times.

        Parameters
        ----------
        system, knowledge, attack : str
            Which attack.
        n_queries : int, default=3
            How many queries, of those on which the attack succeeded first.
        query : {"genuine", "random", "skilled"} or None, default=None
            Of which kind; None for any.

        Returns
        -------
        matplotlib Figure
            The figure: a row a query.

        Raises
        ------
        ValueError
            If there was no such attack, or no such query.
        """
        import matplotlib.pyplot as plt

        cell = (system, knowledge, attack)
        if cell not in self.images:
            raise ValueError(f"There was no attack {cell!r}; found {sorted(self.images)}.")
        of_cell = np.flatnonzero(np.all([self.table[name] == word for name, word in zip(COLUMNS, (*cell, "none"))], 0))
        shown = [number for number, row in enumerate(of_cell) if query in (None, self.table["query"][row])]
        if not shown:
            raise ValueError(f"No query of the kind {query!r} was attacked.")
        shown = sorted(shown, key=lambda number: not self.table["success"][of_cell[number]])[:n_queries]
        figure, axes = plt.subplots(len(shown), 3, figsize=(10, 2.4 * len(shown)), squeeze=False, layout="constrained")
        for number, row_axes in zip(shown, axes):
            row = of_cell[number]
            original = self.originals[number].astype(float)
            attacked = self.images[cell][number].astype(float)
            difference = np.clip(127.5 + MAGNIFICATION * (attacked - original), 0, 255)
            told = (
                f"{self.table['query'][row]}, score {self.table['score_before'][row]:.2f}",
                f"score {self.table['score_after'][row]:.2f}, threshold {self.table['threshold'][row]:.2f}",
                f"difference x {MAGNIFICATION}, RMSE {self.table['rmse'][row]:.2f}",
            )
            for ax, image, title in zip(row_axes, (255 - original, 255 - attacked, difference), told):
                ax.imshow(image, cmap="gray", vmin=0, vmax=255)
                ax.set_title(title, fontsize=9)
                ax.set_axis_off()
        return figure
