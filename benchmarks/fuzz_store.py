"""The file of a `WriterStore`, for `fuzz_files.py`; its rows are damaged as a program would damage them."""

import os
import sqlite3
import tempfile
import warnings
from contextlib import suppress

import numpy as np
from file_damage import STRUCTURED, damaged_array, damaged_table
from fuzz_files import IMAGES, TARGET, Target, kind
from sklearn.pipeline import make_pipeline

from sigkit._utils import digest_of
from sigkit.estimators import StrokeMatcher, VerifierFusion, WriterDependentSVC
from sigkit.persistence import StoredVerifier, WriterStore, pack_arrays, unpack_arrays
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer, StrokeFeaturizer

VALUES = (None, 0, -1, 2**62, 1.5, "", "x", "remove", b"", b"\xff\x00")


def make_fusion():
    network = SigNetFeaturizer("tiny", training=SigNetTraining(epochs=0), random_state=0)
    svm = make_pipeline(network, WriterDependentSVC(dev_writers=[1, 2], random_state=0))
    strokes = make_pipeline(StrokeFeaturizer(n_points=60), StrokeMatcher(dev_writers=[1, 2]))
    return VerifierFusion([("svm", svm), ("strokes", strokes)], dev_writers=[1, 2], reach=-np.inf)


def remove_log(path):
    for suffix in ("-wal", "-shm"):
        if os.path.exists(f"{path}{suffix}"):
            os.unlink(f"{path}{suffix}")


@kind
def store(folder):
    path, model, is_dev = folder / "writers.sqlite", make_fusion(), TARGET[:, 0] < 3
    model.fit(IMAGES[is_dev], TARGET[is_dev])
    with WriterStore(path) as new, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verifier = StoredVerifier(model, new)
        verifier.enroll(IMAGES[12:15], [3] * 3).enroll(IMAGES[18:20], [4] * 2).add_references(IMAGES[20:21], [4])
        verifier.verify(IMAGES[[15, 21]], [3, 4])

    def read():
        # The log of the file before it was damaged is no part of it.
        remove_log(path)
        with WriterStore(path) as damaged:
            scores = StoredVerifier(model, damaged).claim_scores(IMAGES[[15, 21]], [3, 4])
            decisions, events = damaged.decisions(), damaged.history(3) + damaged.history(4)
            texts = np.array([repr(row) for row in [*decisions, *events]])
            return [scores, texts, damaged.writers()]

    return Target(path, read, "sqlite")


def change(connection, sql, *values):
    """Change rows, unless the table refuses the type of a value."""
    with suppress(sqlite3.Error):
        connection.execute(sql, values)


def damage_sqlite(rng, content, forged):
    """Change a value of a row or an array of a model, or remove a row; if `forged`, with new digests."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "damaged")
        with open(path, "wb") as file:
            file.write(content)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = DELETE")
        damage_row(rng, connection, str(rng.choice(["enrollments", "writers", "decisions"])), forged)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        with open(path, "rb") as file:
            return file.read()


def damage_row(rng, connection, table, forged):
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    rows, key = connection.execute(f"SELECT * FROM {table}").fetchall(), columns[0]
    what = rng.choice(["value", "value", "model", "remove"])
    # The oldest decisions may be deleted, but not the last ones.
    number = -1 if (what, table) == ("remove", "decisions") else int(rng.integers(len(rows)))
    row = dict(zip(columns, rows[number]))
    if what == "remove":
        change(connection, f"DELETE FROM {table} WHERE {key} = ?", row[key])
        return
    if what == "model" and table == "enrollments":
        arrays = unpack_arrays(row["model"], row["model_digest"], "the model")
        arrays = damaged_table(rng, arrays, lambda array: damaged_array(rng, array))
        row["model"], digest = pack_arrays({name: np.asarray(array) for name, array in arrays.items()})
        row["model_digest"] = digest if forged else row["model_digest"]
    else:
        row[str(rng.choice(columns[1:]))] = VALUES[int(rng.integers(len(VALUES)))]
    if forged:
        first = columns.index("writer")
        row["digest"] = digest_of(tuple(row[name] for name in columns[first : columns.index("digest")]))
    assigned = ", ".join(f"{name} = ?" for name in columns)
    change(connection, f"UPDATE {table} SET {assigned} WHERE {key} = ?", *row.values(), rows[number][0])
    if forged and table == "enrollments":
        last = row["writer"], row["version"], row["event"], row["expires"], row["digest"]
        change(connection, "REPLACE INTO writers VALUES (?, ?, ?, ?, ?, ?)", *last, digest_of(last))


STRUCTURED["sqlite"] = damage_sqlite
