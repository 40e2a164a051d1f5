"""A finished part of an experiment as the content of one .npz file, with its owner and a digest."""

import io
import zipfile

import numpy as np

from sigkit._utils import DIGEST, sealed, unsealed

ARRAY = ".npy"
# Entries of the archive without this ending hold text; `numpy.load` returns them as bytes.
OWNER = "owner"


def pack_part(owner, arrays):
    """Make the content of a file.

    Parameters
    ----------
    owner : str
        What the part belongs to.
    arrays : dict of str to ndarray
        The arrays.

    Returns
    -------
    bytes
        An .npz archive: the arrays, uncompressed, and as text the owner and a digest of all entries.
    """
    entries = {OWNER: owner.encode()}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.asanyarray(array), allow_pickle=False)
        entries[name + ARRAY] = buffer.getvalue()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, entry in sealed(entries).items():
            # A ZipInfo has no date of today: equal parts are equal files.
            archive.writestr(zipfile.ZipInfo(name), entry)
    return content.getvalue()


def read_part(content, path, remedy):
    """Read what `pack_part` made. Nothing is decoded before its digest is checked.

    Parameters
    ----------
    content : bytes
        The whole file.
    path : str
        Its name, for messages.
    remedy : str
        The last sentence of a message: what to do.

    Returns
    -------
    owner : str
        What the part belongs to.
    arrays : dict of str to ndarray
        The arrays.

    Raises
    ------
    ValueError
        If the file is damaged, or something else.
    """
    try:
        entries = _read_entries(content)
        digest = entries.pop(DIGEST).decode() if DIGEST in entries else None
    # The modules that read archives raise errors of many classes for damaged ones.
    except Exception as error:
        raise ValueError(f"{path}: damaged ({error or type(error).__name__}). {remedy}") from error
    entries = unsealed(entries if digest is None else entries | {DIGEST: digest}, path, remedy)
    try:
        owner = entries.pop(OWNER).decode()
        arrays = {name.removesuffix(ARRAY): _decode(entry) for name, entry in entries.items()}
    except Exception as error:
        raise ValueError(f"{path}: not a part of an experiment ({error or type(error).__name__}). {remedy}") from error
    return owner, arrays


def _read_entries(content):
    """Read the entries of an archive, none of which is compressed; all of them together are smaller than the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = archive.infolist()
        if len({entry.filename for entry in found}) < len(found):
            raise ValueError("two entries have the same name")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in found):
            raise ValueError("an entry is compressed")
        if sum(entry.file_size for entry in found) > len(content):
            raise ValueError("the entries are larger than the file")
        return {entry.filename: archive.read(entry) for entry in found}


def _decode(entry):
    return np.lib.format.read_array(io.BytesIO(entry), allow_pickle=False)
