"""Digests inside files: a damaged file is refused, and never read as something else.

A digest detects damage. It is no signature: who writes a file on purpose can write its digest, too.
"""

import hashlib
import json
from numbers import Number

import numpy as np

DIGEST, FORMAT = "digest", "format"
# The length of the header of a safetensors file, which comes first, has this many bytes.
_LENGTH = 8
_METADATA = "__metadata__"


def digest_of(content):
    """Compute a digest of nested values.

    Parameters
    ----------
    content : dict, list, tuple, str, bytes, number, None, ndarray or Tensor
        The values. The order of the entries of a dict does not matter.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    TypeError
        If a value has another type.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit._utils import digest_of
    >>> digest_of({"a": 1, "b": np.zeros(2)}) == digest_of({"b": np.zeros(2), "a": 1})
    True
    >>> digest_of([1, 2]) == digest_of([1.0, 2])
    False
    """
    digest = hashlib.sha256()
    _add(digest, content)
    return digest.hexdigest()


def sealed(content):
    """Add a digest to named values.

    Parameters
    ----------
    content : dict of str to object
        The values, as in `digest_of`.

    Returns
    -------
    dict
        The values, and their digest as "digest".

    Examples
    --------
    >>> from sigkit._utils import sealed
    >>> sorted(sealed({"seed": 3}))
    ['digest', 'seed']
    """
    return {**content, DIGEST: digest_of(content)}


def unsealed(content, path, remedy):
    """Check the digest of named values that were read from a file.

    Parameters
    ----------
    content : dict of str to object
        The values with the digest of `sealed`.
    path : str or os.PathLike
        The file, for the message.
    remedy : str
        The last sentence of the message: what to do.

    Returns
    -------
    dict
        The values without the digest.

    Raises
    ------
    ValueError
        If there is no digest, or the values are others than those that were written.

    Examples
    --------
    >>> from sigkit._utils import sealed, unsealed
    >>> unsealed({**sealed({"seed": 3}), "seed": 4}, "seed.json", "Delete it.")
    Traceback (most recent call last):
        ...
    ValueError: seed.json: damaged, its content does not match its digest. Delete it.
    """
    values = {name: value for name, value in content.items() if name != DIGEST}
    if DIGEST not in content:
        raise ValueError(f"{path}: has no digest: damaged, or not written by this version of sigkit. {remedy}")
    try:
        intact = str(content[DIGEST]) == digest_of(values)
    except (TypeError, RecursionError):
        intact = False
    if not intact:
        raise ValueError(f"{path}: damaged, its content does not match its digest. {remedy}")
    return values


def seal_safetensors(content, format):
    """Add a format and a digest of tensors and metadata to the content of a safetensors file, as metadata.

    Two entries mark a file of sigkit: damage to one of them does not make it a file of another program.

    Parameters
    ----------
    content : bytes
        What `safetensors` makes of tensors and metadata.
    format : str
        What the file holds, and the version of the format.

    Returns
    -------
    bytes
        The content with "format" and "digest" among its metadata.

    Examples
    --------
    >>> import numpy as np
    >>> from safetensors.numpy import save
    >>> from sigkit._utils import seal_safetensors, unseal_safetensors
    >>> sealed = seal_safetensors(save({"mean": np.zeros(3)}, metadata={"step": "mean"}), "mean 1")
    >>> unseal_safetensors(sealed, "mean.safetensors", "mean 1", "Delete it.")
    {'step': 'mean'}
    """
    header, metadata, data = _parts(content)
    metadata[FORMAT] = format
    metadata[DIGEST] = digest_of([header, metadata, data])
    # Sorted, because safetensors writes metadata in any order.
    written = json.dumps({_METADATA: dict(sorted(metadata.items())), **header}, separators=(",", ":")).encode()
    # The format aligns the tensors to 8 bytes by spaces after the header.
    written += b" " * (-len(written) % _LENGTH)
    return b"".join([len(written).to_bytes(_LENGTH, "little"), written, data])


