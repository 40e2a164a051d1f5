"""Plot the steps of preprocessing: scan, what is taken for ink and what is removed, and the image for the network.

    python examples/plot_preprocessing.py steps.png

The scans are drawn: a clean one, one with a shadow, one in a frame, and one on ruled paper with a stamp. The first
figure has the original procedure, for clean scans; the second has `background="photo"`. With an argument, both are
saved, the second as `steps-photo.png`. The documentation runs it without one, and shows the figures.
"""

import os
import sys

import matplotlib
import numpy as np
from PIL import Image, ImageDraw

if __name__ == "__main__":
    matplotlib.use("Agg")

from sigkit.datasets import make_signatures
from sigkit.imaging import PreprocessingDisplay

drawn, _ = make_signatures(n_writers=4, n_genuine=1, n_skilled=0, script="latin", random_state=8)
# In color, with a margin of bright paper.
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
original = PreprocessingDisplay.from_scans([np.asarray(scan.convert("L")) for scan in scans])
photo = PreprocessingDisplay.from_scans([np.asarray(scan) for scan in scans], background="photo")

if __name__ == "__main__":
    for path in sys.argv[1:]:
        stem, suffix = os.path.splitext(path)
        original.figure_.savefig(path, dpi=110)
        photo.figure_.savefig(f"{stem}-photo{suffix}", dpi=110)
        print(f"The figures were saved to {path} and {stem}-photo{suffix}.")
