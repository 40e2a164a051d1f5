"""Tables of estimates as text, LaTeX and DataFrame."""

import math
from collections.abc import Mapping, Sequence

from sigkit._utils import optional_package


def _as_percent(name: str, estimate: object, *, signed: bool = False) -> tuple[str, str]:
    """Format the value and the interval of an estimate or of a difference."""
    # An area is not an error rate: in percent it would look comparable with the rates above it.
    factor, pattern = (1, "{:+.4f}" if signed else "{:.4f}")
    if name != "mean_auc":
        factor, pattern = (100, "{:+.2f}" if signed else "{:.2f}")
    if math.isnan(estimate.value):
        return "-", "-"
    value = pattern.format(factor * estimate.value) + (" %" if factor == 100 else "")
    if estimate.low is None:
        return value, "-"
    mark = "*" if estimate.interval == "exact" else ""
    return value, f"[{pattern.format(factor * estimate.low)}, {pattern.format(factor * estimate.high)}]{mark}"


def _in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align the cells of a table in lines of equal length, the first column to the left."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]


def latex_table(rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """Make a LaTeX table of a header and rows of plain text, with notes below it; its rules need booktabs."""
    header, *body = [" & ".join(map(_latex_text, row)) + r" \\" for row in rows]
    columns = "l" + "r" * (len(rows[0]) - 1)
    lines = [r"% In the preamble: \usepackage{booktabs}", rf"\begin{{tabular}}{{{columns}}}", r"\toprule", header]
    lines += [r"\midrule", *body, r"\bottomrule", r"\end{tabular}"]
    if notes:
        paragraphs = [f"{_latex_text(note)}\\par" for note in notes]
        lines += [r"\par\smallskip", r"\parbox{\linewidth}{\footnotesize\raggedright", *paragraphs, "}"]
    return "\n".join(lines)


def _latex_text(text: str) -> str:
    """Escape what LaTeX does not print as it stands."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {character: f"\\{character}" for character in "%_&#${}"}
    return "".join(special.get(character, character) for character in text)


def rows_to_frame(rows: Mapping[object, Mapping[str, object]], index_name: str | list[str]):
    """Make a DataFrame of rows by name; a name may be a tuple."""
    # pandas is optional and takes half a second to import.
    with optional_package("pandas", "to_frame"):
        import pandas as pd

    frame = pd.DataFrame(list(rows.values()))
    names = list(rows)
    if isinstance(index_name, str):
        frame.index = pd.Index(names, name=index_name)
    else:
        frame.index = pd.MultiIndex.from_tuples(names, names=index_name)
    return frame
