"""The quality of a scan, as numbers and as problems that a person can act on."""

import os
from typing import NamedTuple

import numpy as np

from sigkit.imaging import _quality_borders as borders
from sigkit.imaging import _quality_measures as measures
from sigkit.imaging._problems import PROBLEMS, find_problems
from sigkit.imaging._read import ImageError, read_image
from sigkit.imaging._separate import separate_ink


class ScanQuality(NamedTuple):
    """The quality of a scan, as `check_scan` measures it.

    Attributes
    ----------
    height, width : int
        Rows and columns of the scan.
    resolution : float or None
        Resolution in dpi, if it is known.
    ink_share : float
        Share of the pixels that count as ink.
    contrast : int
        Difference of the median gray values of paper and ink.
    noise : float
        Standard deviation of the noise in gray values.
    speckle : float
        Share of the pixels that are ink and have no ink among their eight neighbors.
    uneven_light : float
        Difference of the paper's gray values between parts of the scan, relative to the contrast.
    solid_share : float
        Share of the scan in solid squares of ink, three times as wide as a stroke.
    pale_share : float
        Area of what is darker than paper and brighter than ink, away from the ink, relative to the area of the ink.
    dark_edges : int
        Number of borders with a dark edge.
    edge_depth : int
        Depth of the deepest dark edge in pixels.
    horizontal_line, vertical_line : float
        Length of the longest straight line, horizontal or vertical within three degrees, relative to the scan's side.
    cut_strokes : int
        Greatest number of strokes that reach a border with their full width.
    ink_height, ink_width : int
        Size of the ink's bounding box in pixels.
    stray_distance : float
        Distance by which small parts of the ink extend the bounding box of the large parts, relative to its longer
        side.
    gap_share : float
        The widest empty gap between large parts of the ink, relative to the height or width of the ink.
    n_parts : int
        Number of connected parts of the ink.
    n_lines : int
        Number of lines of writing: parts of the ink with empty rows between them.
    stroke_width : float
        Mean width of the strokes in pixels.
    edge_width : float
        Width of the transition from ink to paper in pixels.
    problems : dict of str to str
        For each kind of problem, a sentence with what was found and what to do; empty if the scan is sound.
    """

    height: int
    width: int
    resolution: float | None
    ink_share: float
    contrast: int
    noise: float
    speckle: float
    uneven_light: float
    solid_share: float
    pale_share: float
    dark_edges: int
    edge_depth: int
    horizontal_line: float
    vertical_line: float
    cut_strokes: int
    ink_height: int
    ink_width: int
    stray_distance: float
    gap_share: float
    n_parts: int
    n_lines: int
    stroke_width: float
    edge_width: float
    problems: dict


def check_scan(image, background="otsu", resolution=None):
    """Measure the quality of a scan: whether what counts as ink is a signature, and nothing else.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A scan: bright paper and dark ink.
    background : {"otsu", "adaptive", "none"}, default="otsu"
        How the ink is found; see `preprocess_image`. With "adaptive", uneven light is not a problem.
    resolution : float or None, default=None
        Resolution in dpi, if it is known; it is part of the result.

    Returns
    -------
    ScanQuality
        Measures of the scan, and its problems. If every pixel has the same gray value, the other measures are 0 and the
        problem is "blank".

    See Also
    --------
    check_scans : Measure many scans.
    sigkit.transformers.SignaturePreprocessor : It checks each scan, and warns of poor ones or refuses them.

    Notes
    -----
    The limits were chosen so that at most one in a hundred sound scans is flagged, and almost all scans with a defect
    that concerns the whole scan: a shadow, a frame, dark edges. A signature of which only one or two strokes are cut
    off at a border cannot be told from one that is cropped closely, and two signatures side by side cannot be told
    from two words.

    Examples
    --------
    >>> import numpy as np
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.imaging import check_scan
    >>> scans, _ = make_signatures(n_writers=1, n_genuine=1, n_skilled=0, random_state=0)
    >>> check_scan(scans[0]).problems
    {}
    >>> scans[0][:, :200] //= 2
    >>> quality = check_scan(scans[0])
    >>> f"{quality.ink_share:.0%}", list(quality.problems)
    ('51%', ['shadow'])
    """
    try:
        separated = separate_ink(image, background)
    except ImageError:
        nothing = dict.fromkeys(ScanQuality._fields, 0)
        described = {"height": image.shape[0], "width": image.shape[1], "resolution": resolution}
        problems = {"blank": f"every pixel has the gray value {image.flat[0]}"}
        quality = ScanQuality(**nothing | described | {"problems": problems})
    else:
        quality = measure_quality(separated, resolution)
    sentences = {kind: _say(kind, description) for kind, description in quality.problems.items()}
    return quality._replace(problems=sentences)


