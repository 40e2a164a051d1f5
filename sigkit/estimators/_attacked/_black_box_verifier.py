"""A verifier as an attacker sees it who can only ask for scores."""

import numpy as np
import torch

from sigkit._utils import steps_after_preprocessing


class BlackBoxVerifier:
    """A fitted Pipeline as a function of preprocessed images and claims, without gradients.

    Attacks by scores or by decisions work on it, whatever its steps are.

    Parameters
    ----------
    estimator : estimator
        A fitted verifier, or a Pipeline that ends in one. A SignaturePreprocessor at its beginning is left out.

    See Also
    --------
    DifferentiableVerifier : The same with gradients, where the steps have any.

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
        self.what = f"a BlackBoxVerifier with the steps {', '.join(names)}"

    def __call__(self, images, claims):
        """Score claims.

        Parameters
        ----------
        images : Tensor of shape (n_samples, height, width)
            Preprocessed signatures, values from 0 (background) to 255.
        claims : array-like of shape (n_samples,)
            Whom each image claims to be of.

        Returns
        -------
        Tensor of shape (n_samples,), dtype float32
            Scores.
        """
        X = images.detach().cpu().numpy()
        # As bytes where they are whole or next to black: an attacked image may have nothing brighter than 1, which
        # looks like another range of values.
        if len(X) and (X.max() <= 1 or np.array_equal(X, X.astype(np.uint8))):
            X = np.rint(X).astype(np.uint8)
        for _, step in self.steps:
            X = step.transform(X)
        return torch.from_numpy(self.verifier.claim_scores(X, claims)).float()
