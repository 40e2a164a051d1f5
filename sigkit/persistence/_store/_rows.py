"""Reading and writing rows of the tables, within a transaction."""

import sqlite3
from contextlib import contextmanager

from sigkit._utils import digest_of
from sigkit.persistence._store._records import DECISION_COLUMNS, ENROLLMENT_COLUMNS, ERASE, REMOVE, read_enrollment

_COLUMNS = ", ".join(ENROLLMENT_COLUMNS)
_INSERT = f"INSERT INTO enrollments ({_COLUMNS}, model, signatures) VALUES ({'?, ' * len(ENROLLMENT_COLUMNS)}?, ?)"
_INSERT_WRITER = "REPLACE INTO writers (writer, version, event, expires, row_digest, digest) VALUES (?, ?, ?, ?, ?, ?)"
_WRITERS = "SELECT writer, version, event, expires, row_digest, digest FROM writers"
_INSERT_DECISION = (
    f"INSERT INTO decisions ({', '.join(DECISION_COLUMNS)}) VALUES ({', '.join('?' * len(DECISION_COLUMNS))})"
)

# A claim needs the last event only.
_ENROLL_AGAIN = "Restore a backup, or enroll the writer again; `history` may still report the damage then."


class Latest:
    """The last event of a writer.

    Parameters
    ----------
    number : int
        The number of its row.
    row : tuple
        The values of its `ENROLLMENT_COLUMNS`.
    path : str
        The file, for messages.

    Raises
    ------
    ValueError
        If the row is damaged; the writer is named.
    """

    def __init__(self, number, row, path):
        self.number, self.enrollment = number, read_enrollment(row, path, _ENROLL_AGAIN)
        self.model_digest, self.signatures_digest, self.digest = row[-3:]

    def is_same(self, other):
        """Whether this is the event `other`, which may be None; a store that was restored gives numbers again."""
        return other is not None and (self.number, self.digest) == (other.number, other.digest)

    @property
    def is_enrolled(self):
        """Whether the writer has neither been removed nor erased."""
        return self.enrollment.event not in (REMOVE, ERASE)

    def has_expired(self, time):
        """Whether the references are not valid at a time."""
        return self.enrollment.expires is not None and self.enrollment.expires <= time


def read_latest(connection, writer, path):
    """Read the last event of a writer.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    writer : int or str
        The writer.
    path : str
        The file, for messages.

    Returns
    -------
    Latest or None
        The event; None if the writer was never enrolled.

    Raises
    ------
    ValueError
        If the row is damaged; the writer is named.
    """
    with _damage_named(writer, path):
        found = connection.execute(
            f"SELECT id, {_COLUMNS} FROM enrollments WHERE writer = ? ORDER BY version DESC LIMIT 1", (writer,)
        ).fetchone()
        _check_last(connection, writer, found and found[1:], path)
    return found and Latest(found[0], found[1:], path)


def read_version(connection, writer, path):
    """Read the number of the last event of a writer, also if it is damaged.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    writer : int or str
        The writer.
    path : str
        The file, for messages.

    Returns
    -------
    int
        The number; 0 if the writer was never enrolled.
    """
    with _damage_named(writer, path):
        [version] = connection.execute(
            "SELECT max(version) FROM (SELECT version FROM enrollments WHERE writer = ?1 "
            "UNION ALL SELECT version FROM writers WHERE writer = ?1)",
            (writer,),
        ).fetchone()
    return version or 0


def read_content(connection, column, latest, path):
    """Read a large column of the last event of a writer.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    column : {"model", "signatures"}
        The column.
    latest : Latest
        The event.
    path : str
        The file, for messages.

    Returns
    -------
    bytes or None
        The content; None if it was erased.

    Raises
    ------
    ValueError
        If the file is damaged; the writer is named.
    """
    with _damage_named(latest.enrollment.writer, path):
        sql = f"SELECT {column} FROM enrollments WHERE id = ?"
        return connection.execute(sql, (latest.number,)).fetchone()[0]


def read_events(connection, writer, path):
    """Read all events of a writer.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    writer : int or str
        The writer.
    path : str
        The file, for messages.

    Returns
    -------
    list of Enrollment
        The events, in their order.

    Raises
    ------
    ValueError
        If a row is damaged; the writer is named.
    """
    with _damage_named(writer, path):
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM enrollments WHERE writer = ? ORDER BY version", (writer,)
        ).fetchall()
        _check_last(connection, writer, rows[-1] if rows else None, path)
    events = [read_enrollment(row, path) for row in rows]
    if [event.version for event in events] != list(range(1, len(events) + 1)):
        raise ValueError(f"{path}: a version of the writer {writer!r} is missing. Restore a backup.")
    return events


