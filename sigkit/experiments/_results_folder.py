"""A folder with the finished parts of an experiment, so that an interrupted experiment can be resumed."""

import json
import os
import zipfile

import numpy as np

from sigkit._utils import whole_file

DESCRIPTION = "experiment.json"


class ResultsFolder:
    """The finished parts of an experiment, one .npz file each, and a description of the experiment.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder; created if it does not exist.
    description : dict of str to str
        Description of the experiment by aspect. A folder with a different description is not used.
    names : set of str
        Names of the arrays of each part; "rows", the queries, must be one of them.

    Raises
    ------
    ValueError
        If the folder contains another experiment or a damaged file.
    """

    def __init__(self, folder, description, names):
        self.folder = os.fspath(folder)
        self.names = names
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, DESCRIPTION)
        if not os.path.exists(path):
            with whole_file(path) as file:
                file.write(json.dumps(description, indent=1).encode())
            return
        try:
            with open(path, encoding="utf-8") as file:
                found = dict(json.load(file))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: damaged ({error}). Choose another folder, or remove this one.") from error
        differing = [aspect for aspect in description if found.get(aspect) != description[aspect]]
        if differing:
            first = differing[0]
            raise ValueError(
                f"{self.folder} contains another experiment; these differ: {', '.join(differing)}. {first} was "
                f"{found.get(first)}, now it is {description[first]}. Choose another folder, or repeat the experiment "
                "with the same settings; splits can only be repeated with an integer as random_state."
            )

    def read(self, part, rows):
        """Read a part, if it is finished.

        Parameters
        ----------
        part : str
            Name of the part.
        rows : ndarray of shape (n_queries,)
            The queries that the part must have.

        Returns
        -------
        dict of str to ndarray, or None
            The arrays; None if the part is not finished.

        Raises
        ------
        ValueError
            If the file is damaged, or if it belongs to another experiment.
        """
        path = self._path(part)
        if not os.path.exists(path):
            return None
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                found = dict(arrays)
        except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path}: damaged ({error}). Remove it to compute this part again.") from error
        if found.keys() != self.names or not np.array_equal(found["rows"], rows):
            raise ValueError(f"{path}: belongs to another experiment. Remove it to compute this part again.")
        return found

    def write(self, part, arrays):
        """Write a finished part.

        Parameters
        ----------
        part : str
            Name of the part.
        arrays : dict of str to ndarray
            The arrays.
        """
        with whole_file(self._path(part)) as file:
            np.savez(file, **arrays)

    def _path(self, part):
        return os.path.join(self.folder, f"{part}.npz")
