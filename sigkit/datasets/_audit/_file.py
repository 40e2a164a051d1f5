"""What an image file says about itself, without its pixels."""

import io

from PIL import Image

_FORMATS = ("PNG", "TIFF", "JPEG", "BMP", "GIF", "WEBP", "PPM")

_MIN_DPI = 10

FILE_COLUMNS = {"file_size": float, "format": str, "mode": str, "pages": int, "dpi": str}
"""Columns of an audit that describe files, and their types."""


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
        with _open(content) as image:
            facts |= {"format": image.format or "", "mode": image.mode, "pages": 1}
            facts["dpi"] = _resolution(image)
            facts["pages"] = getattr(image, "n_frames", 1)
    except Exception:
        # Whether the scan can be read is not decided here, and decoders raise many errors on damaged headers.
        return facts
    return facts


def _open(content):
    """Open an image for its header only: without the limits that Pillow sets to images that are decoded."""
    Image.init()
    for name in _FORMATS:
        factory, accepts = Image.OPEN[name]
        if accepts(content[:16]):
            return factory(io.BytesIO(content), "")
    raise ValueError("none of the formats that are read")


def _resolution(image):
    across, down = (round(float(value)) for value in image.info.get("dpi") or (0, 0))
    # A file that gives the shape of its pixels only, without a unit, has a resolution near 1.
    if min(across, down) < _MIN_DPI:
        return ""
    return f"{across}" if across == down else f"{across} x {down}"