def check_scans(images, background="otsu"):
    """Measure the quality of many scans, as the columns of a table.

    Parameters
    ----------
    images : sequence of n_scans str, os.PathLike, bytes or ndarray
        Paths of image files, their contents, or uint8 images of shape (height, width).
    background : {"otsu", "adaptive", "none"}, default="otsu"
        How the ink is found; see `preprocess_image`.

    Returns
    -------
    dict of str to ndarray of shape (n_scans,)
        The columns, which `pandas.DataFrame` takes: "name", the path or the position; the measures of `ScanQuality`,
        of which `resolution` is NaN; and "problems", the kinds of problems with commas between them, "" for a sound
        scan. If a scan cannot be read, its measures are NaN and its problem is "unreadable".

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.imaging import check_scans
    >>> scans, _ = make_signatures(n_writers=1, n_genuine=2, n_skilled=0, random_state=0)
    >>> table = check_scans([scans[0], 255 - scans[1], "nowhere.png"])
    >>> table["name"].tolist(), table["problems"].tolist()
    (['0', '1', 'nowhere.png'], ['', 'dark_paper', 'unreadable'])
    >>> table["ink_share"].round(2)
    array([0.03, 0.97,  nan])
    """
    measured = [field for field in ScanQuality._fields if field != "problems"]
    names, rows, problems = [], [], []
    for position, image in enumerate(images):
        names.append(str(position) if isinstance(image, (bytes, np.ndarray)) else os.fspath(image))
        try:
            quality = check_scan(image if isinstance(image, np.ndarray) else read_image(image), background)
        except ImageError:
            rows.append([np.nan] * len(measured))
            problems.append("unreadable")
        else:
            rows.append([getattr(quality, field) for field in measured])
            problems.append(",".join(quality.problems))
    numbers = np.array(rows, dtype=np.float64).reshape(-1, len(measured)).T
    return {"name": np.array(names), **dict(zip(measured, numbers)), "problems": np.array(problems)}


def _say(kind, description):
    what, advice = PROBLEMS[kind]
    return f"{what[0].upper()}{what[1:]} ({description}). {advice}"


def measure_quality(separated, resolution=None):
    """Measure the quality of a scan whose ink was separated; in `problems` are short descriptions."""
    image, threshold, _, counts, is_even = separated
    is_ink = image <= threshold
    n_ink = int(np.count_nonzero(is_ink))
    of_ink = np.where(np.arange(256) <= threshold, counts, 0) if is_even else np.bincount(image[is_ink], minlength=256)
    ink, paper = measures.middle_gray(of_ink), measures.middle_gray(counts - of_ink)
    contrast = max(1, paper - ink)
    transposed = np.ascontiguousarray(is_ink.T)
    edges = borders.find_edges(is_ink)
    cells = measures.make_cells(image, is_ink)
    strokes = measures.measure_strokes(is_ink, transposed)
    layout = measures.measure_layout(cells)
    outline = max(1.0, strokes.outline)
    between = int(counts[int(ink + contrast / 4) : int(ink + 3 * contrast / 4)].sum())
    quality = ScanQuality(
        height=image.shape[0],
        width=image.shape[1],
        resolution=resolution,
        ink_share=n_ink / image.size,
        contrast=contrast,
        noise=measures.measure_noise(image),
        speckle=measures.measure_speckle(is_ink),
        uneven_light=measures.measure_light(cells.grays, contrast),
        solid_share=measures.measure_solid(is_ink, strokes.run),
        pale_share=measures.measure_pale(cells, paper, contrast),
        dark_edges=sum(depth > 0 for depth in edges),
        edge_depth=max(edges),
        horizontal_line=borders.find_line(is_ink),
        vertical_line=borders.find_line(transposed),
        cut_strokes=borders.count_cut_strokes(is_ink, strokes.run),
        ink_height=layout.height,
        ink_width=layout.width,
        stray_distance=layout.stray,
        gap_share=layout.gap,
        n_parts=layout.n_parts,
        n_lines=layout.n_lines,
        stroke_width=2 * n_ink / outline,
        edge_width=between / outline,
        problems={},
    )
    return quality._replace(problems=find_problems(quality, is_even))
