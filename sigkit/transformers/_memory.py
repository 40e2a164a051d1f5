"""A cache on disk of arrays computed from single images."""

import errno
import os

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from sigkit import __version__
from sigkit._utils import content_digest, read_file, seal_safetensors, unseal_safetensors, warn, whole_file

_FORMAT = "sigkit memory 1"
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# Folders that could not be written, and were reported. Each step of a Pipeline, and each call, would report them again.
_reported = set()


class ImageMemory:
    """Cache the arrays that one step computes from each image, by the image's content and the step's settings.

    `Pipeline(memory=)` caches the output for a whole training fold and computes every test fold again. This cache has
    one entry per image, so that no image is computed twice in different folds, and an interrupted run continues
    where it stopped.

    An entry has a digest, and names its image and its settings. One that is damaged or belongs to another image is not
    used, and is written again. If an entry cannot be written, nothing else is either: a cache is a convenience, and a
    full disk must not end a computation.

    Parameters
    ----------
    memory : str, os.PathLike, joblib.Memory or None
        The folder of the cache (of a `joblib.Memory`, its location). With None nothing is cached.
    step : str
        The name of the step and of its sub-folder.
    *settings : object
        Everything else that the result depends on; each must have a `repr` that identifies it.

    Attributes
    ----------
    problem : str or None
        Why the last entry could not be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sigkit.transformers._memory import ImageMemory
    >>> image = np.eye(3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     memory = ImageMemory(folder, "mean", "by rows")
    ...     memory.put(image, mean=image.mean(axis=1))
    ...     memory.get(image), ImageMemory(folder, "mean", "by columns").get(image)
    ({'mean': array([0.33..., 0.33..., 0.33...])}, None)
    """

    def __init__(self, memory, step, *settings):
        self._location = location = _location(memory)
        self.problem = self.folder = None
        if location is not None:
            self.settings = {"step": step, "settings": content_digest(repr((__version__, *settings)).encode())}
            self.folder = os.path.join(location, "sigkit", step, self.settings["settings"][:20])

    def __bool__(self):
        return self.folder is not None

    def get(self, image, /):
        """Return the cached arrays by name, or None; `image` is its content or its digest."""
        if not self:
            return None
        digest = _digest(image)
        path = self._path(digest)
        try:
            content = read_file(path)
            owner = unseal_safetensors(content, path, _FORMAT, "")
            return load(content) if owner == self.settings | {"image": digest} else None
        except (OSError, ValueError, KeyError, SafetensorError):
            # Not cached, damaged, or not readable by this user: it is computed again.
            return None

    def put(self, image, /, **arrays):
        """Cache arrays; an interruption leaves complete entries only. `image` is its content or its digest."""
        if not self or self.problem:
            return
        digest = _digest(image)
        path = self._path(digest)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with whole_file(path) as file:
                file.write(seal_safetensors(save(arrays, metadata=self.settings | {"image": digest}), _FORMAT))
        except OSError as error:
            self.problem = str(error)
        else:
            _reported.discard(self._location)

    def _path(self, digest):
        return os.path.join(self.folder, digest[:2], digest[2:])


def cached_features(memory, images, n_features, compute):
    """Look features up in a cache, and compute those that it lacks.

    Parameters
    ----------
    memory : ImageMemory
        The cache.
    images : ndarray of shape (n_images, height, width)
        Images.
    n_features : int
        Number of features of an image.
    compute : callable
        Called with the rows that are not cached, if there are any. Yields rows and their features, in parts; each part
        is cached at once.

    Returns
    -------
    ndarray of shape (n_images, n_features), dtype float32
        The features.
    """
    features = np.empty((len(images), n_features), dtype=np.float32)
    unknown = []
    for row, image in enumerate(images):
        cached = (memory.get(image) or {}).get("features")
        if cached is None or cached.shape != features.shape[1:] or cached.dtype != features.dtype:
            unknown.append(row)
        else:
            features[row] = cached
    for rows, computed in compute(unknown) if unknown else ():
        features[rows] = computed
        for row in rows:
            memory.put(images[row], features=features[row])
    return features


def make_memory(memory):
    """Create the folder of a cache, so that a wrong name is an error at once.

    Parameters
    ----------
    memory : str, os.PathLike, joblib.Memory or None
        The folder of the cache.

    Raises
    ------
    ValueError
        If it is a file.
    OSError
        If it cannot be made, unless the disk is full: then nothing is cached.
    """
    location = _location(memory)
    if location is None:
        return
    if os.path.exists(location) and not os.path.isdir(location):
        raise ValueError(f"memory={location!r} is a file; pass a folder, which may be new.")
    try:
        os.makedirs(location, exist_ok=True)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) not in _FULL:
            # Names with a null character are a ValueError.
            kind = type(error) if isinstance(error, OSError) else ValueError
            raise kind(f"memory={location!r}: the folder cannot be made ({error}). Pass another folder.") from error


def warn_if_not_kept(memory, problems):
    """Warn if results could not be cached: once for each folder, until it can be written again.

    Parameters
    ----------
    memory : str, os.PathLike, joblib.Memory or None
        The folder of the cache.
    problems : iterable of str or None
        The reasons; None where there is none.
    """
    problem = next(filter(None, problems), None)
    location = _location(memory)
    if problem is not None and location not in _reported:
        _reported.add(location)
        warn(
            f"memory={location!r}: results cannot be kept there ({problem}). They are correct, and will be computed "
            "again next time. There is no further warning about this folder."
        )


def _location(memory):
    location = getattr(memory, "location", memory)
    return None if location is None else os.fspath(location)


def _digest(image):
    return image if isinstance(image, str) else content_digest(image)
