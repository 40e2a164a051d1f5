"""
What an attack changes
======================

An attacker who knows the network can change a signature slightly, so that a genuine signature is rejected or a forgery
is accepted. This page shows the change, and what remains of it after the background is cleared.
"""

# %%
# A system
# --------
#
# SVMs on features of the network in the package, for four writers with five references each.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sigkit.attacks import FGM, CarliniWagnerL2
from sigkit.datasets import make_signatures
from sigkit.estimators import DifferentiableVerifier, WriterDependentSVC
from sigkit.transformers import BackgroundRemover, SignaturePreprocessor, SigNetFeaturizer

scans, target = make_signatures(n_writers=8, n_genuine=6, n_skilled=1, random_state=4)
images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
writers, forgeries = target.T
is_query = np.arange(len(target)) % 7 >= 5  # one genuine signature and one forgery of each writer
dev_writers = range(1, 5)

system = make_pipeline(SigNetFeaturizer(weights="synthetic"), WriterDependentSVC(dev_writers=dev_writers))
system.fit(images[~is_query], target[~is_query])

# %%
# Two attacks
# -----------
#
# The genuine queries are to be rejected. FGM takes one step of a fixed length along the gradient, and changes some
# pixels by tens of gray levels. Carlini-Wagner searches the smallest change that is enough, which takes more time. The
# images have whole gray levels, as in a file.

model = DifferentiableVerifier(system)
rows = np.flatnonzero(is_query & (forgeries == 0) & (writers > 4))
threshold = system[-1].threshold_
attacks = {
    "FGM": FGM(epsilon=600.0),
    "Carlini-Wagner": CarliniWagnerL2(n_search_steps=3, n_iterations=40),
}
attacked = {
    name: attack(model, images[rows], writers[rows], goal="reject", threshold=threshold)
    for name, attack in attacks.items()
}
for name, result in attacked.items():
    changed = np.median(result.rmse[result.success]) if result.success.any() else np.nan
    print(
        f"{name}: {result.success.sum()} of {result.attempted.sum()} claims rejected, change {changed:.2f} gray levels"
    )

# %%
# The pictures
# ------------
#
# Left, the signature; then the attacked signature, and the change, which is enhanced.

figure, axes = plt.subplots(len(attacked), 3, figsize=(10, 4.5), layout="constrained", squeeze=False)
for line, (name, result) in zip(axes, attacked.items()):
    best = int(np.argmax(result.success))
    before, after = images[rows[best]].astype(int), result.images[best].astype(int)
    change = after - before
    limit = max(np.abs(change).max(), 1)
    line[0].imshow(255 - before, cmap="gray", vmin=0, vmax=255)
    line[0].set_title(f"score {result.scores_before[best]:.2f}", fontsize=9)
    line[1].imshow(255 - after, cmap="gray", vmin=0, vmax=255)
    line[1].set_title(f"{name}: score {result.scores_after[best]:.2f}", fontsize=9)
    line[2].imshow(change, cmap="RdBu_r", vmin=-limit, vmax=limit)
    line[2].set_title(f"change, up to {limit} gray levels", fontsize=9)
    for axis in line:
        axis.set_axis_off()
# sphinx_gallery_thumbnail_number = 1
plt.show()

# %%
# Clearing the background
# -----------------------
#
# Most of the change is on the paper. :class:`~sigkit.transformers.BackgroundRemover` sets to 0 what Otsu's threshold
# takes for paper. What the change within the strokes does, remains.

remover = BackgroundRemover().fit(images)
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
for number, (name, result) in enumerate(attacked.items()):
    cleared = system[:-1].transform(remover.transform(result.images))
    scores = system[-1].claim_scores(cleared, writers[rows])
    axis.plot(result.scores_before, np.arange(len(rows)), "k|", markersize=14, label="before" if number == 0 else None)
    axis.plot(result.scores_after, np.arange(len(rows)) + 0.1 * number, "x", color=f"C{number}", label=name)
    axis.plot(
        scores, np.arange(len(rows)) + 0.1 * number, "o", color=f"C{number}", mfc="none", label=f"{name}, cleared"
    )
axis.axvline(threshold, color="gray", linestyle=":", label="threshold")
axis.set(xlabel="score", ylabel="claim", yticks=range(len(rows)))
axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
