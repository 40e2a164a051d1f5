"""A file of enrolled writers, their references and the decisions about them."""

import os
from numbers import Real

import numpy as np

from sigkit._utils import listing, parse_ids, printable_path, whole_file
from sigkit.persistence._store._checks import check_asked
from sigkit.persistence._store._content import FIT_AGAIN, unpack_arrays
from sigkit.persistence._store._database import Database
from sigkit.persistence._store._errors import named_errors
from sigkit.persistence._store._file import path_text
from sigkit.persistence._store._records import (
    DECISION_COLUMNS,
    ENROLLMENT_COLUMNS,
    ERASE,
    REMOVE,
    check_time,
    enrollment_row,
    now,
    read_decision,
    read_enrollment,
    to_text,
)
from sigkit.persistence._store._rows import (
    check_all_events,
    check_complete,
    insert_enrollment,
    read_events,
    read_latest,
    read_version,
    read_writers,
)


class WriterStore:
    """Enrolled writers on disk, which several processes share: their references, models, history and decisions.

    The store is one file, a database of SQLite in WAL mode. A writer who is enrolled by a
    :class:`StoredVerifier` is in the file when the call returns, also if the process is killed or the power fails right
    after it. One process writes at a time, in transactions; any number of processes and threads read meanwhile without
    waiting, and see the state of one moment. Other programs can open the file, for example an auditor with ``sqlite3``.

    Every row has a digest, which is checked when the row is read. A damaged row is an error that names the writer.

    Parameters
    ----------
    path : str or os.PathLike
        The file, on a local disk. It is created if it does not exist.
    timeout : float, default=60
        Seconds to wait while another process writes.
    mmap_size : float, default=0
        MiB of the file that are mapped into memory. Reading is then slightly faster, but a disk error, or another
        program that shortens the file, ends the process instead of raising an error.

    Attributes
    ----------
    path : str
        The absolute path of the file.

    Raises
    ------
    ValueError
        If the file is another one than a store of this version, is damaged, empty or without its log; or a parameter is
        no number from 0 on.
    OSError
        If it cannot be opened or created, or is no regular file. Methods raise it if the file was renamed, deleted or
        replaced since; then they store nothing.

    See Also
    --------
    StoredVerifier : Enrolls writers into a store, and scores claims.

    Notes
    -----
    A row is never changed: an enrollment, a removal, and an erasure are new rows, and the last one of a writer counts.
    So `history` and `decisions` remain as they were. `erase` overwrites references and models only.

    A store can be used by several threads, and after a fork. Pickled, it is its path.

    Digests detect damage. They are no signature: who can write the file can also write digests.

    Examples
    --------
    >>> import os, tempfile
    >>> from sigkit.persistence import WriterStore
    >>> with tempfile.TemporaryDirectory() as folder, WriterStore(os.path.join(folder, "writers.sqlite")) as store:
    ...     store.writers(), store.decisions(), store.check()
    (array([], dtype=int64), [], [])
    """

    def __init__(self, path, *, timeout=60.0, mmap_size=0.0):
        for name, value in (("timeout", timeout), ("mmap_size", mmap_size)):
            if not isinstance(value, Real) or not 0 <= value < np.inf:
                raise ValueError(f"{name} must be a finite number from 0 on; found {value!r}.")
        self.timeout, self.mmap_size = timeout, mmap_size
        self._database = Database(path, timeout, mmap_size)
        self.path, self._name = self._database.path, self._database.name

    def writers(self):
        """Return the enrolled writers, without those who were removed or whose references expired.

        Returns
        -------
        ndarray of shape (n_writers,)
            Ids, sorted.
        """
        with self._database.reading() as connection:
            return self._writers(connection)

    def history(self, writer):
        """Return the events of a writer: enrollments, removals and erasures.

        Parameters
        ----------
        writer : int or str
            The writer.

        Returns
        -------
        list of Enrollment
            The events in their order; empty if the writer was never enrolled.

        Raises
        ------
        ValueError
            If a row is damaged; the writer is named. Also if the id is a string and those in the store are integers, or
            the other way round.
        """
        [writer] = parse_ids([writer], "writer").tolist()
        with self._database.reading() as connection:
            events = read_events(connection, writer, self._name)
            if not events:
                check_asked(connection, writer, self._name)
        return events

    def decisions(self, writer=None, since=None):
        """Return the decisions that were made; ``pandas.DataFrame(store.decisions())`` makes a table of them.

        Parameters
        ----------
        writer : int, str or None, default=None
            The claimed writer; None for all.
        since : datetime or None, default=None
            The earliest time, with a time zone; None for all.

        Returns
        -------
        list of Decision
            The decisions in their order.

        Raises
        ------
        ValueError
            If a row is damaged, `since` has no time zone, or the id has another type than those in the store.
        """
        conditions, values = ["1"], []
        if writer is not None:
            conditions.append("writer = ?")
            values += parse_ids([writer], "writer").tolist()
        if since is not None:
            conditions.append("time >= ?")
            values.append(to_text(check_time(since, "since")))
        sql = f"SELECT {', '.join(DECISION_COLUMNS)} FROM decisions WHERE {' AND '.join(conditions)} ORDER BY id"
        with self._database.reading() as connection:
            check_complete(connection, self._name)
            rows = connection.execute(sql, values).fetchall()
            if writer is not None and not rows:
                check_asked(connection, values[0], self._name)
        return [read_decision(row, self._name) for row in rows]

    def remove(self, writers):
        """Remove enrolled writers: claims for them are refused. Their references and history are kept.

        Parameters
        ----------
        writers : array-like of shape (n_writers,)
            Enrolled writers.

        Raises
        ------
        ValueError
            If a writer is not enrolled; then none is removed.
        OSError
            If the file cannot be written.
        """
        names = parse_ids(writers, "writers").tolist()
        with self._database.writing() as connection:
            found = {writer: read_latest(connection, writer, self._name) for writer in names}
            lacking = [writer for writer, latest in found.items() if latest is None or not latest.is_enrolled]
            if lacking:
                raise ValueError(
                    f"{self._name}: writers to remove who are not enrolled: {listing(map(repr, lacking))}. Check ids."
                )
            for writer, latest in found.items():
                version, system = latest.enrollment.version + 1, latest.enrollment.system
                insert_enrollment(connection, enrollment_row(writer, version, REMOVE, None, 0, system, "", ""))

    def erase(self, writers):
        """Delete the references and models of writers, those of the past too, and overwrite them in the file.

        The events and decisions remain. Backups, and processes that have used a model lately, may still have it.

        Parameters
        ----------
        writers : array-like of shape (n_writers,)
            Writers, enrolled or removed.

        Raises
        ------
        ValueError
            If a writer was never enrolled; then none is erased.
        OSError
            If the file cannot be written, or its log is read for longer than `timeout`; then call it again.
        """
        names = parse_ids(writers, "writers").tolist()
        with self._database.writing() as connection:
            # Damaged rows can be erased, too.
            found = {writer: read_version(connection, writer, self._name) for writer in names}
            lacking = [writer for writer, version in found.items() if not version]
            if lacking:
                raise ValueError(
                    f"{self._name}: writers to erase who were never enrolled: {listing(map(repr, lacking))}. Check ids."
                )
            for writer, version in found.items():
                connection.execute("UPDATE enrollments SET model = NULL, signatures = NULL WHERE writer = ?", (writer,))
                insert_enrollment(connection, enrollment_row(writer, version + 1, ERASE, None, 0, "", "", ""))
        with self._database.connection() as connection:
            # The write-ahead log still has pages with the deleted content.
            [(is_busy, *_)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if is_busy:
            raise OSError(
                f"{self._name}: the writers are erased, but the log beside the file still has their content, because "
                "it was read for longer than timeout. Call erase again."
            )

    def check(self):
        """Check the whole file: its structure, and the digests of all rows, models and references.

        Returns
        -------
        list of str
            The problems that were found, empty if the file is sound.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        with self._database.reading() as connection:
            problems = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
            columns = ", ".join(ENROLLMENT_COLUMNS)
            for *row, model, signatures in connection.execute(f"SELECT {columns}, model, signatures FROM enrollments"):
                problems += self._problems_of(row, model, signatures)
            for (writer,) in connection.execute("SELECT DISTINCT writer FROM enrollments").fetchall():
                problems += _problem(read_events, connection, writer, self._name)
            problems += _problem(read_writers, connection, to_text(now()), self._name)
            for row in connection.execute(f"SELECT {', '.join(DECISION_COLUMNS)} FROM decisions"):
                problems += _problem(read_decision, row, self._name)
            for check in (check_complete, check_all_events):
                problems += _problem(check, connection, self._name)
        # Several checks find the same damage.
        problems = list(dict.fromkeys(problems))
        return problems

    def backup(self, path):
        """Write a copy of the store, while it is in use. It has the permissions of the store.

        Parameters
        ----------
        path : str or os.PathLike
            The file to write, which must not exist.

        Raises
        ------
        FileExistsError
            If there is such a file.
        OSError
            If it cannot be written.
        ValueError
            If the store is damaged, or `path` is no path.
        """
        path = path_text(path)
        copy = whole_file(path, replace=False, like=self.path)
        with self._database.connection(anywhere=True) as connection, copy as file:
            # Which of the two files an error of SQLite is about is not known.
            with named_errors(f"{self._name}, copied to {printable_path(path)}"):
                # SQLite fills the empty file.
                connection.execute("VACUUM INTO ?", (file.name,))
            os.fsync(file.fileno())

    def close(self):
        """Close the file. Calls afterwards are errors."""
        self._database.close()

    def _writers(self, connection):
        """Return the enrolled writers, within a transaction."""
        names = read_writers(connection, to_text(now()), self._name)
        return parse_ids(names, "writers") if names else np.empty(0, dtype=np.int64)

    def _problems_of(self, row, model, signatures):
        problems = _problem(read_enrollment, row, self._name)
        if not problems:
            what = f"version {row[1]} of the writer {row[0]!r}"
            if model:
                problems += _problem(unpack_arrays, model, row[-3], f"{self._name}: model of {what}", FIT_AGAIN)
            if signatures:
                problems += _problem(unpack_arrays, signatures, row[-2], f"{self._name}: references of {what}")
        return problems

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self):
        return f"WriterStore({self.path!r})"

    def __reduce__(self):
        return _open, (self.path, self.timeout, self.mmap_size)


def _open(path, timeout, mmap_size):
    return WriterStore(path, timeout=timeout, mmap_size=mmap_size)


def _problem(check, *arguments):
    """Return the message of an error as a list of one problem."""
    try:
        check(*arguments)
    except ValueError as error:
        return [str(error)]
    return []
