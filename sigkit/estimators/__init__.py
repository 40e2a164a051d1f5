"""Verifiers: estimators that enroll writers and score claims."""

from sigkit.estimators._bank import NegativeBank
from sigkit.estimators._writer_dependent_svc import WriterDependentSVC
from sigkit.estimators._writer_model import LinearModel, RbfModel

__all__ = ["LinearModel", "NegativeBank", "RbfModel", "WriterDependentSVC"]
