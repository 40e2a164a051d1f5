"""Image files before they are decoded: what they are, how large, and which bytes their pixels depend on."""

from sigkit.imaging._formats._encoded import Encoded
from sigkit.imaging._formats._identify import find_scans, identify
from sigkit.imaging._formats._resolution import CANVAS_DPI, Resolution

__all__ = ["CANVAS_DPI", "Encoded", "Resolution", "find_scans", "identify"]
