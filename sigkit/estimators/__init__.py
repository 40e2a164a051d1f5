"""Verifiers: estimators that enroll writers and score claims; and trainers of features that withstand attacks."""

# Names outside `__all__` are the states of verifiers and their checks, for the files of systems.
from sigkit.estimators._adversarial_trainers import AdversarialTrainer, EnsembleAdversarialTrainer
from sigkit.estimators._attack_adapters._black_box_verifier import BlackBoxVerifier
from sigkit.estimators._attack_adapters._differentiable_verifier import DifferentiableVerifier, NotDifferentiable
from sigkit.estimators._best_writers import find_best_writers
from sigkit.estimators._check_stored import check_stored as check_stored
from sigkit.estimators._check_stored import check_writers as check_writers
from sigkit.estimators._decisions._likelihood_ratio_calibrator import LikelihoodRatioCalibrator
from sigkit.estimators._decisions._operating_point import OperatingPoint
from sigkit.estimators._decisions._operating_point_verifier import OperatingPointVerifier
from sigkit.estimators._decisions._reference_curve import reference_curve
from sigkit.estimators._evidence._claim_report_display import ClaimReportDisplay
from sigkit.estimators._evidence._wrong_decisions_display import WrongDecisionsDisplay
from sigkit.estimators._fusion._combination import Combination as Combination
from sigkit.estimators._fusion._fused import Fused as Fused
from sigkit.estimators._fusion._make_fused_verifier import make_fused_verifier
from sigkit.estimators._fusion._verifier_fusion import VerifierFusion
from sigkit.estimators._meta._meta_gallery import AdaptedWriters as AdaptedWriters
from sigkit.estimators._meta._meta_gallery import PackedImages as PackedImages
from sigkit.estimators._meta._meta_gallery import StoredReferences as StoredReferences
from sigkit.estimators._meta._meta_learned_verifier import MetaLearnedVerifier
from sigkit.estimators._meta._random_forgeries import RandomForgeries as RandomForgeries
from sigkit.estimators._stored_writers import Decisions as Decisions
from sigkit.estimators._stored_writers import check_storable as check_storable
from sigkit.estimators._stored_writers import decide_claims as decide_claims
from sigkit.estimators._stored_writers import holding as holding
from sigkit.estimators._stored_writers import verifier_fingerprint as verifier_fingerprint
from sigkit.estimators._stored_writers import writer_arrays as writer_arrays
from sigkit.estimators._strokes._neighbor_map import NeighborMap as NeighborMap
from sigkit.estimators._strokes._stroke_gallery import StrokeGallery as StrokeGallery
from sigkit.estimators._strokes._stroke_matcher import StrokeMatcher
from sigkit.estimators._strokes._stroke_points import StrokePoints as StrokePoints
from sigkit.estimators._strokes._writer_strokes import Typical as Typical
from sigkit.estimators._strokes._writer_strokes import WriterStrokes as WriterStrokes
from sigkit.estimators._svc._bank import NegativeBank
from sigkit.estimators._svc._fit_writer import References as References
from sigkit.estimators._svc._fit_writer import Settings as Settings
from sigkit.estimators._svc._gallery import Gallery as Gallery
from sigkit.estimators._svc._writer_dependent_svc import WriterDependentSVC
from sigkit.estimators._svc._writer_model import LinearModel, RbfModel

__all__ = [
    "AdversarialTrainer",
    "BlackBoxVerifier",
    "ClaimReportDisplay",
    "DifferentiableVerifier",
    "EnsembleAdversarialTrainer",
    "LikelihoodRatioCalibrator",
    "LinearModel",
    "MetaLearnedVerifier",
    "NegativeBank",
    "NotDifferentiable",
    "OperatingPoint",
    "OperatingPointVerifier",
    "RbfModel",
    "StrokeMatcher",
    "VerifierFusion",
    "WriterDependentSVC",
    "WrongDecisionsDisplay",
    "find_best_writers",
    "make_fused_verifier",
    "reference_curve",
]
