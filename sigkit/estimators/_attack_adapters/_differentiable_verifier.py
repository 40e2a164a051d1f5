"""A fitted verifier as a torch module from pixels to scores, for attacks that need gradients."""

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sigkit._utils import steps_after_preprocessing
from sigkit.attacks import FULL_INK
from sigkit.estimators._enrolled import EnrolledChecks
from sigkit.estimators._meta._adapt_network import Adaptation
from sigkit.estimators._meta._enrollment import is_blank
from sigkit.estimators._meta._meta_learned_verifier import MetaLearnedVerifier
from sigkit.estimators._svc._writer_dependent_svc import WriterDependentSVC
from sigkit.estimators._svc._writer_model import ZERO_SHARE, RbfModel
from sigkit.estimators._verifier import NO_INFORMATION
from sigkit.nets import choose_device, network_input


class NotDifferentiable(ValueError):
    """A step of a Pipeline is not differentiable, so there is no gradient with respect to the pixels.

    Examples
    --------
    >>> from sigkit.estimators import NotDifferentiable
    >>> issubclass(NotDifferentiable, ValueError)
    True
    """


class DifferentiableVerifier(nn.Module):
    """A fitted verifier as a torch module, whose scores have gradients with respect to the pixels.

    It returns the scores of the estimator, which is a Pipeline of a `SigNetFeaturizer` (or a trainer that wraps one)
    and a `WriterDependentSVC`, or a `MetaLearnedVerifier`. Preprocessing is not included: the module takes preprocessed
    images.

    Parameters
    ----------
    estimator : estimator
        A fitted Pipeline, or a fitted `MetaLearnedVerifier`.
    device : str or None, default=None
        Where to compute; None selects an accelerator if there is one.

    Raises
    ------
    NotDifferentiable
        If a step is not differentiable; the step is named.
    ValueError
        If the last step has no `claim_scores`, or the Pipeline does not have exactly one SigNetFeaturizer.

    See Also
    --------
    BlackBoxVerifier : Scores of any Pipeline, without gradients.

    Notes
    -----
    The module is a snapshot: writers who are enrolled later are unknown to it.

    Examples
    --------
    >>> import torch
    >>> from sklearn.pipeline import make_pipeline
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import DifferentiableVerifier, WriterDependentSVC
    >>> from sigkit.training import SigNetTraining
    >>> from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=0, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
    >>> pipe = make_pipeline(featurizer, WriterDependentSVC()).fit(images, target)
    >>> verifier = DifferentiableVerifier(pipe)
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
            featurizers = [step for step in steps if _featurizer(step[1]) is not None]
            _refuse([step for step in steps if step not in featurizers])
            if len(featurizers) != 1:
                raise ValueError(
                    "DifferentiableVerifier starts from preprocessed images: pass a Pipeline with one SigNetFeaturizer "
                    f"before the WriterDependentSVC; found {len(featurizers)}."
                )
            self.scorer = _FeatureScorer(_featurizer(featurizers[0][1]), verifier, self.device)
            self.image_shape = tuple(featurizers[0][1].image_shape_in_)
        else:
            _refuse([*steps, ("verifier", verifier)])

    def forward(self, images, claims):
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
            Scores, those of the estimator's `claim_scores`; without a gradient where there is no information.

        Raises
        ------
        ValueError
            If a claimed writer was never enrolled, the shape of the images is not that seen in `fit`, or values are
            outside 0 to 255.
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


class _ClaimScorer(EnrolledChecks, nn.Module):
    """Score images against enrolled writers: `prepare` runs once per batch, `score` once per claimed writer.

    Scores without information are NaN in `score`, and those of blank images are found by `is_blank`.

    Parameters
    ----------
    classes : ndarray of shape (n_enrolled,)
        The enrolled writers.
    known : dict
        The model of each enrolled writer.
    """

    def __init__(self, classes, known):
        super().__init__()
        self.classes, self.known = classes, known
        # Models as tensors on the device, converted at the first claim of each writer.
        self.converted = {}

    def forward(self, images, claims):
        prepared = self.prepare(images)
        groups = self.group_claims(images, claims)
        scores = [self.score(prepared[torch.from_numpy(rows)], writer) for writer, rows in groups.items()]
        order = torch.from_numpy(np.argsort(np.concatenate([*groups.values()]), kind="stable"))
        scores = torch.cat(scores).float()[order]
        return torch.where(torch.isfinite(scores) & ~self.is_blank(images), scores, NO_INFORMATION)

    def is_blank(self, images):
        return torch.zeros(len(images), dtype=torch.bool, device=images.device)


class _FeatureScorer(_ClaimScorer):
    """SVMs on features."""

    def __init__(self, featurizer, verifier, device):
        check_is_fitted(verifier)
        super().__init__(verifier.classes_, verifier.models_)
        self.features = featurizer.as_module(device=device).requires_grad_(False)
        self.bank = verifier.bank_
        self.dtype = torch.from_numpy(self.bank.rows[:0]).dtype
        self.center, self.scale = (
            torch.from_numpy(part).to(device, self.dtype) for part in (self.bank.center, self.bank.scale)
        )

    def prepare(self, images):
        features = self.features(images).to(self.dtype)
        # Filled values have no gradient.
        blank = (features == 0).all(dim=1, keepdim=True) & (features.shape[1] > 1)
        return ((features - self.center) / self.scale).masked_fill(blank, torch.nan)

    def score(self, Z, writer):
        model = self.known[writer]
        if not model.is_usable(self.bank):
            return _without_information(Z)
        support, coef, intercept, gamma, factor = self._svm(writer, Z.device)
        if factor is not None:
            Z = Z * factor
        if gamma is None:
            return Z @ coef + intercept
        # Differences are taken before they are squared. The usual expansion into a matrix product cancels close to a
        # support vector, and the rounding error dominates the gradient there.
        distances = torch.cdist(Z, support, compute_mode="donot_use_mm_for_euclid_dist")
        kernel = torch.exp(-gamma * distances**2)
        scores = kernel @ coef + intercept
        of_references = slice(len(model.references))
        share = kernel[:, of_references] @ coef[of_references]
        is_intercept = (scores >= 0) & ~(share > ZERO_SHARE * coef[of_references].abs().sum())
        return scores.masked_fill(is_intercept, torch.nan)

    def _svm(self, writer, device):
        if writer not in self.converted:
            model, factor = self.known[writer], None
            if isinstance(model, RbfModel):
                support = np.concatenate([model.references, self.bank.rows[model.rows]])
                coef, gamma = np.concatenate([model.reference_coef, model.coef]), model.gamma
                if model.factor is not None:
                    support, factor = support * model.factor, torch.from_numpy(model.factor).to(device, self.dtype)
                support = torch.from_numpy(support).to(device, self.dtype)
            else:
                support, coef, gamma = None, model.direction, None
            coef = torch.from_numpy(coef).to(device, self.dtype)
            self.converted[writer] = support, coef, float(model.intercept), gamma, factor
        return self.converted[writer]


class _AdaptedScorer(_ClaimScorer):
    """A meta-learned network, adapted to each writer."""

    def __init__(self, verifier, device):
        check_is_fitted(verifier)
        adapted = verifier._enrolled
        super().__init__(adapted.classes, adapted.known)
        self.adaptation = Adaptation(verifier, adapted.others, device)
        self.learner = self.adaptation.learner.requires_grad_(False)

    def prepare(self, images):
        return self.learner.prepare(network_input(images[:, None], self.learner.network.input_size))

    def score(self, prepared, writer):
        if writer not in self.converted:
            weights = self.adaptation.weights(writer, self.known[writer])
            self.converted[writer] = weights and {name: weight.to(prepared.device) for name, weight in weights.items()}
        if self.converted[writer] is None:
            return _without_information(prepared)
        return self.learner.score(self.converted[writer], prepared)

    def is_blank(self, images):
        return is_blank(images, self.learner.network.input_size)


def _without_information(prepared):
    """Return scores without information that have gradients, of 0."""
    return prepared.flatten(1).sum(dim=1) * 0 + torch.nan


def _featurizer(step):
    """Return the SigNetFeaturizer that a step is or has trained; None for other steps."""
    step = getattr(step, "estimator_", step)
    return step if hasattr(step, "as_module") else None


def _refuse(steps):
    """Raise an error that names the first of some steps that are not differentiable."""
    if steps:
        name, step = steps[0]
        raise NotDifferentiable(
            f"The step {name!r} ({type(step).__name__}) is not differentiable, so gradients do not reach the pixels. "
            "Attack it with BoundaryAttack or AnnealingAttack through sigkit.estimators.BlackBoxVerifier, or "
            "leave the step out."
        )
