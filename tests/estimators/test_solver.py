"""The solver against libsvm on the whole problem."""

import threading
import tracemalloc

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC

from sigkit._utils import filters_lock
from sigkit.estimators import LinearModel, WriterDependentSVC
from sigkit.estimators._svc._columns import ComputedColumns, StoredColumns
from sigkit.estimators._svc._kernel import Kernel, squared_norms
from sigkit.estimators._svc._solver import _LibSVM, solve


def draw(n_references, n_negatives, seed, n_features=20, apart=1.0):
    rng = np.random.default_rng(seed)
    references = rng.normal(size=n_features) * apart + rng.normal(size=(n_references, n_features))
    return references, rng.normal(size=(n_negatives, n_features)) * 1.3


def exact(references, negatives, kernel, C, skew, tol=1e-6):
    samples = np.concatenate([references, negatives])
    labels = np.repeat([1, -1], [len(references), len(negatives)])
    gram = kernel.block(samples, samples)
    svm = SVC(kernel="precomputed", C=C, class_weight={1: skew}, tol=tol).fit(gram, labels)
    coef = np.zeros(len(samples))
    coef[svm.support_] = svm.dual_coef_[0]
    return gram, coef, svm.intercept_[0]


def dual_objective(gram, coef):
    return np.abs(coef).sum() - 0.5 * coef @ gram @ coef


def solved(references, negatives, kernel, C, kept, tol=1e-3):
    across = kernel.block(references, negatives)
    columns = (
        StoredColumns(kernel.block(negatives, negatives))
        if kept
        else ComputedColumns(kernel, negatives, squared_norms(negatives))
    )
    eligible = np.ones(len(negatives), dtype=bool)
    dual = solve(kernel.block(references, references), across, columns, eligible, C=C, tol=tol)
    coef = np.zeros(len(references) + len(negatives))
    coef[: len(references)] = dual.reference_coef
    coef[len(references) + dual.rows] = dual.coef
    return coef, dual.intercept


@pytest.fixture
def small_working_set(monkeypatch):
    """Make the working set small, so that a few negatives take many rounds."""
    monkeypatch.setattr("sigkit.estimators._svc._solver.INITIAL_SIZE", 30)
    monkeypatch.setattr("sigkit.estimators._svc._solver.INCREMENT", 20)


@pytest.mark.usefixtures("small_working_set")
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(("C", "dtype"), [(0.01, np.float32), (1.0, np.float32), (1.0, float), (100.0, float)])
@pytest.mark.parametrize("gamma", [None, 1e-4, 0.02, 0.5])
@pytest.mark.parametrize("sizes", [(12, 800), (1, 500), (90, 60), (300, 120)])
def test_the_solution_is_that_of_libsvm(gamma, C, dtype, kept, sizes):
    for seed in range(2):
        references, negatives = (part.astype(dtype) for part in draw(*sizes, seed=seed))
        kernel, skew = Kernel(gamma), sizes[1] / sizes[0]
        gram, expected, intercept = exact(references, negatives, kernel, C, skew)
        coef, found = solved(references, negatives, kernel, C, kept)
        assert dual_objective(gram, coef) == pytest.approx(dual_objective(gram, expected), rel=1e-4)
        assert abs(coef.sum()) <= 1e-9 * max(1, np.abs(coef).sum())
        assert (coef[: sizes[0]] <= C * skew * (1 + 1e-9)).all()
        assert (coef[sizes[0] :] >= -C * (1 + 1e-9)).all()
        difference = np.abs(gram @ coef + found - (gram @ expected + intercept)).max()
        assert difference <= (5e-3 if gamma else 0.05)


@pytest.mark.usefixtures("small_working_set")
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("gamma", [None, 0.02])
def test_duplicates_within_and_between_the_classes(gamma, kept):
    references, negatives = draw(8, 300, seed=5)
    negatives[::3] = negatives[0]
    negatives[1:200:10] = references[2]
    references[4] = references[3]
    kernel = Kernel(gamma)
    gram, expected, intercept = exact(references, negatives, kernel, 1.0, 300 / 8)
    coef, found = solved(references, negatives, kernel, 1.0, kept)
    assert dual_objective(gram, coef) == pytest.approx(dual_objective(gram, expected), rel=1e-4)
    difference = np.abs(gram @ coef + found - (gram @ expected + intercept)).max()
    assert difference <= (5e-3 if gamma else 0.05)


@pytest.mark.usefixtures("small_working_set")
def test_identical_samples():
    references, negatives = np.ones((3, 4)), np.ones((200, 4))
    coef, intercept = solved(references, negatives, Kernel(0.1), 1.0, kept=False)
    assert np.isfinite(coef).all()
    assert abs(coef.sum() + intercept) <= 1 + 1e-3


@pytest.mark.usefixtures("small_working_set")
def test_after_many_rounds_the_whole_problem_is_solved(monkeypatch):
    references, negatives = draw(12, 800, seed=1)
    expected, _ = solved(references, negatives, Kernel(0.02), 1.0, kept=True)
    monkeypatch.setattr("sigkit.estimators._svc._solver.MAX_ROUNDS", 1)
    coef, _ = solved(references, negatives, Kernel(0.02), 1.0, kept=True)
    np.testing.assert_allclose(coef, expected, atol=0.05)


