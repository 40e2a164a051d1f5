"""A folder with the finished parts of an experiment, so that an interrupted experiment can be resumed."""

import json
import os
import time
from contextlib import contextmanager, suppress

from sigkit._utils import digest_of, listing, read_file, remove_unfinished, sealed, unsealed, whole_file
from sigkit.experiments._part_file import pack_part, read_part

DESCRIPTION = "experiment.json"
# Where a file cannot appear with its content at once, it is empty for a moment.
PATIENCE_SECONDS = 2
# Characters of a description that an error shows.
_LONG = 200


class ResultsFolder:
    """The finished parts of one experiment, one .npz file each, and a description of the experiment.

    Several threads or processes with the same experiment may share a folder. Of different experiments, the first one
    that writes its description has the folder, and each part has a digest of the description: parts of different
    experiments are never read together, even if the description was replaced.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder; created if it does not exist.
    description : dict of str to str
        Description of the experiment by aspect. A folder with a different description is not used.
    names : set of str
        Names of the arrays of each part.

    Raises
    ------
    ValueError
        If the folder contains another experiment, or its description is damaged.
    OSError
        If the folder cannot be made, read or written.
    """

    def __init__(self, folder, description, names):
        self.folder, self.names = os.fspath(folder), names
        self._experiment = digest_of(description)
        _make(self.folder)
        remove_unfinished(self.folder)
        path = os.path.join(self.folder, DESCRIPTION)
        if not os.path.lexists(path):
            # Another experiment may have begun at the same moment: then its description is found below.
            with suppress(FileExistsError), _named(path), whole_file(path, replace=False) as file:
                file.write(json.dumps(sealed(description), indent=1).encode())
        self._compare(description, _read_description(path))

    def read(self, part):
        """Read a part, if it is finished.

        Parameters
        ----------
        part : str
            Name of the part.

        Returns
        -------
        dict of str to ndarray, or None
            The arrays; None if the part is not finished.

        Raises
        ------
        ValueError
            If the file is damaged, or if it belongs to another experiment.
        OSError
            If it is not a regular file, or cannot be read.
        """
        path = self._path(part)
        if not os.path.lexists(path):
            return None
        remedy = "Remove it to compute this part again."
        owner, arrays = read_part(read_file(path), path, remedy)
        experiment, _, found = owner.partition(" ")
        if experiment != self._experiment:
            raise ValueError(f"{path}: belongs to another experiment. Choose another folder, or remove this file.")
        if found != part or arrays.keys() != self.names:
            raise ValueError(f"{path}: is the part {found!r}, with the arrays {listing(sorted(arrays))}. {remedy}")
        return arrays

    def write(self, part, arrays):
        """Write a finished part, unless an equal experiment has written it meanwhile.

        Parameters
        ----------
        part : str
            Name of the part.
        arrays : dict of str to ndarray
            The arrays.

        Raises
        ------
        ValueError
            If there is such a file that is damaged or belongs to another experiment.
        OSError
            If the file cannot be written.
        """
        if self.read(part) is not None:
            return
        path = self._path(part)
        with _named(path), whole_file(path) as file:
            file.write(pack_part(f"{self._experiment} {part}", arrays))

    def _compare(self, description, found):
        differing = [aspect for aspect in description | found if found.get(aspect) != description.get(aspect)]
        if differing:
            first = differing[0]
            before, now = _where_different(str(found.get(first)), str(description.get(first)))
            raise ValueError(
                f"{self.folder} contains another experiment; these differ: {', '.join(differing)}. {first} was "
                f"{before}, now it is {now}. Choose another folder, or repeat the experiment with the same settings; "
                "splits can only be repeated with an integer as random_state."
            )

    def _path(self, part):
        return os.path.join(self.folder, f"{part}.npz")


def _where_different(*descriptions):
    """Shorten long descriptions to where they begin to differ."""
    if max(map(len, descriptions)) <= _LONG:
        return descriptions
    first = next((at for at, (one, other) in enumerate(zip(*descriptions)) if one != other), 0)
    start = max(0, first - _LONG // 2)
    return [f"{'... ' if start else ''}{one[start : start + _LONG]} ..." for one in descriptions]


def _make(folder):
    try:
        os.makedirs(folder, exist_ok=True)
    except FileExistsError as error:
        raise ValueError(f"folder={folder!r} is a file; name a folder.") from error


def _read_description(path):
    remedy = "Remove it; the finished parts are still read, if they belong to this experiment."
    content = _read_when_written(path)
    try:
        found = json.loads(content)
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise TypeError("not an object of strings")
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"{path}: damaged ({error or type(error).__name__}). {remedy}") from error
    return unsealed(found, path, remedy)


def _read_when_written(path):
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        content = read_file(path)
        if content or time.monotonic() > end:
            return content
        time.sleep(0.05)


@contextmanager
def _named(path):
    """Name the file in an error of writing, such as that of a full disk, and say what is not lost."""
    try:
        yield
    except OSError as error:
        message = f"{error.strerror}. The parts that are finished are kept, and the same call continues after them"
        raise OSError(error.errno, message, path) from error
