"""Signatures nobody signed, without end."""

import itertools
from numbers import Integral

from sklearn.utils import check_scalar
from torch.utils.data import IterableDataset, get_worker_info

from sigkit.datasets._make_signatures import check_sheet, draw_entropy
from sigkit.datasets._synthesis import sign
from sigkit.imaging import preprocess_image
from sigkit.utils import GENUINE, SIMPLE, SKILLED


class SignatureStream(IterableDataset):
    """An endless dataset of drawn signatures for torch's `DataLoader`: one writer after another.

    The signatures are those of :func:`make_signatures` with the same seed. Workers of a `DataLoader` take writers in
    turn: with a `batch_size` of all signatures of a writer, `n_genuine + n_skilled + n_simple`, batches come in the
    same order for any number of workers.

    Parameters
    ----------
    n_genuine, n_skilled, n_simple : int, default=8, 8, 0
        Signatures of each kind for each writer, at least one in all.
    first_writer : int, default=1
        The number of the first writer.
    canvas_size : tuple of (int, int) or None, default=(765, 1089)
        Rows and columns of the canvas on which signatures are preprocessed to 170 x 242 pixels, as
        `SignaturePreprocessor` does; None yields the scans, of different sizes.
    script, scan, resolution : str, str, float, default="mixed", "mixed", 300
        As in :func:`make_signatures`.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same signatures in each pass.

    Raises
    ------
    TypeError
        If a number is none.
    ValueError
        If a number is out of its range, or there is no such kind of script or scan.

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
        self.canvas_size = canvas_size
        self.script = script
        self.sheet = check_sheet(script, scan, resolution)
        self.entropy = draw_entropy(random_state)

    def __iter__(self):
        worker = get_worker_info()
        offset, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for writer in itertools.count(self.first_writer + offset, stride):
            for forgery, count in self.counts.items():
                for sample in range(1, count + 1):
                    image = sign(self.entropy, writer, forgery, sample, self.script, self.sheet)
                    if self.canvas_size is not None:
                        image = preprocess_image(image, self.canvas_size).image
                    yield image, writer, forgery
