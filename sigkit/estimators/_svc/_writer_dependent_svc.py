"""Writer-dependent verification: one SVM per enrolled writer."""

from numbers import Integral, Real

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import GENUINE, check_ordered, development_rows, own_random_state, parse_ids, validate_data
from sigkit.estimators._enrollment import change_lock
from sigkit.estimators._svc._bank import NegativeBank
from sigkit.estimators._svc._check_finite import check_finite, check_variation, has_no_information
from sigkit.estimators._svc._fit_writer import Settings, resolve_gamma
from sigkit.estimators._svc._gallery import Gallery, draw_rows
from sigkit.estimators._svc._writer_file import read_writer, write_writer
from sigkit.estimators._svc._writer_model import score_all
from sigkit.estimators._verifier import VerifierMixin, check_has_target, check_target, unchanged_on_error

# Above this penalty features are converted to double precision, because C amplifies rounding errors.
_LARGEST_C_IN_SINGLE_PRECISION = 10


class WriterDependentSVC(VerifierMixin, ClassifierMixin, BaseEstimator):
    """Writer-dependent signature verification with one SVM per enrolled writer [1]_.

    The SVM of a writer separates the writer's references (positives) from genuine signatures of other people
    (negatives): of development writers, of the other enrolled writers (peers), or both. Because there are many more
    negatives, `C` is multiplied by the skew n_negatives / n_references for references. Features are divided by their
    standard deviation. Forgeries are not used: rows of `y` with a forgery are ignored.

    Each SVM is the solution that `sklearn.svm.SVC` finds, up to `tol`. It is found faster because all writers share
    the negatives: these are stored once, the solver works on a small part of them, and a writer's model holds its own
    references and the row numbers of the negatives that are support vectors. Computations are in the precision of the
    features, float32 or float64; in float64 if `C` is above 10, because `C` amplifies rounding errors.

    Parameters
    ----------
    kernel : {"rbf", "linear"}, default="rbf"
        The kernel. With "rbf", a query that is far from all references is never accepted. The score of "linear" grows
        with the distance from the decision boundary, so it may accept features that resemble no known signature.
    C : float, default=1.0
        The penalty of an error on a negative.
    gamma : float or {"scale", "auto"}, default="auto"
        The coefficient of the RBF kernel exp(-gamma ||a - b||^2), as in `sklearn.svm.SVC`; "auto" is 1 / n_features.
    dev_writers : iterable of writer ids or None, default=None
        The development writers. Their signatures are negatives for every writer; they are never enrolled.
    n_dev_negatives : int, default=14
        Number of genuine signatures of each development writer that are negatives, drawn at random; all if there are
        fewer.
    n_peer_negatives : int, default=0
        Number of references of each other enrolled writer that are negatives, drawn at random; all if there are
        fewer. Without development writers, 0 means all.
    scaling : {"shared", "writer", "none"}, default="shared"
        The source of the standard deviation of the features. "shared": computed once, from the negatives of the
        development set and all references in `fit`. "writer": from the references and negatives of each writer, as in
        the original code; enrollment takes 5 times and scoring 10 times as long, without a gain in accuracy, because
        each writer has another kernel. "none": features are not scaled, for example counts; computations are in
        float64. Later enrollments do not change a shared scale, and a feature that is constant in `fit` is not scaled:
        with few development writers, pass references to `fit` too.
    tol : float, default=1e-3
        Tolerance of the margin in the solver's stopping rule.
    max_memory : float or None, default=None
        Memory limit in MiB of two matrices: the kernel among the negatives, which is computed once for all writers of
        a shared scale if it fits, and the kernel of queries with support vectors, which is computed in blocks. None
        uses scikit-learn's `working_memory`, 1024 by default.
    n_jobs : int or None, default=None
        Number of writers that are enrolled in parallel, in threads unless `joblib.parallel_config` says otherwise.
    verbose : int, default=0
        1 reports the progress of enrollment on the standard error stream.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of negatives; None takes a new one in each `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_enrolled,)
        The enrolled writers, sorted: the columns of `decision_function`.
    models_ : dict of writer id to RbfModel or LinearModel
        The SVM of each enrolled writer.
    bank_ : NegativeBank
        The negatives: signatures of development writers, and references of enrolled writers if peers are negatives.
    scale_ : ndarray of shape (n_features,) or None
        The divisors of the features; None with `scaling="writer"`.
    gamma_ : float or None
        The coefficient of the kernel; None with `scaling="writer"`, where each writer may have another.
    threshold_ : float
        The threshold of `verify` by default: 0.4 for "rbf", 0.8 for "linear"; see `OperatingPointVerifier`.
    n_features_in_ : int
        Number of features seen in `fit`.

    See Also
    --------
    sigkit.model_selection.WriterSplit : Splits signatures for `cross_validate` and `GridSearchCV`.
    sigkit.metrics.verification_report : Error rates of the scores.

    Notes
    -----
    Nothing is accepted without information. Writers who cannot be distinguished from the negatives are named in a
    warning, or in an error if there are no others. The score of every query is -10.0 for them, and so is every score of
    a query whose features are all 0. It is below every sensible threshold, and finite so that metrics can be computed.
    With the RBF kernel, the score of a query far from all signatures is the intercept of the SVM, which is positive for
    some writers. So `verify` rejects a query if the references contribute less than a millionth of what they contribute
    for a query that equals them, and the score is -10.0 instead of a positive one if they contribute nothing.

    `fit`, `enroll`, `add_references`, `remove` and `load_writer` replace the fitted state as a whole at their end, so
    an error or an interruption leaves the previous state. Several threads may enroll, remove and load writers at once,
    while others score and see the state before or after each change. No other thread may use the model during `fit`.

    If peers are negatives, `remove` keeps references of a removed writer in the bank as long as models of other writers
    depend on them; they are no negatives for writers who enroll later. Fit again to delete them.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> rng = np.random.default_rng(0)
    >>> writers = np.repeat(["ada", "bob", "eve"], 10)
    >>> features = rng.normal(size=(30, 8)) + np.repeat(rng.normal(size=(3, 8)) * 3, 10, axis=0)
    >>> model = WriterDependentSVC(gamma=0.1).fit(features[::2], writers[::2])
    >>> model.decision_function(features[1::2]).shape
    (15, 3)
    >>> model.verify(features[1:4:2], ["ada", "eve"])
    array([ True, False])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "kernel": [StrOptions({"rbf", "linear"})],
        "C": [Interval(Real, 0, None, closed="neither")],
        "gamma": [StrOptions({"scale", "auto"}), Interval(Real, 0, None, closed="neither")],
        "dev_writers": ["array-like", set, range, None],
        "n_dev_negatives": [Interval(Integral, 1, None, closed="left")],
        "n_peer_negatives": [Interval(Integral, 0, None, closed="left")],
        "scaling": [StrOptions({"shared", "writer", "none"})],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_memory": [Interval(Real, 0, None, closed="neither"), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        kernel="rbf",
        *,
        C=1.0,
        gamma="auto",
        dev_writers=None,
        n_dev_negatives=14,
        n_peer_negatives=0,
        scaling="shared",
        tol=1e-3,
        max_memory=None,
        n_jobs=None,
        verbose=0,
        random_state=None,
    ):
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.dev_writers = dev_writers
        self.n_dev_negatives = n_dev_negatives
        self.n_peer_negatives = n_peer_negatives
        self.scaling = scaling
        self.tol = tol
        self.max_memory = max_memory
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Draw the negatives from the development writers and enroll all other writers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, 2)
            Writer ids, or rows `[writer, forgery]`; rows with a forgery are ignored.

        Returns
        -------
        WriterDependentSVC
            The fitted model.

        Raises
        ------
        ValueError
            If features are missing or infinite, a development writer has no row, a writer has forgeries but no genuine
            signature, there are no negatives, or no writer can be distinguished from them.

        Warns
        -----
        UserWarning
            If some writers cannot be distinguished from the negatives, so that their models reject every query; or have
            one reference only.
        ConvergenceWarning
            If the SVMs of some writers did not converge.
        """
        with unchanged_on_error(self):
            self._enrolled = self._make_gallery(X, y)
        return self

    def _make_gallery(self, X, y):
        X, writers = self._check_genuine(X, y, reset=True)
        if self.C > _LARGEST_C_IN_SINGLE_PRECISION or self.scaling == "none":
            X = X.astype(np.float64, copy=False)
        is_dev = development_rows(writers, self.dev_writers)
        seed = own_random_state(self.random_state).randint(2**31 - 1)
        rng = check_random_state(seed)
        enrolled = np.unique(writers[~is_dev])
        if not is_dev.any() and len(enrolled) < 2:
            raise ValueError(
                f"WriterDependentSVC needs negatives: y holds one class only, the writer "
                f"{enrolled.tolist()[0]!r}, and dev_writers is None. Add other writers, or name dev_writers."
            )
        chosen = [draw_rows(X[writers == writer], self.n_dev_negatives, rng) for writer in np.unique(writers[is_dev])]
        negatives = np.concatenate([X[:0], *chosen])
        known = np.concatenate([negatives, X[~is_dev]])
        check_variation(known)
        bank = NegativeBank.from_development(known, negatives, divide=self.scaling != "none")
        gamma = self.gamma
        if self.scaling != "writer":
            gamma = resolve_gamma(self.gamma, X.shape[1], lambda: (known / bank.scale).var())
        # Later enrollments use the parameters of this fit, also if the user has changed them since.
        empty = Gallery(
            bank,
            enrolled[:0],
            {},
            Settings(self.kernel, self.C, gamma, self.tol, "writer" if self.scaling == "writer" else "shared"),
            frozenset(np.unique(writers[is_dev]).tolist()),
            self.n_peer_negatives or (0 if bank.n_dev else None),
            seed,
        )
        fitted = self._fit_writers(empty, X[~is_dev], writers[~is_dev], extend=False, rng=rng)
        return empty.with_writers(fitted)

    def export_writer(self, writer, path):
        """Write the model of one writer to a file with a digest, for `load_writer`.

        Parameters
        ----------
        writer : int or str
            An enrolled writer.
        path : str or os.PathLike
            The file to write, safetensors.

        Raises
        ------
        ValueError
            If the writer is not enrolled, or the model has no information or values beyond 1e15.
        OSError
            If the file cannot be written; the error names it.
        """
        check_is_fitted(self)
        gallery = self._enrolled
        [writer] = parse_ids([writer], "writer").tolist()
        write_writer(path, writer, gallery.model_to_export(writer), gallery.bank, gallery.settings)

    def load_writer(self, path):
        """Enroll a writer with the model in a file that `export_writer` wrote.

        Support vectors are stored as row numbers of the bank, so this model must be a copy of the one that wrote the
        file, or have been fitted to the same signatures with the same parameters. References of a loaded writer are
        not used as negatives for other writers, and others cannot be added: the file has support vectors only.

        Parameters
        ----------
        path : str or os.PathLike
            The file.

        Returns
        -------
        WriterDependentSVC
            The model, with the writer enrolled.

        Raises
        ------
        ValueError
            If the file is damaged or does not match its digest, if a number in it is not possible in such an SVM, if it
            was written by a model with other negatives or parameters, or if it holds a development writer or an id of
            another type than those of the enrolled. The file is named.
        OSError
            If the file cannot be read.
        """
        check_is_fitted(self)
        before = self._enrolled
        found = read_writer(path, before.bank, before.settings)
        with change_lock(self):
            now = self._enrolled
            if now.bank is not before.bank:
                found = read_writer(path, now.bank, now.settings)
            writer, model, bank = found
            try:
                writer = parse_ids([writer], "the file")
                now.check_new(writer)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            self._enrolled = now.with_model(writer, model, bank)
        return self

    def _score_claims(self, X, writers):
        gallery = self._enrolled_writers()
        Z = self._standardised_queries(X, gallery.bank)
        scores, informed = np.empty(len(Z)), np.empty(len(Z), dtype=bool)
        for writer, rows in gallery.group_claims(Z, writers).items():
            scores[rows], informed[rows] = gallery.models[writer].score(Z[rows], gallery.bank)
        return scores, informed

    def _score_enrolled(self, X):
        gallery = self._enrolled_writers()
        Z = self._standardised_queries(X, gallery.bank)
        models = [gallery.models[writer] for writer in gallery.classes.tolist()]
        return gallery.classes, score_all(models, Z, gallery.bank, self._max_bytes())

    def _check_genuine(self, X, y, *, reset):
        """Validate training data and return the genuine signatures."""
        check_has_target(self, y)
        check_ordered(X)
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_all_finite=False, reset=reset)
        writers, forgery = check_target(X, y)
        check_finite(X, writers)
        genuine = forgery == GENUINE
        return X[genuine], writers[genuine]

    def _standardised_queries(self, X, bank):
        check_ordered(X)
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_all_finite=False, reset=False)
        check_finite(X)
        Z = bank.standardise(X)
        Z[has_no_information(X)] = np.nan
        return Z

    def _check_references(self, X, y):
        return self._check_genuine(X, y, reset=False)

    def _fit_writers(self, gallery, X, writers, *, extend, rng=None):
        options = {"max_bytes": self._max_bytes(), "n_jobs": self.n_jobs, "verbose": self.verbose}
        rng = check_random_state(gallery.seed) if rng is None else rng
        return gallery.fit_writers(X, writers, rng, extend=extend, **options)

    def _max_bytes(self):
        return 2**20 * (sklearn.get_config()["working_memory"] if self.max_memory is None else self.max_memory)

    @property
    def _default_threshold(self):
        return 0.4 if self.kernel == "rbf" else 0.8

    @property
    def models_(self):
        return self._enrolled.models

    @property
    def bank_(self):
        return self._enrolled.bank

    @property
    def scale_(self):
        return self.bank_.scale if self._enrolled.settings.scaling == "shared" else None

    @property
    def gamma_(self):
        settings = self._enrolled.settings
        return settings.gamma if settings.scaling == "shared" else None

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