def test_writers_whose_svm_does_not_converge_are_named(monkeypatch):
    rng = np.random.default_rng(0)
    y = np.repeat(["ada", "bob", "cyd"], 30)
    X = rng.normal(size=(90, 4)) + np.repeat([[0], [0], [90]], 30, axis=0)
    monkeypatch.setattr("sigkit.estimators._svc._solver.MAX_ITERATIONS", 60)
    with pytest.warns(
        ConvergenceWarning, match=r"2 of 3 writers did not converge: 'ada', 'bob'\..*scaling=\"shared\""
    ) as caught:
        model = WriterDependentSVC("linear", scaling="none", C=10.0).fit(X, y)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert np.isfinite(model.decision_function(X)).all()


def test_an_svm_without_scaling_ends(monkeypatch):
    """Unscaled features take libsvm more iterations than it can make in hours."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(6), 6)
    X = 1e6 * (rng.normal(size=(36, 8)) + np.repeat(rng.normal(size=(6, 8)) * 2, 6, axis=0))
    monkeypatch.setattr("sigkit.estimators._svc._solver.MAX_ITERATIONS", 50_000)
    with pytest.warns(ConvergenceWarning, match=r"1 of 6 writers did not converge: 2\."):
        WriterDependentSVC("linear", scaling="none").fit(X, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scaling", ["shared", "writer"])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_features_far_from_zero(kernel, scaling, dtype):
    """Features of about 1,000 with a standard deviation of 0.5: without centering, single precision would fail."""
    rng = np.random.default_rng(3)
    y = np.repeat(np.arange(12), 90)
    X = (1000 + 0.5 * (rng.normal(size=(12, 30))[y] + rng.normal(size=(len(y), 30)))).astype(dtype)
    rows = (y < 10) | (np.arange(len(y)) % 90 < 8)
    model = WriterDependentSVC(
        kernel, gamma=0.02, dev_writers=range(10), n_dev_negatives=90, scaling=scaling, max_memory=64
    )
    scores = model.fit(X[rows], y[rows]).decision_function(X)
    negatives = X[y < 10].astype(np.float64)
    for column, writer in enumerate((10, 11)):
        samples = np.concatenate([X[rows & (y == writer)], negatives])
        known = np.concatenate([negatives, X[rows & (y >= 10)]])
        scale = (known if scaling == "shared" else samples).std(axis=0)
        labels = np.repeat([1, -1], [8, len(negatives)])
        # Centered, because libsvm itself converges very slowly with a linear kernel far from 0; scores do not change.
        svm = SVC(kernel=kernel, gamma=0.02, class_weight={1: len(negatives) / 8}, tol=1e-6)
        svm.fit((samples - 1000) / scale, labels)
        expected = svm.decision_function((X - 1000) / scale)
        np.testing.assert_allclose(scores[:, column], expected, atol=5e-3 if kernel == "rbf" else 0.05)


def test_kernels_are_computed_in_parts_if_memory_is_small():
    rng = np.random.default_rng(4)
    y = np.repeat(np.arange(40), 30)
    X = rng.normal(size=(40, 16))[y] + rng.normal(size=(len(y), 16))
    parameters = {"gamma": 0.05, "dev_writers": range(20), "n_dev_negatives": 30}
    kept = WriterDependentSVC(**parameters).fit(X, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sigkit.estimators._svc._fit_writer.StoredColumns", None)
        streamed = WriterDependentSVC(**parameters, max_memory=0.01).fit(X, y)
        with pytest.raises(TypeError, match="NoneType"):
            WriterDependentSVC(**parameters).fit(X, y)
    np.testing.assert_allclose(streamed.decision_function(X), kept.decision_function(X), atol=5e-3)
    many = np.tile(X, (8, 1))
    tracemalloc.start()
    kept.set_params(max_memory=2).decision_function(many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The queries, their scores, the support vectors and what max_memory allows.
    assert peak <= 2 * many.nbytes + len(many) * 20 * 8 + 2 * kept.bank_.rows.nbytes + 4 * 2**20
    linear = WriterDependentSVC("linear", **parameters).fit(X, y).models_[30]
    assert isinstance(linear, LinearModel)
    assert linear.direction.shape == (16,)


def test_checks_of_libsvm_in_threads_are_made_one_after_another(monkeypatch, is_free):
    """But the solutions are computed at the same time."""
    both, dense_fit = threading.Barrier(2, timeout=60), SVC._dense_fit
    checking, most = [], []

    def waiting(self, *args, **kwargs):
        both.wait()
        return dense_fit(self, *args, **kwargs)

    def counted(self, y):
        checking.append(1)
        most.append(len(checking))
        result = validate_targets(self, y)
        checking.pop()
        return result

    validate_targets = SVC._validate_targets
    monkeypatch.setattr(SVC, "_dense_fit", waiting)
    monkeypatch.setattr(SVC, "_validate_targets", counted)
    kernel, labels, fitted = np.eye(4), [1, 1, -1, -1], []
    threads = [
        threading.Thread(target=lambda: fitted.append(_LibSVM(kernel="precomputed").fit(kernel, labels)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fitted) == 2
    assert max(most) == 1
    assert is_free(filters_lock)


def test_an_error_of_libsvm_leaves_the_lock_free(is_free):
    with pytest.raises(ValueError, match="square"):
        _LibSVM(kernel="precomputed").fit(np.ones((4, 3)), [1, 1, -1, -1])
    assert is_free(filters_lock)
