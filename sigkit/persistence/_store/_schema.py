"""The tables of a store, and the check that a file has them."""

import sqlite3

APPLICATION = 0x7369676B
"""Marks a database as a store of sigkit: "sigk" in ASCII."""

SCHEMA = 1

# Rows of `enrollments` and `decisions` are never changed, but for `model` and `signatures` that are erased. The large
# columns come last, so that SQLite reads the others without them. `writers` has the last event of each writer: it is
# small, so that all writers are listed fast, and it shows if the last row of a writer is missing. STRICT and ANY keep
# the type of a writer id: 7 and "7" are two writers.
TABLES = {
    "writers": """CREATE TABLE writers (
    writer ANY NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    event TEXT NOT NULL,
    expires TEXT,
    row_digest TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID""",
    "enrollments": """CREATE TABLE enrollments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    writer ANY NOT NULL,
    version INTEGER NOT NULL,
    time TEXT NOT NULL,
    event TEXT NOT NULL,
    expires TEXT,
    n_references INTEGER NOT NULL,
    system TEXT NOT NULL,
    sigkit TEXT NOT NULL,
    model_digest TEXT NOT NULL,
    signatures_digest TEXT NOT NULL,
    digest TEXT NOT NULL,
    model BLOB,
    signatures BLOB,
    UNIQUE (writer, version)
) STRICT""",
    "decisions": """CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL,
    writer ANY NOT NULL,
    version INTEGER NOT NULL,
    score REAL NOT NULL,
    threshold REAL NOT NULL,
    accepted INTEGER NOT NULL,
    query TEXT NOT NULL,
    system TEXT NOT NULL,
    sigkit TEXT NOT NULL,
    note TEXT,
    digest TEXT NOT NULL
) STRICT""",
    "decisions_of_writers": "CREATE INDEX decisions_of_writers ON decisions (writer, time)",
    "decisions_by_time": "CREATE INDEX decisions_by_time ON decisions (time)",
}


def is_empty(connection, had_log):
    """Check whether a database is new; raise an error if it is no store of this schema.

    Parameters
    ----------
    connection : sqlite3.Connection
        The database.
    had_log : bool
        Whether it had a log beside it before it was opened, as every new one has.

    Returns
    -------
    bool
        True if it has no tables yet.

    Raises
    ------
    ValueError
        If it belongs to another program or has another schema. The message does not name the file.
    """
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [schema] = connection.execute("PRAGMA user_version").fetchone()
    found = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"))
    if not found and application == APPLICATION:
        if had_log:
            return True
        raise ValueError(
            "has no tables: its log (-wal) was deleted with everything in it, or the disk was full when it was made. "
            "Restore a backup. For a new store, delete it."
        )
    if application != APPLICATION:
        raise ValueError("a database of another program. Pass another path.")
    if schema != SCHEMA:
        raise ValueError(
            f"a store of schema {schema}; this version of sigkit has schema {SCHEMA}. Open it with the version of "
            "sigkit that the latest rows of its table enrollments name."
        )
    differing = sorted(name for name, sql in TABLES.items() if found.get(name) != sql)
    [n_triggers] = connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'").fetchone()
    if differing or n_triggers:
        what = f"its {', '.join(differing)} are others than in schema {SCHEMA}" if differing else "it has triggers"
        raise ValueError(f"{what}: it was changed by another program, or is damaged. Restore a backup.")
    return False


def new_database():
    """Make a database in WAL mode without tables.

    Returns
    -------
    bytes
        The content of its file.
    """
    connection = sqlite3.connect(":memory:")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    content = bytearray(connection.serialize())
    connection.close()
    # A database in memory has no log: these bytes of the header say that one in a file has.
    content[18:20] = b"\2\2"
    return bytes(content)


def create_tables(connection):
    """Create the tables in a new database, within a transaction.

    Parameters
    ----------
    connection : sqlite3.Connection
        The database.
    """
    for sql in TABLES.values():
        connection.execute(sql)
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
