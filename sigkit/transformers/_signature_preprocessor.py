"""Preprocess scans into images of one size."""

import os
from numbers import Integral
from operator import itemgetter

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import content_digest, listing, map_parallel, progress, warn
from sigkit.imaging import ImageError, crop_ink, fit_canvas, place_ink, preprocess_image, read_image
from sigkit.transformers._memory import ImageMemory
from sigkit.transformers._packed_ink import pack_ink, pack_issues, packed_shape, unpack_ink, unpack_issues
from sigkit.transformers._scans import check_scans, check_shape, read_content

_KEPT_BYTES = 2**28
"""How much compressed ink `fit_transform` keeps in memory: that of about 30,000 scans like CEDAR's."""

_CHUNK = 8
"""Number of scans in one task."""

_MESSAGES = {
    "over_canvas": (
        "{n} of {total} signatures are larger than the canvas of {canvas} pixels, and their outer parts were cropped: "
        '{names}. Choose a larger canvas_size; "max" considers only the signatures that are passed to fit.'
    ),
    "cut_off": (
        "The canvas of {canvas} pixels does not have the aspect ratio of image_size {image}, and the crop to that "
        'ratio cuts ink off {n} of {total} signatures: {names}. Choose a canvas_size with that ratio, or "max".'
    ),
    "small": ("The ink of {n} of {total} images is too small for a signature: {names} pixels. Scan them at 300 dpi."),
    "faint": (
        "Ink and paper differ by only a few gray values in {n} of {total} images: {names}. Leave them out if they are "
        "blank."
    ),
    "dark_paper": (
        "Most pixels of {n} of {total} images are dark: {names}. For photographs in uneven light, set "
        'background="photo". Paper must be bright and ink dark; if they are inverted, pass 255 - image.'
    ),
}


