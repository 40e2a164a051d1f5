"""Splits of signatures into what a system knows and what it is asked."""

from sigkit.model_selection._writer_split import WriterSplit

__all__ = ["WriterSplit"]
