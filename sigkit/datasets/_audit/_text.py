"""An audit as text."""

from collections import Counter

import numpy as np

from sigkit._utils import listing
from sigkit.datasets._audit._copies import LEVELS
from sigkit.datasets._counts import KIND_NAMES, count_signatures, describe_counts

_COPIES = {"file": "equal bytes", "pixels": "equal pixels", "near": "nearly equal ink"}
_SOURCES = {"file": "file", "raw": "raw image", "ink": "preprocessed ink"}
_N_WEAK = 3


def describe_audit(found):
    """Describe the findings.

    Parameters
    ----------
    found : CorpusAudit
        The findings.

    Returns
    -------
    str
        The report.
    """
    columns = found.columns
    counts = count_signatures(zip(columns["writer"].tolist(), columns["forgery"].tolist()))
    total = describe_counts(counts).partition("\n")[0]
    parts = [f"Audit of {len(columns['name'])} scans of {total}"]
    parts += [_copies(found), _scans(found), _shortcuts(found)]
    return "\n\n".join(parts)


def _copies(found):
    rows = [("Copies", "same writer and kind", "another kind", "another writer")]
    for level in LEVELS if (found.columns["file_size"] >= 0).any() else LEVELS[1:]:
        counts = found.count_copies(level)
        rows.append((_COPIES[level], *(str(counts[name]) for name in ("same", "kinds", "writers"))))
    lines = _table(rows)
    writers, forgery = columns_of(found, "writer", "forgery")
    wrong = [group for group in found.copy_groups() if len({(writers[row], forgery[row]) for row in group}) > 1]
    for group in wrong[:3]:
        lines.append(f"copies with different labels: {listing(found.columns['name'][group], limit=3)}")
    if len(wrong) > 3:
        lines.append(f"and {len(wrong) - 3} more such groups")
    return "\n".join(lines)


def _scans(found):
    (forgery,) = columns_of(found, "forgery")
    kinds = [kind for kind in KIND_NAMES if kind in set(forgery)]
    defects = sorted({defect for reasons in found.poor.values() for defect in reasons})
    listed = {"unreadable": found.unreadable, "odd": found.odd}
    listed |= {defect: [row for row, reasons in found.poor.items() if defect in reasons] for defect in defects}
    rows = [("Scans", *(KIND_NAMES[kind] for kind in kinds))]
    rows.append(("all", *(str(forgery.count(kind)) for kind in kinds)))
    for name, scans in listed.items():
        by_kind = Counter(forgery[row] for row in scans)
        rows.append((name.replace("_", " "), *(str(by_kind[kind]) for kind in kinds)))
    lines = _table(rows)
    for name, scans in listed.items():
        if len(scans):
            shown = listing((_reason(found, name, row) for row in scans), limit=3)
            lines.append(f"{name.replace('_', ' ')}: {shown}")
    return "\n".join(lines)


def _reason(found, list_name, row):
    if list_name == "unreadable":
        return found.unreadable[row].rstrip(".")
    name = str(found.columns["name"][row])
    return f"{name} ({', '.join(found.odd[row])})" if list_name == "odd" else name


def _shortcuts(found):
    if not found.shortcuts:
        return "Shortcuts: none computed, without both genuine signatures and forgeries."
    parts = []
    for kind in dict.fromkeys(shortcut.kind for shortcut in found.shortcuts):
        shortcuts = [shortcut for shortcut in found.shortcuts if shortcut.kind == kind]
        strong = [shortcut for shortcut in shortcuts if shortcut.is_strong]
        weak = [shortcut for shortcut in shortcuts if not shortcut.is_strong]
        level = f"{100 * found.confidence:g} % interval"
        rows = [(f"Genuine or {kind}?", "of the", "AUC", level, "greater in", "within writers")]
        for shortcut in strong + weak[:_N_WEAK]:
            interval = "-" if shortcut.low is None else f"[{shortcut.low:.3f}, {shortcut.high:.3f}]"
            within = "-" if np.isnan(shortcut.within) else f"{shortcut.within:.3f}"
            mark = " !" if shortcut.is_strong else ""
            rows.append(
                (
                    shortcut.statistic.replace("_", " ") + mark,
                    _SOURCES[shortcut.source],
                    f"{shortcut.auc:.3f}",
                    interval,
                    shortcut.greater,
                    within,
                )
            )
        bound = "AUC" if found.n_bootstraps == 0 else "lower bound"
        summary = (
            f"{len(strong)} of {len(shortcuts)} statistics are strong shortcuts (!): {bound} >= {found.min_auc:g}."
        )
        parts.append("\n".join([*_table(rows), summary]))
    if found.n_bootstraps:
        parts[-1] += f"\nIntervals: percentiles of {found.n_bootstraps} bootstrap resamples of {found.resampled}."
    return "\n\n".join(parts)


def columns_of(found, *names):
    """Return columns as lists."""
    return [found.columns[name].tolist() for name in names]


def _table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
