"""A store of writers: scores equal to the last bit, history, decisions, expiry, other systems, damage."""

import os
import pickle
import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sigkit._utils import content_digest, last_step
from sigkit.datasets import make_signatures
from sigkit.estimators import (
    LikelihoodRatioCalibrator,
    OperatingPointVerifier,
    StrokeMatcher,
    VerifierFusion,
    WriterDependentSVC,
)
from sigkit.imaging import ImageError
from sigkit.persistence import StoredVerifier, WriterStore, load, save
from sigkit.persistence._store import _records
from sigkit.training import MetaTraining
from sigkit.transformers import SignaturePreprocessor, StrokeFeaturizer

DEV, ENROLLED = list(range(8)), [8, 9, 10, 11]


class NoOffset(tzinfo):
    """A time zone that does not say which one it is."""

    def utcoffset(self, time):
        return None


def first(X):
    return X[:, :16]


def rest(X):
    return X[:, 16:]


def flat(images):
    return images.reshape(len(images), -1).astype(np.float32)


def make(kind):
    svc = WriterDependentSVC(gamma=0.05, dev_writers=DEV, random_state=0)
    strokes = make_pipeline(FunctionTransformer(rest), StrokeMatcher(dev_writers=DEV))
    features = make_pipeline(FunctionTransformer(first), svc)
    fusion = VerifierFusion([("svm", features), ("strokes", strokes)], dev_writers=DEV, reach=-9.0)
    own = {"source": "references", "criterion": "frr", "level": 0.2, "user_specific": True}
    return {
        "rbf": svc,
        "linear": WriterDependentSVC("linear", dev_writers=DEV, random_state=0),
        "own scale": WriterDependentSVC(scaling="writer", dev_writers=DEV, random_state=0),
        "strokes": strokes,
        "fusion": fusion,
        "operating point": OperatingPointVerifier(fusion, random_state=0),
        "own thresholds": OperatingPointVerifier(features, random_state=0, **own),
        "likelihood ratios": LikelihoodRatioCalibrator(make_pipeline(FunctionTransformer(first), svc), random_state=0),
    }[kind]


KINDS = ["rbf", "linear", "own scale", "strokes", "fusion", "operating point", "own thresholds", "likelihood ratios"]


def split(signatures):
    """Return the rows of development writers, references and queries."""
    _, target = signatures
    number, is_dev = np.tile(np.arange(10), 12), target[:, 0] < 8
    return is_dev, ~is_dev & (number < 5), ~is_dev & (number >= 5)


