"""A verifier as one torch module, from pixels to the score of a claim."""

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sigkit._utils import steps_after_preprocessing
from sigkit.attacks import FULL_INK
from sigkit.estimators._meta._adaptation import Adaptation
from sigkit.estimators._meta._adapted_writers import PackedImages
from sigkit.estimators._meta._meta_learned_verifier import MetaLearnedVerifier
from sigkit.estimators._svc._writer_dependent_svc import WriterDependentSVC
from sigkit.estimators._svc._writer_model import RbfModel
from sigkit.nets import choose_device, network_input


class NotDifferentiable(ValueError):
    """A step of a Pipeline has no derivative, so that gradients do not reach the pixels.

    Examples
    --------
    >>> from sigkit.estimators import NotDifferentiable
    >>> issubclass(NotDifferentiable, ValueError)
    True
    """


class DifferentiableVerifier(nn.Module):
    """A fitted verifier as a torch module, whose scores can be differentiated by the pixels.

    The scores are those of the estimator: of a Pipeline with a `SigNetFeaturizer` (or a trainer that wraps one) and a
    `WriterDependentSVC`, or of an adapted `MetaLearnedVerifier`. Preprocessing is left out: pixels are those of
    preprocessed images.

    Parameters
    ----------
    estimator : estimator
        A fitted Pipeline, or a fitted `MetaLearnedVerifier`.
    device : str or None, default=None
        Where to compute; None takes an accelerator if there is one.

    Raises
    ------
    NotDifferentiable
        If a step has no derivative; the step is named.
    ValueError
        If the last step scores no claims, or the features are not those of one SigNetFeaturizer.

    See Also
    --------
    BlackBoxVerifier : Scores without gradients, of any Pipeline.

    Notes
    -----
    The module holds what the estimator knows at the time it is made; it does not follow later enrollments.

    Examples
    --------
    >>> import torch
    >>> from sklearn.pipeline import make_pipeline
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import DifferentiableVerifier, WriterDependentSVC
    >>> from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=0, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> pipe = make_pipeline(SigNetFeaturizer("tiny", epochs=0, random_state=0), WriterDependentSVC())
    >>> verifier = DifferentiableVerifier(pipe.fit(images, target))
    >>> pixels = torch.tensor(images[:2], dtype=torch.float32, requires_grad=True)
    >>> verifier(pixels, target[:2, 0]).sum().backward()
    >>> pixels.grad.shape
    torch.Size([2, 170, 242])
    """

    is_differentiable = True

    def __init__(self, estimator, *, device=None):
        super().__init__()
        steps, verifier = steps_after_preprocessing(estimator)
        self.device = choose_device(device)
        if isinstance(verifier, MetaLearnedVerifier):
            _refuse(steps)
            self.scorer = _AdaptedScorer(verifier, self.device)
            self.image_shape = tuple(verifier.image_shape_in_)
        elif isinstance(verifier, WriterDependentSVC):
            kept = [step for step in steps if _featurizer(step[1]) is not None]
            _refuse([step for step in steps if step not in kept])
            if len(kept) != 1:
                raise ValueError(
                    "DifferentiableVerifier starts from preprocessed images: pass a Pipeline with one SigNetFeaturizer "
                    f"before the WriterDependentSVC; found {len(kept)}."
                )
            self.scorer = _FeatureScorer(_featurizer(kept[0][1]), verifier, self.device)
            self.image_shape = tuple(kept[0][1].image_shape_in_)
        else:
            _refuse([*steps, ("verifier", verifier)])

    def forward(self, images, claims):
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
            Scores, as `claim_scores` of the estimator.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled, who is named; or the images have another shape than those that the
            estimator was fitted to, or values outside 0 to 255.
        """
        if tuple(images.shape[1:]) != self.image_shape:
            raise ValueError(
                f"The verifier was fitted to images of shape {self.image_shape}; found {tuple(images.shape[1:])}."
            )
        if not len(images):
            return torch.zeros(0, device=self.device)
        low, high = images.detach().aminmax()
        if low < 0 or high > FULL_INK:
            raise ValueError(f"Images must have values from 0 to 255; found {low.item():g} to {high.item():g}.")
        return self.scorer(images.to(self.device), claims)


class _ClaimScorer(nn.Module):
    """Score what is computed once a batch against one writer after the other."""

    def __init__(self, enrolled):
        super().__init__()
        self.enrolled = enrolled
        self.known = {}

    def forward(self, images, claims):
        prepared = self.prepare(images)
        groups = self.enrolled.group_claims(images, claims)
        scores = [self.score(prepared[torch.from_numpy(rows)], writer) for writer, rows in groups.items()]
        order = torch.from_numpy(np.argsort(np.concatenate([*groups.values()]), kind="stable"))
        return torch.cat(scores).float()[order]


class _FeatureScorer(_ClaimScorer):
    """Support vector machines on features."""

    def __init__(self, featurizer, verifier, device):
        check_is_fitted(verifier)
        super().__init__(verifier._gallery)
        self.features = featurizer.as_module(device=device).requires_grad_(False)
        bank = self.enrolled.bank
        self.dtype = torch.from_numpy(bank.rows[:0]).dtype
        self.center, self.scale = (torch.from_numpy(part).to(device, self.dtype) for part in (bank.center, bank.scale))

    def prepare(self, images):
        return (self.features(images).to(self.dtype) - self.center) / self.scale

    def score(self, Z, writer):
        support, coef, intercept, gamma, factor = self._machine(writer, Z.device)
        if factor is not None:
            Z = Z * factor
        if gamma is None:
            return Z @ coef + intercept
        # One by one, not by a matrix product, whose rounding makes gradients useless near a support vector.
        distances = torch.cdist(Z, support, compute_mode="donot_use_mm_for_euclid_dist")
        return torch.exp(-gamma * distances**2) @ coef + intercept

    def _machine(self, writer, device):
        if writer not in self.known:
            model, factor = self.enrolled.models[writer], None
            if isinstance(model, RbfModel):
                support = np.concatenate([model.references, self.enrolled.bank.rows[model.rows]])
                coef, gamma = np.concatenate([model.reference_coef, model.coef]), model.gamma
                if model.factor is not None:
                    support, factor = support * model.factor, torch.from_numpy(model.factor).to(device, self.dtype)
                support = torch.from_numpy(support).to(device, self.dtype)
            else:
                support, coef, gamma = None, model.direction, None
            coef = torch.from_numpy(coef).to(device, self.dtype)
            self.known[writer] = support, coef, float(model.intercept), gamma, factor
        return self.known[writer]


class _AdaptedScorer(_ClaimScorer):
    """A network adapted to each writer."""

    def __init__(self, verifier, device):
        check_is_fitted(verifier)
        super().__init__(verifier._adapted)
        self.adaptation = Adaptation(verifier, self.enrolled.others, device)
        self.learner = self.adaptation.learner.requires_grad_(False)

    def prepare(self, images):
        return self.learner.prepare(network_input(images[:, None], self.learner.network.input_size))

    def score(self, prepared, writer):
        if writer not in self.known:
            known = self.enrolled.known[writer]
            if isinstance(known, PackedImages):
                known = self.adaptation.adapt(writer, known.unpack())
            self.known[writer] = {name: weight.to(prepared.device) for name, weight in known.items()}
        return self.learner.score(self.known[writer], prepared)


def _featurizer(step):
    """Give the SigNetFeaturizer that a step is or has trained; None for other steps."""
    step = getattr(step, "estimator_", step)
    return step if hasattr(step, "network_") and hasattr(step, "n_views") else None


def _refuse(steps):
    if steps:
        name, step = steps[0]
        raise NotDifferentiable(
            f"The step {name!r} ({type(step).__name__}) has no derivative, so that gradients do not reach the pixels. "
            "Attack it with BoundaryAttack or AnnealingAttack through sigkit.estimators.BlackBoxVerifier, or "
            "leave the step out."
        )
