"""
Meta-learning with five references
==================================

Meta-learning learns how to learn a writer: initial weights and step sizes, from which a few gradient steps on five
references give a verifier. This page does it with fixed features, which takes seconds.
"""

# %%
# Development writers and customers
# ---------------------------------

import matplotlib.pyplot as plt
import numpy as np

from sigkit.datasets import make_signatures
from sigkit.estimators import MetaLearnedVerifier
from sigkit.metrics import verification_report
from sigkit.training import InnerLoop, MetaTraining, TrainingCurvesDisplay
from sigkit.transformers import SignaturePreprocessor

scans, target = make_signatures(n_writers=20, n_genuine=10, n_skilled=4, resolution=150, random_state=6)
preprocess = SignaturePreprocessor(canvas_size=(765, 1089), resolution=150)
images = preprocess.fit_transform(scans)
writers, forgeries = target.T
is_dev = writers <= 12

# %%
# Meta-training
# -------------
#
# Each task is one development writer: five references, random forgeries, and queries that say how good the adapted
# verifier is. ``network_lr=0.0`` keeps the network of the package; only the head and the step sizes are learned.

training = MetaTraining(
    epochs=8,
    lr=3e-3,
    network_lr=0.0,
    augmentation=None,
    inner_loop=InnerLoop(lr=0.05),
)
verifier = MetaLearnedVerifier(
    weights="synthetic",
    head="distance",
    adapt="head",
    n_references=5,
    dev_writers=range(1, 13),
    training=training,
    random_state=0,
)
verifier.fit(images[is_dev], target[is_dev])
TrainingCurvesDisplay.from_estimator(verifier)
plt.show()

# %%
# Enrollment
# ----------
#
# A new writer needs five signatures and no forgery. The verifier takes five gradient steps.

is_reference = ~is_dev & (forgeries == 0) & (np.arange(len(target)) % 14 < 5)
is_query = ~is_dev & ~is_reference
verifier.enroll(images[is_reference], writers[is_reference])
scores = verifier.claim_scores(images[is_query], writers[is_query])
report = verification_report(target[is_query], scores, random_state=0)
print(report)

# %%
# More references
# ---------------
#
# The same weights serve writers with fewer or more references.

rates = []
for n_references in (1, 2, 3, 5):
    few = ~is_dev & (forgeries == 0) & (np.arange(len(target)) % 14 < n_references)
    adapted = verifier.enroll(images[few], writers[few])
    found = adapted.claim_scores(images[is_query], writers[is_query])
    rates.append(verification_report(target[is_query], found, n_bootstraps=0).estimates["eer"].value)
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
axis.plot([1, 2, 3, 5], 100 * np.array(rates), "o-")
axis.set(xlabel="references per writer", ylabel="EER of skilled forgeries, %", ylim=0)
plt.show()
