"""Take all measures of a scan."""

import math
from typing import NamedTuple

import numpy as np
from PIL import Image

from sigkit.imaging._quality import _borders as borders
from sigkit.imaging._quality import _cells as measures
from sigkit.imaging._threshold import count_grays, otsu_of_histogram

_MAX_PIXELS = 4_000_000
"""Pixels of a scan beyond which a smaller version is measured."""


class Measures(NamedTuple):
    """The measures of a scan; `ScanQuality` explains them."""

    height: int
    width: int
    ink_share: float
    contrast: int
    noise: float
    speckle: float
    uneven_light: float
    solid_share: float
    pale_share: float
    dark_edges: int
    edge_depth: int
    horizontal_line: float
    vertical_line: float
    cut_strokes: int
    ink_height: int
    ink_width: int
    stray_distance: float
    gap_share: float
    n_parts: int
    n_lines: int
    frame_share: float
    stroke_width: float
    edge_width: float


def measure_scan(image, threshold):
    """Measure a scan whose ink are the pixels at or below a threshold, a number or one number per pixel."""
    factor = math.ceil(math.sqrt(image.size / _MAX_PIXELS))
    if factor == 1:
        return _measure(image, threshold)
    small = np.asarray(Image.fromarray(image).reduce(factor))
    if np.ndim(threshold):
        threshold = np.asarray(Image.fromarray(threshold).reduce(factor))
    else:
        counts = count_grays(small)
        threshold = otsu_of_histogram(counts) if np.count_nonzero(counts) > 1 else threshold
    found = _measure(small, threshold)
    lengths = ("edge_depth", "ink_height", "ink_width", "stroke_width", "edge_width")
    scaled = {name: getattr(found, name) * factor for name in lengths}
    return found._replace(height=image.shape[0], width=image.shape[1], **scaled)


def _measure(image, threshold):
    counts = count_grays(image)
    is_ink = image <= threshold
    n_ink = int(np.count_nonzero(is_ink))
    of_ink = np.bincount(image[is_ink], minlength=256)
    ink, paper = measures.middle_gray(of_ink), measures.middle_gray(counts - of_ink)
    contrast = max(1, paper - ink)
    transposed = np.ascontiguousarray(is_ink.T)
    edges = borders.find_edges(is_ink)
    cells = measures.make_cells(image, is_ink)
    strokes = measures.measure_strokes(is_ink, transposed)
    layout = measures.measure_layout(cells)
    outline = max(1.0, strokes.outline)
    return Measures(
        height=image.shape[0],
        width=image.shape[1],
        ink_share=n_ink / image.size,
        contrast=contrast,
        noise=measures.measure_noise(image),
        speckle=measures.measure_speckle(is_ink),
        uneven_light=measures.measure_light(cells.grays, contrast),
        solid_share=measures.measure_solid(is_ink, strokes.run),
        pale_share=measures.measure_pale(cells, paper, contrast),
        dark_edges=sum(depth > 0 for depth in edges),
        edge_depth=max(edges),
        horizontal_line=borders.find_line(is_ink),
        vertical_line=borders.find_line(transposed),
        cut_strokes=borders.count_cut_strokes(is_ink, strokes.run),
        ink_height=layout.height,
        ink_width=layout.width,
        stray_distance=layout.stray,
        gap_share=layout.gap,
        n_parts=layout.n_parts,
        n_lines=layout.n_lines,
        frame_share=min(1.0, layout.frame / max(image.shape)),
        stroke_width=2 * n_ink / outline,
        # Between a quarter and three quarters of the way from ink to paper.
        edge_width=int(counts[int(ink + contrast / 4) : int(ink + 3 * contrast / 4)].sum()) / outline,
    )
