"""The score of a writer does not depend on the model of another, whatever that contains."""

import pickle

import numpy as np
import pytest

from sigkit.estimators import WriterDependentSVC
from sigkit.estimators._svc._writer_model import LinearModel

pytestmark = pytest.mark.filterwarnings("ignore:.* copies of references")

# A value, and the rows of the model that have it.
WRONG = [(np.nan, slice(1)), (np.inf, slice(None)), (-3e38, slice(None)), (1e20, slice(1)), (1e300, slice(None))]


@pytest.fixture(scope="module")
def signatures():
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(7), 10)
    X = rng.normal(size=(70, 8)) + np.repeat(rng.normal(size=(7, 8)) * 2, 10, axis=0)
    return X.astype(np.float32), y


@pytest.fixture(scope="module")
def loaded(signatures, tmp_path_factory):
    """Return a function that makes a model in which writer 4 was loaded from a file, with rows of its own."""
    X, y = signatures
    models = {}

    def make(kernel, scaling):
        if (kernel, scaling) not in models:
            model = WriterDependentSVC(
                kernel, gamma=0.1, dev_writers=[0, 1, 2], n_peer_negatives=2, scaling=scaling, random_state=0
            ).fit(X[::2], y[::2])
            path = tmp_path_factory.mktemp("files") / "writer"
            model.export_writer(4, path)
            models[kernel, scaling] = model.load_writer(path)
        return pickle.loads(pickle.dumps(models[kernel, scaling]))

    return make


def spoiled(model, field, value, rows=slice(None)):
    """Replace a field of the model of writer 4, or its rows in the bank."""
    fields = model.models_[4]
    if field == "peers":
        peers = fields.rows[fields.rows >= model.bank_.n_dev]
        with np.errstate(over="ignore"):
            model.bank_.rows[peers] = value
        model.bank_.__post_init__()
    elif field in ("intercept", "gamma"):
        model._enrolled.models[4] = fields._replace(**{field: value})
    else:
        array = getattr(fields, field).copy()
        with np.errstate(over="ignore"):
            array[rows] = value
        model._enrolled.models[4] = fields._replace(**{field: array})
    return model


@pytest.mark.parametrize(("value", "rows"), WRONG, ids=repr)
@pytest.mark.parametrize(
    ("kernel", "scaling", "field"),
    [
        *[("rbf", "shared", field) for field in ("references", "reference_coef", "coef", "intercept", "peers")],
        *[
            ("rbf", "writer", field)
            for field in ("references", "reference_coef", "coef", "intercept", "peers", "factor")
        ],
        *[("linear", scaling, field) for scaling in ("shared", "writer") for field in ("direction", "intercept")],
    ],
)
def test_wrong_values_of_one_writer_do_not_reach_the_others(signatures, loaded, kernel, scaling, field, value, rows):
    X, y = signatures
    model = loaded(kernel, scaling)
    expected, others = model.decision_function(X), [0, 2, 3]
    claims = {writer: model.claim_scores(X, np.full(len(X), writer)) for writer in (3, 5, 6)}
    spoiled(model, field, value, rows)
    scores = model.decision_function(X)
    assert np.array_equal(scores[:, others], expected[:, others])
    assert np.isfinite(scores).all()
    for writer, of_writer in claims.items():
        assert np.array_equal(model.claim_scores(X, np.full(len(X), writer)), of_writer)
    if not np.isfinite(value):
        # Scores that cannot be computed are no acceptance, and not even the largest of a row.
        assert (model.claim_scores(X, np.full(len(X), 4)) < 0).all()
        assert not model.verify(X, np.full(len(X), 4), threshold=-1e9).any() or field == "references"
        assert not (model.predict(X) == 4).any()
    # Writers who are enrolled later are not affected either.
    new = (y == 6)[::2]
    clean = loaded(kernel, scaling).enroll(X[::2][new], y[::2][new])
    model.enroll(X[::2][new], y[::2][new])
    assert np.array_equal(model.decision_function(X)[:, others], clean.decision_function(X)[:, others])


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_scores_do_not_depend_on_who_else_is_enrolled(signatures, loaded, kernel):
    X, _ = signatures
    model = loaded(kernel, "shared")
    together = model.decision_function(X)
    for column, writer in enumerate((3, 4, 5, 6)):
        alone = pickle.loads(pickle.dumps(model)).remove({3, 4, 5, 6} - {writer})
        np.testing.assert_allclose(alone.decision_function(X)[:, 0], together[:, column], atol=1e-5)
        np.testing.assert_allclose(model.claim_scores(X, np.full(len(X), writer)), together[:, column], atol=1e-5)


def test_models_without_references_or_negatives(signatures, loaded):
    X, _ = signatures
    model = loaded("rbf", "shared")
    expected = model.decision_function(X)
    fields = model.models_[4]
    for empty in (
        {"references": fields.references[:0], "reference_coef": fields.reference_coef[:0]},
        {"rows": fields.rows[:0], "coef": fields.coef[:0]},
    ):
        model._enrolled.models[4] = fields._replace(**empty)
        scores = model.decision_function(X)
        np.testing.assert_allclose(scores[:, [0, 2, 3]], expected[:, [0, 2, 3]], atol=1e-5)
        np.testing.assert_allclose(scores[:, 1], model.claim_scores(X, np.full(len(X), 4)), atol=1e-5)
        assert (scores[:, 1] == -10).all() == ("references" in empty)


def test_a_linear_model_without_a_direction(signatures, loaded):
    X, _ = signatures
    model = loaded("linear", "shared")
    model._enrolled.models[4] = LinearModel(np.zeros(8, dtype=np.float32), 5.0)
    assert (model.decision_function(X)[:, 1] == -10).all()
    assert not model.verify(X, np.full(len(X), 4)).any()