class SignaturePreprocessor(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Preprocess scans of signatures into images of one size: clear the background, center, invert and resize.

    The procedure of [1]_, with which published weights were trained. The bounding box and the center of mass of the ink
    are found by a Gaussian blur of two pixels and Otsu's threshold. The box is placed on a white canvas with the center
    of mass in the middle, shifted if it would extend beyond an edge. Pixels brighter than the threshold become white.
    The canvas is inverted, scaled to cover `image_size`, and cropped to its center.

    Parameters
    ----------
    canvas_size : tuple of (int, int) or "max", default="max"
        Rows and columns of the canvas in pixels of the scans. It is the same for all signatures, so that their sizes
        remain comparable. With "max", `fit` chooses the smallest canvas with the aspect ratio of `image_size` that
        holds every signature; signatures passed to `transform` later may be larger. A fixed canvas is better in
        cross-validation: the images are then the same in every fold.
    image_size : tuple of (int, int), default=(170, 242)
        Rows and columns of the images.
    background : {"otsu", "adaptive", "photo", "none"}, default="otsu"
        How the background is found and cleared: "otsu" by Otsu's threshold for the whole scan; "adaptive" by Sauvola's
        threshold at each pixel, for uneven light; "none" does not clear it. "photo" is for photographs and forms, in
        gray or in color. It removes shadows, rules, frames, black edges, specks, and print and stamps of another color.
        It also brings the signature to a usual size at 300 dpi and its axis to the horizontal, so that distance and
        tilt of the camera do not matter. References and queries need the same setting.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Folder of a cache with one entry per image, identified by the image's content and these parameters.
    n_jobs : int or None, default=None
        Number of images that are preprocessed in parallel; None means 1, -1 uses all processors.
    verbose : int, default=0
        If 1, the progress is written to the standard error stream once per second.

    Attributes
    ----------
    canvas_size_ : tuple of (int, int)
        Rows and columns of the canvas.

    See Also
    --------
    SigNetFeaturizer : Compute features of these images.
    sigkit.imaging.preprocess_image : The same procedure for one image.

    Notes
    -----
    There is one warning for each kind of possible problem, which names the scans: signatures larger than the canvas,
    ink that is cut off because the canvas does not have the aspect ratio of `image_size`, ink that is too small or too
    faint, and dark paper.

    `fit_transform` reads every scan and finds its ink once. With a canvas of "max", the cropped ink is compressed and
    kept until the canvas is known: up to 256 MiB in memory, which is enough for about 30,000 scans, and all of it in
    the cache if `memory` is set. Without `memory`, scans beyond this limit are read again. Scans in the cache are read
    only to identify them by their content.

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
        "background": [StrOptions({"otsu", "adaptive", "photo", "none"})],
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
            Scans: file paths, or uint8 images of any size with bright paper and dark ink; with
            `background="photo"` they can have colors, shape (height, width, 3). They are read only if
            `canvas_size` is "max".
        y : None
            Ignored; present for API consistency.

        Returns
        -------
        SignaturePreprocessor
            The fitted transformer.

        Raises
        ------
        ImageError
            A `ValueError` that names the image, if one is unreadable, blank or contains no signature.
        ValueError
            If `X` is empty or does not contain images, or a size is not two positive integers.
        """
        self._choose_canvas(check_scans(X, self._takes_color()), kept_bytes=0)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Choose the canvas and preprocess the same signatures, reading each scan once.

        Parameters
        ----------
        X : array-like of n_samples paths, list of 2-D arrays, or ndarray of shape (n_samples, height, width)
            Scans: file paths, or uint8 images of any size with bright paper and dark ink; with
            `background="photo"` they can have colors, shape (height, width, 3).
        y : None
            Ignored; present for API consistency.

        Returns
        -------
        ndarray of shape (n_samples, image_size[0], image_size[1]), dtype uint8
            The images, equal to those of `fit(X).transform(X)`.

        Raises
        ------
        ImageError
            A `ValueError` that names the image, if one is unreadable, blank or contains no signature.
        ValueError
            If `X` is empty or does not contain images, or a size is not two positive integers.
        """
        scans = check_scans(X, self._takes_color())
        return self._preprocess(scans, self._choose_canvas(scans, _KEPT_BYTES))

    def transform(self, X):
        """Preprocess signatures.

        Parameters
        ----------
        X : array-like of n_samples paths, list of 2-D arrays, or ndarray of shape (n_samples, height, width)
            Scans: file paths, or uint8 images of any size with bright paper and dark ink; with
            `background="photo"` they can have colors, shape (height, width, 3).

        Returns
        -------
        ndarray of shape (n_samples, image_size[0], image_size[1]), dtype uint8
            The images: background 0 and ink up to 255.

        Raises
        ------
        ImageError
            A `ValueError` that names the image, if one is unreadable, blank or contains no signature.
        ValueError
            If `X` is empty or does not contain images.
        """
        check_is_fitted(self)
        return self._preprocess(check_scans(X, self._takes_color()))

    def set_output(self, *, transform=None):
        """Do nothing: images do not fit into a table.

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

    def _takes_color(self):
        return self.background == "photo"

    def _choose_canvas(self, scans, kept_bytes):
        """Set `canvas_size_`; return the digest and the packed ink of each scan, if they were found and kept."""
        image_size = check_shape(self.image_size, "image_size")
        kept = [(None, None)] * len(scans)
        if not isinstance(self.canvas_size, str):
            self.canvas_size_ = check_shape(self.canvas_size, "canvas_size")
            return kept
        shapes = []
        shared = self._ink_memory(), self.background, kept_bytes > 0
        for position, (digest, shape, ink) in self._map("measured", _find_ink, scans, *shared):
            shapes.append(shape)
            if ink is not None:
                kept_bytes -= sum(array.nbytes for array in ink.values())
            kept[position] = digest, ink if kept_bytes > 0 else None
        self.canvas_size_ = fit_canvas(np.max(shapes, axis=0).tolist(), image_size)
        return kept

    def _preprocess(self, scans, kept=None):
        """Preprocess scans, from their ink where it was kept, and warn of possible problems."""
        image_size = check_shape(self.image_size, "image_size")
        settings = {"canvas_size": self.canvas_size_, "image_size": image_size, "background": self.background}
        memory = ImageMemory(self.memory, "preprocessed", settings)
        kept = kept or [(None, None)] * len(scans)
        items = [(*scan, *found) for scan, found in zip(scans, kept)]
        images = np.empty((len(scans), *image_size), dtype=np.uint8)
        issues = [None] * len(scans)
        shared = memory, self._ink_memory(), settings
        for position, result in self._map("preprocessed", _preprocess_scan, items, *shared):
            images[position], issues[position] = result
        self._warn_of_issues(issues, scans)
        return images

    def _ink_memory(self):
        """Return the cache of cropped ink, which only a canvas of "max" needs."""
        return ImageMemory(self.memory if isinstance(self.canvas_size, str) else None, "ink", self.background)

    def _map(self, step, function, items, *shared):
        """Yield the position and the result of each item as they are done; in the end, raise one error for all."""
        errors = {}
        # Several scans per task: looking a scan up in the cache takes less time than starting a task.
        chunks = [(function, items[start : start + _CHUNK]) for start in range(0, len(items), _CHUNK)]
        computed = map_parallel(_compute_chunk, chunks, *shared, n_jobs=self.n_jobs)
        numbered = (list(enumerate(results, number * _CHUNK)) for number, results in computed)
        for results in progress(numbered, len(items), step, self.verbose):
            for position, result in results:
                if isinstance(result, ImageError):
                    errors[position] = str(result)
                else:
                    yield position, result
        messages = [message for _, message in sorted(errors.items(), key=itemgetter(0))]
        if len(messages) == 1:
            raise ImageError(messages[0])
        if messages:
            raise ImageError("\n".join([f"{len(messages)} of {len(items)} images cannot be used:", *messages[:10]]))

    def _warn_of_issues(self, issues, scans):
        for kind, message in _MESSAGES.items():
            found = [f"{name} ({of_scan[kind]})" for of_scan, (name, _) in zip(issues, scans) if kind in of_scan]
            if found:
                warn(
                    message.format(
                        n=len(found),
                        total=len(scans),
                        names=listing(found),
                        canvas="{} x {}".format(*self.canvas_size_),
                        image="{} x {}".format(*self.image_size),
                    )
                )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


# The functions below work on scans in any process. They return errors instead of raising them, so that one error
# can name all scans that cannot be used.


def _compute_chunk(chunk, *shared):
    """Call a function on each of several scans."""
    function, items = chunk
    return [function(item, *shared) for item in items]


def _find_ink(named_scan, memory, background, keep):
    """Return the digest of a scan (None without a cache), the shape of its ink, and its packed ink (None: not kept)."""
    name, scan = named_scan
    try:
        content, digest = _identify(scan, memory)
        packed = memory.get(digest)
        shape = packed_shape(packed)
        if shape is None:
            ink = crop_ink(_decode(content, background), background)
            shape = ink.pixels.shape
            packed = pack_ink(ink) if keep or memory else None
            memory.put(digest, **(packed or {}))
    except ImageError as error:
        return ImageError(f"{name}: {error}")
    return digest, shape, packed if keep else None


def _preprocess_scan(item, memory, ink_memory, settings):
    """Return the image of a scan and its issues: from the cache, from its ink, or from the scan itself."""
    name, scan, digest, packed = item
    content = None
    try:
        if memory and digest is None:
            content, digest = _identify(scan, memory)
        found = _look_up(memory, digest, settings["image_size"])
        if found is not None:
            return found
        ink = unpack_ink(packed or ink_memory.get(digest))
        if ink is not None:
            image, issues = place_ink(ink, settings["canvas_size"], settings["image_size"])
        else:
            if content is None:
                content, digest = _identify(scan, memory)
            image, issues = preprocess_image(_decode(content, settings["background"]), **settings)
    except ImageError as error:
        return ImageError(f"{name}: {error}")
    memory.put(digest, image=image, issues=pack_issues(issues))
    return image, issues


def _identify(scan, memory):
    """Return the bytes of a file, or the array, and its digest if there is a cache to find it in."""
    content = read_content(scan)
    return content, content_digest(content) if memory else None


def _decode(content, background):
    return read_image(content, color=background == "photo") if isinstance(content, bytes) else content


def _look_up(memory, digest, image_size):
    """Return the cached image and its issues, or None; entries that this class cannot have written are ignored."""
    entry = memory.get(digest) or {}
    if entry.keys() != {"image", "issues"} or entry["image"].shape != image_size:
        return None
    try:
        return entry["image"], unpack_issues(entry["issues"])
    except ValueError:
        return None
