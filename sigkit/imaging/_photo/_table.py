"""Find what a sheet lies on: wood, cloth or stone, which is darker than paper and has a texture all over."""

import numpy as np
from PIL import Image
from scipy import ndimage

from sigkit.imaging._error import ImageError

_FINE, _CELL = 2, 12
"""Pixels that are averaged, because noise is no texture; and the side of a cell, in such averages."""

_DARK, _MIN_AREA = 0.75, 0.02
"""Brightness of a table at most, relative to paper, and its least share of the image, without its edge."""

_LOWER, _MIN_STEP, _MIN_SHARE, _MIN_TEXTURED = 0.92, 6, 0.25, 0.75
"""Texture: a share of a cell is darker than its bright parts by a share and a number of gray values; in most cells."""

_MAX_TEXTURED_SHEET = 0.85
"""Share of the cells beside the table that have a texture, too, up to which they are a sheet."""

NO_SHEET = "no signature: there is a texture all over, and no sheet of paper. Leave it out, or take it again."


def find_table(channel):
    """Return where a photograph shows what is beside the sheet, or None.

    It is an area at the border of the image in which nearly every cell is darker than the paper and has darker parts.
    In shadows only those cells have them in which there is ink.

    Parameters
    ----------
    channel : ndarray of shape (height, width), dtype uint8
        The photograph, one of its colors.

    Returns
    -------
    ndarray of shape (height, width), dtype bool, or None
        The mask, with a margin for the edge of the sheet.

    Raises
    ------
    ImageError
        If all of the image has a texture.
    """
    fine = np.asarray(Image.fromarray(channel).reduce(_FINE))
    n_rows, n_columns = (side // _CELL for side in fine.shape)
    if min(n_rows, n_columns) < 3:
        return None
    fine = fine[: n_rows * _CELL, : n_columns * _CELL]
    means = np.asarray(Image.fromarray(fine).reduce(_CELL))
    labels, n_areas = ndimage.label(means < _DARK * np.percentile(means, 95))
    # The edges of shadows are textures, too.
    inner = labels * ndimage.binary_erosion(labels > 0, border_value=1)
    areas = np.bincount(inner.ravel(), minlength=n_areas + 1)
    at_border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    cells = fine.reshape(n_rows, _CELL, n_columns, _CELL).transpose(0, 2, 1, 3)
    is_table = np.zeros(labels.shape, dtype=bool)
    for label in at_border[(at_border > 0) & (areas[at_border] >= _MIN_AREA * labels.size)]:
        if _textured_share(cells[inner == label]) >= _MIN_TEXTURED:
            is_table |= labels == label
    if not is_table.any():
        return None
    if is_table.all() or _textured_share(cells[~is_table]) > _MAX_TEXTURED_SHEET:
        raise ImageError(NO_SHEET)
    grown = ndimage.binary_dilation(is_table, np.ones((3, 3), dtype=bool))
    mask = np.repeat(np.repeat(grown, _FINE * _CELL, axis=0), _FINE * _CELL, axis=1)
    # Rows and columns beyond the last whole cell are like those next to them.
    return np.pad(mask, [(0, whole - part) for whole, part in zip(channel.shape, mask.shape)], mode="edge")


def _textured_share(cells):
    """Return the share of cells that have darker parts."""
    cells = cells.reshape(len(cells), -1)
    bright = np.partition(cells, -_CELL, axis=-1)[:, -_CELL : -_CELL + 1].astype(np.float32)
    is_lower = cells < np.minimum(_LOWER * bright, bright - _MIN_STEP)
    return np.mean(np.mean(is_lower, axis=-1) >= _MIN_SHARE)
