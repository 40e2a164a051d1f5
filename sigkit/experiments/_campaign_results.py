"""The results of a campaign, as a table, as text and as plots."""

from dataclasses import dataclass, field

import numpy as np

from sigkit._utils import optional_package
from sigkit.experiments._success_rates import CELL_COLUMNS, QUERY_KINDS, success_rates

COLUMNS = (
    *CELL_COLUMNS,
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
# Perturbations of a few gray levels are invisible at their true size.
MAGNIFICATION = 20


@dataclass(eq=False)
class CampaignResults:  # numpydoc ignore=PR01
    """The results of a campaign: each attack on each query; `print` it for success rates and perturbation sizes.

    Attributes
    ----------
    table : dict of str to ndarray of shape (n_outcomes,)
        One row per attacked query and defence, for instance for `pandas.DataFrame(results.table)`. Columns: "system",
        "knowledge", "attack" and "defence" ("none" for none); "writer", the claimed writer; "query", which is "genuine"
        (to be rejected), "random" or "skilled" (to be accepted); "row" of the signature in `X`; "threshold",
        "score_before" and "score_after" of the system; "attacker_success", the decision of the attacker's own verifier;
        "success", the decision of the system (with a defence only if the attack succeeds without it as well); "rmse",
        the root mean square of the perturbation in gray levels.
    eers : dict of (str, str) to float
        By system and defence: the EER of skilled forgeries on images that are not attacked, from 0 to 1.
    images : dict of (str, str, str) to ndarray of shape (n_queries, height, width)
        By system, knowledge and attack: the attacked images, in the order of the rows of the table.
    originals : ndarray of shape (n_queries, height, width), dtype uint8
        The images of the queries.
    not_applicable : dict of (str, str, str) to str
        By system, knowledge and attack: the reason why an attack is not applicable.

    See Also
    --------
    AttackCampaign : Runs a campaign.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.experiments import CampaignResults
    >>> results = CampaignResults({}, {("tiny", "none"): 0.125}, {}, np.zeros((0, 150, 220)), {})
    >>> results.eers["tiny", "none"]
    0.125
    """

    table: dict[str, np.ndarray]
    eers: dict[tuple, float]
    images: dict[tuple, np.ndarray] = field(repr=False)
    originals: np.ndarray = field(repr=False)
    not_applicable: dict[tuple, str]

    def summary(self):
        """Compute success rates and perturbation sizes by system, knowledge, attack and defence.

        Returns
        -------
        list of dict
            Dicts with "system", "knowledge", "attack", "defence", and for each kind of query the success rate, such as
            "genuine", and the median root mean square perturbation of successful attacks in gray levels, such as
            "genuine_rmse". Values are NaN if there is no attacked query or no successful attack.
        """
        return success_rates(self.table)

    def __str__(self):
        lines = [
            "| system | knowledge | attack | defence | type I | RMSE | II, random | RMSE | II, skilled | RMSE |",
            "| --- " * 10 + "|",
        ]
        for row in self.summary():
            cells = [row[name] for name in CELL_COLUMNS]
            for kind in QUERY_KINDS:
                rate, rmse = row[kind], row[f"{kind}_rmse"]
                cells += ["-" if np.isnan(rate) else f"{100 * rate:.0f} %", "-" if np.isnan(rmse) else f"{rmse:.2f}"]
            lines.append(f"| {' | '.join(cells)} |")
        # One line per system and reason, with the attacks of each knowledge.
        grouped = {}
        for (name, knowledge, attack), reason in self.not_applicable.items():
            grouped.setdefault(f"{name}: {reason}", {}).setdefault(knowledge, []).append(attack)
        lines.append("")
        for system_and_reason, by_knowledge in grouped.items():
            attacks = "; ".join(f"{knowledge}: {', '.join(names)}" for knowledge, names in by_knowledge.items())
            lines.append(f"Not applicable to {system_and_reason} ({attacks}).")
        for (name, defence), eer in self.eers.items():
            lines.append(f"EER of {name}, not attacked, defence {defence}: {100 * eer:.2f} %.")
        return "\n".join(lines)

    def plot(self, system, knowledge, attack, *, n_queries=3, query=None):
        """Plot original images, attacked images, and their differences magnified 20 times.

        Parameters
        ----------
        system, knowledge, attack : str
            The attack to show.
        n_queries : int, default=3
            Number of queries to show; successful attacks come first.
        query : {"genuine", "random", "skilled"} or None, default=None
            The kind of queries to show; None for all.

        Returns
        -------
        matplotlib Figure
            The figure, with one row per query.

        Raises
        ------
        ValueError
            If there is no such attack, or no such query.
        ImportError
            If matplotlib is not installed.
        """
        with optional_package("matplotlib", "plot"):
            import matplotlib.pyplot as plt

        cell = (system, knowledge, attack)
        if cell not in self.images:
            raise ValueError(f"There was no attack {cell!r}; found {sorted(self.images)}.")
        columns = zip(CELL_COLUMNS, (*cell, "none"))
        rows = np.flatnonzero(np.all([self.table[name] == value for name, value in columns], axis=0))
        numbers = [number for number, row in enumerate(rows) if query in (None, self.table["query"][row])]
        if not numbers:
            raise ValueError(f"No query of the kind {query!r} was attacked.")
        numbers = sorted(numbers, key=lambda number: not self.table["success"][rows[number]])[:n_queries]
        figure, axes = plt.subplots(
            len(numbers), 3, figsize=(10, 2.4 * len(numbers)), squeeze=False, layout="constrained"
        )
        for number, row_axes in zip(numbers, axes):
            row = {name: column[rows[number]] for name, column in self.table.items()}
            original = self.originals[number].astype(float)
            attacked = self.images[cell][number].astype(float)
            difference = np.clip(127.5 + MAGNIFICATION * (attacked - original), 0, 255)
            titles = (
                f"{row['query']}, score {row['score_before']:.2f}",
                f"score {row['score_after']:.2f}, threshold {row['threshold']:.2f}",
                f"difference x {MAGNIFICATION}, RMSE {row['rmse']:.2f}",
            )
            # Preprocessed images have a background of 0; signatures are shown dark on white.
            for ax, image, title in zip(row_axes, (255 - original, 255 - attacked, difference), titles):
                ax.imshow(image, cmap="gray", vmin=0, vmax=255)
                ax.set_title(title, fontsize=9)
                ax.set_axis_off()
        return figure
