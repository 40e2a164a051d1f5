"""Enrollment in a service: adding and removing writers, files of single writers, threads, interruptions."""

import json
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load, save
from threadpoolctl import threadpool_info

from sigkit._utils import seal_safetensors
from sigkit.estimators import WriterDependentSVC
from sigkit.estimators._svc._fit_writer import fit_writer
from sigkit.nets import build_network, save_weights


@pytest.fixture(scope="module")
def signatures():
    """Thirty writers of 12 signatures each."""
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(30), 12)
    X = rng.normal(size=(30, 24))[y] + 0.7 * rng.normal(size=(len(y), 24))
    return X.astype(np.float32), y


def make(scaling="shared", kernel="rbf", peers=False):
    negatives = {"n_peer_negatives": 6} if peers else {"dev_writers": range(10)}
    return WriterDependentSVC(kernel, gamma=0.02, scaling=scaling, random_state=0, **negatives)


def test_removing_does_not_change_the_others(signatures):
    X, y = signatures
    model = make().fit(X, y)
    before, models = model.decision_function(X), model.models_
    assert model.remove([12, 29]) is model
    assert model.classes_.tolist() == [10, 11, *range(13, 29)]
    stay = [column for column, writer in enumerate(range(10, 30)) if writer not in (12, 29)]
    np.testing.assert_allclose(model.decision_function(X), before[:, stay], atol=1e-4)
    assert all(model.models_[writer] is models[writer] for writer in model.classes_.tolist())
    with pytest.raises(ValueError, match=r"not enrolled: 12, 99\. Enrolled are 10, 11"):
        model.remove([12, 99])
    model.enroll(X[y == 12], y[y == 12])
    np.testing.assert_allclose(model.claim_scores(X, np.full(len(X), 12)), before[:, 2], atol=5e-3)
    model.remove(model.classes_)
    with pytest.raises(ValueError, match="No writer is enrolled"):
        model.decision_function(X)


def test_a_removed_peer_is_no_longer_a_negative(signatures):
    X, y = signatures
    model = make(peers=True).fit(X, y)
    others = model.claim_scores(X, np.full(len(X), 3))
    model.remove([4])
    assert np.array_equal(model.claim_scores(X, np.full(len(X), 3)), others)
    assert not model.bank_.negatives_for(5)[model.bank_.owners == 4].any()
    model.enroll(X[y == 3], y[y == 3])
    anew = make(peers=True).fit(X[y != 4], y[y != 4])
    assert model.bank_.negatives_for(3).sum() == anew.bank_.negatives_for(3).sum() == 28 * 6


@pytest.mark.parametrize("scaling", ["shared", "writer"])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("peers", [False, True])
@pytest.mark.parametrize("writer", [17, "ada"])
def test_an_exported_writer_can_be_loaded(signatures, tmp_path, scaling, kernel, peers, writer):
    X, y = signatures
    if isinstance(writer, str):
        names = np.array([f"w{number:02}" for number in range(30)])
        names[17] = writer
        y, dev = names[y], names[:10].tolist()
    else:
        dev = range(10)
    parameters = {"n_peer_negatives": 6} if peers else {"dev_writers": dev}

    def fitted(X, y):
        return WriterDependentSVC(kernel, gamma=0.02, scaling=scaling, random_state=0, **parameters).fit(X, y)

    model = fitted(X, y)
    path = tmp_path / "writer.safetensors"
    assert model.export_writer(writer, path) is None
    expected = model.claim_scores(X, [writer] * len(X))
    other = fitted(X, y).remove([writer])
    size = len(other.bank_.rows)
    assert other.load_writer(path) is other
    assert other.classes_.tolist() == model.classes_.tolist()
    np.testing.assert_allclose(other.claim_scores(X, [writer] * len(X)), expected, atol=1e-4)
    np.testing.assert_allclose(other.decision_function(X), model.decision_function(X), atol=1e-4)
    if peers and kernel == "rbf":
        added = slice(size, None)
        assert len(other.bank_.rows) > size
        assert not other.bank_.active[added].any()
    other.load_writer(path)
    assert other.classes_.tolist() == model.classes_.tolist()


