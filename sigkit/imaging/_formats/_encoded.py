"""What is known of an image file before it is decoded."""

from collections.abc import Callable
from typing import IO, NamedTuple

from PIL import Image

from sigkit.imaging._formats._resolution import Resolution


class Encoded(NamedTuple):
    """An image file with a size, of which only what its pixels depend on is left.

    Attributes
    ----------
    decoder : callable
        Returns an image for a stream: the class of Pillow for this format, or a function. `PIL.Image.open` would also
        try the formats that others have registered, and compare the size with a limit of its own.
    content : bytes
        The file without comments, profiles, thumbnails and further pages.
    size : tuple of (int, int)
        Width and height in pixels.
    decoder_bytes : int, default=0
        Memory that decoding takes beside the decoded image.
    orientation : int, default=1
        The EXIF orientation, 1 to 8.
    check : callable or None, default=None
        Raises an error for damage that the decoder does not report. It takes as long as the image is large.
    is_decoded : bool, default=False
        Whether the decoder returns an image that is decoded already.
    highest : int or None, default=None
        The largest value that gray of more than 8 bits can have, if the file says so.
    bits : int, default=16
        The number of bits that gray of more than 8 bits has room for.
    is_inverted : bool, default=False
        Whether gray of more than 8 bits is 0 for white.
    resolution : Resolution or None, default=None
        The resolution that the file states, of the image before its orientation is applied.
    """

    decoder: Callable[[IO[bytes]], Image.Image]
    content: bytes
    size: tuple[int, int]
    decoder_bytes: int = 0
    orientation: int = 1
    check: Callable[[], None] | None = None
    is_decoded: bool = False
    highest: int | None = None
    bits: int = 16
    is_inverted: bool = False
    resolution: Resolution | None = None
