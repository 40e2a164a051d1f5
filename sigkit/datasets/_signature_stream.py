"""Signatures nobody signed, without end."""

import itertools
import math
from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar
from torch.utils.data import IterableDataset, get_worker_info

from sigkit._utils import GENUINE, SIMPLE, SKILLED, single_threaded_products
from sigkit.datasets._make_signatures import draw_entropy, make_sheet
from sigkit.datasets._synthesis import FORM, LINE, sign
from sigkit.imaging import preprocess_image


class SignatureStream(IterableDataset):
    """An endless dataset of drawn signatures for torch's `DataLoader`: one writer after another.

    The signatures are those of :func:`make_signatures` with the same seed, `script`, `scan` and `resolution`. Workers
    of a `DataLoader` take writers in turn: with a `batch_size` of exactly all signatures of a writer,
    `n_genuine + n_skilled + n_simple`, batches come in the same order for any number of workers. Processes that train
    together need a `first_writer` each, or they learn from the same writers.

    Parameters
    ----------
    n_genuine, n_skilled, n_simple : int, default=8, 8, 0
        Signatures of each kind for each writer, at least one in all.
    first_writer : int, default=1
        The number of the first writer.
    canvas_size : tuple of (int, int) or None, default=(765, 1089)
        Rows and columns of the canvas on which signatures are preprocessed to 170 x 242 pixels, as
        `SignaturePreprocessor` does; None yields the scans, of different sizes. The default holds all of 300 pixels an
        inch; it has to grow with the resolution.
    script, scan, resolution : str, str, float, default="mixed", "mixed", 300
        As in :func:`make_signatures`.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same signatures from every stream; one stream repeats itself in each pass.

    Raises
    ------
    TypeError
        If a number is not a number.
    ValueError
        If a number is out of its range, the canvas is smaller than signatures may be, or there is no such kind of
        script or scan.

    See Also
    --------
    make_signatures : A number of them at once.

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
            raise ValueError("n_genuine, n_skilled and n_simple are 0: a stream needs at least one signature a writer.")
        check_scalar(first_writer, "first_writer", Integral, min_val=1)
        self.counts = dict(zip((GENUINE, SKILLED, SIMPLE), counts.values()))
        self.first_writer = first_writer
        self.script = script
        self.sheet = make_sheet(script, scan, resolution)
        self.canvas_size = None if canvas_size is None else _check_canvas(canvas_size, resolution)
        self.entropy = draw_entropy(random_state)

    def __iter__(self):
        worker = get_worker_info()
        offset, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for writer in itertools.count(self.first_writer + offset, stride):
            for forgery, count in self.counts.items():
                for sample in range(1, count + 1):
                    yield self._draw(writer, forgery, sample), writer, forgery

    def _draw(self, writer, forgery, sample):
        with single_threaded_products:
            image = sign(self.entropy, writer, forgery, sample, self.script, self.sheet)
            return image if self.canvas_size is None else preprocess_image(image, self.canvas_size).image


def _check_canvas(canvas_size, resolution):
    least = [math.ceil((side + LINE) * resolution / 25.4) for side in FORM[::-1]]
    sides = tuple(canvas_size) if np.ndim(canvas_size) == 1 else ()
    if len(sides) != 2 or any(not isinstance(side, Integral) or side < low for side, low in zip(sides, least)):
        raise ValueError(
            f"canvas_size must be None, or at least {least[0]} rows and {least[1]} columns to hold every signature of "
            f"{resolution:g} pixels an inch; found {canvas_size!r}."
        )
    return sides