def test_files_that_do_not_fit_are_refused(signatures, tmp_path):
    X, y = signatures
    path = str(tmp_path / "writer.safetensors")
    model = make().fit(X, y)
    model.export_writer(12, path)
    with pytest.raises(ValueError, match="not enrolled: 3"):
        model.export_writer(3, path)
    with pytest.raises(ValueError, match=r"writer\.safetensors: written by a model with other negatives"):
        make().fit(X + 1, y).load_writer(path)
    for other, message in [
        (make(kernel="linear"), "has kernel='rbf'; this model has kernel='linear'"),
        (make(scaling="writer"), "has scaling='shared'; this model has scaling='writer'"),
        (make().set_params(gamma=0.03), "has gamma=0.02; this model has gamma=0.03"),
        (make().set_params(C=2), "has C=1.0; this model has C=2.0"),
    ]:
        with pytest.raises(ValueError, match=rf"writer\.safetensors: {message}"):
            other.fit(X, y).load_writer(path)
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors"):
        model.load_writer(tmp_path / "none.safetensors")

    content = Path(path).read_bytes()
    for damaged in (b"", b"text", content[: len(content) // 2], pickle.dumps({"writer": 12}), content[:-1] + b"!"):
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"damaged: (not a whole safetensors file|damaged, its).* Export it"):
            model.load_writer(tmp_path / "damaged")
    former = save(load(content), metadata={"format": json.dumps("sigkit writer 1")})
    (tmp_path / "former").write_bytes(former)
    with pytest.raises(ValueError, match=r"former: has no digest: .*not written by this version.* Export it again"):
        model.load_writer(tmp_path / "former")
    save_weights(tmp_path / "tiny.safetensors", build_network("tiny", seed=0), "tiny")
    with pytest.raises(ValueError, match=r"tiny\.safetensors: a file of another kind"):
        model.load_writer(tmp_path / "tiny.safetensors")


def rewritten(path, arrays, about):
    """Write arrays and metadata as a file of a writer, with the digest that they have."""
    metadata = {name: value if isinstance(value, str) else json.dumps(value) for name, value in about.items()}
    Path(path).write_bytes(seal_safetensors(save(arrays, metadata=metadata), "sigkit writer 2"))


FLAT = np.full(24, 1e-20, dtype=np.float32)
"""A weight vector, or a factor, with which all scores are equal."""


@pytest.fixture(scope="module")
def exported(signatures, tmp_path_factory):
    """Return models with peers, by kernel and scaling, each with the parts of the file of one of its writers."""
    X, y = signatures
    found = {}
    for kernel, scaling in (("rbf", "shared"), ("rbf", "writer"), ("linear", "shared"), ("linear", "writer")):
        path = tmp_path_factory.mktemp("writers") / "writer.safetensors"
        model = make(scaling, kernel).set_params(n_peer_negatives=2).fit(X, y)
        model.export_writer(12, path)
        with safe_open(path, framework="np") as file:
            about = {name: text for name, text in file.metadata().items() if name not in ("format", "digest")}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found[kernel, scaling] = model, arrays, about
    assert all(len(array) for array in found["rbf", "writer"][1].values())
    return found


@pytest.mark.parametrize("scaling", ["shared", "writer"])
@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("rows", lambda rows: rows + 10_000, "it refers to negatives that do not exist"),
        ("rows", lambda rows: rows - rows[0] - 1, "it refers to negatives that do not exist"),
        ("rows", lambda rows: np.repeat(rows[:1], len(rows)), "one of them twice"),
        ("rows", lambda rows: rows.astype(float), "its arrays are"),
        ("coef", lambda coef: coef * np.nan, "its coef has NaN, infinity or numbers beyond"),
        ("coef", lambda coef: coef[1:].copy(), "its arrays are"),
        ("coef", lambda coef: coef * 1e14, "no solution with C=1"),
        ("coef", lambda coef: coef * 0.5, "their sum is not 0"),
        ("coef", lambda coef: coef.astype(np.float32), "its arrays are"),
        ("coef", lambda coef: -coef, "those of negatives negative"),
        ("reference_coef", lambda coef: coef * 1e20, "its reference_coef has NaN, infinity or numbers beyond"),
        ("reference_coef", lambda coef: coef * 1e9, "their sum is not 0"),
        ("reference_coef", lambda coef: coef * 0, "must be positive"),
        ("references", lambda references: references[:, :5].copy(), "its arrays are"),
        ("references", lambda references: np.full_like(references, 3e38), "its references has NaN, infinity or num"),
        ("references", lambda references: references.astype(np.float64), "its arrays are"),
        ("references", lambda references: references.astype(np.complex64), "its arrays are"),
        ("peers", lambda peers: np.full_like(peers, -3e38), "its peers has NaN, infinity or numbers beyond"),
        ("peers", lambda peers: None, "its arrays are"),
        ("peers", lambda peers: peers > 0, "its arrays are"),
        ("more", lambda more: np.zeros(3), "its arrays are"),
    ],
)
def test_impossible_arrays_are_refused(exported, tmp_path, scaling, name, change, message):
    model, arrays, about = exported["rbf", scaling]
    arrays = arrays | {name: change(arrays.get(name))}
    rewritten(tmp_path / "bad", {name: array for name, array in arrays.items() if array is not None}, about)
    with pytest.raises(ValueError, match=f"bad: a damaged model; .*{message}.* Export it again"):
        model.load_writer(tmp_path / "bad")


