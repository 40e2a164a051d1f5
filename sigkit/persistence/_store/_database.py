"""Connections to a database of SQLite that threads and processes share."""

import os
import sqlite3
import threading
from contextlib import contextmanager
from weakref import WeakSet

from sigkit._utils import printable_path
from sigkit.persistence._store._errors import named_errors
from sigkit.persistence._store._file import identity, log_path, path_text, prepare_file
from sigkit.persistence._store._schema import create_tables, is_empty

_SETTINGS = (
    # A commit is on the disk when it returns, also if the power fails.
    "synchronous = FULL",
    # Deleted content is overwritten: references are personal data.
    "secure_delete = ON",
    # Nothing in the file is executed, and damaged cells are an error.
    "trusted_schema = OFF",
    "cell_size_check = ON",
    # The log of a large transaction does not remain large.
    "journal_size_limit = 67108864",
)

# Older ones have no STRICT tables.
_OLDEST = 3, 37
# SQLite counts milliseconds and bytes in C integers, and takes larger values for 0.
_MAX_TIMEOUT, _MAX_MAPPED = 2e6, 2**40

_databases = WeakSet()
# The connections of a parent process. They must not be used, and not even be closed, by a child process.
_inherited = []


class Database:
    """A file in WAL mode: readers never wait for the process that writes, and see the state of one moment.

    A connection serves one thread at a time. Threads take it from those that are idle, and give it back. After a fork
    the child process opens its own.

    Parameters
    ----------
    path : str or os.PathLike
        The file; it is created if it does not exist.
    timeout : float
        Seconds to wait for another process that writes.
    mmap_size : float
        MiB of the file that are mapped into memory.

    Raises
    ------
    ValueError
        If the file is no store of this schema.
    OSError
        If it cannot be opened, or SQLite is too old.
    """

    def __init__(self, path, timeout, mmap_size):
        self.path = path_text(path)
        # For messages.
        self.name = printable_path(self.path)
        if sqlite3.sqlite_version_info < _OLDEST:
            raise OSError(
                f"{self.name}: a store needs SQLite {'.'.join(map(str, _OLDEST))} or later; this Python has "
                f"{sqlite3.sqlite_version}. Install another Python."
            )
        self.timeout, self.mmap_size, self._closed = timeout, mmap_size, False
        self._reset()
        _databases.add(self)
        # The first connection shows whether the file can be used.
        with named_errors(self.name):
            self._give_back(self._open(create=True))

    def abandon(self):
        """Keep the connections of the parent process unused, and begin anew, without the locks of other threads."""
        _inherited.extend(self._all)
        self._reset()

    def close(self):
        """Close the connections that no thread uses; the others are closed when they are given back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            self._discard(connection)

    @contextmanager
    def reading(self):
        """Read the state of one moment.

        Yields
        ------
        sqlite3.Connection
            A connection in a transaction.
        """
        with self.connection() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self):
        """Change the database in one transaction, which is undone if the block is left by an error.

        Yields
        ------
        sqlite3.Connection
            A connection in a transaction; no other thread or process has one.
        """
        # Threads of one process wait in their order; SQLite lets processes try again and again.
        with self._writing, self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            self._check_files()
            connection.execute("COMMIT")

    def _reset(self):
        self._idle, self._all, self._files = [], [], None
        self._guard, self._writing = threading.Lock(), threading.Lock()

    @contextmanager
    def connection(self, *, anywhere=False):
        """Take a connection outside of a transaction.

        Parameters
        ----------
        anywhere : bool, default=False
            Whether the file may have been renamed or deleted.

        Yields
        ------
        sqlite3.Connection
            The connection.

        Raises
        ------
        OSError
            If the path leads to another file than the one that is open, or to none.
        """
        with named_errors(self.name):
            with self._guard:
                if self._closed:
                    raise ValueError(f"{self.name}: this store was closed. Open it again.")
                connection = self._idle.pop() if self._idle else None
            connection = connection or self._open()
            try:
                if not anywhere:
                    self._check_files()
                yield connection
            finally:
                self._give_back(connection)

    def _give_back(self, connection):
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._discard(connection)
            return
        with self._guard:
            if not self._closed:
                self._idle.append(connection)
                return
        self._discard(connection)

    def _discard(self, connection):
        with self._guard:
            self._all.remove(connection)
        connection.close()

    def _open(self, create=False):
        if self._all and self._files is not None:
            # SQLite would mix a file that replaces another one with the log of the other one.
            self._check_files()
        had_log = prepare_file(self.path, create)
        self._log = log_path(self.path)
        timeout = min(self.timeout, _MAX_TIMEOUT)
        connection = sqlite3.connect(self.path, timeout=timeout, isolation_level=None, check_same_thread=False)
        with self._guard:
            self._all.append(connection)
        # Damaged text is shown by the digest of its row.
        connection.text_factory = _decode
        try:
            self._prepare(connection, had_log)
            with self._guard:
                # The log of a single connection may be a new one.
                if self._files is None or self._all == [connection]:
                    self._files = self._find_files()
            self._check_files()
        except BaseException:
            self._discard(connection)
            raise
        return connection

    def _prepare(self, connection, had_log):
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        connection.execute(f"PRAGMA mmap_size = {int(min(self.mmap_size * 2**20, _MAX_MAPPED))}")
        try:
            is_new = is_empty(connection, had_log)
            [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise ValueError("its file system has no shared memory. Pass a path on a local disk.")
            if is_new:
                connection.execute("BEGIN IMMEDIATE")
                # Another process may have created the tables meanwhile.
                if is_empty(connection, had_log):
                    create_tables(connection)
                connection.execute("COMMIT")
            # The log of a backup is created when it is first read.
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None

    def _find_files(self):
        return identity(self.path), identity(self._log)

    def _check_files(self):
        """Refuse to go on with files that nobody will find: SQLite itself reads and writes them as before."""
        if self._find_files() != self._files:
            raise OSError(
                f"{self.name}: the file or its log (-wal) was renamed, deleted or replaced while it was open; nothing "
                "of this call was stored. Put both back, or close this store and open it again. `backup` still writes "
                "what was in it."
            )


def _decode(content):
    return content.decode("utf-8", "surrogateescape")


def _after_fork():
    for database in _databases:
        database.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
