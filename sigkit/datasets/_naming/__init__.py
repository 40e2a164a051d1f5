"""What the names of files and folders say: by a pattern of the user, or by the usual layouts."""

from sigkit.datasets._naming._infer import IMAGE_SUFFIXES, infer_layout
from sigkit.datasets._naming._pattern import check_kinds, compile_pattern, match_pattern
from sigkit.datasets._naming._people import describe_pairs, same_person, spelled_twice
from sigkit.datasets._naming._unclear import Unclear, suggest_patterns
from sigkit.datasets._naming._words import KINDS

__all__ = [
    "IMAGE_SUFFIXES",
    "KINDS",
    "Unclear",
    "check_kinds",
    "compile_pattern",
    "describe_pairs",
    "infer_layout",
    "match_pattern",
    "same_person",
    "spelled_twice",
    "suggest_patterns",
]
