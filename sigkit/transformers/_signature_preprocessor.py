"""Preprocess scans into images of one size."""

import os
from numbers import Integral, Real
from operator import itemgetter

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sigkit._utils import VersionInState, map_parallel, progress
from sigkit.imaging import CANVAS_DPI, ImageError, fit_canvas
from sigkit.transformers._memory import ImageMemory, make_memory, warn_if_not_kept
from sigkit.transformers._poor_scans import report_issues
from sigkit.transformers._resolution import describe_expected, find_outsize, find_size_issues, usual_resolution
from sigkit.transformers._scan_steps import (
    FoundInk,
    ScanSettings,
    compute_chunk,
    find_ink_of_scan,
    preprocess_scan,
    state_resolution,
)
from sigkit.transformers._scans import check_scans, check_shape, warn_if_turned

_KEPT_BYTES = 2**28
"""How much compressed ink `fit_transform` keeps in memory: that of about 30,000 scans like CEDAR's."""

_CHUNK = 8
"""Number of scans in one task."""


class SignaturePreprocessor(VersionInState, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Preprocess scans of signatures into images of one size: clear the background, center, invert and resize.

    The procedure of [1]_, with which published weights were trained. The bounding box and the center of mass of the ink
    are found by a Gaussian blur of two pixels and Otsu's threshold. The box is placed on a white canvas with the center
    of mass in the middle, shifted if it would extend beyond an edge. Pixels brighter than the threshold become white.
    The canvas is inverted, scaled to cover `image_size`, and cropped to its center.

    Parameters
    ----------
    canvas_size : tuple of (int, int) or "max", default="max"
        Rows and columns of the canvas in pixels of the scans, or at 300 dpi if `resolution` is set: (765, 1089) is then
        65 x 92 mm. It is the same for all signatures, so that their sizes remain comparable. With "max", `fit` chooses
        the smallest canvas with the aspect ratio of `image_size` that holds every signature, none of which may be
        longer than 10,000 pixels; it reports a few that are much larger than all others. Signatures passed to
        `transform` later may be larger. A fixed canvas is better in cross-validation: the images are then the same in
        every fold.
    image_size : tuple of (int, int), default=(170, 242)
        Rows and columns of the images.
    background : {"otsu", "adaptive", "photo", "none"}, default="otsu"
        How the background is found and cleared: "otsu" by Otsu's threshold for the whole scan; "adaptive" by Sauvola's
        threshold at each pixel, for uneven light; "none" does not clear it. "photo" is for photographs and forms, in
        gray or in color. It removes shadows, rules, frames, black edges, specks, and print and stamps of another color.
        It also brings the signature to a usual size at 300 dpi and reduces its slope: the distance of the camera does
        not matter then, and its tilt less. References and queries need the same setting.
    resolution : float, "file" or None, default=None
        Resolution of the scans. With "file", each is resampled to 300 dpi by the resolution that its file states, also
        if its pixels are not square. Files without a known one are reported, and taken to have 300 dpi; so are arrays.
        A number, from 50 to 4800, is the resolution in dpi of all scans; files that state another one are reported.
        With None nothing is resampled, and files are reported if they state a resolution other than that of most scans
        in `fit`, or pixels that are not square. A difference of 5 % is not reported. With `background="photo"` there is
        a usual size: pixels become square by the file, and nothing is reported.
    on_poor_scan : {"warn", "error", "ignore"}, default="warn"
        What is done about scans with problems, which :func:`~sigkit.imaging.check_scan` finds, about those whose size
        is in question, and about signatures that the canvas or the image does not show completely: one warning for
        each kind of problem in each call, one error that names all such scans, or nothing.
    memory : str, os.PathLike, joblib.Memory or None, default=None
        Folder of a cache with one entry per image, identified by the image's content and these parameters. Damaged
        entries are computed again. If the folder cannot be written later, one warning names it.
    max_memory : float, default=700
        Largest memory in MiB that reading and preprocessing one scan may take; see :func:`sigkit.imaging.read_image`.
        A scan that needs more is an error, before it is decoded. With `n_jobs`, several scans take it at a time.
    n_jobs : int or None, default=None
        Number of images that are preprocessed in parallel; None means 1, -1 uses all processors.
    verbose : int, default=0
        If 1, the progress is written to the standard error stream once per second.

    Attributes
    ----------
    canvas_size_ : tuple of (int, int)
        Rows and columns of the canvas.
    resolution_ : float or None
        Resolution in dpi at which sizes are compared: 300 if `resolution` is set or the background is "photo";
        otherwise that which most files in `fit` state, or None if most scans have none.

    See Also
    --------
    SigNetFeaturizer : Compute features of these images.
    sigkit.imaging.preprocess_image : The same procedure for one image.
    sigkit.imaging.check_scans : Measure the quality of many scans.

    Notes
    -----
    A poor scan is one with a shadow, straight lines, a dark edge, several signatures, noise, no contrast and more; the
    user guide has a table. `fit` alone reports those that decide a canvas of "max" only.

    A resolution is known if the file states 50 to 4800 dpi, but not 72 or 96, which software writes if it knows none.

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
        "resolution": [Interval(Real, 50, 4800, closed="both"), StrOptions({"file"}), None],
        "on_poor_scan": [StrOptions({"warn", "error", "ignore"})],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
        "max_memory": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        canvas_size="max",
        image_size=(170, 242),
        background="otsu",
        resolution=None,
        on_poor_scan="warn",
        memory=None,
        max_memory=700,
        n_jobs=None,
        verbose=0,
    ):
        self.canvas_size = canvas_size
        self.image_size = image_size
        self.background = background
        self.resolution = resolution
        self.on_poor_scan = on_poor_scan
        self.memory = memory
        self.max_memory = max_memory
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Choose the canvas.

        Parameters
        ----------
        X : array-like of n_samples paths, list of 2-D arrays, or ndarray of shape (n_samples, height, width)
            Scans: file paths (also a column of a DataFrame), contents of files as bytes, files that are open for
            reading bytes, or uint8 images of any size with bright paper and dark ink; with
            `background="photo"` they can have colors, shape (height, width, 3). They are decoded only if
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
            A `ValueError` that names the image, if one is unreadable, blank or contains no signature, and `canvas_size`
            is "max".
        ValueError
            If `X` is empty or does not contain images, or a size is not two positive integers.
        OSError
            If the folder of the cache cannot be made.
        """
        scans = check_scans(X, self._is_photo())
        make_memory(self.memory)
        problems, issues = [], [{} for _ in scans]
        found = self._choose_canvas(scans, problems, issues, kept_bytes=0)
        stated = [ink.stated for ink in found]
        if not isinstance(self.canvas_size, str) and self._compares():
            settings = self._scan_settings()
            stated = [resolution for _, resolution in self._map("read", problems, state_resolution, scans, settings)]
        self._set_resolution(stated)
        warn_if_not_kept(self.memory, problems)
        self._report(issues, scans)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Choose the canvas and preprocess the same signatures, reading each scan once.

        Parameters
        ----------
        X : array-like of n_samples paths, list of 2-D arrays, or ndarray of shape (n_samples, height, width)
            Scans: file paths (also a column of a DataFrame), contents of files as bytes, files that are open for
            reading bytes, or uint8 images of any size with bright paper and dark ink; with
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
            A `ValueError` that names the image, if one is unreadable, blank or contains no signature; with
            `on_poor_scan="error"`, also if one is poor.
        ValueError
            If `X` is empty or does not contain images, or a size is not two positive integers.
        OSError
            If the folder of the cache cannot be made.
        """
        scans = check_scans(X, self._is_photo())
        make_memory(self.memory)
        problems, issues = [], [{} for _ in scans]
        found = self._choose_canvas(scans, problems, issues, kept_bytes=_KEPT_BYTES)
        images, stated = self._preprocess(scans, problems, issues, found)
        self._set_resolution(stated)
        self._find_size_issues(scans, stated, issues)
        self._report(issues, scans)
        return images

    def transform(self, X):
        """Preprocess signatures.

        Parameters
        ----------
        X : array-like of n_samples paths, list of 2-D arrays, or ndarray of shape (n_samples, height, width)
            Scans: file paths (also a column of a DataFrame), contents of files as bytes, files that are open for
            reading bytes, or uint8 images of any size with bright paper and dark ink; with
            `background="photo"` they can have colors, shape (height, width, 3).

        Returns
        -------
        ndarray of shape (n_samples, image_size[0], image_size[1]), dtype uint8
            The images: background 0 and ink up to 255.

        Raises
        ------
        ImageError
            A `ValueError` that names the image, if one is unreadable, blank or contains no signature; with
            `on_poor_scan="error"`, also if one is poor.
        ValueError
            If `X` is empty or does not contain images.
        """
        check_is_fitted(self)
        scans = check_scans(X, self._is_photo())
        issues = [{} for _ in scans]
        images, stated = self._preprocess(scans, [], issues, [FoundInk()] * len(scans))
        self._find_size_issues(scans, stated, issues)
        self._report(issues, scans)
        return images

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

    def _is_photo(self):
        return self.background == "photo"

    def _compares(self):
        """Return whether resolutions are compared with those in `fit`."""
        return self.resolution is None and not self._is_photo()

    def _choose_canvas(self, scans, problems, issues, *, kept_bytes):
        """Set `canvas_size_`; return the `FoundInk` of each scan, if it was found and kept.

        Problems of the cache are added to a list, and outsize signatures to the issues.
        """
        image_size = check_shape(self.image_size, "image_size")
        kept = [FoundInk()] * len(scans)
        if not isinstance(self.canvas_size, str):
            self.canvas_size_ = check_shape(self.canvas_size, "canvas_size")
            warn_if_turned(self.canvas_size_, image_size)
            return kept
        shapes = [None] * len(scans)
        shared = self._ink_memory(), self._scan_settings(), kept_bytes > 0
        for position, (found, shapes[position]) in self._map("measured", problems, find_ink_of_scan, scans, *shared):
            if found.packed is not None:
                kept_bytes -= sum(array.nbytes for array in found.packed.values())
            kept[position] = found if kept_bytes > 0 else found._replace(packed=None)
        self.canvas_size_ = fit_canvas(np.max(shapes, axis=0).tolist(), image_size)
        for position, description in find_outsize(shapes, image_size).items():
            issues[position]["outsize"] = description
        return kept

    def _preprocess(self, scans, problems, issues, found):
        """Preprocess scans, from their ink where it was kept; return the images, and the resolutions of the files.

        What is found is added to the issues, and problems of the cache cause a warning.
        """
        settings, image_size = self._scan_settings(), check_shape(self.image_size, "image_size")
        memory = ImageMemory(self.memory, "preprocessed", *settings[:3], self.canvas_size_, image_size)
        images = np.empty((len(scans), *image_size), dtype=np.uint8)
        stated = [None] * len(scans)
        shared = memory, self._ink_memory(), settings, self.canvas_size_, image_size
        items = list(zip(scans, found))
        for position, result in self._map("preprocessed", problems, preprocess_scan, items, *shared):
            images[position], of_scan, stated[position] = result
            issues[position].update(of_scan)
        warn_if_not_kept(self.memory, problems)
        return images, stated

    def _set_resolution(self, stated):
        self.resolution_ = usual_resolution(stated) if self._compares() else float(CANVAS_DPI)

    def _find_size_issues(self, scans, stated, issues):
        """Add what is wrong with the resolutions of files to the issues; arrays have none."""
        for (_, scan), resolution, of_scan in zip(scans, stated, issues):
            if isinstance(scan, (str, bytes)) and not self._is_photo():
                of_scan.update(find_size_issues(resolution, self.resolution, self.resolution_))

    def _report(self, issues, scans):
        """Warn of issues, or raise an error."""
        image_size = check_shape(self.image_size, "image_size")
        expected = describe_expected(self.resolution, self.resolution_)
        names = [name for name, _ in scans]
        report_issues(issues, names, self.on_poor_scan, self.canvas_size_, image_size, expected, self.background)

    def _scan_settings(self):
        return ScanSettings(self.background, self.on_poor_scan != "ignore", self.resolution, self.max_memory)

    def _ink_memory(self):
        """Return the cache of cropped ink, which only a canvas of "max" needs."""
        memory = self.memory if isinstance(self.canvas_size, str) else None
        return ImageMemory(memory, "ink", *self._scan_settings()[:3])

    def _map(self, step, problems, function, items, *shared):
        """Yield the position and the result of each item as they are done; in the end, raise one error for all."""
        errors = {}
        # Several scans per task: looking a scan up in the cache takes less time than starting a task.
        chunks = [(function, items[start : start + _CHUNK]) for start in range(0, len(items), _CHUNK)]
        computed = map_parallel(compute_chunk, chunks, *shared, n_jobs=self.n_jobs)

        def numbered():
            for number, (results, problem) in computed:
                problems.append(problem)
                yield list(enumerate(results, number * _CHUNK))

        for results in progress(numbered(), len(items), step, self.verbose):
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags
