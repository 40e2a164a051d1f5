"""
Preprocessing step by step
==========================

A verifier compares images of one size, with the ink in the middle and nothing else. This page shows how a scan becomes
such an image, and what to do with scans that are not clean.
"""

# %%
# A scan, its histogram and Otsu's threshold
# ------------------------------------------
#
# Paper is bright and ink is dark. Otsu's threshold separates the two groups of gray values; it is computed for each
# scan, so that a gray paper does not count as ink.

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw

from sigkit.datasets import make_signatures
from sigkit.imaging import (
    PreprocessingDisplay,
    check_scan,
    crop_ink,
    fit_canvas,
    otsu_threshold,
    place_ink,
)

drawn, _ = make_signatures(n_writers=4, n_genuine=1, n_skilled=0, script="latin", random_state=8)
scan = drawn[0]
threshold = otsu_threshold(scan)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
left.imshow(scan, cmap="gray", vmin=0, vmax=255)
left.set_title(f"scan, {scan.shape[0]} x {scan.shape[1]} pixels")
left.set_axis_off()
right.hist(scan.ravel(), bins=64, log=True)
right.axvline(threshold, color="C1", label=f"threshold {threshold}")
right.set(xlabel="gray value", ylabel="pixels")
right.legend()
plt.show()

# %%
# Ink on a canvas
# ---------------
#
# :func:`~sigkit.imaging.crop_ink` finds the bounding box of the ink, sets the paper to 0 and inverts the rest.
# :func:`~sigkit.imaging.place_ink` puts the center of mass of the ink into the middle of a canvas, and resizes it. The
# canvas is the same for all signatures, so that their sizes remain comparable.

ink = crop_ink(scan)
canvas = fit_canvas((600, 900), (170, 242))
image, issues = place_ink(ink, canvas)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
left.imshow(ink.pixels, cmap="gray")
left.plot(*ink.center[::-1], "+", color="C1", markersize=14)
left.set_title("ink and its center of mass")
right.imshow(image, cmap="gray")
right.set_title(f"on a canvas of {canvas[0]} x {canvas[1]}, resized to 170 x 242")
for axis in (left, right):
    axis.set_axis_off()
plt.show()

# %%
# :class:`~sigkit.transformers.SignaturePreprocessor` does all of this for many scans, as the first step of a Pipeline.
#
# Scans that are not clean
# ------------------------
#
# Here are a clean scan, one with a shadow, one in a printed frame, and one on ruled paper with a stamp.
# :func:`~sigkit.imaging.check_scan` says what is wrong with each.

clean, shaded, framed, ruled = (
    Image.fromarray(np.pad(scan, 40, constant_values=int(np.median(scan)))).convert("RGB") for scan in drawn
)

gray_values = np.asarray(shaded).astype(float)
gray_values[:, : shaded.width // 3] *= 0.55
shaded = Image.fromarray(gray_values.astype(np.uint8))

ImageDraw.Draw(framed).rectangle((8, 8, framed.width - 9, framed.height - 9), outline=(60, 60, 60), width=3)

pen = ImageDraw.Draw(ruled)
for row in range(30, ruled.height, 60):
    pen.line((0, row, ruled.width, row), fill=(140, 160, 210), width=2)
pen.ellipse((20, 20, 150, 150), outline=(200, 40, 40), width=5)

scans = [clean, shaded, framed, ruled]
for scan in scans:
    print(list(check_scan(np.asarray(scan.convert("L"))).problems) or "no problem")

# %%
# Each row of the picture is a scan; what is taken for ink is blue, and what is dark too but was removed is orange. The
# original procedure takes the shadow, the frame and the stamp for ink:

PreprocessingDisplay.from_scans([np.asarray(scan.convert("L")) for scan in scans])
plt.show()

# %%
# ``background="photo"`` divides by the brightness of the paper, and removes printed lines and stamps of another color.
# References and queries need the same setting.

# sphinx_gallery_thumbnail_number = 4
PreprocessingDisplay.from_scans([np.asarray(scan) for scan in scans], background="photo")
plt.show()
