"""Whether the sizes of signatures can be compared: the resolutions of their scans, and a few of another size."""

from numbers import Real
from statistics import median_low

import numpy as np

from sigkit.imaging import CANVAS_DPI, fit_canvas

_DIFFERENT = 0.05
"""Relative difference of resolutions that is reported."""

_OUTSIZE, _OUTSIZE_OF_FEW, _FEW = 2.0, 4.0, 5
_OUTSIZE_SHARE = 0.1


def usual_resolution(stated):
    """Return the resolution in dpi that most scans state, or None if most state none."""
    known = [resolution.across for resolution in stated if resolution and resolution.is_known]
    return float(median_low(known)) if known and 2 * len(known) >= len(stated) else None


def find_size_issues(stated, setting, usual):
    """Return the issues of a scan by what its file states about its resolution, by kind.

    `usual` is the resolution of the scans in `fit`, or None.
    """
    if stated and stated.other:
        return {"two_dpi": str(stated)}
    if setting == "file":
        if stated and stated.is_known:
            return {}
        return {"unknown_dpi": f"the file states {stated}" if stated else "the file states none"}
    if stated is None:
        return {}
    if setting is None and not stated.is_square:
        return {"pixel_shape": str(stated)}
    if stated.is_absurd:
        return {"absurd_dpi": str(stated)}
    expected = setting or usual or CANVAS_DPI
    is_other = any(abs(side / expected - 1) > _DIFFERENT for side in stated.dpi)
    return {"resolution": str(stated)} if is_other and (stated.is_known or not stated.is_square) else {}


def describe_expected(setting, usual):
    """Describe the resolution that files are expected to state."""
    if isinstance(setting, Real):
        return f"resolution={setting:g}"
    if usual is not None:
        return f"the {usual:.4g} dpi that the scans in fit state most often"
    return f"the {CANVAS_DPI} dpi that scans without a known one are taken to have"


def find_outsize(shapes, image_size):
    """Find scans that would decide a canvas of "max", although their ink is much larger than that of all others.

    At most a tenth of the scans can be outsize, or one. They are twice as large as the next one, four times if there
    are fewer than five. In all subsets of CEDAR, BHSig260 and SigComp2011 with five scans or more that were drawn at
    random, fewer than 1 in 400 have such a scan.

    Parameters
    ----------
    shapes : list of tuple of (int, int)
        Rows and columns of the ink of each scan.
    image_size : tuple of (int, int)
        Rows and columns of the image.

    Returns
    -------
    dict of int to str
        By their positions, the size of each, and the canvas without them.
    """
    sizes = np.max(np.asarray(shapes) / image_size, axis=1)
    order = np.argsort(-sizes, kind="stable")
    n_possible = min(max(1, int(_OUTSIZE_SHARE * len(order))), len(order) - 1)
    if n_possible < 1:
        return {}
    ratios = sizes[order[:n_possible]] / sizes[order[1 : n_possible + 1]]
    n_outsize = int(ratios.argmax()) + 1
    if ratios[n_outsize - 1] <= (_OUTSIZE if len(order) >= _FEW else _OUTSIZE_OF_FEW):
        return {}
    outsize, others = order[:n_outsize], order[n_outsize:]
    canvas = fit_canvas(np.asarray(shapes)[others].max(axis=0).tolist(), image_size)
    without = "canvas without it {} x {}".format(*canvas)
    return {int(position): "{} x {} pixels, ".format(*shapes[position]) + without for position in outsize}
