"""What the names of files and folders say: by a pattern of the user, or by the usual layouts."""

from sigkit.datasets._naming._infer import IMAGE_SUFFIXES, infer_layout
from sigkit.datasets._naming._pattern import check_kinds, compile_pattern, match_pattern
from sigkit.datasets._naming._people import same_person
from sigkit.datasets._naming._unclear import Unclear, suggest_patterns
from sigkit.datasets._naming._words import KINDS

__all__ = [
    "IMAGE_SUFFIXES",
    "KINDS",
    "Unclear",
    "check_kinds",
    "compile_pattern",
    "infer_layout",
    "match_pattern",
    "same_person",
    "suggest_patterns",
]
