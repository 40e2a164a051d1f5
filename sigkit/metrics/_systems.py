"""Scores of several systems on the same trials."""

from collections.abc import Mapping

from numpy.typing import ArrayLike

from sigkit.metrics._trials import _make_trials, _Trials


def _trials_of_systems(
    systems: Mapping[str, ArrayLike], y_true: ArrayLike, least: int = 1, **options: object
) -> dict[str, _Trials]:
    """Make the trials of each system, or raise a ValueError that names the system."""
    if not hasattr(systems, "items"):
        raise ValueError(f"systems must be a mapping of names to scores; got {type(systems).__name__}.")
    systems = dict(systems.items())
    if len(systems) < least:
        wanted = "two systems or more" if least == 2 else "a system"
        advice = " For one use verification_report." if systems else ""
        raise ValueError(f"systems must name {wanted}; got {len(systems)}.{advice}")
    _check_same_order({"y_true": y_true} | {f"system {name!r}": scores for name, scores in systems.items()})
    trials = {}
    for name, scores in systems.items():
        try:
            trials[name] = _make_trials(y_true, scores, **options)
        except ValueError as error:
            raise ValueError(f"System {name!r}: {error}") from None
    return trials


def _check_same_order(tables):
    # Trials are matched by position. Rows that were sorted differently would be mixed up silently.
    indexed = {name: table.index for name, table in tables.items() if hasattr(table, "iloc")}
    first = next(iter(indexed), None)
    for name, index in indexed.items():
        if not index.equals(indexed[first]) and set(index) == set(indexed[first]):
            raise ValueError(
                f"The index of {name} has the same labels as that of {first} in another order. Trials are matched by "
                "position: sort all by the index, or pass arrays."
            )
