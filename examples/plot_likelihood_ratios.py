"""
Likelihood ratios
=================

A score has no unit. A likelihood ratio (LR) has one: how much more probable the score is if the signature is genuine
than if it is a forgery. This page calibrates scores, and checks the calibration.
"""

# %%
# From scores to LRs
# ------------------
#
# :class:`~sigkit.metrics.ScoreCalibrator` learns the map on development scores, here 60 writers with 20 genuine
# signatures and 60 forgeries each. LRs are logarithms to the base 10: 2 means a hundred times more probable.

import matplotlib.pyplot as plt
import numpy as np

from sigkit.metrics import (
    EceDisplay,
    ScoreCalibrator,
    TippettDisplay,
    cllr_score,
    min_cllr_score,
    verbal_scale,
)

rng = np.random.default_rng(0)


def simulate_scores(n_writers):
    writer = np.repeat(np.arange(n_writers), 80)
    y_true = np.tile(np.repeat([1, 0], [20, 60]), n_writers)
    return y_true, 5 * y_true + 0.8 * rng.normal(size=n_writers)[writer] + 1.6 * rng.normal(size=len(writer)), writer


y_dev, dev_scores, dev_writers = simulate_scores(60)
y_test, test_scores, _ = simulate_scores(60)
calibrator = ScoreCalibrator().fit(dev_scores, y_dev, writers=dev_writers)
grid = np.linspace(-6, 11, 200)

figure, (top, bottom) = plt.subplots(2, 1, figsize=(7, 5), sharex=True, layout="constrained")
top.hist([dev_scores[y_dev == 0], dev_scores[y_dev == 1]], bins=40, density=True, label=["forgeries", "genuine"])
top.legend()
bottom.plot(grid, calibrator.transform(grid), label="bounded by the number of trials")
bottom.plot(grid, ScoreCalibrator(bound=None).fit(dev_scores, y_dev).transform(grid), "--", label="without bounds")
bottom.set(xlabel="score", ylabel="log10 LR")
bottom.legend()
plt.show()

# %%
# The bounds are not caution for its own sake: an LR of a million cannot be verified with 3,600 forgeries.
#
# A case
# ------
#
# The verbal scale is an addition to the number. The LR contains no prior: posterior odds are prior odds times the LR,
# and whoever decides supplies the prior.

log10_lr = calibrator.transform(test_scores)
for score in (6.0, 2.5, -1.0):
    value = calibrator.transform([score])[0]
    print(f"score {score:4.1f}: log10 LR {value:5.2f}, {verbal_scale(value)}")

# %%
# Are they right?
# ---------------
#
# A Tippett plot shows the distributions of LRs, and the fractions that are misleading: genuine signatures below 0, and
# forgeries above it.

TippettDisplay.from_predictions(y_test, log10_lr)
plt.show()

# %%
# The Cllr is the information that is lost, in bits: 0 is perfect and 1 is none. The minimal Cllr is what would be left
# after perfect calibration of the same scores, so the difference is the loss by calibration. The ECE plot shows both
# for every prior.

print(f"Cllr {cllr_score(y_test, log10_lr):.3f}, at best {min_cllr_score(y_test, test_scores):.3f}")
EceDisplay.from_predictions(y_test, log10_lr)
plt.show()

# %%
# :class:`~sigkit.estimators.LikelihoodRatioCalibrator` does the same around a verifier: its scores are then LRs. See
# :ref:`likelihood-ratios`.
