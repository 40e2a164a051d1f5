"""What the displays share; matplotlib is imported on plotting."""

from sklearn.utils import Bunch

from sigkit._utils import optional_package
from sigkit.metrics._trials import KIND_NAMES


def _make_axes(ax: object) -> object:
    """Return the given axes, or those of a new figure, whose layout leaves room for all labels."""
    if ax is not None:
        return ax
    with optional_package("matplotlib", "A plot"):
        import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _names_of_kinds(trials: Bunch) -> list[str]:
    """Return the kinds of trials that occur, genuine first."""
    return [name for name in KIND_NAMES.values() if (trials.kind == name).any()]


def _plain(name: str) -> str:
    """Return a label that matplotlib shows as the name stands, without formulas."""
    # Labels that begin with an underscore are not shown in a legend; so a space comes before it.
    return (" " if name.startswith("_") else "") + name.replace("$", r"\$")


def _title(kind: str) -> str:
    """Return the label of a kind in a legend."""
    return {"genuine": "genuine", "forgery": "forgeries"}.get(kind, f"{kind} forgeries")