def unseal_safetensors(content, path, format, remedy, *, foreign=False):
    """Check the format and the digest of the content of a safetensors file.

    Parameters
    ----------
    content : bytes
        The whole file.
    path : str or os.PathLike
        The file, for the message.
    format : str
        The format that is expected.
    remedy : str
        The last sentence of the message: what to do.
    foreign : bool, default=False
        Whether a file with neither a format of sigkit nor a digest is accepted, as other programs write it.

    Returns
    -------
    dict of str to str
        The metadata without the format and the digest.

    Raises
    ------
    ValueError
        If it is no safetensors file, has another format or no digest, or is not what was written.

    Examples
    --------
    >>> from sigkit._utils import unseal_safetensors
    >>> unseal_safetensors(b"", "mean.safetensors", "mean 1", "Delete it.")
    Traceback (most recent call last):
        ...
    ValueError: mean.safetensors: not a whole safetensors file (0 bytes). Delete it.
    """
    try:
        header, metadata, data = _parts(content)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: not a whole safetensors file ({len(content)} bytes). {remedy}") from error
    # Other programs, too, have an entry of this name, such as "pt".
    if foreign and DIGEST not in metadata and not metadata.get(FORMAT, "").startswith("sigkit "):
        return metadata
    found = metadata.pop(DIGEST, None)
    if found is None:
        raise ValueError(f"{path}: has no digest: damaged, or not written by this version of sigkit. {remedy}")
    if found != digest_of([header, metadata, data]):
        raise ValueError(f"{path}: damaged, its content does not match its digest. {remedy}")
    if metadata.pop(FORMAT, None) != format:
        raise ValueError(f"{path}: a file of another kind or version, not {format!r}. {remedy}")
    return metadata


def metadata_of(content):
    """Read the metadata of a safetensors file, without a check of its digest.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    dict of str to str
        Its metadata; empty if it is no safetensors file.

    Examples
    --------
    >>> import numpy as np
    >>> from safetensors.numpy import save
    >>> from sigkit._utils import metadata_of, seal_safetensors
    >>> metadata_of(seal_safetensors(save({"mean": np.zeros(3)}), "mean 1"))["format"]
    'mean 1'
    """
    try:
        return _parts(content)[1]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _parts(content):
    """Return the header of a safetensors file without the metadata, the metadata, and the bytes of the tensors."""
    end = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    if len(content) < max(end, _LENGTH):
        raise ValueError("The header is cut short.")
    # Bytes of the tensors are not copied: a system has hundreds of megabytes.
    header = json.loads(content[_LENGTH:end])
    metadata = header.pop(_METADATA, None) or {}
    if not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("The metadata are no texts.")
    return header, metadata, memoryview(content)[end:]


def _add(digest, value):
    """Add a value to a digest, with its type and its size, so that no two different values are the same bytes."""
    if isinstance(value, dict):
        # Keys may be integers and strings, which have no common order; their text has.
        entries = sorted(value.items(), key=lambda entry: repr(entry[0]))
        digest.update(f"dict {len(entries)} ".encode())
        for entry in entries:
            _add(digest, list(entry))
    elif isinstance(value, (list, tuple)):
        digest.update(f"list {len(value)} ".encode())
        for part in value:
            _add(digest, part)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        digest.update(f"bytes {len(value)} ".encode())
        digest.update(value)
    elif isinstance(value, str):
        # Surrogates stand for bytes of a file name that are no text.
        text = value.encode("utf-8", "surrogatepass")
        digest.update(f"str {len(text)} ".encode())
        digest.update(text)
    elif value is None or (isinstance(value, Number) and not isinstance(value, np.generic)):
        digest.update(f"{type(value).__name__} {value!r} ".encode())
    else:
        array = np.ascontiguousarray(value)
        if array.dtype.hasobject:
            raise TypeError(f"A {type(value).__name__} has no digest; found {value!r}.")
        # ascontiguousarray makes one dimension of none.
        digest.update(f"array {array.dtype.str} {np.shape(value)} ".encode())
        digest.update(array.reshape(-1).view(np.uint8) if array.size else b"")
