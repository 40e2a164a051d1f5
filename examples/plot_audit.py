"""
Auditing a corpus
=================

An error rate says something about handwriting only if nothing else tells genuine signatures from forgeries. This page
makes a corpus with three faults, and lets :func:`~sigkit.datasets.audit` find them.
"""

# %%
# A corpus with faults
# --------------------
#
# The forgeries were scanned on brighter paper; two genuine signatures are copies of others, one of them with other gray
# values; and one scan has a dark shadow.

import matplotlib.pyplot as plt
import numpy as np

from sigkit.datasets import audit, make_signatures

scans, target = make_signatures(n_writers=12, n_genuine=8, n_skilled=8, resolution=150, random_state=11)
forgeries = target[:, 1]

scans = [
    np.clip(scan.astype(int) + (18 if forgery else -8), 0, 255).astype(np.uint8)
    for scan, forgery in zip(scans, forgeries)
]
scans[1] = scans[0].copy()
scans[34] = np.clip(scans[33].astype(int) + 3, 0, 255).astype(np.uint8)
scans[50] = scans[50] // np.where(np.arange(scans[50].shape[1]) < scans[50].shape[1] // 2, 2, 1).astype(np.uint8)

figure, axes = plt.subplots(1, 4, figsize=(12, 2.5), layout="constrained")
for axis, row in zip(axes, [0, 1, 8, 50]):
    axis.imshow(scans[row], cmap="gray", vmin=0, vmax=255)
    axis.set_title(f"scan {row}, {'forged' if forgeries[row] else 'genuine'}")
    axis.set_axis_off()
plt.show()

# %%
# What the audit finds
# --------------------

found = audit(scans, target, n_bootstraps=200, random_state=0)
print(found)

# %%
# Each line of the copies includes those above it: scan 1 has the pixels of scan 0, and scan 34 has nearly the ink of
# scan 33. Scan 50 has the shadow; the size alone makes some other scans odd.
#
# A *shortcut* is a statistic that tells genuine from forged by itself: an AUC of 0.5 is chance, and 1 is perfect. The
# brightness of the paper is one here. It is harmless for verifiers that clear the background, because preprocessing
# removes it, and fatal for those that do not.
#
# A page to look at
# -----------------

# sphinx_gallery_thumbnail_number = 2
found.plot()
plt.show()

# %%
# The distribution of the shortcut:

means = np.array([np.median(scan) for scan in scans])
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
axis.hist([means[forgeries == 0], means[forgeries == 1]], bins=20, label=["genuine", "forged"])
axis.set(xlabel="gray value of the paper", ylabel="scans")
axis.legend()
plt.show()
