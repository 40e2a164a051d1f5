"""Pictures of the steps of preprocessing that follow the display API of scikit-learn."""

import os
import textwrap

import numpy as np
from PIL import Image

from sigkit._utils import optional_package
from sigkit.imaging._preprocess import place_ink
from sigkit.imaging._read import MAX_MEMORY
from sigkit.imaging._resize import fit_canvas
from sigkit.imaging._trace import trace_scan

_INK, _REMOVED = (0, 90, 180), (255, 110, 0)
_PALE = 0.35
"""Contrast of the scan behind the colors."""

_LONGEST = 900
"""Pixels of the longer side of a picture: scans can be large."""

_TITLES = "scan", "taken for ink (blue), removed (orange)", "preprocessed image"


class PreprocessingDisplay:
    """Pictures of what preprocessing does to scans: one row for each scan.

    The first picture is the scan, under its name and its problems. The second shows what is taken for ink, in blue, and
    what is also darker than the paper but was removed or is too pale, in orange: shadows, frames, rules, print, specks.
    The third is the image that a network gets. Use :meth:`from_estimator` for a fitted preprocessor, or
    :meth:`from_scans` and :meth:`from_scan`.

    Parameters
    ----------
    traces : list
        For each scan, what was done with it: an object with the attributes `name`; `scan`; `ink` and `removed`, masks
        of the scan's shape; and `error`, why the scan cannot be used, or "". What there is not is None.
    images : list of (ndarray or None)
        The preprocessed images.
    problems : list of dict of str to str
        The problems of each scan by kind, as :func:`check_scan` finds them, with a short description.

    Attributes
    ----------
    axes_ : ndarray of shape (n_scans, 3), dtype object
        The matplotlib Axes.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    check_scan : The problems of a scan.
    preprocess_image : The preprocessed image of a scan.

    Examples
    --------
    >>> from sigkit.imaging import PreprocessingDisplay
    >>> display = PreprocessingDisplay.from_scan("photo.jpg", background="photo")  # doctest: +SKIP
    >>> display.figure_.savefig("steps.png")  # doctest: +SKIP
    """

    def __init__(self, traces, images, problems):
        self.traces = traces
        self.images = images
        self.problems = problems

    @classmethod
    def from_estimator(cls, estimator, X, *, figure=None):
        """Plot what a fitted preprocessor does to scans.

        Parameters
        ----------
        estimator : SignaturePreprocessor
            A fitted preprocessor, whose parameters are used.
        X : sequence of (str, os.PathLike, bytes, file object or ndarray)
            The scans: paths, or uint8 images.
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        PreprocessingDisplay
            The display.

        Raises
        ------
        ValueError
            If the preprocessor is not fitted, there are no scans, or one is neither a path nor an image.
        """
        if not hasattr(estimator, "canvas_size_"):
            raise ValueError(f"The preprocessor is not fitted: {estimator!r}. Call fit first, or use from_scans.")
        return cls.from_scans(
            X,
            canvas_size=estimator.canvas_size_,
            image_size=estimator.image_size,
            background=estimator.background,
            resolution=estimator.resolution,
            max_memory=estimator.max_memory,
            figure=figure,
        )

    @classmethod
    def from_scan(cls, scan, **settings):
        """Plot what preprocessing does to one scan.

        Parameters
        ----------
        scan : str, os.PathLike, bytes, file object or ndarray of shape (height, width), dtype uint8
            A path or an image; see `from_scans`.
        **settings : dict
            The other parameters of `from_scans`.

        Returns
        -------
        PreprocessingDisplay
            The display.
        """
        return cls.from_scans([scan], **settings)

    @classmethod
    def from_scans(
        cls,
        scans,
        *,
        canvas_size="max",
        image_size=(170, 242),
        background="otsu",
        resolution=None,
        max_memory=MAX_MEMORY,
        figure=None,
    ):
        """Plot what preprocessing does to scans.

        Parameters
        ----------
        scans : sequence of (str, os.PathLike, bytes, file object or ndarray of shape (height, width), dtype uint8)
            Paths or images; with `background="photo"` images may have colors, shape (height, width, 3). Scans that
            cannot be used are shown with the reason.
        canvas_size : tuple of (int, int) or "max", default="max"
            Rows and columns of the canvas; "max" is the smallest for all of these scans.
        image_size : tuple of (int, int), default=(170, 242)
            Rows and columns of the preprocessed images.
        background : {"otsu", "adaptive", "photo", "none"}, default="otsu"
            How the background is found; see :func:`preprocess_image`.
        resolution : float, "file" or None, default=None
            Resolution of the scans in dpi, from which they are resampled to 300 dpi; with "file", that of each file.
        max_memory : float, default=700
            Largest memory in MiB that reading and preprocessing a scan may take.
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        PreprocessingDisplay
            The display.

        Raises
        ------
        ValueError
            If there are no scans, or one is neither a path nor an image.
        """
        if isinstance(scans, (str, bytes, os.PathLike)) or len(scans) == 0:
            raise ValueError(f"scans must be a list of paths or images; found {scans!r}. Use from_scan for one scan.")
        traces = [trace_scan(scan, number, background, resolution, max_memory) for number, scan in enumerate(scans)]
        shapes = [trace.cropped.pixels.shape for trace in traces if trace.cropped]
        if isinstance(canvas_size, str) and shapes:
            canvas_size = fit_canvas(np.max(shapes, axis=0).tolist(), image_size)
        images, problems = [], []
        for trace in traces:
            placed = place_ink(trace.cropped, canvas_size, image_size) if trace.cropped else (None, {})
            images.append(placed[0])
            problems.append(placed[1])
        return cls(traces, images, problems).plot(figure=figure)

    def plot(self, *, figure=None):
        """Plot the pictures.

        Parameters
        ----------
        figure : matplotlib Figure, default=None
            The figure to draw on; by default a new one.

        Returns
        -------
        PreprocessingDisplay
            The display.
        """
        n_scans = len(self.traces)
        if figure is None:
            figure = _new_figure(figsize=(10, 0.4 + 2.2 * n_scans), layout="constrained")
        self.figure_ = figure
        self.axes_ = np.array(figure.subplots(n_scans, 3, squeeze=False))
        for row, trace, image, problems in zip(self.axes_, self.traces, self.images, self.problems):
            pictures = _shrink(trace.scan), _overlay(trace), image
            for axes, picture in zip(row, pictures):
                axes.set_axis_off()
                if picture is not None:
                    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
            found = [f"{kind} ({description})".replace("_", " ") for kind, description in problems.items()]
            reason = trace.error or "; ".join(found)
            row[0].set_title("\n".join([os.path.basename(trace.name), *textwrap.wrap(reason, 48)[:4]]), fontsize=8)
        for axes, title in zip(self.axes_[0], _TITLES):
            axes.set_title("\n".join(filter(None, (title, axes.get_title()))), fontsize=8)
        return self


def _new_figure(**settings):
    with optional_package("matplotlib", "PreprocessingDisplay"):
        import matplotlib.pyplot as plt
    return plt.figure(**settings)


def _overlay(trace):
    """Return the pale scan with what was taken for ink and what was removed in color."""
    if trace.ink is None:
        return None
    gray = trace.scan if trace.scan.ndim == 2 else np.asarray(Image.fromarray(trace.scan).convert("L"))
    pale = (255 - _PALE * (255 - gray.astype(np.float32))).astype(np.uint8)
    picture = np.repeat(pale[:, :, np.newaxis], 3, axis=2)
    # Darker where the scan is: lines can be seen within a shadow.
    shades = 0.3 + 0.7 * gray[trace.removed].astype(np.float32) / 255
    picture[trace.removed] = shades[:, np.newaxis] * np.float32(_REMOVED)
    picture[trace.ink] = _INK
    return _shrink(picture)


def _shrink(picture):
    """Return a picture with fewer pixels, if it has many."""
    if picture is None or max(picture.shape[:2]) <= _LONGEST:
        return picture
    scale = _LONGEST / max(picture.shape[:2])
    height, width = (max(1, round(scale * side)) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))
