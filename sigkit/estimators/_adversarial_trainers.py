"""Adversarial training: features that withstand attacks better."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import VersionInState
from sigkit.nets import choose_device, load_network, network_without_weights
from sigkit.training import EnsembleAdversary, ProjectedGradientAdversary, SigNetTraining, training_of
from sigkit.transformers import SigNetFeaturizer


class _HardenedFeaturizer(VersionInState, TransformerMixin, BaseEstimator):
    """Base of the featurizers that are trained against an adversary."""

    def transform(self, X):
        """Compute features.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), dtype float32
            Features.
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.transform(X)

    def get_feature_names_out(self, input_features=None):
        """Name the features.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored.

        Returns
        -------
        ndarray of shape (n_features,), dtype object
            Names, from the class of the featurizer.
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.get_feature_names_out(input_features)

    def save_weights(self, path, *, corpus=None, licence=None, half=False):
        """Write the network's weights as safetensors, for `SigNetFeaturizer(weights=path)`.

        Parameters
        ----------
        path : str or os.PathLike
            The file to write.
        corpus, licence : str or None, default=None
            The training corpus, and the license of the weights.
        half : bool, default=False
            Whether to round weights to half precision.

        Returns
        -------
        estimator
            This estimator.
        """
        check_is_fitted(self, "estimator_")
        self.estimator_.save_weights(path, corpus=corpus, licence=licence, half=half)
        return self

    def _checked(self, estimator, name="estimator"):
        """Return a copy of a featurizer that can be trained."""
        estimator = SigNetFeaturizer() if estimator is None and name == "estimator" else estimator
        if not isinstance(estimator, SigNetFeaturizer):
            raise ValueError(f"{name} must be a SigNetFeaturizer; found a {type(estimator).__name__}.")
        estimator._validate_params()
        training = training_of(estimator, SigNetTraining)
        if estimator.weights is not None or not training.epochs:
            found = f"weights={estimator.weights!r}" if estimator.weights is not None else "epochs=0"
            raise ValueError(
                f"{type(self).__name__} trains the network, but its {name} has {found}, so that there is no training. "
                "Leave weights at None and set the epochs of its training."
            )
        training.validate()
        return clone(estimator)

    def _fit_against(self, featurizer, adversary, X, y):
        """Fit a featurizer whose training has the adversary."""
        training = training_of(featurizer, SigNetTraining)
        attacked = clone(training)
        # Set without a copy: the networks of an ensemble are large.
        attacked.adversary = adversary
        self.estimator_ = featurizer.set_params(training=attacked).fit(X, y)
        # The recipe says what the adversary was; its networks are of no more use.
        self.estimator_.set_params(training=training)

    @property
    def network_(self):
        return self.estimator_.network_

    @property
    def history_(self):
        return self.estimator_.history_

    @property
    def metadata_(self):
        return self.estimator_.metadata_

    @property
    def image_shape_in_(self):
        return self.estimator_.image_shape_in_

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(SigNetFeaturizer() if self.estimator is None else self.estimator)
        tags.input_tags = inner.input_tags
        tags.transformer_tags = inner.transformer_tags
        tags.target_tags.required = True
        return tags


class AdversarialTrainer(_HardenedFeaturizer):
    """Adversarial training: train a featurizer on images attacked by projected gradient descent [1]_.

    The training minimizes the loss of the worst image that projected gradient descent finds in an L2 ball,

    .. math:: \\min_\\theta E_{x, y} \\max_{\\|\\delta\\|_2 \\le \\epsilon} L(\\theta, x + \\delta, y),

    with perturbations that are projected to the ball and to the range of pixels in each step, as in [2]_. Attacks on
    such features need larger perturbations; accuracy on unchanged images is somewhat lower. The training takes about
    `1 + n_steps` times as long. With a `forgery_weight`, skilled forgeries only enter the forgery term of the loss, not
    the writer term. The best epoch is the one with the best accuracy on unchanged images.

    Parameters
    ----------
    estimator : SigNetFeaturizer or None, default=None
        The featurizer to train; `SigNetFeaturizer()` by default.
    epsilon : float, default=510.0
        Radius of the ball, in gray levels: 510 is 2 in units of full ink, as in [2]_.
    n_steps : int, default=10
        Number of gradient steps for each image.
    step_size : float or None, default=None
        Length of a step, in gray levels; None for `2.5 * epsilon / n_steps`.
    random_start : bool, default=False
        Whether the steps start from a random perturbation.

    Attributes
    ----------
    estimator_ : SigNetFeaturizer
        The trained featurizer.
    network_ : torch.nn.Module
        Its network.
    history_ : list of dict
        Measurements of each epoch: "train_loss" on attacked images, "valid_loss" and "valid_acc" on unchanged.
    metadata_ : dict of str to str
        Metadata of the weights.
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    EnsembleAdversarialTrainer : Trains on unchanged images and on images attacked in one step.
    sigkit.attacks.PGD : The attack on a verifier.

    References
    ----------
    .. [1] Madry, A., Makelov, A., Schmidt, L., Tsipras, D., and Vladu, A. (2018). Towards deep learning models
       resistant to adversarial attacks. ICLR. arXiv:1706.06083.
    .. [2] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2019). Characterizing and evaluating adversarial examples
       for offline handwritten signature verification. IEEE Transactions on Information Forensics and Security, 14(8),
       2153-2166. arXiv:1901.03398.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import AdversarialTrainer
    >>> from sigkit.training import SigNetTraining
    >>> from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=0, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> featurizer = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=0)
    >>> AdversarialTrainer(featurizer, n_steps=2).fit(images, target).transform(images).shape
    (12, 16)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "estimator": [SigNetFeaturizer, None],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "step_size": [Interval(Real, 0, None, closed="neither"), None],
        "random_start": ["boolean"],
    }

    def __init__(self, estimator=None, *, epsilon=510.0, n_steps=10, step_size=None, random_start=False):
        self.estimator = estimator
        self.epsilon = epsilon
        self.n_steps = n_steps
        self.step_size = step_size
        self.random_start = random_start

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Train the network on attacked images.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`.

        Returns
        -------
        AdversarialTrainer
            The fitted transformer.

        Raises
        ------
        ValueError
            If the featurizer has nothing to train, or if its own `fit` raises an error.
        """
        featurizer = self._checked(self.estimator)
        adversary = ProjectedGradientAdversary(
            epsilon=self.epsilon, n_steps=self.n_steps, step_size=self.step_size, random_start=self.random_start
        )
        self._fit_against(featurizer, adversary, X, y)
        return self


class EnsembleAdversarialTrainer(_HardenedFeaturizer):
    """Ensemble adversarial training: train a featurizer on images and on attacks against several networks [1]_.

    Each batch is attacked by one gradient step against the network itself or one of the surrogates in turn; the
    surrogates do not change. The loss is :math:`\\alpha L(x, y) + (1 - \\alpha) L(x + \\delta, y)`. It defends against
    attackers with another network. Apart from the training of the surrogates, it takes little longer than training
    without attacks. With a `forgery_weight`, skilled forgeries only enter the forgery term of the loss of attacked
    images, not the writer term.

    Parameters
    ----------
    estimator : SigNetFeaturizer or None, default=None
        The featurizer to train; `SigNetFeaturizer()` by default.
    surrogates : list of SigNetFeaturizer, default=()
        Featurizers, for instance of other architectures, that are first trained on the same signatures. Those with a
        `checkpoint_dir` are trained only once in a grid search.
    epsilon : float, default=1275.0
        Length of the step, in gray levels: 1275 is 5 in units of full ink, as in [2]_.
    alpha : float, default=0.5
        Share of unchanged images in the loss, from 0 to 1.

    Attributes
    ----------
    estimator_ : SigNetFeaturizer
        The trained featurizer.
    surrogates_ : list of SigNetFeaturizer
        The trained surrogates.
    network_ : torch.nn.Module
        The network of `estimator_`.
    history_ : list of dict
        Measurements of each epoch.
    metadata_ : dict of str to str
        Metadata of the weights.
    image_shape_in_ : tuple of (int, int)
        Rows and columns of the images seen in `fit`.

    See Also
    --------
    AdversarialTrainer : Trains against the network itself in several steps.

    References
    ----------
    .. [1] Tramèr, F., Kurakin, A., Papernot, N., Goodfellow, I., Boneh, D., and McDaniel, P. (2018). Ensemble
       adversarial training: attacks and defenses. ICLR. arXiv:1705.07204.
    .. [2] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2019). Characterizing and evaluating adversarial examples
       for offline handwritten signature verification. IEEE Transactions on Information Forensics and Security, 14(8),
       2153-2166. arXiv:1901.03398.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.estimators import EnsembleAdversarialTrainer
    >>> from sigkit.training import SigNetTraining
    >>> from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer
    >>> scans, target = make_signatures(n_writers=3, n_genuine=4, n_skilled=0, random_state=0)
    >>> images = SignaturePreprocessor(canvas_size=(765, 1089)).fit_transform(scans)
    >>> first = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=0)
    >>> second = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=1), random_state=1)
    >>> EnsembleAdversarialTrainer(first, [second]).fit(images, target).transform(images).shape
    (12, 16)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "estimator": [SigNetFeaturizer, None],
        "surrogates": [list, tuple],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, estimator=None, surrogates=(), *, epsilon=1275.0, alpha=0.5):
        self.estimator = estimator
        self.surrogates = surrogates
        self.epsilon = epsilon
        self.alpha = alpha

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Train the surrogates, then the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, height, width)
            Preprocessed signatures, uint8 or values from 0 to 255.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`.

        Returns
        -------
        EnsembleAdversarialTrainer
            The fitted transformer.

        Raises
        ------
        ValueError
            If a featurizer has nothing to train, if surrogates have other classes or images of another size, or if the
            `fit` of a featurizer raises an error.
        """
        featurizer = self._checked(self.estimator)
        surrogates = [self._checked(each, f"surrogate {number}") for number, each in enumerate(self.surrogates)]
        for number, surrogate in enumerate(surrogates):
            _check_alike(featurizer, surrogate, number)
        trained = [surrogate.fit(X, y) for surrogate in surrogates]
        device = choose_device(featurizer.device)
        networks = [surrogate.net_.module_.to(device) for surrogate in trained]
        try:
            adversary = EnsembleAdversary(epsilon=self.epsilon, alpha=self.alpha, surrogates=networks)
            self._fit_against(featurizer, adversary, X, y)
        finally:
            for network in networks:
                network.cpu()
        self.surrogates_ = trained
        return self


def _check_alike(featurizer, surrogate, number):
    """Check that a surrogate has the classes of the estimator and takes its images."""
    own, other = training_of(featurizer, SigNetTraining), training_of(surrogate, SigNetTraining)
    for name, ours, theirs in (
        ("dev_writers", featurizer.dev_writers, surrogate.dev_writers),
        ("extra_classes", own.extra_classes, other.extra_classes),
    ):
        if _as_set(ours) != _as_set(theirs):
            raise ValueError(
                f"surrogate {number} must have the {name} of the estimator, {ours!r}, to classify the same classes; "
                f"found {theirs!r}."
            )
    if featurizer.forgery_weight is not None and surrogate.forgery_weight is None:
        raise ValueError(
            f"surrogate {number} must have a forgery_weight, as the estimator has, to be attacked by its loss; found "
            "None."
        )
    network, another = _untrained(featurizer), _untrained(surrogate)
    size = network.input_size if own.augmentation == "crop" or not network.takes_any_size else None
    if not another.takes_any_size and another.input_size != size:
        raise ValueError(
            f"surrogate {number} ({surrogate.architecture}) needs images of {another.input_size}, which the training "
            f"of {featurizer.architecture} does not make: choose another architecture, or augmentation='crop'."
        )


def _untrained(featurizer):
    """Make a network of the architecture that will be trained, without memory for its weights."""
    if featurizer.initial_weights is not None:
        return load_network(featurizer.initial_weights, featurizer.architecture)[0]
    return network_without_weights(featurizer.architecture)


def _as_set(value):
    return None if value is None else set(np.asarray(list(value)).tolist())
