"""Results remembered an image, in a folder."""

import os

from safetensors import SafetensorError
from safetensors.numpy import load, save

from sigkit import __version__
from sigkit._utils import content_digest, whole_file


class ImageMemory:
    """Arrays computed from one image each, remembered by the image's content and the settings of the step.

    `Pipeline(memory=)` remembers a whole training fold and computes every test fold again. This remembers images, so
    that no image is computed twice, whatever fold it is in. An interrupted run goes on where it stopped.

    Parameters
    ----------
    memory : str, os.PathLike, joblib.Memory or None
        The folder (of a `joblib.Memory`, its location). Nothing is remembered with None.
    step : str
        The name of the step, a folder below.
    *settings : object
        All that the result depends on beside the image, with a faithful `repr`.

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
                raise ValueError(f"memory={os.fspath(location)!r} is a file; name a folder, which may be new.")
            settings = content_digest(repr((__version__, *settings)).encode())
            self.folder = os.path.join(os.fspath(location), "sigkit", step, settings[:20])

    def __bool__(self):
        return self.folder is not None

    def get(self, image):
        """Give back the arrays that were put, by name, or None."""
        if not self:
            return None
        try:
            with open(self._path(image), "rb") as file:
                return load(file.read())
        except (OSError, SafetensorError):
            # Unknown yet, or cut short by a full disk, or not ours to read: it is computed.
            return None

    def put(self, image, **arrays):
        """Remember arrays; a run that is killed leaves whole files only."""
        if not self:
            return
        path = self._path(image)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with whole_file(path) as file:
            file.write(save(arrays))

    def _path(self, image):
        digest = content_digest(image)
        return os.path.join(self.folder, digest[:2], digest[2:])
