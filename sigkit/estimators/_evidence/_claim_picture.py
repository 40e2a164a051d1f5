"""The figure of one claim."""

import io
import textwrap

import numpy as np

from sigkit._utils import optional_package
from sigkit.estimators._evidence._words import decision, likelihood_ratio, not_enrolled, poor_scan, replay, scores
from sigkit.metrics import ScoreHistogramDisplay

N_SHOWN = 3
"""References on the figure."""

_LONGEST = 900
_MARGIN = 8


def new_figure(name, **settings):
    """Make a figure.

    Parameters
    ----------
    name : str
        The display, for the message.
    **settings : dict
        Parameters of `matplotlib.pyplot.figure`.

    Returns
    -------
    matplotlib Figure
        The figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    with optional_package("matplotlib", name):
        import matplotlib.pyplot as plt
    return plt.figure(**settings)


def png_bytes(figure):
    """Return a figure as a PNG file.

    Parameters
    ----------
    figure : matplotlib Figure
        The figure.

    Returns
    -------
    bytes
        The file.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130)
    return stream.getvalue()


def draw_claim(facts, figure):
    """Draw the page of a claim.

    Parameters
    ----------
    facts : Bunch
        The facts, see `ClaimReportDisplay`.
    figure : matplotlib Figure
        The figure.

    Returns
    -------
    dict of str to matplotlib Axes
        The axes.
    """
    axes = {}
    heights = {"scans": 3, "strokes": 3 if facts.strokes else 0, "scores": 4 if facts.among else 0}
    rows = [row for row, height in heights.items() if height]
    grid = figure.add_gridspec(len(rows), 12, height_ratios=[heights[row] for row in rows])
    n_shown = min(N_SHOWN, len(facts.order) or N_SHOWN, len(facts.scans) - 1)
    order = facts.order or range(len(facts.scans) - 1)
    for column, number in enumerate([0, *(1 + one for one in order[:n_shown])]):
        width = 12 // (n_shown + 1)
        axes[facts.scans[number]["role"]] = figure.add_subplot(grid[0, column * width : (column + 1) * width])
        _draw_scan(axes[facts.scans[number]["role"]], facts, number)
    if facts.strokes:
        place = rows.index("strokes")
        names = ("alignment", "direction", "pressure")
        axes |= {name: figure.add_subplot(grid[place, 4 * n : 4 * n + 4]) for n, name in enumerate(names)}
        _draw_strokes(axes, facts, figure)
    if facts.among:
        axes["scores"] = figure.add_subplot(grid[rows.index("scores"), :])
        _draw_scores(axes["scores"], facts)
    lines = [
        f"Claim: writer {_as_text(facts.writer)}. {_sentence(decision(facts))}.",
        ", ".join(f"{name} {value:.3f}" for name, value in scores(facts).items()).capitalize(),
        likelihood_ratio(facts),
    ]
    figure.suptitle("\n".join(textwrap.fill(line, 120) for line in lines if line), fontsize=11)
    warnings = [poor_scan(facts), replay(facts), not_enrolled(facts)]
    warnings = "\n".join(textwrap.fill(line, 120) for line in warnings if line)
    if warnings:
        figure.supxlabel(warnings, color="firebrick", fontsize=11, fontweight="bold")
    return axes


def _sentence(words):
    return words[0].upper() + words[1:]


def _as_text(name):
    """Escape a name: a dollar sign begins a formula."""
    return str(name).replace("$", r"\$")


def _draw_scan(axes, facts, number):
    scan, picture = facts.scans[number], facts.pictures[number]
    step = max(1, max(picture.shape) // _LONGEST)
    axes.imshow(picture[::step, ::step], cmap="gray", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    problems = ", ".join(scan["problems"]).replace("_", " ")
    title = [scan["role"], _as_text(textwrap.shorten(scan["name"], 30, placeholder="..."))]
    axes.set_title("\n".join([*title, f"poor scan: {problems}" if problems else ""]).strip(), fontsize=8)
    for spine in axes.spines.values():
        spine.set(edgecolor="tab:blue" if number == 0 else "lightgray", linewidth=2 if number == 0 else 1)


def _draw_strokes(axes, facts, figure):
    strokes, nearest = facts.strokes, 1 + facts.order[0]
    best = facts.scans[nearest]["role"]
    _draw_pale(axes["alignment"], facts.images, nearest)
    axes["alignment"].scatter(strokes.reference_x, strokes.reference_y, s=10, color="black", label=best)
    axes["alignment"].scatter(strokes.moved_x, strokes.moved_y, s=5, color="tab:blue", label="query, aligned")
    axes["alignment"].legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False)
    axes["alignment"].set_title(f"Strokes of the query on {best}", fontsize=9)
    labels = {"direction": ("other, or no stroke", "same"), "pressure": ("paler than reference", "darker")}
    maps = {"direction": "RdYlBu", "pressure": "PuOr"}
    for name, (low, high) in labels.items():
        values, own = strokes[name], axes[name]
        known = np.isfinite(values)
        _draw_pale(own, facts.images, 0)
        settings = {"s": 12, "edgecolors": "gray", "linewidths": 0.3}
        # Without a stroke nearby there is no pressure to compare.
        own.scatter(strokes.x[~known], strokes.y[~known], s=12, marker="x", color="gray", linewidths=0.8)
        colored = own.scatter(
            strokes.x[known], strokes.y[known], c=values[known], cmap=maps[name], vmin=-1, vmax=1, **settings
        )
        bar = figure.colorbar(colored, ax=own, orientation="horizontal", ticks=[-1, 1], shrink=0.7, pad=0.02)
        bar.ax.set_xticklabels([low, high], fontsize=7)
        signal = facts.signals.get(name, np.nan)
        own.set_title(f"Agreement of {name}: {signal:+.1f} sd from the references", fontsize=9)
    limits = {
        "alignment": [np.r_[strokes[f"moved_{side}"], strokes[f"reference_{side}"]] for side in "xy"],
        **dict.fromkeys(labels, (strokes.x, strokes.y)),
    }
    for name, (x, y) in limits.items():
        axes[name].set(xlim=(x.min() - _MARGIN, x.max() + _MARGIN), ylim=(y.max() + _MARGIN, y.min() - _MARGIN))
        axes[name].set(xticks=[], yticks=[], aspect="equal")


def _draw_pale(axes, images, number):
    """Draw the ink of a preprocessed image behind its points."""
    if images is not None:
        axes.imshow(images[number], cmap="gray_r", vmin=0, vmax=1000)


def _draw_scores(axes, facts):
    among = facts.among
    ScoreHistogramDisplay(among, threshold=among.threshold).plot(ax=axes)
    if facts.has_information:
        axes.axvline(among.score, color="tab:red", linewidth=2.5, label=f"this claim {among.score:.3f}")
    axes.set_xlabel("Score before calibration" if among.is_calibrated else "Score")
    counts = {kind: int((facts.trials.kind == kind).sum()) for kind in np.unique(facts.trials.kind)}
    counted = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    n_writers = len(np.unique(facts.trials.writer))
    axes.set_title(f"The score among those of {n_writers} development writers ({counted} trials)", fontsize=9)
    axes.legend(fontsize=8)
