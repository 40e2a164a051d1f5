"""Error rates of verification systems: FAR, FRR and EER per kind of forgery, thresholds, reports, scorers and displays.

All functions accept rows `[writer, forgery]` with scores against the enrolled writers, and plain `y_true, y_score` of
any other biometric trait.
"""

from sigkit.metrics._calibrator import ScoreCalibrator
from sigkit.metrics._cllr import cllr_score, min_cllr_score
from sigkit.metrics._comparison import Difference, SystemComparison, compare_systems
from sigkit.metrics._costs import min_dcf_score
from sigkit.metrics._det_display import VerificationDetDisplay
from sigkit.metrics._error_rates import eer_score, eer_threshold, far_score, frr_score
from sigkit.metrics._estimates import Estimate
from sigkit.metrics._evidence_displays import EceDisplay, TippettDisplay
from sigkit.metrics._histogram_display import ScoreHistogramDisplay
from sigkit.metrics._intervals import clopper_pearson as clopper_pearson
from sigkit.metrics._make_report import verification_report
from sigkit.metrics._rates_at import far_at_frr_score, frr_at_far_score
from sigkit.metrics._report import VerificationReport
from sigkit.metrics._scorers import make_verification_scorer, verification_scorer
from sigkit.metrics._tables import latex_table as latex_table
from sigkit.metrics._tables import rows_to_frame as rows_to_frame
from sigkit.metrics._thresholds import cost_threshold, far_threshold, frr_threshold
from sigkit.metrics._trials import verification_trials
from sigkit.metrics._verbal_scale import verbal_scale
from sigkit.metrics._wrong_decisions import wrong_decisions

__all__ = [
    "Difference",
    "EceDisplay",
    "Estimate",
    "ScoreCalibrator",
    "ScoreHistogramDisplay",
    "SystemComparison",
    "TippettDisplay",
    "VerificationDetDisplay",
    "VerificationReport",
    "cllr_score",
    "compare_systems",
    "cost_threshold",
    "eer_score",
    "eer_threshold",
    "far_at_frr_score",
    "far_score",
    "far_threshold",
    "frr_at_far_score",
    "frr_score",
    "frr_threshold",
    "make_verification_scorer",
    "min_cllr_score",
    "min_dcf_score",
    "verbal_scale",
    "verification_report",
    "verification_scorer",
    "verification_trials",
    "wrong_decisions",
]
