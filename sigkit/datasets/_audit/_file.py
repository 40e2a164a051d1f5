"""What an image file says about itself, without its pixels."""

import io
import os

from PIL import Image

FILE_COLUMNS = {"file_size": float, "format": str, "mode": str, "pages": int, "dpi": str}
"""Columns of an audit that describe files, and their types."""


def read_content(path):
    """Return the bytes of a regular file; an OSError names it."""
    name = os.fspath(path)
    # Opening a named pipe would wait for somebody to write into it.
    if not os.path.isfile(name):
        raise OSError(f"{name}: is no file." if os.path.exists(name) else f"{name}: no such file.")
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise OSError(f"{name}: cannot be read ({error.strerror}).") from error


def describe_file(content):
    """Describe a file by its header.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    dict of str to object
        The `FILE_COLUMNS`: bytes; the format and the mode of the pixels as in Pillow; the number of pages or frames;
        and the resolution. What the file does not say, or Pillow cannot read, is "" or 0.
    """
    facts = {"file_size": float(len(content)), "format": "", "mode": "", "pages": 0, "dpi": ""}
    try:
        with Image.open(io.BytesIO(content)) as image:
            facts |= {"format": image.format or "", "mode": image.mode, "pages": 1}
            facts["dpi"] = _resolution(image)
            facts["pages"] = getattr(image, "n_frames", 1)
    except Exception:
        # Whether the scan can be read is not decided here, and decoders raise many errors on damaged headers.
        return facts
    return facts


def _resolution(image):
    dpi = image.info.get("dpi")
    if not dpi:
        return ""
    across, down = (round(float(value)) for value in dpi)
    return f"{across}" if across == down else f"{across} x {down}"
