"""Data sets of signatures: loaders of corpora and folders, audits, .npz files, and synthetic signatures."""

from sigkit.datasets import _catalogue
from sigkit.datasets._add_synthetic_writers import add_synthetic_writers
from sigkit.datasets._audit import AuditDisplay, CorpusAudit, Shortcut, audit
from sigkit.datasets._catalogue import *  # noqa: F403
from sigkit.datasets._corpora import list_corpora, load_corpus
from sigkit.datasets._csv import load_csv
from sigkit.datasets._folder import load_folder
from sigkit.datasets._make_signatures import draw_seed as draw_seed
from sigkit.datasets._make_signatures import make_signatures
from sigkit.datasets._npz import load_npz, save_npz
from sigkit.datasets._synthesis import simulate_movements as simulate_movements

__all__ = [
    "AuditDisplay",
    "CorpusAudit",
    "Shortcut",
    "SignatureStream",  # noqa: F405
    "add_synthetic_writers",
    "audit",
    "list_corpora",
    "load_corpus",
    "load_csv",
    "load_folder",
    "load_npz",
    "make_signatures",
    "save_npz",
]
__all__ += _catalogue.__all__


def __dir__():
    return sorted({*globals(), *__all__})


def __getattr__(name):
    # The only class that needs torch.
    if name == "SignatureStream":
        from sigkit.datasets._signature_stream import SignatureStream

        return SignatureStream
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
