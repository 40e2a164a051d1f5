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


def _title(kind: str) -> str:
    """Return the label of a kind in a legend."""
    return {"genuine": "genuine", "forgery": "forgeries"}.get(kind, f"{kind} forgeries")
