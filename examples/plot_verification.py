"""
A tour of a verification
========================

A verifier decides whether a person wrote a signature, by comparison with a few reference signatures. This page goes
from scans to a decision, and to the error rates that belong to it.
"""

# %%
# Signatures
# ----------
#
# The first six writers are *development writers*: their signatures are the negatives of the system, and set its
# threshold. The others are the customers.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from sigkit.datasets import make_signatures
from sigkit.estimators import OperatingPointVerifier, make_fused_verifier
from sigkit.metrics import verification_report
from sigkit.transformers import SignaturePreprocessor

scans, target = make_signatures(n_writers=10, n_genuine=9, n_skilled=4, random_state=1)
writers, forgeries = target.T
dev_writers = range(1, 7)

figure, axes = plt.subplots(2, 4, figsize=(11, 3.5), layout="constrained")
for row, (kind, label) in enumerate([(0, "genuine"), (1, "skilled forgery")]):
    for axis, scan in zip(axes[row], [scans[i] for i in np.flatnonzero((writers == 7) & (forgeries == kind))]):
        axis.imshow(scan, cmap="gray", vmin=0, vmax=255)
        axis.set_title(f"writer 7, {label}", fontsize=9)
        axis.set_axis_off()
plt.show()

# %%
# The system
# ----------
#
# A Pipeline: preprocessing, and a verifier that adds the score of an SVM on features of a network and that of a
# comparison of strokes. :class:`~sigkit.estimators.OperatingPointVerifier` sets the threshold so that 10 % of the
# skilled forgeries of development writers are accepted.

number = np.array([np.sum((target[:row] == target[row]).all(axis=1)) for row in range(len(target))])
is_reference = (writers > 6) & (forgeries == 0) & (number < 5)
is_query = (writers > 6) & ~is_reference
is_known = np.isin(writers, dev_writers)

verifier = make_fused_verifier(dev_writers=dev_writers, random_state=0)
pipe = make_pipeline(
    SignaturePreprocessor(canvas_size=(765, 1089)),
    OperatingPointVerifier(verifier, level=0.1, n_references=5, n_draws=1, random_state=0),
)
train = np.flatnonzero(is_known | is_reference)
pipe.fit([scans[row] for row in train], target[train])

# %%
# The development writers teach, and every other writer is enrolled. The operating point says what was set, and what to
# expect:

print("enrolled:", pipe.classes_.tolist())
print(pipe[-1].operating_point_)

# %%
# A decision
# ----------
#
# A query comes with a claim. Only the column of the claimed writer counts.

test = np.flatnonzero(is_query)
queries = pipe[:-1].transform([scans[row] for row in test])
scores = pipe[-1].claim_scores(queries, writers[test])
accepted = pipe[-1].verify(queries, writers[test])

figure, axes = plt.subplots(2, 4, figsize=(11, 3.5), layout="constrained")
for axis, query in zip(axes.flat, range(8)):
    axis.imshow(scans[test[query]], cmap="gray", vmin=0, vmax=255)
    truth = "forgery" if forgeries[test[query]] else "genuine"
    decision = "accepted" if accepted[query] else "rejected"
    right = bool(accepted[query]) == (truth == "genuine")
    axis.set_title(f"{truth}: {scores[query]:.2f}, {decision}", fontsize=9, color="green" if right else "red")
    axis.set_axis_off()
plt.show()

# %%
# Error rates
# -----------
#
# The report has the error rates at the threshold of the system, and the equal error rate (EER), each with an interval.
# With four writers the intervals are wide.

report = verification_report(
    target[test],
    pipe[-1].decision_function(queries),
    threshold=pipe[-1].threshold_,
    classes=pipe.classes_,
    random_state=0,
)
print(report)
report.plot_scores()
plt.show()
