"""What every room shares: the parts of `y`, and the wording of long lists in messages."""

from sigkit.utils._target import GENUINE, SIMPLE, SKILLED, development_rows, parse_target
from sigkit.utils._text import listing

__all__ = ["GENUINE", "SIMPLE", "SKILLED", "development_rows", "listing", "parse_target"]
