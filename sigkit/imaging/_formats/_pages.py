"""Choose one page of a file with several."""

from sigkit.imaging._error import ImageError, not_supported

MAX_PAGES = 10_000
"""The largest number of pages of a file."""

_PREVIEW = 0.3
"""The longest side of a preview, relative to the page: two resolutions of a scanner are usually closer."""


def check_count(n_pages):
    """Raise if a file has too many pages to look at each."""
    if n_pages > MAX_PAGES:
        raise not_supported(f"it has more than {MAX_PAGES:,} pages")


def choose_page(page, n_pages, find_scans):
    """Return the number of the page that is read.

    Parameters
    ----------
    page : int or None
        The page that the user names.
    n_pages : int
        The number of pages, with previews and masks.
    find_scans : callable
        Returns the numbers of the pages without previews and masks; it is called if no page is named.

    Returns
    -------
    int
        The number, from 0.

    Raises
    ------
    ImageError
        If there is no such page, or if none is named and there are several.
    """
    if page is not None:
        if page >= n_pages:
            numbers = f"0 to {n_pages - 1}" if n_pages > 1 else "0 only"
            raise ImageError(f"has no page {page}: its pages have the numbers {numbers}.")
        return page
    scans = find_scans()
    if len(scans) > 1:
        raise ImageError(
            f"has {len(scans)} pages, and a scan is one. Add the number of a page to the path, from [{scans[0]}] to "
            f"[{scans[-1]}] (page={scans[0]} for bytes), or pass all pages as the paths that "
            "sigkit.imaging.list_pages gives."
        )
    return scans[0]


def without_previews(sizes, numbers):
    """Return those pages that are no small copies of the largest.

    Parameters
    ----------
    sizes : list of tuple of (int, int)
        Widths and heights of all pages.
    numbers : list of int
        The pages that can be scans.

    Returns
    -------
    list of int
        Their numbers. A page is a copy if its sides are shorter than 0.3 times those of the largest page, in the same
        proportion but for rounding to whole pixels.
    """
    width, height = max((sizes[number] for number in numbers), key=lambda size: size[0] * size[1])

    def is_preview(size):
        scale = size[0] / width
        return scale <= _PREVIEW and abs(size[1] - scale * height) <= 1 + 0.5 * height / width

    return [number for number in numbers if not is_preview(sizes[number])]
