"""A folder that keeps what an experiment found, part by part."""

import json
import os
import zipfile

import numpy as np

from sigkit._utils import whole_file

ABOUT = "experiment.json"


class ResultFiles:
    """The parts of an experiment that are done, in a folder.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder; made if there is none.
    about : dict of str to str
        What the experiment is, part by part. A folder of another experiment is refused.
    names : set of str
        The arrays that a part of the experiment has; "rows", the queries, is one of them.

    Raises
    ------
    ValueError
        If the folder keeps another experiment, or a file of it is damaged.
    """

    def __init__(self, folder, about, names):
        self.folder = os.fspath(folder)
        self.names = names
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, ABOUT)
        if not os.path.exists(path):
            with whole_file(path) as file:
                file.write(json.dumps(about, indent=1).encode())
            return
        try:
            with open(path, encoding="utf-8") as file:
                kept = dict(json.load(file))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: damaged ({error}). Name another folder, or remove this one.") from error
        differing = [part for part in about if kept.get(part) != about[part]]
        if differing:
            raise ValueError(
                f"{self.folder} keeps an experiment of which differ: {', '.join(differing)}. {differing[0]} was "
                f"{kept.get(differing[0])}, now is {about[differing[0]]}. Name another folder, or what it keeps; "
                "splits are the same only if a number is their random_state."
            )

    def read(self, part, rows):
        """Read a part; None if it is not done.

        Parameters
        ----------
        part : str
            The part's name.
        rows : ndarray of shape (n_queries,)
            The queries that it must have asked.

        Returns
        -------
        dict of str to ndarray, or None
            Its arrays.
        """
        path = self._path(part)
        if not os.path.exists(path):
            return None
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                found = dict(arrays)
        except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path}: damaged ({error}). Remove it, and it is computed again.") from error
        if found.keys() != self.names or not np.array_equal(found["rows"], rows):
            raise ValueError(f"{path}: not of this experiment. Remove it, and it is computed again.")
        return found

    def write(self, part, arrays):
        """Keep a part.

        Parameters
        ----------
        part : str
            The part's name.
        arrays : dict of str to ndarray
            Its arrays.
        """
        with whole_file(self._path(part)) as file:
            np.savez(file, **arrays)

    def _path(self, part):
        return os.path.join(self.folder, f"{part}.npz")
