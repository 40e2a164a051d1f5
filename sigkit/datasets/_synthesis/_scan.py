"""From ink on paper to the file of a scanner."""

import io

import numpy as np
from PIL import Image

SCANS = ("grey", "two-valued", "jpeg")
"""What scanners write: shades of grey, black and white, or shades of grey after lossy compression."""


def scan(kept, kind, rng):
    """Scan a sheet.

    Parameters
    ----------
    kept : ndarray of shape (n_rows, n_columns), dtype float32
        Share of the light that the ink keeps back.
    kind : {"grey", "two-valued", "jpeg"}
        What the scanner writes.
    rng : numpy.random.Generator
        Draws the paper, the scanner's settings, and its noise.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype uint8
        The scan; paper is bright.
    """
    if kind == "two-valued":
        threshold = rng.uniform(0.2, 0.45) * kept.max()
        rough = rng.random(kept.shape, dtype=np.float32) * 0.12 - 0.06
        return np.where((kept > 0) & (kept + rough > threshold), np.uint8(0), np.uint8(255))
    bright, grain = rng.uniform(228, 246), rng.uniform(2, 9)
    coarse = rng.normal(0, rng.uniform(0.3, 1.5), (kept.shape[0] // 8 + 1, kept.shape[1] // 8 + 1)).astype(np.float32)
    paper = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)[: kept.shape[0], : kept.shape[1]] + np.float32(bright)
    paper += rng.random(kept.shape, dtype=np.float32) * np.float32(2 * grain) - np.float32(grain)
    floor = rng.uniform(5, 45)
    # Under full ink a quarter of the paper's grain still shows.
    image = paper - kept * (np.float32(0.75) * paper + np.float32(0.25 * bright - floor))
    image = np.clip(image, 0, 255).astype(np.uint8)
    return _compress(image, int(rng.integers(40, 93))) if kind == "jpeg" else image


def _compress(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    with Image.open(file) as compressed:
        return np.asarray(compressed).copy()
