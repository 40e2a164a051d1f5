"""From scans to images of one size."""

import json
import os
import warnings
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import listing, map_parallel, progress
from sigkit.imaging import ImageError, decode_image, fit_canvas, measure_ink, preprocess_image, read_bytes
from sigkit.transformers._memory import ImageMemory

_DOUBTS = {
    "over_canvas": (
        "{n} of {total} signatures are larger than the canvas of {canvas} pixels and were cut around their middle: "
        '{names}. Choose a larger canvas_size; "max" knows the signatures of fit only.'
    ),
    "cut_off": (
        "The canvas of {canvas} pixels has not the shape of image_size {image}, and the crop to that shape cuts ink "
        'off {n} of {total} signatures: {names}. Choose a canvas_size of that shape, or "max".'
    ),
    "small": "The ink of {n} of {total} images is smaller than a signature: {names} pixels. Scan at 300 dpi.",
    "faint": (
        "Ink and paper differ by only a few grey values in {n} of {total} images: {names}. Blank paper? Leave them out."
    ),
    "dark_paper": (
        "Most pixels of {n} of {total} images are dark: {names}. Paper must be bright and ink dark; if it is the other "
        "way round, pass 255 - image."
    ),
}


class SignaturePreprocessor(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Centre signatures on a canvas, clear the background, invert and resize: scans to images of one size.

    The procedure of [1]_, which published weights were trained with. Of each scan, a Gaussian blur of two pixels and
    Otsu's threshold find the ink's box and centre of mass; the box goes on a white canvas with the centre of mass in
    the middle, moved where it would stand over an edge; what is brighter than the threshold becomes white; the canvas
    is inverted, scaled to cover `image_size`, and its centre cut out.

    Parameters
    ----------
    canvas_size : tuple of (int, int) or "max", default="max"
        Rows and columns of the canvas, in pixels of the scans: the same for all signatures, so that their sizes stay
        comparable. "max" learns in `fit` the smallest canvas of `image_size`'s shape that holds every signature; later
        ones may be larger. In cross-validation a fixed canvas is better: the images are the same in every fold.
    image_size : tuple of (int, int), default=(170, 242)
        Rows and columns of the images that `transform` returns.
    background : {"otsu", "adaptive", "none"}, default="otsu"
        What is cleared as paper: "otsu" by one threshold for the scan; "adaptive" by Sauvola's threshold at each pixel,
        for photographs with uneven light; "none" nothing.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        A folder in which results are remembered an image, by its content and these parameters.
    n_jobs : int or None, default=None
        Number of jobs that work on images in parallel; None means 1, -1 all processors.
    verbose : int, default=0
        1 tells of the progress, once a second, on the standard error stream.

    Attributes
    ----------
    canvas_size_ : tuple of (int, int)
        Rows and columns of the canvas.

    See Also
    --------
    SigNetFeaturizer : Turns these images into features.

    Notes
    -----
    Doubtful scans are warned about by name, once a kind of doubt: signatures over the canvas, ink that the final crop
    cuts off because the canvas has another shape than `image_size`, ink too small or too faint, dark paper.

    References
    ----------
    .. [1] Hafemann, L. G., Sabourin, R., and Oliveira, L. S. (2017). Learning features for offline handwritten
       signature verification using deep convolutional neural networks. Pattern Recognition, 70, 163-176.
       arXiv:1705.05787.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.transformers import SignaturePreprocessor
    >>> scans, target = make_signatures(n_writers=2, n_genuine=2, n_skilled=1, random_state=0)
    >>> images = SignaturePreprocessor().fit_transform(scans)
    >>> images.shape, images.dtype
    ((6, 170, 242), dtype('uint8'))
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "canvas_size": [tuple, list, np.ndarray, StrOptions({"max"})],
        "image_size": [tuple, list, np.ndarray],
        "background": [StrOptions({"otsu", "adaptive", "none"})],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        canvas_size="max",
        image_size=(170, 242),
        background="otsu",
        memory=None,
        n_jobs=None,
        verbose=0,
    ):
        self.canvas_size = canvas_size
        self.image_size = image_size
        self.background = background
        self.memory = memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Choose the canvas.

        Parameters
        ----------
        X : array-like of n_samples paths, list of 2-D arrays, or ndarray of shape (n_samples, height, width)
            Scans: file paths, or uint8 images of any size, paper bright and ink dark. They are read only when
            `canvas_size` is "max".
        y : None
            Ignored; present for the Pipeline.

        Returns
        -------
        SignaturePreprocessor
            The fitted transformer.

        Raises
        ------
        ImageError
            A `ValueError`, if an image is unreadable, blank or holds no signature; it is named.
        ValueError
            If `X` is empty or holds no images, or a size is not two positive integers.
        """
        scans = _check_scans(X)
        image_size = _check_size(self.image_size, "image_size")
        if isinstance(self.canvas_size, str):
            measured = self._map(
                partial(_measure, background=self.background), scans, (2,), "ink boxes", self.background
            )
            self.canvas_size_ = fit_canvas(np.max([shape for shape, _ in measured], axis=0).tolist(), image_size)
        else:
            self.canvas_size_ = _check_size(self.canvas_size, "canvas_size")
        return self

    def transform(self, X):
        """Preprocess signatures.

        Parameters
        ----------
        X : array-like of n_samples paths, list of 2-D arrays, or ndarray of shape (n_samples, height, width)
            Scans: file paths, or uint8 images of any size, paper bright and ink dark.

        Returns
        -------
        ndarray of shape (n_samples, image_size[0], image_size[1]), dtype uint8
            Images; background is 0 and ink is up to 255.

        Raises
        ------
        ImageError
            A `ValueError`, if an image is unreadable, blank or holds no signature; it is named.
        ValueError
            If `X` is empty or holds no images.
        """
        check_is_fitted(self)
        scans = _check_scans(X)
        image_size = _check_size(self.image_size, "image_size")
        settings = {"canvas_size": self.canvas_size_, "image_size": image_size, "background": self.background}
        results = self._map(partial(preprocess_image, **settings), scans, image_size, "preprocessed", settings)
        self._warn_of_doubts([doubts for _, doubts in results], scans)
        return np.stack([image for image, _ in results])

    def set_output(self, *, transform=None):
        """Leave the output as it is: images fit into no table.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Ignored; a Pipeline sets it on all its steps.

        Returns
        -------
        SignaturePreprocessor
            The transformer.
        """
        return self

    def _map(self, work, scans, shape, step, *settings):
        """Do the work on every scan, or fail with the names of all that cannot be used."""
        memory = ImageMemory(self.memory, step, *settings)
        results = [_remembered(scan, memory, shape) for _, scan in scans]
        unknown = [row for row, result in enumerate(results) if result is None]
        if unknown:
            computed = map_parallel(_compute, [scans[row] for row in unknown], work, memory, n_jobs=self.n_jobs)
            for position, result in progress(computed, len(unknown), step, self.verbose):
                results[unknown[position]] = result
        errors = [str(result) for result in results if isinstance(result, ImageError)]
        if len(errors) == 1:
            raise ImageError(errors[0])
        if errors:
            raise ImageError(
                "\n".join([f"{len(errors)} of {len(scans)} images cannot be used:", *errors[:10], ""]).strip()
            )
        return results

    def _warn_of_doubts(self, doubts, scans):
        for kind, message in _DOUBTS.items():
            found = [f"{name} ({of_scan[kind]})" for of_scan, (name, _) in zip(doubts, scans) if kind in of_scan]
            if found:
                text = message.format(
                    n=len(found),
                    total=len(scans),
                    names=listing(found),
                    canvas="{} x {}".format(*self.canvas_size_),
                    image="{} x {}".format(*self.image_size),
                )
                warnings.warn(text, UserWarning, stacklevel=3)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _measure(image, background):
    return np.array(measure_ink(image, background).box.shape), {}


def _remembered(scan, memory, shape):
    """Look a scan's result up; None where it is unknown."""
    if not memory:
        return None
    try:
        found = memory.get(_content(scan)) or {}
    except ImageError as error:
        return error
    if found.keys() != {"array", "doubts"} or found["array"].shape != shape:
        return None
    return found["array"], json.loads(found["doubts"].tobytes())


