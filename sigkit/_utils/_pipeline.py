"""Taking a Pipeline apart into its steps and its verifier."""

from sklearn.utils import get_tags


def last_step(estimator):
    """Return the last step of a Pipeline, or the estimator itself.

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
    """Transform signatures by all steps of a Pipeline but the last.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a fitted Pipeline that ends in one.
    X : array-like or list of n_samples
        Signatures.

    Returns
    -------
    array-like or list of n_samples
        The input of the last step.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from sigkit._utils import before_last_step
    >>> before_last_step(SVC(), [[1.0]])
    [[1.0]]
    """
    return estimator[:-1].transform(X) if hasattr(estimator, "steps") and len(estimator) > 1 else X


def named_steps(name, estimator):
    """List the steps of a Pipeline and of nested Pipelines, without those that do nothing.

    Parameters
    ----------
    name : str
        Name of the estimator, used if it is a single step.
    estimator : estimator
        A Pipeline, or a single step.

    Returns
    -------
    list of (str, estimator)
        The steps in order.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from sigkit._utils import named_steps
    >>> named_steps("verifier", make_pipeline("passthrough", SVC()))
    [('svc', SVC())]
    """
    if estimator is None or estimator == "passthrough":
        return []
    if not hasattr(estimator, "steps"):
        return [(name, estimator)]
    return [step for name, inner in estimator.steps for step in named_steps(name, inner)]


def steps_after_preprocessing(estimator):
    """Split a verifier into the steps that take preprocessed images and the verifier itself.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one.

    Returns
    -------
    steps : list of (str, transformer)
        The steps between the preprocessor of scans, if there is one, and the verifier.
    verifier : estimator
        The last step.

    Raises
    ------
    ValueError
        If the last step has no `claim_scores`.

    Examples
    --------
    >>> from sigkit._utils import steps_after_preprocessing
    >>> from sigkit.estimators import WriterDependentSVC
    >>> steps_after_preprocessing(WriterDependentSVC())
    ([], WriterDependentSVC())
    """
    *steps, (name, verifier) = named_steps("verifier", estimator)
    if not hasattr(verifier, "claim_scores"):
        raise ValueError(
            f"The last step must score claims, as WriterDependentSVC and MetaLearnedVerifier do; {name!r} is a "
            f"{type(verifier).__name__}."
        )
    # Steps that read scans take file names, i.e. strings.
    preprocessors = [number for number, (_, step) in enumerate(steps) if get_tags(step).input_tags.string]
    return steps[preprocessors[-1] + 1 if preprocessors else 0 :], verifier
