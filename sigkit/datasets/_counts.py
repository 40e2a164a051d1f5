"""Count signatures by writer and kind, for programs and for people."""

from collections import defaultdict

from sigkit._utils import GENUINE, SIMPLE, SKILLED, listing

KIND_NAMES = {GENUINE: "genuine", SKILLED: "skilled", SIMPLE: "simple"}


def count_signatures(pairs):
    """Count signatures.

    Parameters
    ----------
    pairs : iterable of (int or str, int)
        Writer and forgery kind of each.

    Returns
    -------
    dict of int or str to dict of str to int
        The numbers of genuine signatures ("genuine"), skilled and simple forgeries ("skilled", "simple") of each
        writer; kinds that a writer does not have are absent.
    """
    counts = defaultdict(lambda: dict.fromkeys(KIND_NAMES, 0))
    for writer, forgery in pairs:
        counts[writer][forgery] += 1
    return {
        writer: {KIND_NAMES[kind]: number for kind, number in kinds.items() if number}
        for writer, kinds in counts.items()
    }


def describe_counts(counts):
    """Describe the numbers in lines, one for all writers with the same numbers.

    Parameters
    ----------
    counts : dict
        The result of `count_signatures`.

    Returns
    -------
    str
        The lines.
    """
    alike = defaultdict(list)
    for writer, kinds in counts.items():
        alike[", ".join(f"{number} {kind}" for kind, number in kinds.items())].append(writer)
    totals = {kind: sum(kinds.get(kind, 0) for kinds in counts.values()) for kind in KIND_NAMES.values()}
    total = ", ".join(f"{number} {kind}" for kind, number in totals.items() if number)
    lines = [f"{len(counts)} writers: {total}." if len(counts) != 1 else f"1 writer: {total}."]
    for numbers, writers in alike.items():
        noun = "writer has" if len(writers) == 1 else "writers have"
        lines.append(f"  {len(writers)} {noun} {numbers}: {listing(writers)}")
    return "\n".join(lines)
