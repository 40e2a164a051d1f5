"""Simulate paper and scanner."""

import io

import numpy as np
from PIL import Image

SCANS = ("grey", "two-valued", "jpeg")
"""Kinds of scans: 8-bit gray, bilevel, or 8-bit gray after lossy compression."""


def scan(absorbed, kind, rng):
    """Simulate the scan of a sheet.

    Parameters
    ----------
    absorbed : ndarray of shape (n_rows, n_columns), dtype float32
        Share of the light that the ink absorbs at each pixel.
    kind : {"grey", "two-valued", "jpeg"}
        The kind of the scan.
    rng : numpy.random.Generator
        Source of the paper's grain, the scanner's settings and its noise.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype uint8
        The scan; the paper is bright.
    """
    if kind == "two-valued":
        threshold = rng.uniform(0.2, 0.45) * absorbed.max()
        rough = rng.random(absorbed.shape, dtype=np.float32) * 0.12 - 0.06
        return np.where((absorbed > 0) & (absorbed + rough > threshold), np.uint8(0), np.uint8(255))
    bright, grain = rng.uniform(228, 246), rng.uniform(2, 9)
    # Paper is uneven in patches of 8 x 8 pixels, and noisy at each pixel.
    height, width = absorbed.shape
    coarse = rng.normal(0, rng.uniform(0.3, 1.5), (height // 8 + 1, width // 8 + 1)).astype(np.float32)
    paper = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)[:height, :width] + np.float32(bright)
    paper += rng.random(absorbed.shape, dtype=np.float32) * np.float32(2 * grain) - np.float32(grain)
    floor = rng.uniform(5, 45)
    # A quarter of the paper's grain is visible under full ink.
    image = paper - absorbed * (np.float32(0.75) * paper + np.float32(0.25 * bright - floor))
    image = np.clip(image, 0, 255).astype(np.uint8)
    return _compress(image, int(rng.integers(40, 93))) if kind == "jpeg" else image


def _compress(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    with Image.open(file) as compressed:
        return np.asarray(compressed).copy()
