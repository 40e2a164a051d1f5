"""The picture of the first page: references of one writer, and two queries with their scores and decisions."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import make_fused_verifier
from sigkit.transformers import SignaturePreprocessor

GENUINE, FORGED, INK = "#1a7f37", "#b3261e", "#1f3a5f"


def draw_landing_picture(path):
    """Enroll a synthetic writer, score a genuine signature and a forgery, and save the picture."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    scans, target = make_signatures(9, 5, 1, script="latin", random_state=7)
    # The last writer is enrolled with four signatures; the others are development writers.
    pipe = make_pipeline(SignaturePreprocessor(canvas_size=(765, 1089)), make_fused_verifier(dev_writers=range(1, 9)))
    pipe.fit(scans[:-2], target[:-2])
    queries = pipe[:-1].transform(scans[-2:])
    scores, accepted = pipe[-1].claim_scores(queries, [9, 9]), pipe[-1].verify(queries, [9, 9])

    figure, axes = plt.subplots(2, 3, figsize=(9, 3.6), layout="constrained")
    figure.get_layout_engine().set(wspace=0.06, hspace=0.06)
    pictures = [*scans[-6:-2], *scans[-2:]]
    order = [0, 1, 4, 2, 3, 5]
    for axis, row in zip(axes.flat, order):
        axis.imshow(pictures[row], cmap="gray", vmin=0, vmax=255)
        axis.set(xticks=[], yticks=[])
        color = INK
        title = f"reference {row + 1}"
        if row > 3:
            score, decision = scores[row - 4], accepted[row - 4]
            color = GENUINE if decision else FORGED
            title = f"query: score {score:.2f}, {'accepted' if decision else 'rejected'}"
        axis.set_title(title, color=color, fontsize=11, fontweight="bold" if row > 3 else "normal")
        for spine in axis.spines.values():
            spine.set(color=color, linewidth=2.5 if row > 3 else 1)
    figure.savefig(path, dpi=110)
    plt.close(figure)
