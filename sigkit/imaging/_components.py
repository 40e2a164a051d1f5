"""Which connected pieces of ink belong to a signature."""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage
from scipy.sparse.csgraph import connected_components

from sigkit.imaging._read import ImageError

_EIGHT_NEIGHBORS = np.ones((3, 3), dtype=bool)
_MIN_SIDE = 12
_MIN_BEND = 0.03
_NOTHING = "no signature: {}. Leave it out, or take it again."


class Pieces:
    """The connected components of a mask, with their sizes and boxes (top, bottom, left, right); 0 is the paper."""

    def __init__(self, mask):
        self.labels, self.n = ndimage.label(mask, structure=_EIGHT_NEIGHBORS)
        self.sizes = np.bincount(self.labels.ravel(), minlength=self.n + 1)
        self.sizes[0] = 0
        found = ndimage.find_objects(self.labels)
        self.boxes = np.array([[0, 0, 0, 0]] + [[r.start, r.stop, c.start, c.stop] for r, c in found])

    def share(self, where):
        """Return the share of each component's pixels for which a mask is true."""
        counts = np.bincount(self.labels[where], minlength=self.n + 1)
        return counts / np.maximum(self.sizes, 1)

    def is_at_border(self):
        """Return whether each component touches the border of the image."""
        height, width = self.labels.shape
        top, bottom, left, right = self.boxes.T
        return (top == 0) | (bottom == height) | (left == 0) | (right == width)

    def mask(self, kept):
        """Return the mask of the components that are kept, a boolean for each."""
        kept = kept.copy()
        kept[0] = False
        return kept[self.labels]


def find_blobs(mask, width):
    """Return where the ink is much thicker than a stroke of this width, or None: shadows, black edges, thumbs."""
    radius = int(max(5, 1.5 * width))
    if min(mask.shape) <= 2 * radius + 1:
        return None
    image = Image.fromarray(mask.view(np.uint8) * 255)
    solid = np.asarray(image.filter(ImageFilter.BoxBlur(radius))) >= 250
    if not solid.any():
        return None
    return ndimage.maximum_filter(solid, 2 * radius + 5)


def group(pieces, kept):
    """Return the components of the largest group: components are in one group if the gap between them is small.

    A group with at least a seventh of the ink of the largest belongs to the signature as well, such as a second word.
    """
    ids = np.flatnonzero(kept)
    if len(ids) < 2:
        return kept
    boxes = pieces.boxes[ids].astype(np.float32)
    is_large = pieces.sizes[ids] >= 0.1 * pieces.sizes[ids].max()
    large = boxes[is_large]
    extent = max(large[:, 1].max() - large[:, 0].min(), large[:, 3].max() - large[:, 2].min())
    # A dot is closer to its letter than a word to the next.
    reach = extent * np.where(is_large[:, np.newaxis] & is_large, 0.25, 0.12)
    row_gap = np.maximum(boxes[:, np.newaxis, 0] - boxes[:, 1], boxes[:, 0] - boxes[:, np.newaxis, 1])
    column_gap = np.maximum(boxes[:, np.newaxis, 2] - boxes[:, 3], boxes[:, 2] - boxes[:, np.newaxis, 3])
    is_near = np.maximum(row_gap, 0) ** 2 + np.maximum(column_gap, 0) ** 2 <= reach**2
    _, groups = connected_components(is_near, directed=False)
    ink = np.bincount(groups, weights=pieces.sizes[ids])
    result = np.zeros_like(kept)
    result[ids[(ink >= ink.max() / 7)[groups]]] = True
    return result


def check_is_signature(mask, pieces, kept):
    """Raise an `ImageError` if the ink is too small for a signature, or no more than straight lines."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        raise ImageError(_NOTHING.format("there are only lines and specks on the paper"))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    if max(height, width) < _MIN_SIDE:
        raise ImageError(_NOTHING.format(f"the ink is {height} x {width} pixels"))
    if len(rows) > 0.3 * mask.size:
        raise ImageError(_NOTHING.format(f"{len(rows) / mask.size:.0%} of the image are darker than the paper"))
    bent = sum(pieces.sizes[label] for label in np.flatnonzero(kept) if not _is_straight(pieces, label))
    if bent < 0.2 * len(rows):
        raise ImageError(_NOTHING.format("the ink is only straight lines"))


def _is_straight(pieces, label):
    top, bottom, left, right = pieces.boxes[label]
    rows, columns = np.nonzero(pieces.labels[top:bottom, left:right] == label)
    if len(rows) < 3:
        return True
    small, large = np.linalg.eigvalsh(np.cov(np.stack([rows, columns])))
    return small < _MIN_BEND**2 * large
