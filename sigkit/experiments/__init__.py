"""Complete experimental protocols in one call, saved while they run and resumed after an interruption."""

from sigkit.experiments._campaign import AttackCampaign
from sigkit.experiments._campaign_results import CampaignResults
from sigkit.experiments._experiment_results import ExperimentResults
from sigkit.experiments._part_file import pack_part as pack_part
from sigkit.experiments._sigver_results import load_sigver_results
from sigkit.experiments._writer_dependent import writer_dependent_experiment

__all__ = [
    "AttackCampaign",
    "CampaignResults",
    "ExperimentResults",
    "load_sigver_results",
    "writer_dependent_experiment",
]
