"""PDF files, whose pages the package pypdfium2 renders in a process of its own.

A small file can ask PDFium for any time and memory before it returns, so that only a process can be limited.
"""

import importlib.util
import json
import os
import subprocess
import sys

from PIL import Image

from sigkit.imaging._error import ImageError, damaged, needs_extra, not_supported
from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._pages import check_count, choose_page
from sigkit.imaging._formats._resolution import CANVAS_DPI, Resolution

_WORKER = os.path.join(os.path.dirname(__file__), "_pdf_worker.py")

_SECONDS, _MAX_WAIT = 8, 60
"""Processor time of one call, where the system can limit it; and the time until its end in any case."""

_BYTES = 256 * 2**20
"""Memory of the process, beside that of the image it returns."""

_MEMORY_ENDED = 3
"""The exit status of the process if it has no more memory."""

_PER_PIXEL = 9
"""Bytes per pixel: the colors in the process, in parts as they are received, and together."""


def open_pdf(content, page=None):
    """Return the `Encoded` image of a page of a PDF file, at 300 dpi."""
    facts = json.loads(_call(content, page))
    page = choose_page(page, facts["pages"], lambda: list(range(facts["pages"])))
    width, height = facts["size"]
    if not min(width, height):
        raise not_supported(f"its page {page} has no area")

    def decode(_):
        pixels = _call(content, page, 3 * width * height)
        return Image.frombuffer("RGB", (width, height), pixels, "raw", "RGB", 0, 1)

    resolution = Resolution(CANVAS_DPI, CANVAS_DPI)
    decoder_bytes = _BYTES + _PER_PIXEL * width * height
    return Encoded(decode, content, (width, height), decoder_bytes, resolution=resolution, is_decoded=True)


def find_pdf_scans(content):
    """Return the numbers of the pages of a PDF file."""
    n_pages = json.loads(_call(content, 0))["pages"]
    check_count(n_pages)
    return list(range(n_pages))


def _call(content, page, n_bytes=0):
    """Return what the process writes: the number of pages and a size, or the pixels if their number is given."""
    spec = importlib.util.find_spec("pypdfium2")
    if spec is None:
        raise needs_extra("PDF", "pdf")
    if not sys.executable or getattr(sys, "frozen", False):
        raise not_supported("PDF pages are rendered by another Python process, and there is no interpreter for it")
    folder = os.path.dirname(os.path.dirname(spec.origin))
    arguments = [folder, str(page or 0), str(n_bytes), str(_BYTES + n_bytes), str(_SECONDS)]
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", _WORKER, *arguments],
            input=content,
            capture_output=True,
            timeout=_MAX_WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_much() from None
    except OSError as error:
        raise ImageError(f"PDF pages are rendered by another Python process, which cannot start ({error}).") from error
    if done.returncode < 0 or done.returncode == _MEMORY_ENDED:
        raise _too_much()
    if done.returncode or (n_bytes and len(done.stdout) != n_bytes):
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise damaged(reason[-1] if reason else "PDFium gave no image")
    return done.stdout


def _too_much():
    return ImageError(
        f"its page takes more than {_SECONDS} s or {_BYTES // 2**20} MiB to render, or is damaged. Save it as an image."
    )
