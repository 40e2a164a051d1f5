"""Verifiers: estimators that enroll writers and score claims."""

from sigkit.estimators._bank import NegativeBank
from sigkit.estimators._meta_learned_verifier import MetaLearnedVerifier
from sigkit.estimators._writer_dependent_svc import WriterDependentSVC
from sigkit.estimators._writer_model import LinearModel, RbfModel

__all__ = ["LinearModel", "MetaLearnedVerifier", "NegativeBank", "RbfModel", "WriterDependentSVC"]
