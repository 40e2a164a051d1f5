"""Whole protocols in one call: saved as they go, and taken up again where they stopped."""

from sigkit.experiments._results import ExperimentResults
from sigkit.experiments._writer_dependent import writer_dependent_experiment

__all__ = ["ExperimentResults", "writer_dependent_experiment"]
