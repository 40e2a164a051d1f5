"""
Comparing systems
=================

System A has a lower equal error rate than system B. Is it better, or were the writers of this test lucky for it? Two
intervals cannot tell; the interval of the difference can.
"""

# %%
# Three systems on the same writers
# ---------------------------------
#
# The same SVMs, on features of the network at one scale and at two scales, and on a hand-crafted description of
# texture. References and queries are the same for all.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.metrics import compare_systems
from sigkit.model_selection import WriterSplit
from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor, SigNetFeaturizer

scans, target = make_signatures(n_writers=18, n_genuine=10, n_skilled=5, random_state=3)
images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
dev_writers = range(1, 6)
split = WriterSplit(n_references=5, n_queries=5, dev_writers=dev_writers, n_splits=1, random_state=0)
train, test = next(split.split(images, target))

features = {
    "network": SigNetFeaturizer(weights="synthetic"),
    "network, two scales": SigNetFeaturizer(weights="synthetic", magnification=(1, 1.25)),
    "texture (CLBP)": CLBPFeaturizer(),
}
scores = {}
for name, featurizer in features.items():
    system = make_pipeline(featurizer, WriterDependentSVC(dev_writers=dev_writers, random_state=0))
    system.fit(images[train], target[train])
    scores[name] = system.decision_function(images[test])

# %%
# Each difference has an interval
# -------------------------------
#
# :func:`~sigkit.metrics.compare_systems` draws the same writers for all systems, a thousand times, and compares the
# others with the first. If an interval contains 0, the difference may be chance.

comparison = compare_systems(scores, target[test], classes=system.classes_, random_state=0)
print(comparison)

# %%
# DET curves
# ----------
#
# The curves show FRR and FAR at every threshold, on axes where normal distributions give straight lines. Lower and
# further to the left is better.

comparison.plot_det()
plt.show()

# %%
# Why the same writers matter
# ---------------------------
#
# A writer who is hard for one system is often hard for the other. The picture has a dot for each writer, and compares
# the first two systems: their margins for one writer differ less than the margins of different writers.

enrolled = np.unique(target[test][:, 0])
columns = {writer: column for column, writer in enumerate(system.classes_)}


def margin(values, writer):
    own = values[:, columns[writer]]
    genuine = own[(target[test] == (writer, 0)).all(axis=1)]
    forged = own[(target[test] == (writer, 1)).all(axis=1)]
    return genuine.mean() - forged.mean()


one, two, _ = scores
figure, axis = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
axis.plot([margin(scores[one], w) for w in enrolled], [margin(scores[two], w) for w in enrolled], "o")
axis.axline((0.5, 0.5), slope=1, color="gray", linestyle=":")
axis.set(xlabel=f"mean genuine - mean forgery: {one}", ylabel=two)
plt.show()
