"""The page of one claim as HTML."""

import base64
from html import escape

from sigkit.estimators._evidence._score_scale import ranks
from sigkit.estimators._evidence._words import (
    COPIES,
    decision,
    likelihood_ratio,
    not_enrolled,
    parts_of_score,
    poor_scan,
    replay,
    scores,
)

_STYLE = """
body { font-family: sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222; }
img { max-width: 100%; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { text-align: left; vertical-align: top; padding: 0.3em 0.8em; border-bottom: 1px solid #ccc; }
td.digest { font-family: monospace; word-break: break-all; max-width: 22em; }
pre { background: #f4f4f4; padding: 1em; white-space: pre-wrap; }
.replay { color: #b22222; font-weight: bold; border: 2px solid #b22222; padding: 0.6em; }
"""


def claim_html(facts, png, date):
    """Return the page of a claim.

    Parameters
    ----------
    facts : Bunch
        The facts, see `ClaimReportDisplay`.
    png : bytes
        The figure.
    date : str
        When the page was made.

    Returns
    -------
    str
        The page.
    """
    writer = escape(str(facts.writer))
    picture = base64.b64encode(png).decode()
    body = [f"<h1>Claim: writer {writer}, {escape(decision(facts))}</h1>"]
    for warning in filter(None, (poor_scan(facts), replay(facts), not_enrolled(facts))):
        body.append(f'<p class="replay">{escape(warning)}</p>')
    body += [
        _table(_result(facts)),
        f'<img alt="Scans, strokes and scores of the claim" src="data:image/png;base64,{picture}">',
        "<h2>Scans</h2>",
        _scans(facts.scans),
    ]
    if facts.signals:
        rows = [(name.capitalize(), f"{value:+.2f}") for name, value in facts.signals.items()]
        body += ["<h2>Agreement of strokes, in standard deviations from the mean of the references</h2>", _table(rows)]
    if facts.operating_point is not None:
        body += ["<h2>Operating point</h2>", f"<pre>{escape(str(facts.operating_point))}</pre>"]
    weights = [(f"SHA-256 of {name}", digest) for name, digest in facts.system["weights"].items()]
    body += ["<h2>System</h2>", _table([("Page made", date), *facts.system["versions"].items(), *weights])]
    body.append(f"<pre>{escape(facts.system['settings'])}</pre>")
    body += ["<h2>All parameters</h2>", _table(facts.system["parameters"].items())]
    # The policy forbids to load anything, even if a name of a file were not escaped.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>Claim: writer {writer}</title><style>{_STYLE}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(body) + "\n</body></html>\n"


def _result(facts):
    rows = [("Decision", decision(facts)), *((name, f"{value:.4f}") for name, value in scores(facts).items())]
    rows += parts_of_score(facts).items()
    words = likelihood_ratio(facts)
    if words:
        basis = f"{facts.n_lr_trials} trials of development writers, genuine and {facts.alternative} forgeries"
        rows += [("Likelihood ratio", words), ("Calibrated on", basis)]
    return rows if facts.among is None or not facts.has_information else rows + list(ranks(facts.among).items())


def _table(rows):
    cells = (f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"


def _scans(scans):
    rows = ["<tr><th>Scan</th><th>Name</th><th>Pixels</th><th>Quality</th><th>SHA-256</th></tr>"]
    for scan in scans:
        remarks = [
            *(scan["problems"].values() if scan["is_judged"] else ["Not judged: no step preprocesses scans."]),
            *([f"The query {COPIES[scan['copy']]} this scan."] if scan["copy"] else []),
            *([] if scan["is_enrolled"] else ["Not enrolled for the claimed writer."]),
        ]
        cells = (scan["role"], scan["name"], scan["size"], " ".join(remarks) or "no problem found")
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr>{cells}<td class="digest">{scan["digest"]}</td></tr>')
    return f"<table>{''.join(rows)}</table>"
