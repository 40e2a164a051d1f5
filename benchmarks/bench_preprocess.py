"""Preprocessing of arrays in memory compared with scikit-image, one thread each, same output; and photographs.

The last line has the time for the check of the scans' quality, which `SignaturePreprocessor` adds by default.

    python benchmarks/bench_preprocess.py [FOLDER_OF_SCANS]

Without a folder, synthetic signatures are used. The reference is the procedure written with functions of scikit-image.
Photographs are simulated, have colors and about a million pixels, and are compared with "otsu" on the same in gray.
"""

import sys
import time
from pathlib import Path

import numpy as np
from photographs import photograph
from PIL import Image
from skimage.filters import gaussian, threshold_otsu
from skimage.transform import resize
from threadpoolctl import threadpool_limits

from sigkit.datasets import make_signatures
from sigkit.imaging import preprocess_image, read_image

CANVAS, SIZE = (765, 1089), (170, 242)


def reference(image):
    threshold = threshold_otsu(image)
    rows, columns = np.nonzero(gaussian(image, 2, preserve_range=True) <= threshold)
    crop = image[rows.min() : rows.max(), columns.min() : columns.max()]
    top = CANVAS[0] // 2 - int(rows.mean() - rows.min())
    left = CANVAS[1] // 2 - int(columns.mean() - columns.min())
    top = max(0, min(top, CANVAS[0] - crop.shape[0]))
    left = max(0, min(left, CANVAS[1] - crop.shape[1]))
    canvas = np.full(CANVAS, 255, dtype=np.uint8)
    canvas[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
    canvas[canvas > threshold] = 255
    covering = SIZE[0], round(CANVAS[1] * SIZE[0] / CANVAS[0])
    resized = resize(255 - canvas, covering, mode="constant", anti_aliasing=True, preserve_range=True)
    start = round((covering[1] - SIZE[1]) / 2)
    return resized.astype(np.uint8)[:, start : start + SIZE[1]]


def rate(work, images):
    """Return images per second in the fastest of three rounds: other processes can only slow a round down."""
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        results = [work(image) for image in images]
        rounds.append(len(images) / (time.perf_counter() - start))
    return max(rounds), np.stack(results)


def make_photographs():
    """Return photographs of about a million pixels."""
    scans, _ = make_signatures(n_writers=12, n_genuine=1, n_skilled=0, random_state=0)
    images = []
    for number, scan in enumerate(scans):
        rng = np.random.default_rng(number)
        kinds = ["gradient", ("hard_shadow", "soft_shadow")[number % 2], "tilt", "jpeg"]
        image = photograph(scan, [*kinds, "rules"] if number % 3 == 0 else kinds, rng)
        factor = (1e6 / image[..., 0].size) ** 0.5
        size = round(image.shape[1] * factor), round(image.shape[0] * factor)
        images.append(np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)))
    return images


def main():
    if len(sys.argv) > 1:
        paths = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix.lower() in (".png", ".tif", ".bmp"))
        images = [read_image(path) for path in paths[:: max(1, len(paths) // 100)]]
    else:
        images, _ = make_signatures(n_writers=10, n_genuine=5, n_skilled=5, random_state=0)
    with threadpool_limits(limits=1):
        baseline, expected = rate(reference, images)
        ours, found = rate(lambda image: preprocess_image(image, CANVAS, SIZE).image, images)
        checked, _ = rate(lambda image: preprocess_image(image, CANVAS, SIZE, check=True).image, images)
        photographs = make_photographs()
        gray = [np.asarray(Image.fromarray(image).convert("L")) for image in photographs]
        otsu, _ = rate(lambda image: preprocess_image(image, CANVAS, SIZE).image, gray)
        colored, _ = rate(lambda image: preprocess_image(image, CANVAS, SIZE, "photo").image, photographs)
        uncolored, _ = rate(lambda image: preprocess_image(image, CANVAS, SIZE, "photo").image, gray)
    difference = np.abs(expected.astype(int) - found)
    print(f"{len(images)} scans, {np.mean([image.size for image in images]) / 1000:.0f} thousand pixels each")
    print(f"scikit-image: {baseline:.1f} images/s; sigkit: {ours:.1f} images/s; ratio {ours / baseline:.1f}")
    print(f"with check of quality: {checked:.1f} images/s, {1000 / checked - 1000 / ours:.1f} ms more for each")
    print(
        f"photographs of a million pixels: otsu {otsu:.1f} images/s; photo, color {colored:.1f}, gray {uncolored:.1f}"
    )
    print(f"equal pixels: {np.mean(difference == 0):.5%}; greatest difference: {difference.max()}")


if __name__ == "__main__":
    main()
