"""Reading of torch's own files from memory. No code in a file is executed."""

import io
import zipfile

import torch

_ZIP = b"PK\x03\x04"


def load_torch(content):
    """Read what `torch.save` wrote.

    Torch does not compare the checksums of its files, so they are compared here.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    object
        Tensors on the CPU, and plain values.

    Raises
    ------
    pickle.UnpicklingError
        If it holds anything else, which could execute code.
    Exception
        If it is damaged: of many kinds, from the zip reader and the unpickler.
    """
    if content.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # Torch compresses nothing; a compressed part could have any size.
            if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                raise ValueError("a part is compressed")
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"the checksum of {damaged} is wrong")
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
