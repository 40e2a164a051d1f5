"""Reading and writing rows of the tables, within a transaction."""

import sqlite3
from contextlib import contextmanager

from sigkit.persistence._store._records import DECISION_COLUMNS, ENROLLMENT_COLUMNS, ERASE, REMOVE, read_enrollment

_COLUMNS = ", ".join(ENROLLMENT_COLUMNS)
_INSERT = f"INSERT INTO enrollments ({_COLUMNS}, model, signatures) VALUES ({'?, ' * len(ENROLLMENT_COLUMNS)}?, ?)"
_INSERT_DECISION = (
    f"INSERT INTO decisions ({', '.join(DECISION_COLUMNS)}) VALUES ({', '.join('?' * len(DECISION_COLUMNS))})"
)


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
        self.number, self.enrollment = number, read_enrollment(row, path)
        self.model_digest, self.signatures_digest = row[-3:-1]

    @property
    def is_enrolled(self):
        """Whether the writer has neither been removed nor erased."""
        return self.enrollment.event not in (REMOVE, ERASE)


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
    return found and Latest(found[0], found[1:], path)


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
    return [read_enrollment(row, path) for row in rows]


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
