"""Files of whole fitted systems."""

import json
import platform
from importlib.metadata import version

from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from sklearn.base import BaseEstimator

import sigkit
from sigkit._utils import (
    FORMAT,
    compare_version,
    metadata_of,
    printable_path,
    read_file,
    seal_safetensors,
    unseal_safetensors,
    whole_file,
)
from sigkit.persistence._arrays import ArrayReader
from sigkit.persistence._classes import known_classes
from sigkit.persistence._decode import Decoder
from sigkit.persistence._encode import Encoder, Unknown
from sigkit.persistence._resolve import resolve

SCHEMA = 1
_KIND = "sigkit system "
_REMEDY = "Copy it again from where it is whole, or save the system again."
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "safetensors")


def save(system, path, *, classes=()):
    """Write a fitted system to one file: arrays as safetensors, everything else as JSON, with a digest.

    A system is a verifier, a Pipeline that ends in one, or any other estimator of sigkit, with everything in it: the
    network, the enrolled writers, their references, thresholds and calibration. The file has no code and no pickle.
    Its scores are those of the system to the last bit, on the same machine with the same libraries.

    Parameters
    ----------
    system : estimator
        The system.
    path : str or os.PathLike
        The file to write; an existing one is replaced when the new one is complete, and passes its permissions on.
    classes : iterable of type, default=()
        Classes of your own steps, whose attributes are numbers, texts, arrays and containers of them. `load` needs the
        same.

    Raises
    ------
    ValueError
        If the system holds an object of another class, such as a function, or one that could not be loaded again; the
        message says which and where. Nothing is written then. Or if `path` is no path.
    TypeError
        If the system is no estimator, or `classes` are no classes.
    OSError
        If the file cannot be written; the error names it.

    See Also
    --------
    load : Read the file.
    sigkit.estimators.WriterDependentSVC.export_writer : Write the model of one writer.

    Notes
    -----
    Classes of sigkit are saved, and the scalers, projections and Pipelines of scikit-learn. What only serves a training
    is left out: `net_` of a featurizer. A `memory` of joblib is saved as its folder. The system must not be changed by
    another thread meanwhile.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sigkit.estimators import WriterDependentSVC
    >>> from sigkit.persistence import load, save
    >>> X = np.array([[0.0, 1], [0, 2], [3, 0], [4, 1]])
    >>> model = WriterDependentSVC().fit(X, ["ada", "ada", "bob", "bob"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "office.safetensors")
    ...     save(model, path)
    ...     again = load(path)
    >>> bool((again.decision_function(X) == model.decision_function(X)).all())
    True
    """
    known, _ = known_classes(classes), printable_path(path)
    if not isinstance(system, BaseEstimator):
        raise TypeError(f"system must be an estimator, such as a Pipeline; found a {type(system).__name__}.")
    encoder = Encoder(known)
    try:
        encoded = encoder.encode(system)
    except Unknown as error:
        place = error.place if len(error.place) <= 200 else f"{error.place[:199]}..."
        raise ValueError(
            f"The system cannot be saved: system{place} {error.what}. A file holds classes of sigkit, some "
            "of scikit-learn, numbers, texts and arrays. Set it to None if scoring does not need it; if it is an "
            "object of your own class, pass classes=[...] to save and load."
        ) from None
    except RecursionError as error:
        raise ValueError("The system cannot be saved here: Python's stack is too short for its parts.") from error
    tensors = encoder.arrays.tensors()
    _check_loadable(known, encoder, encoded, tensors)
    metadata = {
        "system": json.dumps(encoded),
        "classes": json.dumps(encoder.classes),
        "arrays": json.dumps(encoder.arrays.table, separators=(",", ":")),
        "versions": json.dumps(_versions()),
    }
    try:
        content = save_tensors(tensors, metadata=metadata)
    except SafetensorError as error:
        raise ValueError(
            f"The system cannot be saved: its values other than arrays are too many for one file ({error}). Put "
            "numbers into arrays, and very many writers into a WriterStore."
        ) from error
    content = seal_safetensors(content, f"{_KIND}{SCHEMA}")
    with whole_file(path) as file:
        file.write(content)


def load(path, *, classes=()):
    """Read a system from a file of `save`. Nothing in the file is executed.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    classes : iterable of type, default=()
        Classes of your own steps, as in `save`.

    Returns
    -------
    estimator
        The fitted system.

    Raises
    ------
    ValueError
        If the file is damaged, is no system file, has another schema, or holds a class that is not known. The file is
        named. Or if `path` is no path.
    OSError
        If the file cannot be read.
    TypeError
        If `classes` are no classes.

    Warns
    -----
    UserWarning
        If it was written by another version of sigkit; or if it names a device or a cache folder that this machine
        does not have, which is None then.

    See Also
    --------
    save : Write the file.

    Examples
    --------
    >>> from sigkit.persistence import load
    >>> load("README.md")
    Traceback (most recent call last):
        ...
    ValueError: README.md: not a whole safetensors file (...). Copy it again from where it is whole, or save ...
    """
    known, name = known_classes(classes), printable_path(path)
    content = read_file(path)
    _check_schema(name, metadata_of(content))
    metadata = unseal_safetensors(content, name, f"{_KIND}{SCHEMA}", _REMEDY)
    try:
        parts = {part: json.loads(metadata[part]) for part in ("system", "classes", "arrays", "versions")}
        decoder = Decoder(known, parts["classes"], ArrayReader(load_tensors(content), parts["arrays"]))
        system = decoder.decode(parts["system"])
        if not isinstance(system, BaseEstimator):
            raise TypeError(f"a {type(system).__name__}, not an estimator")
        compare_version(name, str(parts["versions"]["sigkit"]))
    except Warning:
        # Where warnings are errors.
        raise
    # The digest fits, so another program or version wrote these values: any of them may be impossible.
    except Exception as error:
        raise ValueError(
            f"{name}: holds what sigkit {sigkit.__version__} cannot load ({type(error).__name__}: {error}). It was "
            f"written by {_writer_of(metadata)}."
        ) from error
    resolve(decoder.estimators, name)
    return system


def _check_loadable(known, encoder, encoded, tensors):
    """Make the system again, as `load` will: an object of the user may have a state that it does not accept."""
    try:
        Decoder(known, encoder.classes, ArrayReader(tensors, encoder.arrays.table)).decode(encoded)
    except Exception as error:
        raise ValueError(
            f"The system cannot be saved, because it could not be loaded again ({type(error).__name__}: {error})."
        ) from error


def _check_schema(name, metadata):
    """Check the schema before the digest, which other schemas may compute in another way."""
    found = metadata.get(FORMAT, "")
    if not found.startswith(_KIND) or found == f"{_KIND}{SCHEMA}":
        return
    schema = found.removeprefix(_KIND)
    newer = schema.isdecimal() and int(schema) > SCHEMA
    advice = (
        "Upgrade sigkit, or save the system again by this version."
        if newer
        else "Convert it: load it with the version that wrote it, write it by joblib.dump, and load and save it here."
    )
    raise ValueError(
        f"{name}: a system of schema {schema!r}, written by {_writer_of(metadata)}; sigkit {sigkit.__version__} reads "
        f"schema {SCHEMA}. {advice}"
    )


def _writer_of(metadata):
    try:
        return f"sigkit {json.loads(metadata['versions'])['sigkit']}"
    except (KeyError, TypeError, ValueError, RecursionError):
        return "an unknown version"


def _versions():
    return {
        "sigkit": sigkit.__version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }
