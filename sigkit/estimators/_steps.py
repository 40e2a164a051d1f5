"""What a fitted verifier is made of, behind the preprocessing."""

from sigkit.transformers import SignaturePreprocessor


def behind_preprocessing(estimator):
    """Part a verifier into the steps that see preprocessed images.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one.

    Returns
    -------
    steps : list of (str, transformer)
        The steps between a SignaturePreprocessor, if there is one, and the verifier.
    verifier : estimator
        The last step.

    Raises
    ------
    ValueError
        If the last step scores no claims.
    """
    *steps, (name, verifier) = unfold("verifier", estimator)
    if not hasattr(verifier, "claim_scores"):
        raise ValueError(
            f"The last step must score claims, as WriterDependentSVC and MetaLearnedVerifier do; {name!r} is a "
            f"{type(verifier).__name__}."
        )
    preprocessors = [number for number, (_, step) in enumerate(steps) if isinstance(step, SignaturePreprocessor)]
    return steps[preprocessors[-1] + 1 if preprocessors else 0 :], verifier


def unfold(name, estimator):
    """List the steps of a Pipeline, and of the Pipelines among them, without those that do nothing.

    Parameters
    ----------
    name : str
        What the estimator is called.
    estimator : estimator
        A Pipeline, or a single step.

    Returns
    -------
    list of (str, estimator)
        The steps, in their order.
    """
    if estimator is None or estimator == "passthrough":
        return []
    if not hasattr(estimator, "steps"):
        return [(name, estimator)]
    return [step for name, inner in estimator.steps for step in unfold(name, inner)]
