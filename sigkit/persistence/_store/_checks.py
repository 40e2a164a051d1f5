"""Checks of writers against a store, within a transaction."""

import numpy as np

from sigkit._utils import listing, same_id_type
from sigkit.persistence._store._records import now
from sigkit.persistence._store._rows import read_latest


def check_enrolled(connection, names, path, system=None):
    """Check that writers are enrolled, that their references are valid, and which system fitted their models.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    names : list of writer ids
        The writers.
    path : str
        The file, for messages.
    system : str or None, default=None
        The fingerprint of the system that must have fitted the models; None allows all.

    Returns
    -------
    dict of writer id to Latest
        The last event of each writer.

    Raises
    ------
    ValueError
        If a writer is not enrolled, the references have expired, or another system fitted the model; the writers are
        named. If a row is damaged, too.
    """
    found, time = {writer: read_latest(connection, writer, path) for writer in names}, now()
    unknown = [writer for writer, latest in found.items() if latest is None or not latest.is_enrolled]
    if unknown:
        which = listing(_with_event(writer, found[writer]) for writer in unknown)
        raise ValueError(f"{path}: writers who are not enrolled: {which}. {_advice(connection, unknown[0])}")
    expired = [
        f"{writer!r} (on {latest.enrollment.expires:%Y-%m-%d %H:%M} UTC)"
        for writer, latest in found.items()
        if latest.has_expired(time)
    ]
    if expired:
        raise ValueError(f"{path}: the references of these writers expired: {listing(expired)}. Enroll them again.")
    events = {writer: latest.enrollment for writer, latest in found.items()}
    foreign = [writer for writer, event in events.items() if system not in (None, event.system)]
    if foreign:
        other = events[foreign[0]]
        raise ValueError(
            f"{path}: another system fitted the models of these writers: {listing(map(repr, foreign))} (sigkit "
            f"{other.sigkit}, fingerprint {other.system[:12]}, not {system[:12]}). Call reenroll, which fits them from "
            "their references."
        )
    return found


def check_type(connection, writer, path):
    """Check that the id of a new writer has the type of those in the store.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    writer : int or str
        The writer.
    path : str
        The file, for the message.

    Raises
    ------
    ValueError
        If one is a string and the other an integer.
    """
    other = _id_of_other_type(connection, writer)
    if other is not None:
        raise ValueError(f"{path}: has writers with ids like {other!r}; found {writer!r}. Use one type.")


def check_asked(connection, writer, path):
    """Check that the id of a writer without rows has the type of those in the store.

    Parameters
    ----------
    connection : sqlite3.Connection
        A connection in a transaction.
    writer : int or str
        The writer.
    path : str
        The file, for the message.

    Raises
    ------
    ValueError
        If one is a string and the other an integer.
    """
    if _id_of_other_type(connection, writer) is not None:
        raise ValueError(f"{path}: no writer {writer!r}. {_advice(connection, writer)}")


def _id_of_other_type(connection, writer):
    found = connection.execute("SELECT writer FROM enrollments LIMIT 1").fetchone()
    is_other = found is not None and not same_id_type(np.array(found), np.array([writer]))
    return found[0] if is_other else None


def _advice(connection, writer):
    other = _id_of_other_type(connection, writer)
    return "Enroll them first." if other is None else f"Those in the store have ids like {other!r}. Convert the ids."


def _with_event(writer, latest):
    """Return a writer, and when the writer was removed."""
    if latest is None:
        return repr(writer)
    return f"{writer!r} ({latest.enrollment.event}, {latest.enrollment.time:%Y-%m-%d})"
