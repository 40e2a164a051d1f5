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
    steps = list(estimator.steps) if hasattr(estimator, "steps") else [("verifier", estimator)]
    steps = [(name, step) for name, step in steps if step is not None and step != "passthrough"]
    *steps, (name, verifier) = steps
    if not hasattr(verifier, "claim_scores"):
        raise ValueError(
            f"The last step must score claims, as WriterDependentSVC and MetaLearnedVerifier do; {name!r} is a "
            f"{type(verifier).__name__}."
        )
    preprocessors = [number for number, (_, step) in enumerate(steps) if isinstance(step, SignaturePreprocessor)]
    return steps[preprocessors[-1] + 1 if preprocessors else 0 :], verifier
