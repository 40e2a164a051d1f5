"""The steps of preprocessing for single scans, in any process.

They return errors instead of raising them, so that one error can name all scans that cannot be used.
"""

import numpy as np

from sigkit._utils import scan_digest
from sigkit.imaging import ImageError, crop_ink, place_ink, preprocess_image, read_image
from sigkit.transformers._memory import ImageMemory
from sigkit.transformers._packed_ink import pack_ink, pack_issues, unpack_ink, unpack_issues
from sigkit.transformers._scans import read_content

_MAX_INK = 10_000
"""Pixels of the longest side of ink that canvas_size="max" takes: 42 cm at 600 dpi."""


def compute_chunk(chunk, *shared):
    """Call a function on each of several scans; return the results, and the problem of a cache or None."""
    function, items = chunk
    results = [function(item, *shared) for item in items]
    memories = (thing for thing in shared if isinstance(thing, ImageMemory))
    return results, next((memory.problem for memory in memories if memory.problem), None)


def find_ink_of_scan(named_scan, memory, background, check, max_memory, keep):
    """Return the digest of a scan (None without a cache), the shape of its ink, and its packed ink (None: not kept)."""
    name, scan = named_scan
    try:
        content, page, digest = _identify(scan, memory, max_memory)
        packed = memory.get(digest)
        found = unpack_ink(packed)
        if found is None:
            found = crop_ink(_decode(content, page, background, max_memory), background, check)
            packed = pack_ink(found) if keep or memory else None
            memory.put(digest, **(packed or {}))
        shape = found[0].shape
        if max(shape) > _MAX_INK:
            raise ImageError(
                f'its ink is {shape[0]} x {shape[1]} pixels, and canvas_size="max" takes at most {_MAX_INK:,} on a '
                "side. Crop it, leave it out, or pass canvas_size as two integers."
            )
    except ImageError as error:
        return ImageError(f"{name}: {error}")
    return digest, shape, packed if keep else None


def preprocess_scan(item, memory, ink_memory, settings, max_memory):
    """Return the image of a scan and its issues: from the cache, from its ink, or from the scan itself."""
    name, scan, digest, packed = item
    content = None
    try:
        if memory and digest is None:
            content, page, digest = _identify(scan, memory, max_memory)
        found = _look_up(memory, digest, settings["image_size"])
        if found is not None:
            return found
        ink = unpack_ink(packed or ink_memory.get(digest))
        if ink is not None:
            image, issues = place_ink(ink, settings["canvas_size"], settings["image_size"])
        else:
            if content is None:
                content, page, digest = _identify(scan, memory, max_memory)
            image, issues = preprocess_image(_decode(content, page, settings["background"], max_memory), **settings)
    except ImageError as error:
        return ImageError(f"{name}: {error}")
    memory.put(digest, image=image, issues=pack_issues(issues))
    return image, issues


def _identify(scan, memory, max_memory):
    """Return the bytes of a file, or the array; the page; and its digest if there is a cache to find it in."""
    content, page = read_content(scan, max_memory)
    return content, page, scan_digest(content, page) if memory else None


def _decode(content, page, background, max_memory):
    if not isinstance(content, bytes):
        return content
    return read_image(content, page=page, color=background == "photo", max_memory=max_memory)


def _look_up(memory, digest, image_size):
    """Return the cached image and its issues, or None; entries that this class cannot have written are ignored."""
    entry = memory.get(digest) or {}
    if entry.keys() != {"image", "issues"} or entry["image"].shape != image_size or entry["image"].dtype != np.uint8:
        return None
    try:
        return entry["image"], unpack_issues(entry["issues"])
    except ValueError:
        return None