@pytest.mark.parametrize(
    ("scaling", "change", "message"),
    [
        ("shared", lambda direction: direction * 1e9, "longer"),
        ("shared", lambda direction: direction * np.inf, "its direction has NaN, infinity"),
        ("writer", lambda direction: np.full_like(direction, 3e38), "its direction has NaN, infinity or numbers"),
        ("writer", lambda direction: direction.astype(np.float16), "its arrays are"),
    ],
)
def test_impossible_weight_vectors_are_refused(exported, tmp_path, scaling, change, message):
    model, arrays, about = exported["linear", scaling]
    rewritten(tmp_path / "bad", {"direction": change(arrays["direction"])}, about)
    with pytest.raises(ValueError, match=f"bad: a damaged model; .*{message}"):
        model.load_writer(tmp_path / "bad")


@pytest.mark.parametrize("factor", [0, -1, 1e16, np.nan])
def test_impossible_factors_are_refused(exported, tmp_path, factor):
    model, arrays, about = exported["rbf", "writer"]
    rewritten(tmp_path / "bad", arrays | {"factor": arrays["factor"] * np.float32(factor)}, about)
    with pytest.raises(ValueError, match="bad: a damaged model; its factor"):
        model.load_writer(tmp_path / "bad")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"writer": 3}, "Development writers cannot be enrolled: 3"),
        ({"writer": '"ada"'}, "found 'ada'"),
        ({"writer": [4, 0]}, r"a damaged model; its writer is \[4, 0\]"),
        ({"writer": True}, "a damaged model; its writer is True"),
        ({"writer": 10**30}, "a damaged model; its writer is 10{30}"),
        ({"bank": None}, "other negatives"),
        ({"intercept": "NaN"}, "its intercept is nan"),
        ({"intercept": None}, "its intercept is None"),
        ({"intercept": 1e6}, "its intercept 1e[+]06 is larger"),
        ({"gamma": -5.0}, "its gamma is -5"),
        ({"gamma": '"x"'}, "its gamma is 'x'"),
        ({"gamma": "["}, "not a whole file"),
        ({"C": 1e9}, "has C=1000000000.0; this model has C=1.0"),
        ({"scaling": '"writer"'}, "has scaling='writer'"),
        ({"kernel": '"linear"'}, "a damaged model; its metadata are"),
        ({"more": 1}, "a damaged model; its metadata are"),
        ({"writer": None, "bank": None}, "its writer is None"),
    ],
)
def test_impossible_metadata_are_refused(exported, tmp_path, change, message):
    model, arrays, about = exported["rbf", "shared"]
    rewritten(tmp_path / "bad", arrays, about | change)
    with pytest.raises(ValueError, match=f"bad: .*{message}"):
        model.load_writer(tmp_path / "bad")
    assert model.classes_.tolist() == list(range(10, 30))


