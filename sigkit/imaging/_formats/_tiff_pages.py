"""The pages of TIFF files: directories of tags, each with the position of the next."""

import struct

from sigkit.imaging._error import ImageError, damaged, not_supported
from sigkit.imaging._formats._exif import Directory
from sigkit.imaging._formats._pages import check_count, without_previews

_KIND, _OLD_KIND, _WIDTH, _HEIGHT, _INNER = 254, 255, 256, 257, 330
_REDUCED, _MASK, _OLD_REDUCED = 0x1, 0x4, 2
_MAX_TAGS = 2**20
"""Tags of all pages together: directories can overlap."""


def find_directories(content, page=None):
    """Return the positions of the directories, up to that of a page if one is given.

    Raises
    ------
    ImageError
        If the chain of directories is damaged: pages are missing then.
    """
    places, n_tags, place = [], 0, None
    while place != 0:
        try:
            directory = Directory(content, place)
        except (struct.error, ValueError):
            # The first directory is opened again, by a function that knows what is wrong with it.
            if not places:
                return [None]
            raise damaged(
                f"its page {len(places)} is beyond its end; [0] after the path still reads the first one"
            ) from None
        places.append(place)
        n_tags += len(directory)
        if page is not None and len(places) > page:
            break
        check_count(len(places))
        if n_tags > _MAX_TAGS:
            raise not_supported(f"its pages have more than {_MAX_TAGS:,} tags")
        place = directory.next
        if place in places:
            raise damaged("its pages are in a circle")
    return places


def find_tiff_scans(content, places=None):
    """Return the numbers of the pages that are neither previews nor masks."""
    places = places or find_directories(content)
    if len(places) == 1:
        return [0]
    sizes, numbers = [], []
    for number, place in enumerate(places):
        directory = Directory(content, place)
        try:
            sizes.append((directory.integer(_WIDTH), directory.integer(_HEIGHT)))
            is_scan = min(sizes[-1]) > 0 and not _is_marked(directory)
        except (struct.error, ValueError) as error:
            raise damaged(f"the tags of its page {number} are not valid: {error}") from None
        if is_scan:
            numbers.append(number)
    if not numbers:
        raise ImageError("all of its pages are marked as previews or masks. Add the number of one to the path, as [0].")
    return without_previews(sizes, numbers)


def has_scan_elsewhere(directory):
    """Return whether a directory is a preview, and refers to others for the image, as raw files of cameras do."""
    return _INNER in directory and _is_marked(directory)


def _is_marked(directory):
    marks = directory.integer(_KIND, 0)
    return bool(marks & (_REDUCED | _MASK)) or directory.integer(_OLD_KIND, 0) == _OLD_REDUCED
