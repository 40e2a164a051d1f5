"""
Choosing a threshold
====================

A verifier returns scores; a threshold makes them decisions. This page shows what a threshold does, four ways to choose
one, and why it must not be chosen on the scores that are reported.
"""

# %%
# Two kinds of errors
# -------------------
#
# Genuine signatures below the threshold are rejected (FRR), forgeries above it are accepted (FAR). The scores here are
# simulated: 30 development writers with 20 genuine signatures and 40 skilled forgeries each. Some writers are easier to
# forge than others.

import matplotlib.pyplot as plt
import numpy as np

from sigkit.metrics import (
    ScoreHistogramDisplay,
    cost_threshold,
    eer_threshold,
    far_score,
    far_threshold,
    frr_score,
    frr_threshold,
)


def simulate_scores(n_writers, seed):
    rng = np.random.default_rng(seed)
    writer = np.repeat(np.arange(n_writers), 60)
    y_true = np.tile(np.repeat([1, 0], [20, 40]), n_writers)
    return y_true, 2.4 * y_true + 0.6 * rng.normal(size=n_writers)[writer] + rng.normal(size=len(writer)), writer


y_dev, dev_scores, dev_writers = simulate_scores(30, seed=0)
thresholds = np.linspace(dev_scores.min(), dev_scores.max(), 200)

figure, axis = plt.subplots(figsize=(7, 3.5), layout="constrained")
axis.plot(thresholds, [100 * frr_score(y_dev, dev_scores, threshold=t) for t in thresholds], label="FRR")
axis.plot(thresholds, [100 * far_score(y_dev, dev_scores, threshold=t) for t in thresholds], label="FAR")
axis.set(xlabel="threshold", ylabel="error rate, %")
axis.legend()
plt.show()

# %%
# Four criteria
# -------------
#
# Name the error rate that you can afford, or the costs of both errors.

criteria = {
    "FAR of at most 5 %": far_threshold(y_dev, dev_scores, far=0.05),
    "FRR of at most 5 %": frr_threshold(y_dev, dev_scores, frr=0.05),
    "equal error rates": eer_threshold(y_dev, dev_scores),
    "lowest cost, FAR 10 x FRR": cost_threshold(y_dev, dev_scores, cost_far=10.0, cost_frr=1.0, prior=0.5),
}
display = ScoreHistogramDisplay.from_predictions(y_dev, dev_scores)
for number, (criterion, threshold) in enumerate(criteria.items()):
    display.ax_.axvline(threshold, color=f"C{number + 3}", linestyle="--", label=criterion)
display.ax_.legend(fontsize=8)
plt.show()

# %%
# Other writers
# -------------
#
# A threshold meets its error rate on the scores where it was chosen. On other writers the error rate varies, the more
# the fewer writers there are. Each dot is one group of 30 other writers, at thresholds that were fixed before.

figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
for row, threshold in enumerate(criteria.values()):
    rates = [100 * far_score(*simulate_scores(30, seed)[:2], threshold=threshold) for seed in range(1, 41)]
    axis.plot(rates, np.full(40, row), "o", alpha=0.4, color=f"C{row + 3}")
    axis.plot(100 * far_score(y_dev, dev_scores, threshold=threshold), row, "k|", markersize=22)
axis.set_yticks(range(len(criteria)), criteria)
axis.set(xlabel="FAR on other writers, % (bar: on the development writers)")
plt.show()

# %%
# So report FRR and FAR at a threshold that was fixed beforehand, next to the EER, whose threshold comes from the scores
# that are reported. :class:`~sigkit.estimators.OperatingPointVerifier` fixes the threshold in ``fit`` and predicts the
# range in which the error rates of the enrolled writers will be: see :doc:`/operating_points`.
