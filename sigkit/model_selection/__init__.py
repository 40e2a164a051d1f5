"""Cross-validators that split signatures into references and queries."""

from sigkit.model_selection._writer_split import WriterSplit

__all__ = ["WriterSplit"]
