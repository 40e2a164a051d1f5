"""
Forgeries and their strokes
===========================

Forgeries often have the right outline and wrong strokes: another direction where the outlines agree, or another
pressure. This page shows what :class:`~sigkit.estimators.StrokeMatcher` measures.
"""

# %%
# Points on the strokes
# ---------------------
#
# Ink is thinned to a skeleton. Each of its points has a direction, a darkness and a width. Color is the direction here.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import StrokeMatcher
from sigkit.imaging import measure_strokes
from sigkit.transformers import SignaturePreprocessor, StrokeFeaturizer

scans, target = make_signatures(n_writers=12, n_genuine=9, n_skilled=5, script="latin", random_state=2)
images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
writers, forgeries = target.T

WRITER = 12
rows = [*np.flatnonzero((writers == WRITER) & (forgeries == 0))[:3], np.flatnonzero((writers == WRITER) & forgeries)[0]]
titles = ["genuine", "genuine", "genuine", "skilled forgery"]
figure, axes = plt.subplots(2, 4, figsize=(12, 4.5), layout="constrained")
for column, (row, title) in enumerate(zip(rows, titles)):
    axes[0, column].imshow(255 - images[row], cmap="gray")
    axes[0, column].set_title(title)
    points = measure_strokes(images[row : row + 1])[0]
    points = points[points[:, 6] > 0]
    angle = np.arctan2(points[:, 3], points[:, 2]) / 2
    axes[1, column].scatter(points[:, 0], points[:, 1], c=angle, cmap="twilight", s=5)
    axes[1, column].set(xlim=axes[0, column].get_xlim(), ylim=axes[0, column].get_ylim(), aspect="equal")
for axis in axes.flat:
    axis.set_axis_off()
plt.show()

# %%
# Five signals
# ------------
#
# The points of a query are aligned with those of each reference, and compared where they match. Each signal is in
# standard deviations from the agreement of the references with each other, so that a variable hand does not count as
# forged.

is_reference = (forgeries == 0) & (np.arange(len(target)) % 14 < 5)
matcher = make_pipeline(StrokeFeaturizer(), StrokeMatcher())
matcher.fit(images[is_reference], writers[is_reference])
queries = matcher[:-1].transform(images[~is_reference])
signals = matcher[-1].claim_signals(queries, writers[~is_reference])
is_forgery = forgeries[~is_reference] == 1

names = ["direction", "coverage", "pressure", "parallel", "straightness"]
figure, axis = plt.subplots(figsize=(8, 3.5), layout="constrained")
for offset, (group, color, label) in enumerate(
    [(~is_forgery, "C0", "genuine"), (is_forgery, "C1", "skilled forgeries")]
):
    boxes = axis.boxplot(
        signals[group],
        positions=np.arange(5) + 0.35 * offset,
        widths=0.3,
        patch_artist=True,
        boxprops={"facecolor": color, "alpha": 0.6},
        medianprops={"color": "black"},
        flierprops={"markersize": 3},
    )
    boxes["boxes"][0].set_label(label)
axis.set_xticks(np.arange(5) + 0.17, names)
axis.set_ylabel("standard deviations")
axis.legend()
plt.show()

# %%
# The score
# ---------
#
# The score is the mean of the signals, without coverage, plus a constant. It separates most forgeries, without any
# training.

scores = matcher[-1].claim_scores(queries, writers[~is_reference])
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
bins = np.linspace(scores.min(), scores.max(), 30)
axis.hist([scores[~is_forgery], scores[is_forgery]], bins=bins, label=["genuine", "skilled forgeries"])
axis.set(xlabel="score of the strokes", ylabel="queries")
axis.legend()
plt.show()

# %%
# Strokes see what a network for small images does not: fused with SVMs on its features they lower the error rates of
# skilled forgeries (:doc:`/strokes`). :func:`~sigkit.estimators.make_fused_verifier` makes that system.
