"""Image files before they are decoded: what they are, how large, and which bytes their pixels depend on."""

from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._identify import find_scans, identify

__all__ = ["Encoded", "find_scans", "identify"]
