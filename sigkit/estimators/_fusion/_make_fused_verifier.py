"""The verifier that is recommended: an SVM on features of a network, and strokes."""

from sklearn.pipeline import Pipeline

from sigkit.estimators._fusion._verifier_fusion import VerifierFusion
from sigkit.estimators._strokes._stroke_matcher import StrokeMatcher
from sigkit.estimators._svc._writer_dependent_svc import WriterDependentSVC
from sigkit.transformers import SigNetFeaturizer, StrokeFeaturizer


def make_fused_verifier(*, dev_writers=None, weights="synthetic", memory=None, n_jobs=None, random_state=None):
    """Make the verifier that is recommended where there is no reason for another one.

    It is a :class:`VerifierFusion` of two Pipelines: "svm" computes features of the network at two magnifications and
    fits one SVM per writer; "strokes" compares the strokes.

    Parameters
    ----------
    dev_writers : iterable of writer ids or None, default=None
        The development writers, whose signatures are the negatives of the SVMs, and who are not enrolled.
    weights : str or os.PathLike, default="synthetic"
        The weights of the network, as in :class:`~sigkit.transformers.SigNetFeaturizer`.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Folder in which features and points of strokes are cached by image.
    n_jobs : int or None, default=None
        Number of SVMs that are fitted in parallel.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw of negatives.

    Returns
    -------
    VerifierFusion
        The verifier, which takes preprocessed images. Parameters have names such as `svm__svc__C`,
        `svm__features__n_views` and `strokes__matcher__allowance`.

    See Also
    --------
    VerifierFusion : Combines any verifiers.
    sigkit.transformers.SignaturePreprocessor : Makes the images.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import make_fused_verifier
    >>> from sigkit.transformers import SignaturePreprocessor
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=0, random_state=0)
    >>> preprocess = SignaturePreprocessor(canvas_size=(765, 1089))
    >>> pipe = make_pipeline(preprocess, make_fused_verifier())
    >>> pipe.fit(scans, target).decision_function(scans[:2]).shape
    (2, 3)
    """
    svc = WriterDependentSVC(gamma="auto", dev_writers=dev_writers, n_jobs=n_jobs, random_state=random_state)
    svm = Pipeline(
        [
            ("features", SigNetFeaturizer(weights=weights, magnification=(1, 1.25), memory=memory)),
            ("svc", svc),
        ]
    )
    strokes = Pipeline(
        [("points", StrokeFeaturizer(memory=memory)), ("matcher", StrokeMatcher(dev_writers=dev_writers))]
    )
    return VerifierFusion([("svm", svm), ("strokes", strokes)], dev_writers=dev_writers)
