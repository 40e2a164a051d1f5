"""An endless stream of synthetic signatures."""

import itertools
import math
from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar
from torch.utils.data import IterableDataset, get_worker_info

from sigkit._utils import GENUINE, SIMPLE, SKILLED, single_threaded_products
from sigkit.datasets._make_signatures import check_settings, draw_seed
from sigkit.datasets._synthesis import FORM_SIZE, MAX_LINE_WIDTH, render_signature
from sigkit.imaging import preprocess_image


class SignatureStream(IterableDataset):
    """An endless dataset of synthetic signatures for PyTorch's `DataLoader`, writer by writer.

    The signatures are those of :func:`make_signatures` with the same seed, `script`, `scan` and `resolution`. The
    workers of a `DataLoader` generate alternate writers. With a `batch_size` of `n_genuine + n_skilled + n_simple`, all
    signatures of one writer, the order of the batches does not depend on the number of workers. In distributed
    training, every process needs a different `first_writer`; otherwise all train on the same writers.

    Parameters
    ----------
    n_genuine, n_skilled, n_simple : int, default=8, 8, 0
        Numbers of signatures of each kind per writer; the sum must be at least 1.
    first_writer : int, default=1
        The id of the first writer.
    canvas_size : tuple of (int, int) or None, default=(765, 1089)
        Rows and columns of the canvas on which signatures are preprocessed to 170 x 242 pixels, as by
        `SignaturePreprocessor`; None yields the scans, of different sizes. The default holds all signatures at 300 dpi;
        a higher resolution needs a larger canvas.
    script, scan, resolution : str, str, float, default="mixed", "mixed", 300
        As in :func:`make_signatures`.
    random_state : int, RandomState instance or None, default=None
        Pass an int for reproducible output; None takes a new seed. Every iteration over the same stream yields the same
        signatures.

    Raises
    ------
    TypeError
        If a numeric parameter is not a number.
    ValueError
        If a number is out of range, the canvas is smaller than the largest possible signature, or the script or scan is
        not one of the options.

    See Also
    --------
    make_signatures : Generate a fixed number of signatures.

    Examples
    --------
    >>> from sigkit.datasets import SignatureStream
    >>> from torch.utils.data import DataLoader
    >>> stream = SignatureStream(n_genuine=2, n_skilled=1, random_state=0)
    >>> images, writers, forgeries = next(iter(DataLoader(stream, batch_size=3)))
    >>> images.shape, writers.tolist(), forgeries.tolist()
    (torch.Size([3, 170, 242]), [1, 1, 1], [0, 0, 1])
    """

    def __init__(
        self,
        n_genuine=8,
        n_skilled=8,
        n_simple=0,
        *,
        first_writer=1,
        canvas_size=(765, 1089),
        script="mixed",
        scan="mixed",
        resolution=300,
        random_state=None,
    ):
        super().__init__()
        counts = {"n_genuine": n_genuine, "n_skilled": n_skilled, "n_simple": n_simple}
        for name, count in counts.items():
            check_scalar(count, name, Integral, min_val=0)
        if not sum(counts.values()):
            raise ValueError(
                "n_genuine, n_skilled and n_simple are 0: a stream needs at least one signature per writer."
            )
        check_scalar(first_writer, "first_writer", Integral, min_val=1)
        self.counts = dict(zip((GENUINE, SKILLED, SIMPLE), counts.values()))
        self.first_writer = first_writer
        self.script = script
        self.settings = check_settings(script, scan, resolution)
        self.canvas_size = None if canvas_size is None else _check_canvas(canvas_size, resolution)
        self.seed = draw_seed(random_state)

    def __iter__(self):
        worker = get_worker_info()
        offset, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for writer in itertools.count(self.first_writer + offset, stride):
            for forgery, count in self.counts.items():
                for sample in range(1, count + 1):
                    yield self._make_image(writer, forgery, sample), writer, forgery

    def _make_image(self, writer, forgery, sample):
        with single_threaded_products:
            image = render_signature(self.seed, writer, forgery, sample, self.script, self.settings)
            return image if self.canvas_size is None else preprocess_image(image, self.canvas_size).image


def _check_canvas(canvas_size, resolution):
    """Check that the canvas holds the largest possible signature."""
    minimum = [math.ceil((side + MAX_LINE_WIDTH) * resolution / 25.4) for side in FORM_SIZE[::-1]]
    sides = tuple(canvas_size) if np.ndim(canvas_size) == 1 else ()
    if len(sides) != 2 or any(not isinstance(side, Integral) or side < least for side, least in zip(sides, minimum)):
        raise ValueError(
            f"canvas_size must be None, or at least {minimum[0]} rows and {minimum[1]} columns to hold every signature "
            f"at {resolution:g} dpi; found {canvas_size!r}."
        )
    return sides
