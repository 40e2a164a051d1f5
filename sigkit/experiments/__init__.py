"""Whole protocols in one call: saved as they go, and taken up again where they stopped."""

from sigkit.experiments._campaign import AttackCampaign
from sigkit.experiments._campaign_results import CampaignResults
from sigkit.experiments._results import ExperimentResults
from sigkit.experiments._writer_dependent import writer_dependent_experiment

__all__ = ["AttackCampaign", "CampaignResults", "ExperimentResults", "writer_dependent_experiment"]
