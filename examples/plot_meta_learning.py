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
# verifier is, as many as these writers have. ``network_lr=0.0`` keeps the network of the package; only the head and the
# step sizes are learned.

training = MetaTraining(
    epochs=8,
    lr=3e-3,
    network_lr=0.0,
    augmentation=None,
    n_queries=(5, 10, 4),  # genuine signatures, random and skilled forgeries
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
# Writer by writer
# ----------------
#
# Each row is a writer. The threshold of a verification is one for all writers, so what counts is whether the genuine
# signatures of all are to the right of the forgeries of all.

kinds = forgeries[is_query]
figure, axis = plt.subplots(figsize=(7, 3.5), layout="constrained")
for kind, color, label in [(0, "C0", "genuine"), (1, "C1", "skilled forgeries")]:
    axis.plot(scores[kinds == kind], writers[is_query][kinds == kind], "o", color=color, alpha=0.6, label=label)
axis.axvline(report.eer_threshold, color="gray", linestyle=":", label="threshold of the EER")
axis.set(xlabel="score", ylabel="writer", yticks=np.unique(writers[is_query]))
axis.legend()
plt.show()
