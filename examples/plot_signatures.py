"""Plot synthetic signatures, one row per writer: genuine signatures, skilled forgeries, and a simple forgery.

    python examples/plot_signatures.py signatures.png

The documentation runs it without an argument, and shows the figure.
"""

import sys

import matplotlib

if __name__ == "__main__":
    matplotlib.use("Agg")

import matplotlib.pyplot as plt

from sigkit.datasets import make_signatures

N_WRITERS, N_GENUINE, N_SKILLED, N_SIMPLE = 9, 4, 3, 1

images, target = make_signatures(
    N_WRITERS, N_GENUINE, N_SKILLED, n_simple=N_SIMPLE, scan="grey", script="mixed", random_state=5
)
figure, axes = plt.subplots(N_WRITERS, N_GENUINE + N_SKILLED + N_SIMPLE, figsize=(14, 9), layout="constrained")
for axis, image, (_, forgery) in zip(axes.flat, images, target):
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    axis.set_axis_off()
    axis.set_title(("genuine", "skilled forgery", "simple forgery")[forgery], fontsize=7)

if __name__ == "__main__":
    for path in sys.argv[1:]:
        figure.savefig(path, dpi=110)
        print(f"The figure was saved to {path}.")
