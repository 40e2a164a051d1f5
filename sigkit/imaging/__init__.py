"""Reading scans, and the preprocessing of signatures as plain functions."""

from sigkit.imaging._read import ImageError, read_image

__all__ = ["ImageError", "read_image"]
