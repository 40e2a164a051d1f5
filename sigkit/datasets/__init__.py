"""Signatures to work with: loaders of corpora, .npz files, and drawn signatures."""

from sigkit.datasets._corpora import load_bhsig260, load_cedar, load_gpds, load_mcyt75, load_puc_pr
from sigkit.datasets._folder import load_folder
from sigkit.datasets._make_signatures import make_signatures
from sigkit.datasets._npz import load_npz, save_npz

__all__ = [
    "SignatureStream",
    "load_bhsig260",
    "load_cedar",
    "load_folder",
    "load_gpds",
    "load_mcyt75",
    "load_npz",
    "load_puc_pr",
    "make_signatures",
    "save_npz",
]


def __dir__():
    return sorted({*globals(), *__all__})


def __getattr__(name):
    # The only one that needs torch.
    if name == "SignatureStream":
        from sigkit.datasets._signature_stream import SignatureStream

        return SignatureStream
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
