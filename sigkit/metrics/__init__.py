"""Error rates of verification systems: FAR, FRR and EER per kind of forgery, reports, scorers and displays.

All functions accept rows `[writer, forgery]` with scores against the enrolled writers, and plain `y_true, y_score` of
any other biometric trait.
"""

from sigkit.metrics._displays import ScoreHistogramDisplay, VerificationDetDisplay
from sigkit.metrics._error_rates import eer_score, eer_threshold, far_score, frr_score
from sigkit.metrics._estimates import Estimate
from sigkit.metrics._make_report import verification_report
from sigkit.metrics._report import VerificationReport
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
