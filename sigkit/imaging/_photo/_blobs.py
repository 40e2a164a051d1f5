"""Find what is much thicker than a stroke: shadows, black edges, a thumb."""

import numpy as np
from PIL import Image, ImageFilter

from sigkit.imaging._photo._components import MIN_LENGTH_OF_STROKE

_MIN_BLOB = 5


def stroke_width(pieces):
    """Return the median width of strokes, 0 if there are none: what is compact or touches the border is no stroke."""
    widths = pieces.widths
    is_stroke = (pieces.sizes >= MIN_LENGTH_OF_STROKE * widths**2) & ~pieces.is_at_border() & (pieces.sizes > 12)
    if not is_stroke.any():
        return 0.0
    order = np.argsort(widths[is_stroke])
    ink = np.cumsum(pieces.sizes[is_stroke][order])
    return float(widths[is_stroke][order][np.searchsorted(ink, ink[-1] / 2)])


def find_blobs(mask, width):
    """Return where the ink is much thicker than a stroke of this width, or None: shadows, black edges, thumbs."""
    radius = int(max(_MIN_BLOB, 1.5 * width))
    full = np.flatnonzero(_full_cells(mask)) if min(mask.shape) > 2 * radius + 1 else ()
    if not len(full):
        return None
    # Only the part of the mask around full cells is blurred.
    part = []
    for cells in np.divmod(full, mask.shape[1] // 4 - 1):
        part.append(slice(max(0, 4 * int(cells.min()) - 2 * radius), 4 * int(cells.max()) + 2 * radius + 8))
    part = tuple(part)
    image = Image.fromarray(mask[part].view(np.uint8) * 255)
    solid = np.zeros_like(mask)
    solid[part] = np.asarray(image.filter(ImageFilter.BoxBlur(radius))) >= 250
    return dilate(solid, radius + 2) if solid[part].any() else None


def may_have_blobs(mask):
    """Return False if `find_blobs` finds none, whatever the width, in a fraction of the time."""
    return bool(_full_cells(mask).any())


def _full_cells(mask):
    """Return where two by two aligned cells of 4 x 4 pixels are full: a square of eleven pixels covers such cells."""
    height, width = (side // 4 * 4 for side in mask.shape)
    cells = mask[:height, :width].view(np.uint8).reshape(height // 4, 4, width)
    cells = np.bitwise_and.reduce(cells, axis=1).reshape(-1, width // 4, 4)
    cells = cells[..., 0] & cells[..., 1] & cells[..., 2] & cells[..., 3]
    return cells[1:, 1:] & cells[:-1, 1:] & cells[1:, :-1] & cells[:-1, :-1]


def dilate(mask, radius):
    """Return whether there is a pixel of the mask in the square of this radius around each pixel."""
    for axis in (0, 1):
        mask = mask.T if axis else mask
        grown = np.zeros((len(mask) + 2 * radius, mask.shape[1]), dtype=bool, order="F" if axis else "C")
        grown[radius : radius + len(mask)] = mask
        covered, side = 1, 2 * radius + 1
        while covered < side:
            step = min(covered, side - covered)
            grown = grown[:-step] | grown[step:]
            covered += step
        mask = grown.T if axis else grown
    return mask