def expire(verifier, X, writer, time):
    """Enroll a writer whose references expired in the past."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_records, "now", lambda: time - timedelta(days=1))
        verifier.enroll(X, [writer] * len(X), expires=time)


def raw(store, sql, *values):
    """Execute SQL as another program would."""
    with sqlite3.connect(store.path) as connection:
        rows = connection.execute(sql, values).fetchall()
    connection.close()
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_the_verifier_in_memory(kind, signatures, store):
    X, target = signatures
    is_dev, references, queries = split(signatures)
    in_memory = make(kind).fit(X[is_dev | references], target[is_dev | references])
    stored = StoredVerifier(in_memory, store).enroll(X[references], target[references])
    # Another one that has read nothing yet.
    stored = StoredVerifier(in_memory, WriterStore(store.path))
    last, claims = last_step(in_memory), target[queries, 0].copy()
    claims[::3] = 10
    Z = X[queries] if last is in_memory else in_memory[:-1].transform(X[queries])
    scores = last.claim_scores(Z, claims)
    assert len(set(scores.tolist())) > 2
    assert np.array_equal(stored.claim_scores(X[queries], claims), scores)
    assert np.array_equal(stored.decision_function(X[queries]), last.decision_function(Z))
    accepted = stored.verify(X[queries], claims)
    assert np.array_equal(accepted, last.verify(Z, claims))
    assert 0 < accepted.sum() < len(accepted)
    recorded = store.decisions()
    assert [one.score for one in recorded] == scores.tolist()
    assert [one.accepted for one in recorded] == accepted.tolist()
    assert stored.classes_.tolist() == ENROLLED


def test_added_references_count_as_if_enrolled_together(signatures, svc, verifier, store):
    X, target = signatures
    own = np.flatnonzero((target[:, 0] == 9) & (target[:, 1] == 0))
    verifier.add_references(X[own[5:7]], [9, 9])
    together = StoredVerifier(svc, WriterStore(store.path + ".other")).enroll(X[own[:7]], [9] * 7)
    assert np.array_equal(verifier.claim_scores(X[own], [9] * 8), together.claim_scores(X[own], [9] * 8))
    events = store.history(9)
    assert [(one.version, one.event, one.n_references) for one in events] == [
        (1, "enroll", 5),
        (2, "add_references", 7),
    ]
    assert events[0].time < events[1].time <= datetime.now(UTC)
    assert {one.system for one in events} == {verifier.system}
    with pytest.raises(ValueError, match=r"writers\.sqlite: writers who are not enrolled: 77\. Enroll them first"):
        verifier.add_references(X[:2], [77, 77])


def test_references_that_change_meanwhile_are_not_lost(signatures, verifier, store, monkeypatch):
    X, target = signatures
    own = np.flatnonzero((target[:, 0] == 9) & (target[:, 1] == 0))
    other, fit, calls = StoredVerifier(verifier.verifier, store), verifier._models.fit, []

    def fit_after_another(X_all, y):
        calls.append(len(X_all))
        if len(calls) == 1:
            other.add_references(X[own[5:6]], [9])
        return fit(X_all, y)

    monkeypatch.setattr(verifier._models, "fit", fit_after_another)
    verifier.add_references(X[own[6:7]], [9])
    assert calls == [6, 7]
    assert [one.n_references for one in store.history(9)] == [5, 6, 7]


def restore(copy, store):
    """Restore a backup of a store in use, by SQLite."""
    with sqlite3.connect(copy) as source, sqlite3.connect(store.path) as target:
        source.backup(target)
    source.close()
    target.close()


def test_models_from_before_a_restored_backup_are_not_used(signatures, svc, verifier, store, tmp_path):
    X, target = signatures
    store.backup(tmp_path / "copy")
    own = X[target[:, 0] == 9]
    verifier.enroll(X[target[:, 0] == 10][:4], [9] * 4).claim_scores(own[:1], [9])
    restore(tmp_path / "copy", store)
    fresh = StoredVerifier(svc, WriterStore(store.path)).enroll(own[:4], [9] * 4)
    assert verifier.claim_scores(own[5:6], [9]) == fresh.claim_scores(own[5:6], [9])


def test_references_are_added_to_those_of_a_restored_backup(signatures, svc, verifier, store, tmp_path, monkeypatch):
    X, target = signatures
    own, other, calls = X[target[:, 0] == 9], X[target[:, 0] == 10], []
    store.backup(tmp_path / "copy")
    verifier.enroll(other[:4], [9] * 4).enroll(other[:4], [12] * 4)
    fit = verifier._models.fit

    def fit_while_restored(X_all, y):
        calls.append(len(X_all))
        if len(calls) == 1:
            restore(tmp_path / "copy", store)
            StoredVerifier(svc, WriterStore(store.path)).enroll(own[:6], [9] * 6)
        return fit(X_all, y)

    monkeypatch.setattr(verifier._models, "fit", fit_while_restored)
    verifier.add_references(own[6:7], [9])
    assert calls == [5, 7]
    with pytest.raises(ValueError, match="not enrolled: 12"):
        verifier.add_references(own[6:7], [12])


def test_removed_and_expired_writers_are_refused_by_name(signatures, verifier, store):
    X, target = signatures
    verifier.remove([8])
    soon = datetime.now(UTC) + timedelta(hours=1)
    verifier.enroll(X[target[:, 0] == 9][:4], [9] * 4, expires=soon)
    assert verifier.classes_.tolist() == [9, 10, 11]
    assert store.history(9)[-1].expires == soon
    with pytest.raises(ValueError, match=r"not enrolled: 8 \(remove, 20\d\d-\d\d-\d\d\)"):
        verifier.claim_scores(X[:1], [8])
    with pytest.raises(ValueError, match=r"who are not enrolled: 8, 77"):
        verifier.remove([9, 8, 77])
    past = datetime.now(UTC) - timedelta(days=400)
    expire(verifier, X[target[:, 0] == 9][:4], 9, past)
    message = rf"the references of these writers expired: 9 \(on {past:%Y-%m-%d %H:%M} UTC\)"
    for call in (verifier.claim_scores, verifier.verify, verifier.add_references):
        with pytest.raises(ValueError, match=message):
            call(X[:1], [9])
    assert verifier.classes_.tolist() == [10, 11]
    assert verifier.decision_function(X[:3]).shape == (3, 2)
    with pytest.raises(ValueError, match="expires must be a datetime with a time zone"):
        verifier.enroll(X[:2], [5, 5], expires=datetime(2030, 1, 1))
    verifier.enroll(X[target[:, 0] == 8][:4], [8] * 4)
    assert [one.event for one in store.history(8)] == ["enroll", "remove", "enroll"]


def test_models_of_another_system_are_refused_until_they_are_fitted_again(signatures, verifier, store):
    X, target = signatures
    is_dev, references, queries = split(signatures)
    in_memory = WriterDependentSVC(C=2.0, gamma=0.05, dev_writers=DEV, random_state=0)
    in_memory.fit(X[is_dev | references], target[is_dev | references])
    other = StoredVerifier(in_memory, store)
    assert other.system != verifier.system
    with pytest.raises(ValueError, match=r"another system fitted the models of these writers: 8, 9 .* Call reenroll"):
        other.claim_scores(X[:2], [8, 9])
    verifier.remove([11])
    assert other.reenroll() == [8, 9, 10]
    assert other.reenroll() == []
    known = queries & (target[:, 0] < 11)
    scores = other.claim_scores(X[known], target[known, 0])
    assert np.array_equal(scores, in_memory.claim_scores(X[known], target[known, 0]))
    with pytest.raises(ValueError, match="another system"):
        verifier.claim_scores(X[:1], [8])
    assert verifier.reenroll([8]) == [8]
    assert [one.event for one in store.history(8)] == ["enroll", "reenroll", "reenroll"]


def test_one_damaged_writer_does_not_keep_the_others_from_being_enrolled_again(signatures, verifier, store):
    X, target = signatures
    is_dev = target[:, 0] < 8
    other = WriterDependentSVC(C=2.0, gamma=0.05, dev_writers=DEV, random_state=0).fit(X[is_dev], target[is_dev])
    verifier.enroll(X[80:84], [12] * 4).enroll(X[80:84], [13] * 4).enroll(X[80:84], [14] * 4).remove([14])
    raw(store, "UPDATE enrollments SET signatures = x'00' WHERE writer = 9")
    raw(store, "UPDATE enrollments SET n_references = 0 WHERE writer = 12")
    raw(store, "DELETE FROM writers WHERE writer = 13")
    other = StoredVerifier(other, store)
    with pytest.raises(ValueError, match=r"writers\.sqlite: writers who cannot be enrolled again: 12, 13, 9") as caught:
        other.reenroll()
    for writer in (9, 12, 13):
        assert f"the writer {writer}" in str(caught.value)
    assert np.isfinite(other.claim_scores(X[85:88], [8, 10, 11])).all()
    assert len(store.history(8)) == 2
    with pytest.raises(ValueError, match="cannot be enrolled again: 12, 13, 9"):
        other.reenroll()
    with pytest.raises(ValueError, match=r"(?s)cannot be enrolled again: 9, 77.*the writer 9.*not enrolled: 77"):
        other.reenroll([8, 9, 77])
    assert [one.event for one in store.history(8)] == ["enroll", "reenroll", "reenroll"]


def test_an_error_of_stored_references_names_the_writer(signatures, verifier, store):
    X, target = signatures
    is_dev = target[:, 0] < 8
    short = WriterDependentSVC(gamma=0.05, dev_writers=DEV, random_state=0).fit(X[is_dev, :20], target[is_dev])
    with pytest.raises(ValueError, match=r"(?s)the references of 8 cannot be enrolled: X has \d+ .*of 11 cannot"):
        StoredVerifier(short, store).reenroll()
    with pytest.raises(ValueError, match=r"writers\.sqlite: the references of 9 cannot be enrolled: .* 5, \d+ feat"):
        verifier.add_references([X[80], X[90, :5]], [8, 9])
    scans, rows = make_signatures(n_writers=2, n_genuine=3, n_skilled=0, random_state=0)
    preprocess = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(40, 57))
    system = make_pipeline(preprocess, StrokeFeaturizer(n_points=20), StrokeMatcher(dev_writers=[1, 2]))
    scored = StoredVerifier(system.fit(scans, rows), store)
    pipe = make_pipeline(FunctionTransformer(rows_of), make("rbf"))
    pipe.fit([row.tobytes() for row in X[is_dev]], target[is_dev])
    StoredVerifier(pipe, store).enroll([row.tobytes() for row in X[80:84]], [8] * 4)
    with pytest.raises(ImageError, match=r"the references of 8 cannot be .*\n?.*reference 0 of the writer 8: "):
        scored.add_references(scans[:1], [8])


def rows_of(contents):
    return np.stack([np.frombuffer(content, dtype=np.float32) for content in contents])


def test_the_fingerprint_is_that_of_what_scores_depend_on(signatures, svc, tmp_path):
    X, target = signatures
    is_dev, references, _ = split(signatures)

    def system(estimator):
        return StoredVerifier(estimator, WriterStore(tmp_path / "s")).system

    assert system(make("rbf").fit(X[is_dev], target[is_dev])) == system(svc)
    save(svc, tmp_path / "svc")
    assert system(load(tmp_path / "svc")) == system(svc)
    for kind in ("strokes", "fusion"):
        fitted = make(kind).fit(X[is_dev], target[is_dev])
        before = system(fitted)
        last_step(fitted).enroll(X[references, 16:] if kind == "strokes" else X[references], target[references])
        assert system(fitted) == before
    scans, rows = make_signatures(n_writers=2, n_genuine=2, n_skilled=0, random_state=0)
    steps = FunctionTransformer(flat), WriterDependentSVC(dev_writers=[1, 2], random_state=0)
    settings = [((765, 1089), 700), ((765, 1089), 600), ((680, 968), 700)]
    found = {
        system(
            make_pipeline(
                SignaturePreprocessor(canvas_size=canvas, image_size=(40, 57), max_memory=max_memory), *steps
            ).fit(scans, rows)
        )
        for canvas, max_memory in settings
    }
    assert len(found) == 2


def test_thresholds_of_writers_are_those_of_the_system(signatures, store):
    X, target = signatures
    is_dev, references, _ = split(signatures)
    own = np.flatnonzero(target[:, 0] == 9)
    svc = make("rbf")

    def fitted(**settings):
        model = OperatingPointVerifier(svc, **settings)
        return model.fit(X[is_dev | references], target[is_dev | references])

    user_specific = {"source": "references", "criterion": "frr", "user_specific": True, "random_state": 0}
    strict, loose = fitted(level=0.2, **user_specific), fitted(level=0.6, **user_specific)
    same = fitted(level=0.2, **user_specific)
    common = fitted(random_state=0)
    first, others = StoredVerifier(strict, store), [StoredVerifier(one, store) for one in (loose, common)]
    assert first.system == StoredVerifier(same, store).system
    assert len({one.system for one in (first, *others)}) == 3
    # A global threshold is that of the verifier, whatever is stored.
    assert StoredVerifier(fitted(level=0.3, random_state=0), store).system == others[1].system
    first.enroll(X[own[:5]], [9] * 5)
    for stored, model in zip(others, (loose, common)):
        with pytest.raises(ValueError, match="another system fitted the models of these writers: 9"):
            stored.decide(X[own[5:6]], [9])
        assert stored.reenroll() == [9]
        [decision] = stored.decide(X[own[5:6]], [9])
        model.enroll(X[own[:5]], [9] * 5)
        assert decision.threshold == (model.threshold_[9] if model is loose else model.threshold_)
        assert decision.accepted == model.verify(X[own[5:6]], [9])[0]
    assert first.reenroll() == [9]
    assert first.decision_function(X[own]).shape == (10, 1)


def test_a_pipeline_that_is_fitted_again_changes_nothing(signatures, store):
    X, target = signatures
    is_dev, references, _ = split(signatures)
    inner = make_pipeline(StandardScaler(), FunctionTransformer())
    pipe = make_pipeline(inner, make("rbf")).fit(X[is_dev], target[is_dev])
    verifier = StoredVerifier(pipe, store).enroll(X[references], target[references])
    before = verifier.decide(X[85:86], [8])[0]
    pipe.fit(X[is_dev] * 3 + 1, target[is_dev])
    inner[0].partial_fit(X)
    pipe.set_params(pipeline__standardscaler__with_mean=False)
    [after] = StoredVerifier(verifier.verifier, WriterStore(store.path)).decide(X[85:86], [8])
    assert after.score == verifier.decide(X[85:86], [8])[0].score == before.score
    assert after.system == before.system != StoredVerifier(pipe, store).system
    pipe.steps.insert(0, ("lock", FunctionTransformer(kw_args={"lock": threading.Lock()})))
    with pytest.raises(ValueError, match="verifier has a step that cannot be copied"):
        StoredVerifier(pipe, store)


def test_contents_of_files_are_stored_for_another_system(tmp_path, store):
    scans, target = make_signatures(n_writers=4, n_genuine=5, n_skilled=0, random_state=0)
    paths = [tmp_path / f"{number}.png" for number in range(10, 20)]
    for path, scan in zip(paths, scans[10:]):
        Image.fromarray(scan).save(path)

    def fitted(n_points):
        steps = StrokeFeaturizer(n_points=n_points), StrokeMatcher(dev_writers=[1, 2])
        preprocess = SignaturePreprocessor(canvas_size=(765, 1089), image_size=(85, 121))
        return make_pipeline(preprocess, *steps).fit(scans[:10], target[:10, 0])

    verifier = StoredVerifier(fitted(20), store)
    verifier.enroll([str(path) for path in paths[:3]], ["ada"] * 3)
    with open(paths[5], "rb") as file:
        verifier.enroll([file, paths[6].read_bytes(), scans[17]], ["bob"] * 3)
    verifier.verify([str(paths[4])], ["ada"], note="cheque 17")
    [decision] = store.decisions()
    assert decision.query == content_digest(paths[4].read_bytes())
    assert (decision.writer, decision.version, decision.note) == ("ada", 1, "cheque 17")
    for path in paths:
        path.unlink()
    other = StoredVerifier(fitted(30), store)
    assert other.reenroll() == ["ada", "bob"]
    in_memory = other.verifier[:-1].transform(scans[10:])
    last = other.verifier[-1].enroll(in_memory[[0, 1, 2, 5, 6, 7]], np.repeat(["ada", "bob"], 3))
    expected = last.claim_scores(in_memory[[3, 9]], ["ada", "bob"])
    assert np.array_equal(other.claim_scores([scans[13], scans[19]], ["ada", "bob"]), expected)
    Image.fromarray(np.full_like(scans[0], 255)).save(tmp_path / "blank.png")
    for call in (other.enroll, other.decide):
        with pytest.raises(ValueError, match=r"blank\.png: blank"):
            call([str(tmp_path / "blank.png")], ["ada"])
    Image.fromarray(scans[0]).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match="one page of a file cannot be stored"):
        verifier.enroll([f"{tmp_path / 'a.tif'}[0]"], ["eve"])


@pytest.mark.parametrize("as_table", [list, np.array, lambda paths: np.array(paths, dtype=object)[:, None]])
def test_a_file_that_changes_meanwhile_is_read_once(as_table, signatures, store, tmp_path):
    X, target = signatures
    own, changes = X[target[:, 0] == 9], []
    paths = [str(tmp_path / f"{number}.bin") for number in range(10)]

    def write(number, row):
        (tmp_path / f"{number}.bin").write_bytes(row.tobytes())

    def read(scans):
        contents = [one if isinstance(one, bytes) else Path(one.removesuffix("[0]")).read_bytes() for one in scans]
        for change in changes:
            change()
        return np.stack([np.frombuffer(content, dtype=np.float32) for content in contents])

    for number, row in enumerate(own):
        write(number, row)
    is_dev = target[:, 0] < 8
    pipe = make_pipeline(FunctionTransformer(read), make("rbf"))
    verifier = StoredVerifier(pipe.fit([row.tobytes() for row in X[is_dev]], target[is_dev]), store)
    # Steps that are functions are the same in a copy.
    fit = verifier._models.fit

    def fit_after_a_change(scans, y):
        for number in range(5):
            write(number, X[number])
        return fit(scans, y)

    verifier._models.fit = fit_after_a_change
    verifier.enroll(as_table(paths[:5]), [9] * 5)
    [before] = verifier.decide([own[5].tobytes()], [9])
    verifier._models.fit = fit
    assert verifier.reenroll([9]) == [9]
    changes.append(lambda: write(5, X[0]))
    [after] = verifier.decide(as_table(paths[5:6]), [9])
    assert (after.score, after.query) == (before.score, before.query)
    assert after.query != content_digest(Path(paths[5]).read_bytes())
    write(5, own[5])
    with pytest.raises(OSError, match=r"5\.bin\[0\]: changed while it was scored; nothing was recorded"):
        verifier.decide(as_table([f"{paths[5]}[0]"]), [9])
    assert len(store.decisions()) == 2
    assert verifier.decide(as_table([f"{paths[5]}[0]"]), [9])[0].writer == 9
    with pytest.raises(OSError, match=r"nowhere\.bin: no such file"):
        verifier.decide(as_table([str(tmp_path / "nowhere.bin")]), [9])


def test_a_step_that_changes_arrays_in_place_changes_nothing_that_is_stored(signatures, store):
    X, target = signatures
    is_dev, own = target[:, 0] < 8, np.flatnonzero(target[:, 0] == 9)
    X = X.astype(np.float64)
    pipe = make_pipeline(StandardScaler(copy=False), make("rbf")).fit(X[is_dev], target[is_dev])
    verifier = StoredVerifier(pipe, store).enroll(X[own[:5]], [9] * 5)
    expected = verifier.claim_scores(X[own[5:6]], [9])
    assert verifier.decide(X[own[5:6]], [9])[0].query == content_digest(X[own[5]])
    assert verifier.reenroll([9]) == [9]
    assert verifier.claim_scores(X[own[5:6]], [9]) == expected
    verifier.add_references([X[own[6]]], [9]).reenroll([9])
    together = StoredVerifier(pipe, WriterStore(f"{store.path}.other")).enroll(X[own[[0, 1, 2, 3, 4, 6]]], [9] * 6)
    assert np.array_equal(verifier.claim_scores(X[own], [9] * 10), together.claim_scores(X[own], [9] * 10))


def test_a_damaged_row_is_an_error_that_names_the_writer_and_no_other(signatures, svc, verifier, store):
    X, _ = signatures
    before = verifier.claim_scores(X[80:84], [8, 9, 10, 11])
    assert store.check() == []
    for column, value, message in [
        ("model", b"x", "model of the writer 9: damaged"),
        ("n_references", 6, "version 1 of the writer 9 is damaged"),
        ("system", os.fsdecode(b"\xff").encode("utf-8", "surrogateescape"), "version 1 of the writer 9 is damaged"),
        ("time", "yesterday", "version 1 of the writer 9 is damaged"),
    ]:
        [[kept]] = raw(store, f"SELECT {column} FROM enrollments WHERE writer = 9")
        # A cast stores bytes that are no text as text.
        new = "CAST(? AS TEXT)" if column == "system" else "?"
        raw(store, f"UPDATE enrollments SET {column} = {new} WHERE writer = 9", value)
        fresh = StoredVerifier(svc, store)
        with pytest.raises(ValueError, match=rf"writers\.sqlite: {message}"):
            fresh.claim_scores(X[:1], [9])
        with pytest.raises(ValueError, match=message):
            fresh.decision_function(X[:1])
        others = fresh.claim_scores(X[[80, 82, 83]], [8, 10, 11])
        assert np.array_equal(others, before[[0, 2, 3]])
        [problem] = store.check()
        assert "the writer 9" in problem
        raw(store, f"UPDATE enrollments SET {column} = ? WHERE writer = 9", kept)
    raw(store, "UPDATE enrollments SET model = x'00' WHERE writer = 11")
    raw(store, "UPDATE enrollments SET sigkit = '9' WHERE writer = 10")
    verifier.enroll(X[80:84], [10] * 4).enroll(X[80:84], [11] * 4)
    assert np.isfinite(verifier.claim_scores(X[80:81], [10]))
    raw(store, "UPDATE enrollments SET signatures = x'00' WHERE writer = 9")
    with pytest.raises(ValueError, match="references of the writer 9: damaged"):
        verifier.add_references(X[:1], [9])
    verifier.verify(X[85:86], [8])
    raw(store, "UPDATE decisions SET accepted = 1 - accepted")
    with pytest.raises(ValueError, match="about the writer 8 is damaged"):
        store.decisions()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "DELETE FROM enrollments WHERE writer = 9 AND version = 2",
            "last event of the writer 9 is damaged or missing",
        ),
        ("DELETE FROM writers WHERE writer = 9", "last event of the writer 9"),
        ("UPDATE writers SET event = 'remove' WHERE writer = 9", "last event of the writer 9"),
        ("DELETE FROM enrollments WHERE writer = 9 AND version = 1", "a version of the writer 9 is missing"),
        ("DELETE FROM enrollments WHERE writer = 9", "last event of the writer 9"),
        ("DELETE FROM decisions WHERE id = 2", "of the decisions 1 to 3, there are 2"),
        ("DELETE FROM decisions WHERE id = 3", "of the decisions 1 to 3, there are 2"),
        ("DELETE FROM decisions", "of the decisions up to 3, there are none. Restore a backup; to delete old"),
    ],
)
def test_missing_rows_are_noticed(sql, message, signatures, verifier, store):
    X, _ = signatures
    verifier.add_references(X[95:96], [9])
    verifier.verify(X[85:88], [8, 8, 8])
    raw(store, sql)

    def read_all():
        store.decisions()
        return store.history(9)

    with pytest.raises(ValueError, match=message):
        read_all()
    assert store.check()
    if "last event" in message:
        with pytest.raises(ValueError, match=message):
            verifier.claim_scores(X[:1], [9])
        assert np.isfinite(verifier.claim_scores(X[:1], [8]))
        assert verifier.enroll(X[80:84], [9] * 4).claim_scores(X[:1], [9])[0] + 10 > 0
        store.erase([9])


@pytest.mark.parametrize("condition", ["writer = 9", "1"])
def test_check_notices_writers_who_are_missing(condition, verifier, store):
    for table in ("writers", "enrollments"):
        raw(store, f"DELETE FROM {table} WHERE {condition}")
    [problem] = store.check()
    assert f"of the 4 events of writers, there are {3 if condition == 'writer = 9' else 0}" in problem


def test_old_decisions_can_be_deleted(signatures, verifier, store):
    X, _ = signatures
    verifier.verify(X[85:88], [8, 8, 8])
    raw(store, "DELETE FROM decisions WHERE id < 3")
    assert len(store.decisions()) == 1
    assert store.check() == []


def test_the_advice_about_damage_helps(signatures, svc, verifier, store):
    X, _ = signatures
    before = verifier.claim_scores(X[85:86], [8])
    raw(store, "UPDATE enrollments SET model = x'00' WHERE writer = 8")
    [problem] = store.check()
    assert "model of version 1 of the writer 8: damaged" in problem
    assert "Call `reenroll` with the writer" in problem
    fresh = StoredVerifier(svc, store)
    with pytest.raises(ValueError, match=r"damaged, .* Call `reenroll` with the writer"):
        fresh.claim_scores(X[85:86], [8])
    assert fresh.reenroll([8]) == [8]
    assert np.array_equal(fresh.claim_scores(X[85:86], [8]), before)
    raw(store, "UPDATE enrollments SET n_references = 77 WHERE writer = 9")
    with pytest.raises(ValueError, match=r"version 1 .*damaged\. Restore a backup, or enroll .* `history` may still"):
        verifier.claim_scores(X[95:96], [9])
    assert np.isfinite(verifier.enroll(X[90:94], [9] * 4).claim_scores(X[95:96], [9]))
    with pytest.raises(ValueError, match=r"version 1 of the writer 9 is damaged\. Restore a backup\.$"):
        store.history(9)


def test_damaged_pages_are_an_error(verifier, store, tmp_path):
    store.backup(tmp_path / "copy")
    content = bytearray((tmp_path / "copy").read_bytes())
    content[4096 * 2 :] = b"\x07" * (len(content) - 4096 * 2)
    (tmp_path / "copy").write_bytes(content)
    with WriterStore(tmp_path / "copy") as copy, pytest.raises(ValueError, match=r"copy.*damaged.*Restore a backup"):
        StoredVerifier(verifier.verifier, copy).claim_scores(np.zeros((1, 100)), [9])


def test_decisions_are_recorded_with_all_that_an_auditor_needs(signatures, verifier, store):
    X, _ = signatures
    threshold = {8: -0.0, 9: np.inf}
    accepted = verifier.verify(X[85:87], [8, 9], threshold)
    middle = datetime.now(UTC)
    verifier.verify(X[95:96], [9])
    one, two, three = store.decisions()
    assert [(d.writer, d.threshold, d.accepted) for d in (one, two)] == [(8, 0, accepted[0]), (9, np.inf, False)]
    assert one.query == content_digest(X[85])
    assert three.threshold == verifier.verifier.threshold_
    assert store.decisions(writer=9) == [two, three]
    assert store.decisions(since=middle) == [three]
    assert raw(store, "SELECT accepted FROM decisions") == [(one.accepted,), (two.accepted,), (three.accepted,)]
    with pytest.raises(ValueError, match="since must be a datetime with a time zone"):
        store.decisions(since="2026-01-01")
    with pytest.raises(ValueError, match="note must be a str"):
        verifier.verify(X[:1], [8], note=3)


def test_an_erased_writer_leaves_no_content(signatures, verifier, store):
    X, target = signatures
    verifier.add_references(X[target[:, 0] == 9][5:6], [9]).verify(X[96:97], [9])
    contents = raw(store, "SELECT signatures FROM enrollments WHERE writer = 9")
    store.erase([9])
    with open(store.path, "rb") as file:
        content = file.read()
    assert all(one[100:400] not in content for (one,) in contents)
    assert os.path.getsize(f"{store.path}-wal") == 0
    assert [one.event for one in store.history(9)] == ["enroll", "add_references", "erase"]
    assert len(store.decisions(9)) == 1
    assert store.check() == []
    with pytest.raises(ValueError, match=r"not enrolled: 9 \(erase"):
        verifier.claim_scores(X[:1], [9])
    with pytest.raises(ValueError, match="never enrolled: 77"):
        store.erase([8, 77])
    assert verifier.classes_.tolist() == [8, 10, 11]


def test_a_backup_is_a_store(signatures, verifier, store, tmp_path):
    X, _ = signatures
    store.backup(tmp_path / "copy")
    with WriterStore(tmp_path / "copy") as copy:
        assert copy.check() == []
        scores = StoredVerifier(verifier.verifier, copy).claim_scores(X[85:86], [8])
    assert np.array_equal(scores, verifier.claim_scores(X[85:86], [8]))
    with pytest.raises(FileExistsError):
        store.backup(tmp_path / "copy")


@pytest.mark.parametrize("ids", [["7", "8"], [2**62, -5], ["a\0b", "a"], ["\N{SNOWMAN}", "'; --"]])
def test_ids_keep_their_value_and_type(ids, signatures, svc, store):
    X, target = signatures
    verifier = StoredVerifier(svc, store)
    for writer, name in zip((8, 9), ids):
        verifier.enroll(X[target[:, 0] == writer][:4], [name] * 4)
    assert store.writers().tolist() == sorted(ids)
    scores = verifier.claim_scores(X[[85, 85]], ids)
    assert scores[0] > 0 > scores[1]
    other = 77 if isinstance(ids[0], str) else "77"
    with pytest.raises(ValueError, match="Use one type"):
        verifier.enroll(X[:2], [other, other])
    with pytest.raises(ValueError, match=r"not enrolled: '?77'?\. Those in the store have ids like .* Convert"):
        verifier.claim_scores(X[:1], [other])
    for ask in (store.history, store.decisions):
        with pytest.raises(ValueError, match=r"no writer '?77'?\. Those in the store have ids like .* Convert"):
            ask(other)
        assert ask("none" if isinstance(ids[0], str) else 1) == []


def test_ids_that_are_no_text_are_refused(signatures, svc, store):
    X, _ = signatures
    with pytest.raises(ValueError, match="is no valid text"):
        StoredVerifier(svc, store).enroll(X[80:82], ["a\udc80"] * 2)


def test_verifiers_whose_models_depend_on_others_are_refused(signatures, store, make_verifier, blots):
    X, target = signatures
    peers = WriterDependentSVC(gamma=0.05, n_peer_negatives=2, dev_writers=DEV, random_state=0).fit(X, target)
    with pytest.raises(ValueError, match="references of other enrolled writers"):
        StoredVerifier(peers, store)
    with pytest.raises(NotFittedError):
        StoredVerifier(make("fusion"), store)
    with pytest.raises(ValueError, match="MetaLearnedVerifier cannot be stored one by one"):
        StoredVerifier(make_verifier(training=MetaTraining(epochs=0)).fit(*blots), store)


def test_threads_lose_nothing(signatures, svc, store):
    X, target = signatures
    verifier = StoredVerifier(svc, store)
    own = X[target[:, 0] == 9]
    problems = []

    def enroll(number):
        try:
            for change in range(5):
                verifier.enroll(own[:3], [100 + 10 * number + change] * 3)
                verifier.enroll(own[change : change + 3], [99] * 3)
                verifier.claim_scores(own[5:6], [99])
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=enroll, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert [one.version for one in store.history(99)] == list(range(1, 21))
    assert len(store.writers()) == 21
    assert store.check() == []


def test_readers_do_not_wait_for_a_writer(signatures, verifier, store):
    X, _ = signatures
    before = verifier.claim_scores(X[85:86], [8])
    with store._database.writing() as connection:
        connection.execute("UPDATE enrollments SET version = version + 1")
        other = StoredVerifier(verifier.verifier, WriterStore(store.path, timeout=0.0))
        assert np.array_equal(other.claim_scores(X[85:86], [8]), before)
        with pytest.raises(OSError, match="another process has been writing for longer than timeout"):
            other.remove([8])
        connection.execute("ROLLBACK")
        connection.execute("BEGIN")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(signatures, verifier, store):
    X, target = signatures
    child = os.fork()
    if not child:
        status = 1
        try:
            verifier.enroll(X[target[:, 0] == 9][:4], [30] * 4)
            status = int(verifier.claim_scores(X[95:96], [30])[0] <= 0)
        finally:
            os._exit(status)
    verifier.enroll(X[target[:, 0] == 9][:4], [31] * 4)
    assert os.waitpid(child, 0)[1] == 0
    scores = verifier.claim_scores(X[[95, 95]], [30, 31])
    assert scores[0] == scores[1] > 0


def test_a_pickled_store_is_its_path(signatures, verifier, store):
    X, _ = signatures
    again = pickle.loads(pickle.dumps(verifier))
    assert again.store.path == store.path
    assert np.array_equal(again.claim_scores(X[85:86], [8]), verifier.claim_scores(X[85:86], [8]))


def test_values_that_a_store_cannot_hold_are_refused(signatures, verifier, store, tmp_path):
    X, target = signatures
    row = X[target[:, 0] == 8][5:6]
    late = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))
    for expires in (late, datetime(2100, 1, 1, tzinfo=NoOffset()), pd.NaT):
        with pytest.raises(ValueError, match="expires must be a datetime"):
            verifier.enroll(row, [8], expires=expires)
    for call in (verifier.enroll, verifier.add_references):
        with pytest.raises(ValueError, match=r"expires must be in the future; found .*2020.* call remove"):
            call(row, [8], expires=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="note must be a str without surrogates"):
        verifier.verify(row, [8], note="\ud800")
    for call in (verifier.claim_scores, verifier.verify):
        with pytest.raises(ValueError, match="There are no queries"):
            call(X[:0], [])
    with pytest.raises(ValueError, match="There are no references"):
        verifier.add_references(row, [[8, 1]])
    with pytest.raises(ValueError, match=r"References have 5, \d+ features"):
        verifier.add_references(row[:, :5], [8])
    assert [one.event for one in store.history(8)] == ["enroll"]
    assert store.decisions() == []
    for settings in ({"timeout": -1}, {"timeout": "a"}, {"mmap_size": "a"}, {"mmap_size": np.inf}):
        with pytest.raises(ValueError, match=f"{next(iter(settings))} must be a finite number from 0 on"):
            WriterStore(tmp_path / "other.sqlite", **settings)


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda svc, store: WriterStore(None), "path must be a str or an os.PathLike; found None"),
        (lambda svc, store: WriterStore(3), "path must be a str or an os.PathLike; found 3"),
        (lambda svc, store: store.backup(3), "path must be a str or an os.PathLike; found 3"),
        (lambda svc, store: StoredVerifier(WriterDependentSVC, store), "found the class WriterDependentSVC"),
        (lambda svc, store: StoredVerifier(svc, None), "store must be a WriterStore"),
        (lambda svc, store: StoredVerifier(svc, store.path), "store must be a WriterStore"),
        *(
            (lambda svc, store, size=size: StoredVerifier(svc, store, cache_size=size), "cache_size must be an integer")
            for size in ("a", 1.5, -1, None, True)
        ),
    ],
)
def test_parameters_of_other_types_are_refused(make_it, message, svc, store):
    with pytest.raises(ValueError, match=message):
        make_it(svc, store)


@pytest.mark.parametrize("X", [None, 3, "text", {1, 2}, np.float64(3), np.array(3)])
def test_signatures_that_are_no_list_are_refused(X, verifier):
    for call in (verifier.enroll, verifier.add_references, verifier.claim_scores, verifier.decide, verifier.verify):
        with pytest.raises(ValueError, match=r"^X "):
            call(X, [8])
    with pytest.raises(ValueError, match=r"^X "):
        verifier.decision_function(X)


@pytest.mark.parametrize("dtype", [str, object])
def test_numbers_as_text_are_decided_as_they_are_scored(dtype, signatures, svc, verifier):
    X, _ = signatures
    assert StoredVerifier(svc, verifier.store, cache_size=np.int64(3)).cache_size == 3
    scores = verifier.claim_scores(X[85:86].astype(dtype), [8])
    assert verifier.decide(X[85:86].astype(dtype), [8])[0].score == scores[0]


def test_an_erasure_whose_log_is_still_read_is_an_error(signatures, verifier, store):
    with WriterStore(store.path, timeout=0.1) as hurried, store._database.reading() as connection:
        connection.execute("SELECT count(*) FROM enrollments").fetchone()
        with pytest.raises(OSError, match="the log beside the file still has their content"):
            hurried.erase([9])
    store.erase([9])
    assert os.path.getsize(f"{store.path}-wal") == 0
