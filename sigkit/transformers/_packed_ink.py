"""Cropped ink as a few small arrays, to keep it in memory, send it to other processes, or save it to a cache."""

import json
import zlib

import numpy as np

_TYPES = {"pixels": np.uint8, "numbers": np.int64, "issues": np.uint8}


def pack_ink(ink):
    """Compress the result of `crop_ink` into a dict of arrays.

    Most pixels are background. The fastest level of zlib reduces the ink of a CEDAR or BHSig260 scan to a twelfth of
    its size in a tenth of the time that `crop_ink` takes.
    """
    numbers = [*ink.pixels.shape, *ink.center, ink.min_ink]
    return {
        "pixels": np.frombuffer(zlib.compress(ink.pixels, 1), dtype=np.uint8),
        "numbers": np.array(numbers, dtype=np.int64),
        "issues": pack_issues(ink.issues),
    }


def unpack_ink(arrays):
    """Return cropped ink as `place_ink` takes it, or None if the arrays are not packed ink."""
    if arrays is None or {name: array.dtype for name, array in arrays.items()} != _TYPES:
        return None
    if arrays["numbers"].shape != (5,):
        return None
    height, width, *center, min_ink = arrays["numbers"].tolist()
    limits = zip((*center, min_ink), (height, width, 255))
    if min(height, width) < 1 or not all(0 <= number <= limit for number, limit in limits):
        return None
    try:
        # One byte more than there should be, so that longer content does not fit.
        pixels = zlib.decompressobj().decompress(arrays["pixels"], height * width + 1)
        pixels = np.frombuffer(pixels, dtype=np.uint8).reshape(height, width)
        return pixels, tuple(center), min_ink, unpack_issues(arrays["issues"])
    except (zlib.error, ValueError, OverflowError):
        # The entry of a cache was damaged.
        return None


def pack_issues(issues):
    """Return a dict of strings as an array of bytes."""
    return np.frombuffer(json.dumps(issues).encode(), dtype=np.uint8)


def unpack_issues(array):
    """Return the dict of strings of `pack_issues`; other content is a ValueError."""
    issues = json.loads(array.tobytes())
    if not isinstance(issues, dict) or not all(isinstance(text, str) for text in issues.values()):
        raise ValueError(f"not a dict of strings: {issues!r}")
    return issues
