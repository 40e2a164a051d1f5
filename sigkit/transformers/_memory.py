"""A cache on disk of arrays computed from single images."""

import os

from safetensors import SafetensorError
from safetensors.numpy import load, save

from sigkit import __version__
from sigkit._utils import content_digest, whole_file


class ImageMemory:
    """Cache the arrays that one step computes from each image, by the image's content and the step's settings.

    `Pipeline(memory=)` caches the output for a whole training fold and computes every test fold again. This cache has
    one entry per image, so that no image is computed twice in different folds, and an interrupted run continues
    where it stopped.

    Parameters
    ----------
    memory : str, os.PathLike, joblib.Memory or None
        The folder of the cache (of a `joblib.Memory`, its location). With None nothing is cached.
    step : str
        The name of the step and of its sub-folder.
    *settings : object
        Everything else that the result depends on; each must have a `repr` that identifies it.

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
        location = getattr(memory, "location", memory)
        self.folder = None
        if location is not None:
            if os.path.isfile(location):
                raise ValueError(f"memory={os.fspath(location)!r} is a file; pass a folder, which may be new.")
            settings = content_digest(repr((__version__, *settings)).encode())
            self.folder = os.path.join(os.fspath(location), "sigkit", step, settings[:20])

    def __bool__(self):
        return self.folder is not None

    def get(self, image, /):
        """Return the cached arrays by name, or None; `image` is its content or its digest."""
        if not self:
            return None
        try:
            with open(self._path(image), "rb") as file:
                return load(file.read())
        except (OSError, SafetensorError):
            # Not cached, truncated by a full disk, or not readable by this user: it is computed again.
            return None

    def put(self, image, /, **arrays):
        """Cache arrays; an interruption leaves complete entries only. `image` is its content or its digest."""
        if not self:
            return
        path = self._path(image)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with whole_file(path) as file:
            file.write(save(arrays))

    def _path(self, image):
        digest = image if isinstance(image, str) else content_digest(image)
        return os.path.join(self.folder, digest[:2], digest[2:])
