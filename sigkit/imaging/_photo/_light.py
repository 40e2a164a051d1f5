"""How much darker than the paper each pixel of a photograph is, in uneven light."""

import numpy as np

_CELL = 4
"""Side in pixels of the cells in which the brightness of the paper is estimated."""

_DARKEST_PAPER = 0.18
"""What is darker than this share of the brightest paper is no paper: a table, or the black beside a scanned sheet."""


def find_darkness(channels, window):
    """Compare each channel of an image with the brightness of the paper around each pixel.

    The paper is the brightest pixel of each cell of 4 x 4 pixels, after a gray closing, which keeps the edges of
    shadows. Next to such an edge the darker side counts as the paper; otherwise the edge would be a line of ink.

    Parameters
    ----------
    channels : list of ndarray of shape (height, width), dtype uint8
        One channel, or red, green and blue. Both sides are multiples of 4.
    window : int
        Side of the closing in pixels. Anything narrower can be ink.

    Returns
    -------
    ndarray of shape (n_channels, height, width), dtype float32
        0 where the paper is bare, 1 where nothing is reflected.
    """
    cells = np.stack([_brightest(channel) for channel in channels])
    side = max(3, window // _CELL) | 1
    # The margins are those of a closing, and of the erosion after it.
    paper = _running_maximum(_continued(cells.astype(np.float32), side), side)
    paper = -_running_maximum(-paper, side + 2)
    # Maxima are brighter than the paper, by as much in a shadow as outside of it.
    centers = np.stack([channel[_CELL // 2 :: _CELL, _CELL // 2 :: _CELL] for channel in channels])
    sample = paper[:, ::2, ::2]
    paper -= percentile((sample - centers[:, ::2, ::2]).reshape(len(paper), -1), 50)[:, np.newaxis, np.newaxis]
    brightest = percentile(sample.reshape(len(paper), -1), 95)[:, np.newaxis, np.newaxis]
    floor = np.maximum(_DARKEST_PAPER * brightest, 1)
    gain = (1 / np.maximum(paper, 1)).astype(np.float32)
    darkness = np.empty((len(channels), *channels[0].shape), dtype=np.float32)
    for channel, gain_of_cells, result in zip(channels, gain, darkness):
        columns = np.repeat(gain_of_cells, _CELL, axis=1)[:, np.newaxis]
        rows = channel.reshape(-1, _CELL, channel.shape[1])
        np.multiply(rows, columns, out=result.reshape(rows.shape))
    np.subtract(1, darkness, out=darkness)
    if (paper < floor).any():
        no_paper = (paper < floor).any(axis=0)
        cells = darkness.reshape(len(channels), len(no_paper), _CELL, -1, _CELL)
        cells.transpose(1, 3, 0, 2, 4)[no_paper] = 0
    return darkness


def percentile(values, share):
    """Return a percentile along the last axis: one of the values, several times faster than by interpolation."""
    number = int(share / 100 * (values.shape[-1] - 1) + 0.5)
    return np.partition(values, number, axis=-1)[..., number]


def _brightest(channel):
    """Return the maximum of each cell."""
    # Strided maxima are several times faster than a reduction of two axes.
    rows = channel[::_CELL]
    for offset in range(1, _CELL):
        rows = np.maximum(rows, channel[offset::_CELL])
    cells = rows[:, ::_CELL]
    for offset in range(1, _CELL):
        cells = np.maximum(cells, rows[:, offset::_CELL])
    return cells


def _continued(cells, margin):
    """Add a margin on all sides, in which the brightness continues to fall where it falls towards the border.

    Otherwise the closing would take the brightness of the paper further inside for that at the border.
    """
    for axis in (1, 2):
        inner = cells.swapaxes(0, axis)
        near = min(margin, len(inner) // 2)
        margins = []
        for ordered in (inner, inner[::-1]):
            if near < 2:
                margins.append(np.repeat(ordered[:1], margin, axis=0))
                continue
            # Maxima are those of the paper, even if there is ink.
            first, second = ordered[:near].max(axis=0), ordered[near : 2 * near].max(axis=0)
            fall = np.clip((second - first) / near, 0, 0.05 * first)
            steps = np.arange(margin, 0, -1).reshape(-1, 1, 1) + near - 1
            margins.append(first - fall * steps)
        cells = np.concatenate([margins[0], inner, margins[1][::-1]]).swapaxes(0, axis)
    return cells


def _running_maximum(values, side):
    """Return the maximum in each square window that is within the last two axes."""
    for axis in (1, 2):
        values = values.swapaxes(0, axis)
        covered = 1
        # Windows of 1, 2, 4, ... elements, and a last one that overlaps.
        while covered < side:
            step = min(covered, side - covered)
            values = np.maximum(values[:-step], values[step:])
            covered += step
        values = values.swapaxes(0, axis)
    return values
