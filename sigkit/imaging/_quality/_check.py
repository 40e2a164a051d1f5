"""The quality of a scan, as numbers and as problems that a person can act on."""

import os
from dataclasses import dataclass, field

import numpy as np

from sigkit._utils import check_several
from sigkit.imaging._check_array import check_array
from sigkit.imaging._error import ImageError
from sigkit.imaging._quality._measure import Measures, measure_scan
from sigkit.imaging._quality._problems import PROBLEMS, find_problems
from sigkit.imaging._read import read_image
from sigkit.imaging._threshold import adaptive_threshold, otsu_threshold


@dataclass(frozen=True)
class ScanQuality:
    """The quality of a scan, as `check_scan` measures it.

    Parameters
    ----------
    problems : dict of str to str
        For each kind of problem, a sentence with what was found and what to do; empty if the scan is sound.
    measures : dict of str to float
        The measures by name, see Notes; empty if all pixels have the same gray value.

    Notes
    -----
    The measures are:

    height, width
        Rows and columns of the scan.
    ink_share
        Share of the pixels that count as ink.
    contrast
        Difference of the median gray values of paper and ink.
    noise
        Standard deviation of the noise in gray values.
    speckle
        Share of the pixels that are ink and have no ink among their eight neighbors.
    uneven_light
        Difference of the paper's gray values between parts of the scan, relative to the contrast.
    solid_share
        Share of the scan in solid squares of ink, three times as wide as a stroke.
    pale_share
        Area of what is darker than paper and brighter than ink, away from the ink, relative to the area of the ink.
    dark_edges
        Number of borders with a dark edge.
    edge_depth
        Depth of the deepest dark edge in pixels.
    horizontal_line, vertical_line
        Length of the longest straight line, horizontal or vertical within three degrees, relative to the scan's side.
    cut_strokes
        Greatest number of strokes that reach a border with their full width.
    ink_height, ink_width
        Size of the ink's bounding box in pixels.
    stray_distance
        Distance by which small parts of the ink extend the bounding box of the large parts, relative to its longer
        side.
    gap_share
        The widest empty gap between large parts of the ink, relative to the height or width of the ink.
    n_parts
        Number of connected parts of the ink.
    n_lines
        Number of lines of writing: parts of the ink with empty rows between them.
    frame_share
        Longer side of the largest closed frame, relative to the longer side of the scan; 0 if there is none.
    stroke_width
        Mean width of the strokes in pixels.
    edge_width
        Width of the transition from ink to paper in pixels.

    Examples
    --------
    >>> from sigkit.datasets import make_signatures
    >>> from sigkit.imaging import check_scan
    >>> scans, _ = make_signatures(n_writers=1, n_genuine=1, n_skilled=0, random_state=0)
    >>> quality = check_scan(scans[0])
    >>> quality.problems
    {}
    >>> quality.measures["ink_height"], quality.measures["ink_width"]
    (273, 444)
    """

    problems: dict[str, str]
    measures: dict[str, float] = field(repr=False)


def check_scan(image, background="otsu"):
    """Measure the quality of a scan: whether what counts as ink is a signature, and nothing else.

    Parameters
    ----------
    image : ndarray of shape (height, width), dtype uint8
        A scan: bright paper and dark ink.
    background : {"otsu", "adaptive", "none"}, default="otsu"
        How the ink is found; see `preprocess_image`. With "adaptive", uneven light is not a problem.

    Returns
    -------
    ScanQuality
        The problems of the scan, and its measures.

    Raises
    ------
    TypeError
        If `image` is no array, such as a path.
    ValueError
        If the array is no gray image of 8 bits, for example has values from 0 to 1.

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
    >>> print(quality.problems["shadow"])
    A shadow, uneven light, or large dark areas (41% counts as ink). Pass background="photo" for photographs, ...
    """
    check_array(image)
    if image.min() == image.max():
        measures, found = {}, {"blank": f"every pixel has the gray value {image.flat[0]}"}
    else:
        is_adaptive = background == "adaptive"
        threshold = adaptive_threshold(image).astype(np.uint8) if is_adaptive else otsu_threshold(image)
        taken = measure_scan(image, threshold)
        measures, found = taken._asdict(), find_problems(taken, background)
    problems = {}
    for kind, description in found.items():
        what, advice = PROBLEMS[kind]
        problems[kind] = f"{what[0].upper()}{what[1:]} ({description}). {advice}"
    return ScanQuality(problems, measures)


def check_scans(images, background="otsu"):
    """Measure the quality of many scans, as the columns of a table.

    Parameters
    ----------
    images : sequence of n_scans str, os.PathLike, bytes, file object or ndarray
        Paths of image files, their contents, files that are open for reading bytes, or uint8 images of shape (height,
        width).
    background : {"otsu", "adaptive", "none"}, default="otsu"
        How the ink is found; see `preprocess_image`.

    Returns
    -------
    dict of str to ndarray of shape (n_scans,)
        The columns, which `pandas.DataFrame` takes: "name", the path or the position; the measures of `ScanQuality`;
        and "problems", the kinds of problems with commas between them, "" for a sound scan. If a scan cannot be read,
        its measures are NaN and its problem is "unreadable".

    Raises
    ------
    ValueError
        If `images` is one path, or the content of one file.

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
    names, rows, problems = [], [], []
    check_several(images, "images")
    for position, image in enumerate(images):
        names.append(os.fspath(image) if isinstance(image, (str, os.PathLike)) else str(position))
        try:
            quality = check_scan(image if isinstance(image, np.ndarray) else read_image(image), background)
        except ImageError:
            quality = ScanQuality({"unreadable": ""}, {})
        rows.append(quality.measures)
        problems.append(",".join(quality.problems))
    columns = {measure: np.array([row.get(measure, np.nan) for row in rows]) for measure in Measures.__annotations__}
    return {"name": np.array(names), **columns, "problems": np.array(problems)}
