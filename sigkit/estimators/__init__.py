"""Verifiers: estimators that enroll writers and score claims."""

from sigkit.estimators._writer_dependent_svc import WriterDependentSVC
from sigkit.estimators._writer_model import WriterModel

__all__ = ["WriterDependentSVC", "WriterModel"]
