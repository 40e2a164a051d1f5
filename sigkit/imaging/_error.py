"""The error for images that cannot be used, and the messages that many files have in common."""


class ImageError(ValueError):
    """A signature image cannot be used; the message names the image and the reason.

    Examples
    --------
    >>> from sigkit.imaging import ImageError, read_image
    >>> try:
    ...     read_image("nowhere.png")
    ... except ImageError as error:
    ...     print(error)
    nowhere.png: no such file.
    """


def damaged(reason):
    """Return the error for a file that is not as it was written."""
    return ImageError(f"cannot be read ({reason}). Scan or copy it again, or leave it out.")


def truncated(content):
    """Return the error for a file that ends too early."""
    return damaged(f"it is truncated: its {len(content)} bytes end before the image does")


def needs_extra(kind, extra):
    """Return the error for a file of a kind that another package reads, if it is installed."""
    return ImageError(
        f"a file of the kind {kind}, which is read if sigkit is installed with the extra {extra}: pip install "
        f"'sigkit[{extra}]'. Or convert it to PNG, or leave it out."
    )


def not_supported(reason):
    """Return the error for a file of a kind that is not read."""
    return ImageError(f"cannot be read ({reason}). Convert it to PNG, or leave it out.")