@pytest.mark.parametrize(
    ("kernel", "scaling", "change"),
    [
        ("rbf", "shared", lambda arrays, about: about.update(intercept=0.99 * arrays["reference_coef"].sum())),
        ("rbf", "writer", lambda arrays, about: about.update(intercept=0.99 * arrays["reference_coef"].sum())),
        ("rbf", "writer", lambda arrays, about: (about.update(intercept=0.5), arrays.update(factor=FLAT))),
        ("linear", "shared", lambda arrays, about: about.update(intercept=1e9)),
        ("linear", "writer", lambda arrays, about: about.update(intercept=1e3)),
        ("linear", "shared", lambda arrays, about: (about.update(intercept=0.1), arrays.update(direction=FLAT))),
    ],
)
def test_models_that_accept_everybody_are_refused(exported, tmp_path, kernel, scaling, change):
    model, arrays, about = exported[kernel, scaling]
    arrays, about = dict(arrays), dict(about)
    change(arrays, about)
    rewritten(tmp_path / "bad", arrays, about)
    with pytest.raises(ValueError, match="bad: a damaged model; it accepts the signatures of all development writers"):
        model.load_writer(tmp_path / "bad")


def test_gamma_of_a_file_on_a_scale_of_its_own(exported, tmp_path):
    model, arrays, about = exported["rbf", "writer"]
    rewritten(tmp_path / "bad", arrays, about | {"gamma": 1e-12})
    with pytest.raises(ValueError, match=r"bad: has gamma=1e-12; this model has gamma=0\.02"):
        model.load_writer(tmp_path / "bad")


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_a_loaded_writer_does_not_depend_on_its_file(signatures, tmp_path, kernel):
    X, y = signatures
    path = tmp_path / "writer"
    model = make(kernel=kernel).fit(X, y)
    model.export_writer(12, path)
    expected = model.load_writer(path).claim_scores(X, np.full(len(X), 12))
    with open(path, "r+b") as file:
        file.seek(len(path.read_bytes()) // 2)
        file.write(bytes(100_000))
    np.testing.assert_array_equal(model.claim_scores(X, np.full(len(X), 12)), expected)
    path.write_bytes(b"")
    np.testing.assert_array_equal(model.claim_scores(X, np.full(len(X), 12)), expected)


def test_a_model_that_could_not_be_loaded_is_not_exported(signatures, tmp_path):
    X, y = signatures
    model = make().fit(X, y)
    huge = model.models_[12]._replace(references=model.models_[12].references * np.float32(1e16))
    model._enrolled = model._enrolled.with_model(np.array([12]), huge, model.bank_)
    with pytest.raises(ValueError, match="writer 12: a damaged model"):
        model.export_writer(12, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_fit_leaves_the_previous_state(signatures, monkeypatch):
    X, y = signatures
    model = make().fit(X, y)
    expected = model.decision_function(X)
    with pytest.raises(ValueError, match="not in y: 99"):
        model.set_params(dev_writers=[99]).fit(X[:, :5], y)
    monkeypatch.setattr("sigkit.estimators._svc._gallery.fit_writer", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        model.set_params(dev_writers=range(5), gamma=2.0).fit(X[:, :7], y)
    monkeypatch.undo()
    assert model.n_features_in_ == 24
    assert np.array_equal(model.decision_function(X), expected)
    model.enroll(X[y == 11], y[y == 11])
    np.testing.assert_allclose(model.decision_function(X), expected, atol=5e-3)
    with pytest.raises(ValueError, match="Development writers cannot be enrolled: 7"):
        model.enroll(X[y == 7], y[y == 7])


def test_unused_rows_are_dropped_from_the_bank(signatures):
    X, y = signatures
    model = make(peers=True).fit(X, y)
    others = model.claim_scores(X, np.full(len(X), 3))
    for _ in range(60):
        model.enroll(X[y == 4], y[y == 4])
    assert len(model.bank_.rows) <= 2 * 30 * 6
    np.testing.assert_allclose(model.claim_scores(X, np.full(len(X), 3)), others, atol=1e-4)
    model.remove(range(30))
    with pytest.raises(ValueError, match="no negatives for the writer 4"):
        model.enroll(X[y == 4], y[y == 4])


def test_enrolling_in_threads_restores_the_threads_of_matrix_products(signatures):
    X, y = signatures

    def threads_of_products():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = threads_of_products()
    models = [make() for _ in range(4)]
    workers = [threading.Thread(target=model.fit, args=(X, y)) for model in models]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert threads_of_products() == before
    for model in models[1:]:
        assert np.array_equal(model.decision_function(X), models[0].decision_function(X))


def test_memory_per_writer(signatures):
    """A model holds its references and 12 bytes per negative; a pickled verifier holds the bank once, and marks."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(130), 12)
    X = (rng.normal(size=(130, 256))[y] + 0.8 * rng.normal(size=(len(y), 256))).astype(np.float32)
    small = WriterDependentSVC(gamma="scale", dev_writers=range(100)).fit(X[y < 110], y[y < 110])
    large = WriterDependentSVC(gamma="scale", dev_writers=range(100)).fit(X, y)
    for model in large.models_.values():
        n_references, n_support = len(model.reference_coef), len(model.rows)
        assert model.nbytes == n_references * (4 * 256 + 8) + 12 * n_support
    grown = len(pickle.dumps(large)) - len(pickle.dumps(small))
    marks = 12 * 4 * 64
    assert grown <= sum(model.nbytes + marks + 1000 for writer, model in large.models_.items() if writer >= 110)


def test_scores_during_enrollment_in_another_thread(signatures):
    X, y = signatures
    known = y < 20
    model = make().fit(X[known], y[known])
    expected = make().fit(X[known], y[known]).enroll(X[~known], y[~known]).decision_function(X)
    finished, wrong = threading.Event(), []

    def score():
        n_scored = 0
        while not finished.is_set() or not n_scored:
            try:
                columns = model.decision_function(X)
                np.testing.assert_allclose(columns[:, :10], expected[:, :10], atol=5e-3)
                n_columns = columns.shape[1]
                np.testing.assert_allclose(columns, expected[:, :n_columns], atol=5e-3)
                claims = model.claim_scores(X, np.repeat([10, 19], len(X) // 2))
                np.testing.assert_allclose(claims[:50], expected[:50, 0], atol=5e-3)
                n_scored += 1
            except BaseException as error:
                wrong.append(error)
                return

    readers = [threading.Thread(target=score) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(5):
        for writer in range(20, 30):
            model.enroll(X[y == writer], y[y == writer])
        model.enroll(X[y == 15], y[y == 15])
        model.remove(range(20, 30))
    finished.set()
    for reader in readers:
        reader.join()
    assert not wrong


def test_an_interruption_leaves_the_previous_state(signatures, monkeypatch):
    X, y = signatures
    model = make().fit(X[y < 20], y[y < 20])
    before = model.decision_function(X)
    calls = []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit_writer(*arguments)

    monkeypatch.setattr("sigkit.estimators._svc._gallery.fit_writer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.enroll(X[y >= 20], y[y >= 20])
    assert model.classes_.tolist() == list(range(10, 20))
    assert np.array_equal(model.decision_function(X), before)


def test_progress_is_reported_with_verbose(signatures, capsys):
    X, y = signatures
    model = make().fit(X, y)
    assert capsys.readouterr().err == ""
    model.set_params(verbose=1).fit(X, y)
    assert "[sigkit] enrolling: 20 of 20" in capsys.readouterr().err
