"""Find what a sheet lies on, such as wood, cloth or stone: darker than paper or of another color, with a texture."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from sigkit.imaging._error import ImageError
from sigkit.imaging._photo._light import percentile

_FINE, _CELL = 2, 12
"""Pixels that are averaged, because noise is no texture; and the side of a cell, in such averages."""

_DARK, _PALE, _MIN_AREA = 0.75, 0.9, 0.02
"""Brightness of a table at most, relative to paper, and where it has a texture; and its least share of the image,
without its edge."""

_MIN_SIDE, _MIN_INNER, _MIN_CELLS, _MIN_SHEET = 8, 4, 4, 0.3
"""At least: cells along a side, because the ink of a scan that is cropped closely fills cells, too; cells of a table
without its edge; cells of another part of it; and the share of the image that is the sheet."""

_MIN_DOUBTFUL = 0.3
"""Share of the cells at the border; in scans of signatures it is at most 0.05 where there is ink."""

_COLORED = 0.12
"""How much the color of half of a cell differs from that of most of the paper, relatively."""

_LOWER, _MIN_STEP, _MIN_SHARE, _MIN_TEXTURED = 0.92, 6, 0.25, 0.75
"""Texture: a share of a cell is darker than its bright parts by a share and a number of gray values; in most cells."""

_MAX_TEXTURED_SHEET = 0.85
"""Share of the cells beside the table that have a texture, too, up to which they are a sheet."""

_MIN_DIFFERENCE, _MIN_UNEVEN = 0.05, 0.5
"""Coarse texture of an area with a color of its own: cells next to each other differ by a share; in most cells."""

NO_SHEET = "no signature: there is a texture all over, and no sheet of paper. Leave it out, or take it again."

_CROSS = ndimage.generate_binary_structure(2, 1)


class _Cells(NamedTuple):
    """For each cell: mean, median, share of pixels that are darker than its bright parts, and if it has a color."""

    means: np.ndarray
    medians: np.ndarray
    lower: np.ndarray
    is_colored: np.ndarray


def find_table(channels):
    """Return where a photograph shows what is beside the sheet, and where it may do so.

    It is an area at the border of the image in which nearly every cell is darker than the paper or has another color,
    and has darker parts. In shadows only those cells have them in which there is ink.

    Parameters
    ----------
    channels : list of ndarray of shape (height, width), dtype uint8
        The photograph: one channel, or red, green and blue.

    Returns
    -------
    table : ndarray of shape (height, width), dtype bool, or None
        The mask, with a margin for the edge of the sheet.
    doubtful : ndarray of shape (n_rows, n_columns), dtype bool, or None
        Cells at the border that look like a table or a shadow, if they are many, and are not in the mask.

    Raises
    ------
    ImageError
        If all of the image has a texture.
    """
    if min(channels[0].shape) < _MIN_SIDE * _FINE * _CELL:
        return None, None
    cells = _measure(channels)
    means, is_textured = cells.means, cells.lower >= _MIN_SHARE
    paper = np.percentile(means, 95)
    is_other = (means < _DARK * paper) | cells.is_colored | (is_textured & (cells.medians < _PALE * paper))
    labels, n_areas = ndimage.label(is_other)
    # The edges of shadows are textures, too.
    inner = labels * ndimage.binary_erosion(labels > 0, border_value=1)
    areas = np.bincount(inner.ravel(), minlength=n_areas + 1)
    at_border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    darkest, brightest = (cross(means, footprint=_CROSS) for cross in (ndimage.minimum_filter, ndimage.maximum_filter))
    is_uneven = is_textured | (cells.is_colored & (darkest < (1 - _MIN_DIFFERENCE) * brightest))

    def has_texture(area):
        if np.mean(is_textured[area]) >= _MIN_TEXTURED:
            return True
        return np.mean(cells.is_colored[area]) >= _MIN_TEXTURED and np.mean(is_uneven[area]) >= _MIN_UNEVEN

    is_table = np.zeros(labels.shape, dtype=bool)
    for label in at_border[(at_border > 0) & (areas[at_border] >= max(_MIN_INNER, _MIN_AREA * labels.size))]:
        if has_texture(inner == label):
            is_table |= labels == label
    doubtful = _at_border(is_other & ~is_table)
    if not is_table.any():
        return None, doubtful
    # On its other sides less of it may be seen.
    for label in at_border[at_border > 0]:
        area = labels == label
        if not is_table[area].any() and np.count_nonzero(area) >= _MIN_CELLS and has_texture(area):
            is_table |= area
    if is_table.all() or is_textured[~is_table].mean() > _MAX_TEXTURED_SHEET:
        raise ImageError(NO_SHEET)
    # What the table encloses is a part of it, but for the sheet.
    parts, _ = ndimage.label(~is_table)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    if sizes.max() < _MIN_SHEET * parts.size:
        return None, doubtful
    grown = ndimage.binary_dilation(parts != sizes.argmax(), np.ones((3, 3), dtype=bool))
    mask = np.repeat(np.repeat(grown, _FINE * _CELL, axis=0), _FINE * _CELL, axis=1)
    # Rows and columns beyond the last whole cell are like those next to them.
    table = np.pad(mask, [(0, whole - part) for whole, part in zip(channels[0].shape, mask.shape)], mode="edge")
    return table, _at_border(is_other & ~grown)


def share_beside_sheet(mask, corner, doubtful):
    """Return the share of ink that is in doubtful cells.

    Parameters
    ----------
    mask : ndarray of shape (height, width), dtype bool
        The ink within a box.
    corner : tuple of (int, int)
        Row and column of the box.
    doubtful : ndarray of shape (n_rows, n_columns), dtype bool, or None
        The cells.

    Returns
    -------
    float
        From 0 to 1.
    """
    if doubtful is None:
        return 0.0
    cells = [
        np.minimum((at + start) // (_FINE * _CELL), side - 1)
        for at, start, side in zip(np.nonzero(mask), corner, doubtful.shape)
    ]
    return float(doubtful[tuple(cells)].mean())


def _at_border(cells):
    """Return those of cells that are at the border, or None if they are few."""
    is_border = np.ones_like(cells)
    is_border[1:-1, 1:-1] = False
    return cells & is_border if cells[is_border].mean() >= _MIN_DOUBTFUL else None


def _measure(channels):
    """Return the `_Cells` of a photograph."""
    by_channel = [_cells_of(channel) for channel in channels]
    of_middle = by_channel[len(channels) // 2]
    bright = np.partition(of_middle, -_CELL, axis=-1)[..., -_CELL, np.newaxis].astype(np.float32)
    lower = np.mean(of_middle < np.minimum(_LOWER * bright, bright - _MIN_STEP), axis=-1)
    means, medians = of_middle.mean(axis=-1), percentile(of_middle, 50)
    if len(channels) == 1:
        return _Cells(means, medians, lower, np.zeros(means.shape, dtype=bool))
    colors = np.stack([percentile(cells, 50) for cells in by_channel]).astype(np.float32)
    colors /= np.maximum(colors.mean(axis=0), 1)
    is_bright = means > _DARK * np.percentile(means, 95)
    paper = np.median(colors[:, is_bright], axis=1)[:, np.newaxis, np.newaxis]
    return _Cells(means, medians, lower, np.abs(colors / np.maximum(paper, 0.1) - 1).max(axis=0) > _COLORED)


def _cells_of(channel):
    """Return the averages of each cell, shape (rows, columns, pixels of a cell)."""
    fine = np.asarray(Image.fromarray(channel).reduce(_FINE))
    n_rows, n_columns = (side // _CELL for side in fine.shape)
    fine = fine[: n_rows * _CELL, : n_columns * _CELL]
    return fine.reshape(n_rows, _CELL, n_columns, _CELL).swapaxes(1, 2).reshape(n_rows, n_columns, -1)
