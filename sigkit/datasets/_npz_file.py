"""Reading of single arrays from .npz files, whose sizes are judged before anything is allocated."""

import io
import zipfile

import numpy as np

from sigkit._utils import read_file

_REMEDY = "Copy or make the file again."
# Deflate makes at most 1032 bytes of one. Preprocessed signatures are mostly background, and one byte of a file gives
# 25 to 50 pixels; a large array with a much higher ratio is made to fill the memory.
_MOST_FROM_A_BYTE, _LARGE, _LARGEST_RATIO = 1032, 2**28, 200
# Headers are short; a longer one would be slow to parse.
_LONGEST_HEADER = 10_000


class NpzFile:
    """The arrays of an .npz file, read from memory, without pickles.

    Parameters
    ----------
    path : str
        The file.

    Attributes
    ----------
    names : list of str
        The names of the arrays, and of other parts of the file.

    Raises
    ------
    ValueError
        If it is no zip archive.
    OSError
        If it cannot be read.
    """

    def __init__(self, path):
        self.path = path
        content = read_file(path)
        if not zipfile.is_zipfile(io.BytesIO(content)):
            raise ValueError(f"{path} is not an .npz file, or is truncated ({len(content)} bytes).")
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
            self._parts = {part.filename.removesuffix(".npy"): part for part in self._archive.infolist()}
        except Exception as error:
            # Damaged archives raise errors of many kinds, here and below.
            raise ValueError(f"{path} is not an .npz file, or is damaged ({error}). {_REMEDY}") from error
        self._size = len(content)
        self.names = list(self._parts)

    def read(self, name):
        """Read one array.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        ndarray or None
            The array; None if it is pickled.

        Raises
        ------
        ValueError
            If it is no array, is damaged, or is far larger than its part of the file can be.
        """
        try:
            part = self._checked(self._parts[name])
            with self._archive.open(part) as file:
                if file.read(len(np.lib.format.MAGIC_PREFIX)) != np.lib.format.MAGIC_PREFIX:
                    raise _NoArrayError
            with self._archive.open(part) as file:
                shape, _, dtype = _read_header(file)
                if dtype.hasobject:
                    return None
                n_bytes = part.file_size - file.tell()
                if n_bytes != np.prod(shape, dtype=object) * dtype.itemsize:
                    raise ValueError(f"its header says {dtype} of shape {shape}, and {n_bytes} bytes follow")
            with self._archive.open(part) as file:
                return np.lib.format.read_array(file, allow_pickle=False, max_header_size=_LONGEST_HEADER)
        except _NoArrayError:
            raise ValueError(f"{self.path}: {name} is not a numpy array.") from None
        except Exception as error:
            raise ValueError(f"{self.path}: the array {name} is damaged ({error}). {_REMEDY}") from error

    def _checked(self, part):
        """Return a part of the archive whose size can be true, and is not made to fill the memory."""
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"compressed by the method {part.compress_type}; numpy writes stored or deflated arrays")
        most = _MOST_FROM_A_BYTE if part.compress_type == zipfile.ZIP_DEFLATED else 1
        if part.compress_size > self._size or part.file_size > most * part.compress_size:
            raise ValueError(f"{part.compress_size} bytes cannot give {part.file_size}")
        if part.file_size > max(_LARGE, _LARGEST_RATIO * part.compress_size):
            raise ValueError(
                f"{part.file_size} bytes from {part.compress_size}; images of signatures do not compress so much"
            )
        return part


class _NoArrayError(Exception):
    pass


def _read_header(file):
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return read(file, max_header_size=_LONGEST_HEADER)
    except Exception as error:
        # The message of numpy may advise to allow pickles.
        raise ValueError("its header cannot be read") from error
