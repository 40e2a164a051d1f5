"""Fitted systems on disk: whole systems in one file each, without pickle; and a store of enrolled writers."""

from sigkit.persistence._store._content import pack_arrays as pack_arrays
from sigkit.persistence._store._content import unpack_arrays as unpack_arrays
from sigkit.persistence._store._records import Decision, Enrollment
from sigkit.persistence._store._stored_verifier import StoredVerifier
from sigkit.persistence._store._writer_store import WriterStore
from sigkit.persistence._system_file import load, save

__all__ = ["Decision", "Enrollment", "StoredVerifier", "WriterStore", "load", "save"]
