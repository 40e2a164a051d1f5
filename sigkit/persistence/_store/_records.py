"""The rows of a store: events in the enrollment of writers, and decisions about claims."""

from datetime import UTC, datetime
from typing import NamedTuple

from sigkit import __version__
from sigkit._utils import DIGEST, digest_of

ENROLL, ADD, REENROLL, REMOVE, ERASE = "enroll", "add_references", "reenroll", "remove", "erase"
"""Events of a writer, by the names of the methods."""


class Enrollment(NamedTuple):
    """One event in the enrollment of a writer.

    Parameters
    ----------
    writer : int or str
        The writer.
    version : int
        1 for the first event of the writer, 2 for the second, and so on. The last one counts.
    time : datetime
        When it was stored, in UTC.
    event : {"enroll", "add_references", "reenroll", "remove", "erase"}
        What was done.
    expires : datetime or None
        When the references expire, in UTC.
    n_references : int
        Number of references; 0 if the writer was removed or erased.
    system : str
        Fingerprint of the verifier that fitted the model.
    sigkit : str
        The version of sigkit.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from sigkit.persistence import Enrollment
    >>> Enrollment("ada", 1, datetime(2026, 3, 1, tzinfo=UTC), "enroll", None, 5, "f2a0", "0.1.0").n_references
    5
    """

    writer: int | str
    version: int
    time: datetime
    event: str
    expires: datetime | None
    n_references: int
    system: str
    sigkit: str


class Decision(NamedTuple):
    """One decision about a claim.

    Parameters
    ----------
    time : datetime
        When it was stored, in UTC.
    writer : int or str
        The claimed writer.
    version : int
        The version of the writer's references.
    score : float
        The score.
    threshold : float
        The lowest score that was accepted.
    accepted : bool
        Whether the claim was accepted.
    query : str
        SHA-256 digest of the query: of the content of a file, or of the shape, type and values of an array.
    system : str
        Fingerprint of the verifier.
    sigkit : str
        The version of sigkit.
    note : str or None
        What the caller noted.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from sigkit.persistence import Decision
    >>> time = datetime(2026, 3, 1, tzinfo=UTC)
    >>> Decision(time, "ada", 1, 0.7, 0.4, True, "9f86d0", "f2a0", "0.1.0", "branch 7").accepted
    True
    """

    time: datetime
    writer: int | str
    version: int
    score: float
    threshold: float
    accepted: bool
    query: str
    system: str
    sigkit: str
    note: str | None


ENROLLMENT_COLUMNS = (*Enrollment._fields, "model_digest", "signatures_digest", DIGEST)
DECISION_COLUMNS = (*Decision._fields, DIGEST)


def to_text(time):
    """Write a time for a store.

    Parameters
    ----------
    time : datetime or None
        The time, with a time zone.

    Returns
    -------
    str or None
        The time in UTC; texts are in the order of times.
    """
    return None if time is None else time.astimezone(UTC).isoformat(timespec="microseconds")


def check_time(time, name):
    """Check a time.

    Parameters
    ----------
    time : datetime or None
        The time.
    name : str
        The parameter, for messages.

    Returns
    -------
    datetime or None
        The time.

    Raises
    ------
    ValueError
        If it is no datetime, has no time zone, or is in no year from 1 to 9999 in UTC.
    """
    try:
        # A time zone without an offset would be taken for the local one.
        is_valid = time is None or (time.utcoffset() is not None and time.astimezone(UTC) is not None)
    # NaT of pandas has no offset at all.
    except (AttributeError, OverflowError, ValueError):
        is_valid = False
    if not is_valid or not isinstance(time, (datetime, type(None))):
        raise ValueError(
            f"{name} must be a datetime with a time zone, such as datetime(2030, 1, 1, tzinfo=datetime.UTC), or None; "
            f"found {time!r}."
        )
    return time


def check_expiry(expires):
    """Check the time when references expire.

    Parameters
    ----------
    expires : datetime or None
        The time.

    Raises
    ------
    ValueError
        As in `check_time`, or if it is not in the future.
    """
    if check_time(expires, "expires") is not None and expires <= now():
        raise ValueError(f"expires must be in the future; found {expires!r}. To end an enrollment, call remove.")


def now():
    """Return the present time.

    Returns
    -------
    datetime
        The time in UTC.
    """
    return datetime.now(UTC)


def enrollment_row(writer, version, event, expires, n_references, system, model_digest, signatures_digest):
    """Make a row of the table of enrollments, with its digest.

    Parameters
    ----------
    writer, version, event, expires, n_references, system : object
        As in `Enrollment`.
    model_digest, signatures_digest : str
        Digests of the model and of the references.

    Returns
    -------
    tuple
        Values in the order of `ENROLLMENT_COLUMNS`.
    """
    row = writer, version, to_text(now()), event, to_text(expires), n_references, system, __version__
    row = *row, model_digest, signatures_digest
    return *row, digest_of(row)


def decision_row(decision):
    """Make a row of the table of decisions, with its digest.

    Parameters
    ----------
    decision : Decision
        The decision.

    Returns
    -------
    tuple
        Values in the order of `DECISION_COLUMNS`.
    """
    # SQLite has no negative zero, and the digest would be another one.
    numbers = {"score": decision.score + 0.0, "threshold": decision.threshold + 0.0, "accepted": int(decision.accepted)}
    row = tuple(decision._replace(time=to_text(decision.time), **numbers))
    return *row, digest_of(row)


def read_enrollment(row, path, advice="Restore a backup."):
    """Check the digest of a row of the table of enrollments.

    Parameters
    ----------
    row : tuple
        Values in the order of `ENROLLMENT_COLUMNS`.
    path : str
        The file, for the message.
    advice : str, default="Restore a backup."
        The end of the message.

    Returns
    -------
    Enrollment
        The event.

    Raises
    ------
    ValueError
        If the row was damaged; the writer is named.
    """
    writer, version = row[:2]
    found = Enrollment(*row[: len(Enrollment._fields)])
    try:
        if digest_of(row[:-1]) == row[-1]:
            expires = None if found.expires is None else datetime.fromisoformat(found.expires)
            return found._replace(time=datetime.fromisoformat(found.time), expires=expires)
    except ValueError:
        # The digest is right, but no time was written.
        pass
    raise ValueError(f"{path}: version {version!r} of the writer {writer!r} is damaged. {advice}")


def read_decision(row, path):
    """Check the digest of a row of the table of decisions.

    Parameters
    ----------
    row : tuple
        Values in the order of `DECISION_COLUMNS`.
    path : str
        The file, for the message.

    Returns
    -------
    Decision
        The decision.

    Raises
    ------
    ValueError
        If the row was damaged; the writer is named.
    """
    found = Decision(*row[:-1])
    try:
        if digest_of(row[:-1]) == row[-1]:
            return found._replace(time=datetime.fromisoformat(found.time), accepted=bool(found.accepted))
    except ValueError:
        # The digest is right, but no time was written.
        pass
    raise ValueError(f"{path}: a decision of {row[0]!r} about the writer {row[1]!r} is damaged. Restore a backup.")