def read_writers(connection, time, path):
    """List the enrolled writers.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    time : str
        The present time; references that expire later are valid.
    path : str
        The file, for messages.

    Returns
    -------
    list of writer ids
        The writers, sorted.

    Raises
    ------
    ValueError
        If a row is damaged or missing.
    """
    found = connection.execute(f"{_WRITERS} ORDER BY writer").fetchall()
    for row in found:
        if digest_of(row[:-1]) != row[-1]:
            raise _damaged(path, row[0])
    [n_writers] = connection.execute("SELECT count(DISTINCT writer) FROM enrollments").fetchone()
    if n_writers != len(found):
        raise ValueError(f"{path}: damaged; it has {len(found)} writers, and events of {n_writers}. Restore a backup.")
    return [
        writer
        for writer, _, event, expires, *_ in found
        if event not in (REMOVE, ERASE) and (expires is None or expires > time)
    ]


def read_ids(connection):
    """List all writers, also those whose rows are damaged.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.

    Returns
    -------
    list of writer ids
        The writers, sorted.
    """
    sql = "SELECT writer FROM writers UNION SELECT writer FROM enrollments ORDER BY writer"
    return [writer for (writer,) in connection.execute(sql)]


def insert_enrollment(connection, row, model=None, signatures=None):
    """Add a row to the table of enrollments.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a writing transaction.
    row : tuple
        The values of the `ENROLLMENT_COLUMNS`.
    model, signatures : bytes or None, default=None
        The large columns.
    """
    connection.execute(_INSERT, (*row, model, signatures))
    last = _last_event(row)
    connection.execute(_INSERT_WRITER, (*last, digest_of(last)))


def insert_decisions(connection, rows):
    """Add rows to the table of decisions.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a writing transaction.
    rows : list of tuple
        The values of the `DECISION_COLUMNS`.
    """
    connection.executemany(_INSERT_DECISION, rows)


def check_complete(connection, path):
    """Check that no decision is missing; the oldest ones may have been deleted.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    path : str
        The file, for the message.

    Raises
    ------
    ValueError
        If the numbers of the decisions have a gap, or end before the last number that was given.
    """
    n, first, last = connection.execute("SELECT count(*), min(id), max(id) FROM decisions").fetchone()
    given = _last_number(connection, "decisions")
    if n and not (n == last - first + 1 and last == given):
        raise ValueError(f"{path}: of the decisions {first} to {given}, there are {n}. Restore a backup.")
    if not n and given:
        raise ValueError(
            f"{path}: of the decisions up to {given}, there are none. Restore a backup; to delete old decisions, leave "
            "the last one."
        )


def check_all_events(connection, path):
    """Check that no event of any writer is missing, also where all those of a writer are.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    path : str
        The file, for the message.

    Raises
    ------
    ValueError
        If there are fewer than were stored.
    """
    [n] = connection.execute("SELECT count(*) FROM enrollments").fetchone()
    given = _last_number(connection, "enrollments")
    if n != given:
        raise ValueError(f"{path}: of the {given} events of writers, there are {n}. Restore a backup.")


def _last_number(connection, table):
    """Return the last number that a row of a table was given."""
    [number] = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return number or 0


def _last_event(row):
    """Return what the table of writers has of a row of the table of enrollments."""
    writer, version, _, event, expires, *_, digest = row
    return writer, version, event, expires, digest


def _check_last(connection, writer, row, path):
    """Check that a row, or none, is the last event of a writer."""
    last = connection.execute(f"{_WRITERS} WHERE writer = ?", (writer,)).fetchone()
    expected = row and _last_event(row)
    if last != (expected and (*expected, digest_of(expected))):
        raise _damaged(path, writer)


def _damaged(path, writer):
    return ValueError(f"{path}: the last event of the writer {writer!r} is damaged or missing. {_ENROLL_AGAIN}")


@contextmanager
def _damage_named(writer, path):
    """Name the writer whose rows cannot be read, or whose id cannot be in a store."""
    try:
        yield
    except UnicodeEncodeError:
        raise ValueError(f"{path}: the writer id {writer!r} is no valid text. Replace its surrogates.") from None
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        raise ValueError(
            f"{path}: the rows of the writer {writer!r} are damaged ({error}). Restore a backup; "
            "`sqlite3 FILE .recover` may save the rest."
        ) from error
