"""
Metrics for a face verifier
===========================

The metrics of sigkit need labels and scores only: they work for faces, voices and fingerprints too, import neither
torch nor Pillow, and take millions of scores.
"""

# %%
# Distances of embeddings
# -----------------------
#
# Simulated embeddings of 300 people with 10 photographs each, by two networks. A trial compares two photographs. Scores
# must rise with genuineness, so a distance gets a minus sign.

import matplotlib.pyplot as plt
import numpy as np

from sigkit.metrics import (
    VerificationDetDisplay,
    compare_systems,
    eer_score,
    far_threshold,
    frr_at_far_score,
    frr_score,
    verification_report,
)

rng = np.random.default_rng(0)
N_PEOPLE, N_PHOTOS = 300, 10
person = np.repeat(np.arange(N_PEOPLE), N_PHOTOS)
faces = rng.normal(size=(N_PEOPLE, 32))
common = rng.normal(size=(N_PEOPLE * N_PHOTOS, 32))  # pose and light are the same for both networks
embeddings = {
    "network A": faces[person] + 0.75 * common + 0.3 * rng.normal(size=common.shape),
    "network B": faces[person] + 0.85 * common + 0.3 * rng.normal(size=common.shape),
}

shots = rng.permuted(np.tile(np.arange(N_PHOTOS), (20_000, 1)), axis=1)[:, :2]  # two different photographs
same = rng.integers(N_PEOPLE, size=(20_000, 1)) * N_PHOTOS + shots
other = rng.integers(N_PEOPLE * N_PHOTOS, size=(200_000, 2))
other = other[person[other[:, 0]] != person[other[:, 1]]]
first, second = np.concatenate([same, other]).T
y_true = np.repeat([1, 0], [len(same), len(other)])
scores = {name: -np.linalg.norm(found[first] - found[second], axis=1) for name, found in embeddings.items()}
print({name: f"EER {eer_score(y_true, values):.2%}" for name, values in scores.items()})

# %%
# DET curves and small error rates
# --------------------------------
#
# A gate is set to a small FAR. The FRR at that FAR counts, more than the EER.

VerificationDetDisplay.from_systems(scores, y_true)
plt.show()

for name, values in scores.items():
    print(name, [f"FRR {frr_at_far_score(y_true, values, far=far):.2%} at FAR {far:.1%}" for far in (0.01, 0.001)])

# %%
# A threshold, and what it does to other people
# ---------------------------------------------
#
# The threshold is chosen on the people of one half, and judged on those of the other.

half = (person[first] < N_PEOPLE // 2) & (person[second] < N_PEOPLE // 2)
rest = (person[first] >= N_PEOPLE // 2) & (person[second] >= N_PEOPLE // 2)
threshold = far_threshold(y_true[half], scores["network A"][half], far=0.01)
print(f"FRR on the other half: {frr_score(y_true[rest], scores['network A'][rest], threshold=threshold):.2%}")

# %%
# Reports and comparisons
# -----------------------
#
# With ``writers``, the person that each trial claims, intervals draw people instead of trials: photographs of one
# person are alike.

report = verification_report(
    y_true, scores["network A"], threshold=threshold, writers=person[first], n_bootstraps=200, random_state=0
)
print(report)
print(compare_systems(scores, y_true, writers=person[first], n_bootstraps=200, random_state=0))
