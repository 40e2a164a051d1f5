"""The steps of preprocessing for single scans, in any process.

They return errors instead of raising them, so that one error can name all scans that cannot be used.
"""

from typing import NamedTuple

import numpy as np

from sigkit._utils import scan_digest
from sigkit.imaging import (
    ImageError,
    check_resampled,
    crop_ink,
    dpi_of_scan,
    place_ink,
    preprocess_image,
    read_with_resolution,
    stated_resolution,
)
from sigkit.transformers._memory import ImageMemory
from sigkit.transformers._packed_ink import pack_ink, pack_issues, unpack_ink, unpack_issues
from sigkit.transformers._scans import read_content

_MAX_INK = 10_000
"""Pixels of the longest side of ink that canvas_size="max" takes: 42 cm at 600 dpi."""


class ScanSettings(NamedTuple):
    """Parameters of a preprocessor on which the ink of a scan depends, and the memory limit."""

    background: str
    check: bool
    resolution: float | str | None
    max_memory: float


class FoundInk(NamedTuple):
    """What is kept of a scan until the canvas is known; each is None if there is none."""

    digest: str | None = None
    packed: dict | None = None
    stated: tuple | None = None


def compute_chunk(chunk, *shared):
    """Call a function on each of several scans; return the results, and the problem of a cache or None."""
    function, items = chunk
    results = [function(item, *shared) for item in items]
    memories = (thing for thing in shared if isinstance(thing, ImageMemory))
    return results, next((memory.problem for memory in memories if memory.problem), None)


def find_ink_of_scan(named_scan, memory, settings, keep):
    """Return the `FoundInk` of a scan, and the shape of its ink."""
    name, scan = named_scan
    try:
        content, page, digest = _identify(scan, memory, settings.max_memory)
        packed = memory.get(digest)
        found = unpack_ink(packed)
        if found is None:
            pixels, stated, dpi = _decode(content, page, settings)
            found = crop_ink(pixels, settings.background, settings.check, dpi)
            packed = pack_ink(found) if keep or memory else None
            memory.put(digest, **(packed or {}))
        else:
            stated = _stated(content, page, settings)
        shape = found[0].shape
        if max(shape) > _MAX_INK:
            raise ImageError(
                f'its ink is {shape[0]} x {shape[1]} pixels, and canvas_size="max" takes at most {_MAX_INK:,} on a '
                "side. Crop it, leave it out, or pass canvas_size as two integers."
            )
    except ImageError as error:
        return ImageError(f"{name}: {error}")
    return FoundInk(digest, packed if keep else None, stated), shape


def preprocess_scan(item, memory, ink_memory, settings, canvas_size, image_size):
    """Return the image of a scan, its issues and the resolution that its file states.

    They come from the cache, from the scan's ink, or from the scan itself.
    """
    (name, scan), (digest, packed, stated) = item
    content = None
    try:
        if memory and digest is None:
            content, page, digest = _identify(scan, memory, settings.max_memory)
            stated = _stated(content, page, settings)
        found = _look_up(memory, digest, image_size)
        if found is not None:
            return *found, stated
        ink = unpack_ink(packed or ink_memory.get(digest))
        if ink is not None:
            image, issues = place_ink(ink, canvas_size, image_size)
        else:
            if content is None:
                content, page, digest = _identify(scan, memory, settings.max_memory)
            pixels, stated, dpi = _decode(content, page, settings)
            image, issues = preprocess_image(
                pixels, canvas_size, image_size, settings.background, settings.check, resolution=dpi
            )
    except ImageError as error:
        return ImageError(f"{name}: {error}")
    memory.put(digest, image=image, issues=pack_issues(issues))
    return image, issues, stated


def state_resolution(named_scan, settings):
    """Return the resolution that the file of a scan states; None also if the file cannot be read."""
    try:
        return _stated(*read_content(named_scan[1], settings.max_memory), settings)
    except ImageError:
        return None


def _stated(content, page, settings):
    """Return the resolution that a file states, where it matters: that of a PDF file takes a process."""
    is_needed = isinstance(content, bytes) and settings.background != "photo"
    return stated_resolution(content, page) if is_needed else None


def _identify(scan, memory, max_memory):
    """Return the bytes of a file, or the array; the page; and its digest if there is a cache to find it in."""
    content, page = read_content(scan, max_memory)
    return content, page, scan_digest(content, page) if memory else None


def _decode(content, page, settings):
    """Return the pixels of a scan, the resolution that its file states, and that from which it is resampled."""
    is_photo = settings.background == "photo"
    pixels, stated = content, None
    if isinstance(content, bytes):
        pixels, stated = read_with_resolution(content, page, is_photo, settings.max_memory)
    dpi = dpi_of_scan(stated, settings.resolution, settings.background)
    if dpi is not None:
        check_resampled(pixels.shape, dpi, is_photo, settings.max_memory)
    return pixels, stated, dpi


def _look_up(memory, digest, image_size):
    """Return the cached image and its issues, or None; entries that this class cannot have written are ignored."""
    entry = memory.get(digest) or {}
    if entry.keys() != {"image", "issues"} or entry["image"].shape != image_size or entry["image"].dtype != np.uint8:
        return None
    try:
        return entry["image"], unpack_issues(entry["issues"])
    except ValueError:
        return None
