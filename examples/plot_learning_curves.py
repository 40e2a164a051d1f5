"""
Learning curves
===============

How many references does a writer need, and does a longer training help? scikit-learn's tools answer the first question,
and the history of a training the second.
"""

# %%
# References per writer
# ---------------------
#
# Features do not depend on the references, so they are computed once. Then each number of references is a
# cross-validation of the verifier alone.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import cross_validate

from sigkit.datasets import make_signatures
from sigkit.estimators import WriterDependentSVC
from sigkit.metrics import verification_scorer
from sigkit.model_selection import WriterSplit
from sigkit.training import SigNetTraining, TrainingCurvesDisplay
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

scans, target = make_signatures(n_writers=14, n_genuine=18, n_skilled=4, script="latin", resolution=150, random_state=7)
images = SignaturePreprocessor(canvas_size=(765, 1089), resolution=150).fit_transform(scans)
features = SigNetFeaturizer(weights="synthetic").fit_transform(images)
dev_writers = range(1, 5)

counts = [2, 4, 8, 12]
rates = []
for n_references in counts:
    split = WriterSplit(n_references=n_references, n_queries=6, dev_writers=dev_writers, n_splits=3, random_state=0)
    svc = WriterDependentSVC(dev_writers=dev_writers, random_state=0)
    rates.append(-100 * cross_validate(svc, features, target, cv=split, scoring=verification_scorer)["test_neg_eer"])
rates = np.array(rates)

figure, axis = plt.subplots(figsize=(6.5, 3.5), layout="constrained")
axis.errorbar(counts, rates.mean(axis=1), rates.std(axis=1), marker="o", capsize=3)
axis.set(xlabel="references per writer", ylabel="EER of skilled forgeries, %", ylim=0)
plt.show()

# %%
# The bars are standard deviations over three draws of references and queries of the same writers, not over other
# writers. :func:`~sigkit.estimators.reference_curve` computes thresholds for each number of references in the same way.
#
# A training
# ----------
#
# A small network learns to tell the writers apart. The curves of the loss and of the held-out signatures show when more
# epochs stop helping.

genuine = [scan for scan, (writer, forgery) in zip(scans, target) if writer <= 8 and not forgery]
writers = np.repeat(np.arange(1, 9), 18)
small = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(85, 121), resolution=150).fit_transform(genuine)
training = SigNetTraining(epochs=12, lr=0.05, batch_size=16)
featurizer = SigNetFeaturizer("tiny", training=training, random_state=0).fit(small, writers)
TrainingCurvesDisplay.from_estimator(featurizer)
plt.show()

# %%
# In the first epochs the network is worse on held-out signatures than on those it learns; then it recognizes these too.
