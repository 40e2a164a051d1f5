"""Fitted systems on disk: a store of enrolled writers that several processes share."""

from sigkit.persistence._store._records import Decision, Enrollment
from sigkit.persistence._store._stored_verifier import StoredVerifier
from sigkit.persistence._store._writer_store import WriterStore

__all__ = ["Decision", "Enrollment", "StoredVerifier", "WriterStore"]
