"""The parts of a Pipeline that ends in a verifier."""

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags


def last_step(estimator):
    """Return the verifier.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.

    Returns
    -------
    estimator
        The verifier.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from sigkit._utils import last_step
    >>> last_step(make_pipeline(StandardScaler(), SVC()))
    SVC()
    """
    return estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator


def before_last_step(estimator, X):
    """Transform signatures by all steps before the verifier.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one.
    X : array-like or list of n_samples
        Signatures.

    Returns
    -------
    array-like or list of n_samples
        The input of the verifier; `X` itself if nothing comes before it.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from sigkit._utils import before_last_step
    >>> before_last_step(SVC(), [[1.0, 2.0]])
    [[1.0, 2.0]]
    """
    # Step by step: a Pipeline that ends in a transformer without fitted attributes calls itself not fitted.
    for _, step in estimator.steps[:-1] if hasattr(estimator, "steps") else ():
        X = X if step is None or step == "passthrough" else step.transform(X)
    return X


def with_last_step(estimator, verifier):
    """Replace the verifier at the end of a Pipeline; the other steps are the same objects.

    Parameters
    ----------
    estimator : estimator
        A verifier, or a Pipeline that ends in one.
    verifier : estimator
        The other verifier.

    Returns
    -------
    estimator
        A new Pipeline; the verifier itself where there was no Pipeline.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC, LinearSVC
    >>> from sigkit._utils import with_last_step
    >>> with_last_step(make_pipeline(StandardScaler(), SVC()), LinearSVC())[-1]
    LinearSVC()
    """
    if not hasattr(estimator, "steps"):
        return verifier
    return Pipeline([*estimator.steps[:-1], (estimator.steps[-1][0], verifier)])


def named_steps(name, estimator):
    """List the steps of a Pipeline in order, with those of nested Pipelines and without "passthrough".

    Parameters
    ----------
    name : str
        The name of the estimator, used if it is a single step.
    estimator : estimator, "passthrough" or None
        A Pipeline, or a single step.

    Returns
    -------
    list of (str, estimator)
        The steps.

    Examples
    --------
    >>> from sklearn.pipeline import Pipeline
    >>> from sklearn.svm import SVC
    >>> from sigkit._utils import named_steps
    >>> named_steps("verifier", Pipeline([("nothing", "passthrough"), ("svc", SVC())]))
    [('svc', SVC())]
    """
    if estimator is None or estimator == "passthrough":
        return []
    if not hasattr(estimator, "steps"):
        return [(name, estimator)]
    return [step for name, inner in estimator.steps for step in named_steps(name, inner)]


def steps_after_preprocessing(estimator):
    """Split a verifier into the steps that take preprocessed images, and the verifier itself.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one.

    Returns
    -------
    steps : list of (str, transformer)
        The steps between the preprocessor of scans (if there is one) and the verifier.
    verifier : estimator
        The last step.

    Raises
    ------
    ValueError
        If the last step has no `claim_scores`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sigkit._utils import steps_after_preprocessing
    >>> from sigkit.estimators import WriterDependentSVC
    >>> from sigkit.transformers import SignaturePreprocessor
    >>> steps_after_preprocessing(make_pipeline(SignaturePreprocessor(), WriterDependentSVC()))
    ([], WriterDependentSVC())
    """
    *steps, (name, verifier) = named_steps("verifier", estimator)
    if not hasattr(verifier, "claim_scores"):
        raise ValueError(
            f"The last step must score claims, as WriterDependentSVC and MetaLearnedVerifier do; {name!r} is a "
            f"{type(verifier).__name__}."
        )
    preprocessors = [number for number, (_, step) in enumerate(steps) if preprocesses_scans(step)]
    return steps[preprocessors[-1] + 1 if preprocessors else 0 :], verifier


def preprocesses_scans(step):
    """Check whether a step takes scans, as `SignaturePreprocessor` does.

    Parameters
    ----------
    step : estimator
        A step of a Pipeline.

    Returns
    -------
    bool
        True if its input may be file paths, by its tag `input_tags.string`.

    Examples
    --------
    >>> from sigkit._utils import preprocesses_scans
    >>> from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
    >>> preprocesses_scans(SignaturePreprocessor()), preprocesses_scans(SigNetFeaturizer())
    (True, False)
    """
    # Asked by the tag, not by the class: this room imports no transformer, and a subclass or a wrapper counts too.
    return hasattr(step, "__sklearn_tags__") and get_tags(step).input_tags.string
