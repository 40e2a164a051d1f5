"""Scans that are copies of others: equal files, equal pixels, nearly equal ink."""

from sigkit.imaging._copies._find import ScanCopy, find_copies
from sigkit.imaging._copies._picture import PICTURE_SIZE, center_pictures, picture_ink

__all__ = ["PICTURE_SIZE", "ScanCopy", "center_pictures", "find_copies", "picture_ink"]
