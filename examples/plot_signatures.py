"""
Synthetic signatures
====================

:func:`~sigkit.datasets.make_signatures` generates signatures of writers who do not exist, and forgeries of them. They
are not personal data, and their number is not limited. The lessons of this gallery use them wherever they
need signatures.
"""

# %%
# One row per writer
# ------------------
#
# A *skilled* forger has seen the signature; a *simple* forger knows only the name. The writers have Latin letters, an
# invented script with a headline, or signs that are not letters.

import matplotlib.pyplot as plt

from sigkit.datasets import make_signatures

N_WRITERS, N_GENUINE, N_SKILLED, N_SIMPLE = 7, 3, 2, 1
KINDS = ["genuine", "skilled forgery", "simple forgery"]

images, target = make_signatures(N_WRITERS, N_GENUINE, N_SKILLED, n_simple=N_SIMPLE, script="mixed", random_state=5)
figure, axes = plt.subplots(N_WRITERS, N_GENUINE + N_SKILLED + N_SIMPLE, figsize=(12, 9), layout="constrained")
for axis, image, (_, forgery) in zip(axes.flat, images, target):
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    axis.set_axis_off()
    axis.set_title(KINDS[forgery], fontsize=8)
plt.show()

# %%
# The target
# ----------
#
# Every loader of sigkit returns the same: images or file paths, and rows with a writer and a kind of forgery, where 0
# is genuine, 1 is skilled and 2 is simple. In a row with a forgery, the writer is the claimed one.

print(target[: N_GENUINE + N_SKILLED + N_SIMPLE])

# %%
# Scanners and pens
# -----------------
#
# ``scan`` and ``resolution`` choose what the scanner does. Signatures are the same to the last bit for the same
# ``random_state``.

figure, axes = plt.subplots(1, 3, figsize=(12, 2.5), layout="constrained")
for axis, (scan, resolution) in zip(axes, [("grey", 300), ("two-valued", 200), ("jpeg", 100)]):
    image = make_signatures(1, 1, 0, random_state=9, scan=scan, resolution=resolution)[0][0]
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    axis.set_title(f'scan="{scan}", {resolution} dpi: {image.shape[0]} x {image.shape[1]}', fontsize=9)
    axis.set_axis_off()
plt.show()
