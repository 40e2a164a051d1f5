"""Photographs and forms: what is left is the signature, as a clean scan at 300 dpi would have it."""

from sigkit.imaging._photo._clean import clean_photograph, locate_signature

__all__ = ["clean_photograph", "locate_signature"]