def _compute(named_scan, work, memory):
    """Work on one scan and remember the result; errors are returned, so that all can be told at once."""
    name, scan = named_scan
    try:
        content = _content(scan)
    except ImageError as error:
        return error
    try:
        array, doubts = work(decode_image(content) if isinstance(content, bytes) else content)
    except ImageError as error:
        return ImageError(f"{name}: {error}")
    memory.put(content, array=array, doubts=np.frombuffer(json.dumps(doubts).encode(), dtype=np.uint8))
    return array, doubts


def _content(scan):
    return read_bytes(scan) if isinstance(scan, str) else scan


def _check_scans(X):
    """Give every scan a name: rows (name, path or 2-D uint8 array)."""
    if isinstance(X, (str, os.PathLike)):
        raise ValueError(f"X is the single path {str(X)!r}; pass a list of paths.")
    X = X.to_numpy() if hasattr(X, "to_numpy") else X
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind != "O":
        raise ValueError(f"X is one image of shape {X.shape}; pass a list of images, or X[np.newaxis].")
    if isinstance(X, np.ndarray) and X.ndim == 3 and X.shape[2] in (1, 3, 4):
        raise ValueError(f"X looks like one colour image, of shape {X.shape}; pass a list of 2-D grey images.")
    if not hasattr(X, "__len__"):
        raise ValueError(f"X must be paths or images; found {type(X).__name__}.")
    if len(X) == 0:
        raise ValueError("Found 0 signatures in X; at least 1 is needed. Is the folder of scans empty?")
    return [_check_scan(scan, index) for index, scan in enumerate(X)]


def _check_scan(scan, index):
    if isinstance(scan, (str, os.PathLike)):
        return os.fspath(scan), str(os.fspath(scan))
    scan = np.asarray(scan)
    name = f"image {index}"
    if scan.ndim != 2 or scan.dtype not in (np.uint8, np.bool_):
        raise ValueError(
            f"{name} of X is {scan.dtype} of shape {scan.shape}; signatures are file paths, or 2-D uint8 arrays with "
            "paper near 255 and ink near 0."
        )
    if not scan.size:
        raise ValueError(f"{name} of X is empty, of shape {scan.shape}. Leave it out.")
    return name, scan.astype(np.uint8) * 255 if scan.dtype == np.bool_ else scan


def _check_size(size, name):
    is_pair = len(size) == 2 and all(isinstance(side, Integral) and side > 0 for side in size)
    if not is_pair:
        raise ValueError(f"{name} must be two positive integers, rows and columns; found {size!r}.")
    return int(size[0]), int(size[1])
