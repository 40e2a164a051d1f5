"""Error rates of verification: FAR, FRR and EER for each kind of forgery, reports with intervals, scorers and displays.

For signatures by writer, and for any other biometric trait on plain `y_true, y_score`.
"""

from sigkit.metrics._displays import ScoreHistogramDisplay, VerificationDetDisplay
from sigkit.metrics._error_rates import eer_score, eer_threshold, far_score, frr_score
from sigkit.metrics._estimates import Estimate
from sigkit.metrics._report import VerificationReport, verification_report
from sigkit.metrics._scorers import make_verification_scorer, verification_scorer
from sigkit.metrics._trials import verification_trials

__all__ = [
    "Estimate",
    "ScoreHistogramDisplay",
    "VerificationDetDisplay",
    "VerificationReport",
    "eer_score",
    "eer_threshold",
    "far_score",
    "frr_score",
    "make_verification_scorer",
    "verification_report",
    "verification_scorer",
    "verification_trials",
]
