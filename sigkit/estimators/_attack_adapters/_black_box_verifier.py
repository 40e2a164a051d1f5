"""A fitted verifier for attacks that only use its scores."""

import numpy as np
import torch

from sigkit._utils import steps_after_preprocessing


class BlackBoxVerifier:
    """A fitted Pipeline as a function from preprocessed images and claims to scores, without gradients.

    It serves score-based and decision-based attacks, and works with any steps.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one. A SignaturePreprocessor at its beginning is left out.

    Raises
    ------
    ValueError
        If the last step has no `claim_scores`.

    See Also
    --------
    DifferentiableVerifier : The same with gradients, for Pipelines whose steps are differentiable.

    Examples
    --------
    >>> import torch
    >>> from sklearn.pipeline import make_pipeline
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import BlackBoxVerifier, WriterDependentSVC
    >>> from sigkit.transformers import CLBPFeaturizer, SignaturePreprocessor
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=0, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> pipe = make_pipeline(CLBPFeaturizer(), WriterDependentSVC()).fit(images, target)
    >>> BlackBoxVerifier(pipe)(torch.from_numpy(images[:2]), target[:2, 0]).shape
    torch.Size([2])
    """

    is_differentiable = False
    device = torch.device("cpu")

    def __init__(self, estimator):
        self.steps, self.verifier = steps_after_preprocessing(estimator)
        names = [f"{name!r} ({type(step).__name__})" for name, step in self.steps] or ["of features"]
        # The attacks name the verifier by this text in their errors.
        self.what = f"a BlackBoxVerifier with the steps {', '.join(names)}"

    def __call__(self, images, claims):
        """Score claims.

        Parameters
        ----------
        images : Tensor of shape (n_samples, height, width)
            Preprocessed signatures, values from 0 (background) to 255.
        claims : array-like of shape (n_samples,)
            The claimed writer of each image.

        Returns
        -------
        Tensor of shape (n_samples,), dtype float32
            Scores; higher is more genuine.
        """
        X = images.detach().cpu().numpy()
        # The steps refuse float images whose maximum is at most 1, because such values usually mean a range of 0 to 1.
        # An attack can produce a nearly black image, however; as uint8 its range is unambiguous.
        if len(X) and (X.max() <= 1 or np.array_equal(X, X.astype(np.uint8))):
            X = np.rint(X).astype(np.uint8)
        for _, step in self.steps:
            X = step.transform(X)
        return torch.from_numpy(self.verifier.claim_scores(X, claims)).float()
