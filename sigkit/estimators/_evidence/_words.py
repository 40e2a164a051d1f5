"""The result of a claim in words, the same on the figure and on the page."""

from sigkit.metrics import verbal_scale

COPIES = {
    "file": "is the same file as",
    "pixels": "has the same pixels as",
    "near": "has nearly the same ink as",
}


def decision(facts):
    """Return the decision in a few words.

    Parameters
    ----------
    facts : Bunch
        The facts of a claim.

    Returns
    -------
    str
        The decision.
    """
    if facts.is_poor:
        problems = ", ".join(facts.scans[0]["problems"]).replace("_", " ")
        return f"inconclusive, because the query is a poor scan: {problems}"
    if not facts.has_information:
        return "rejected: no information, the scan or the references have no usable ink"
    words = "accepted" if facts.accepted else "rejected"
    return f"{words} by the score, but the query is a copy" if facts.is_copy else words


def scores(facts):
    """Return the score and the threshold, with their names.

    Parameters
    ----------
    facts : Bunch
        The facts of a claim.

    Returns
    -------
    dict of str to float
        The values. Those before calibration where the score is a likelihood ratio and none is to be stated.
    """
    among = facts.among
    if facts.log10_lr is None and among is not None and among.is_calibrated:
        found = {"Score before calibration": among.score, "Threshold before calibration": among.threshold}
        return {name: value for name, value in found.items() if value is not None}
    return {"Score": facts.score, "Threshold": facts.threshold}


def parts_of_score(facts):
    """Return the scores of the verifiers of a fusion, what was counted of them, and their sum.

    Parameters
    ----------
    facts : Bunch
        The facts of a claim.

    Returns
    -------
    dict of str to str
        The words by name; empty if the verifier is no fusion.
    """
    found, added = {f"Score of {name}": f"{score:.4f}" for name, score in facts.parts.items()}, facts.sum_of_parts
    if added is None:
        return found
    first = next(iter(facts.parts))
    for name, score in facts.parts.items():
        counted = added.counted[name]
        if name != first and not added.is_matched:
            found[f"Score of {name}"] += (
                f", not counted, because the score of {first} is below reach={added.reach:g}; the lowest score, "
                f"{counted:g}, is counted in its place"
            )
        elif counted != score:
            found[f"Score of {name}"] += f", counted as {counted:g}, the bound of such scores"
    terms = [f"{weight:.4g} x ({added.counted[name]:.4f})" for name, weight in added.weights.items()]
    terms += [f"({added.intercept:.4f})"] if added.intercept else []
    return found | {"Sum of the counted scores": f"{' + '.join(terms)} = {added.total:.4f}"}


def poor_scan(facts):
    """Return a warning if the query is a poor scan.

    Parameters
    ----------
    facts : Bunch
        The facts of a claim.

    Returns
    -------
    str
        The warning; empty if no problem was found.
    """
    if not facts.is_poor:
        return ""
    problems = " ".join(facts.scans[0]["problems"].values())
    return f"The query is a poor scan. {problems} Its score confirms nothing: scan the signature again."


def replay(facts):
    """Return a warning if the query is a copy of a reference.

    Parameters
    ----------
    facts : Bunch
        The facts of a claim.

    Returns
    -------
    str
        The warning; empty if it is no copy.
    """
    copied = [scan for scan in facts.scans if scan["copy"]]
    if not copied:
        return "Replay: the query equals an enrolled reference. Its score confirms nothing." if facts.is_copy else ""
    which = ", ".join(f"{COPIES[scan['copy']]} {scan['role']}" for scan in copied)
    return f"Replay: the query {which}. Its score confirms nothing."


def not_enrolled(facts):
    """Return a warning about scans that are not references of the writer.

    Parameters
    ----------
    facts : Bunch
        The facts of a claim.

    Returns
    -------
    str
        The warning; empty if all are enrolled.
    """
    others = [scan["role"] for scan in facts.scans if not scan["is_enrolled"]]
    return f"Not enrolled for the claimed writer: {', '.join(others)}." if others else ""


def likelihood_ratio(facts):
    """Return the likelihood ratio in words.

    Parameters
    ----------
    facts : Bunch
        The facts of a claim.

    Returns
    -------
    str
        The words; empty if there is none.
    """
    if facts.log10_lr is None:
        return ""
    value = 10 ** abs(facts.log10_lr)
    number = f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
    favored = ("genuine", f"{facts.alternative} forgery")
    one, other = favored if facts.log10_lr >= 0 else favored[::-1]
    words = verbal_scale(facts.log10_lr, propositions=("a genuine signature", f"a {facts.alternative} forgery"))
    limit = ", the limit of what the development data support" if facts.is_lr_limit else ""
    return f"{number} times as probable if {one} than if {other} (log10 LR {facts.log10_lr:+.2f}{limit}): {words}"
