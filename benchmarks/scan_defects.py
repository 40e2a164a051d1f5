"""Defects of scans, drawn on synthetic signatures: each function takes a scan, a generator, and the resolution in dpi.

They return a poor scan, or None where the defect does no harm to this scan.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from sigkit.imaging import otsu_threshold

TEXT = "Signature of the applicant, 12 May"


def draw_on(scan, draw):
    """Return the scan after a function has drawn on it."""
    image = Image.fromarray(scan)
    draw(ImageDraw.Draw(image))
    return np.asarray(image).copy()


def ink_gray(scan, rng):
    """Return a gray value for print: black in two-valued scans."""
    return int(rng.integers(10, 90)) if len(np.unique(scan)) > 2 else 0


def add_paper(scan, rng, top=0, bottom=0, left=0, right=0):
    """Extend the paper."""
    height, width = scan.shape
    paper = np.full((height + top + bottom, width + left + right), np.median(scan))
    if len(np.unique(scan)) > 2:
        paper += rng.integers(-2, 3, paper.shape)
    paper = paper.clip(0, 255).astype(np.uint8)
    paper[top : top + height, left : left + width] = scan
    return paper


def cast_shadow(scan, rng, softness):
    """Darken 15 to 60 % of the paper to 40 to 65 % of its light, from any side."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.indices(scan.shape)
    distance = (columns / scan.shape[1] - 0.5) * np.cos(angle) + (rows / scan.shape[0] - 0.5) * np.sin(angle)
    edge = np.quantile(distance, rng.uniform(0.15, 0.6))
    lit = 0.5 + 0.5 * np.tanh((distance - edge) / softness)
    dark = rng.uniform(0.4, 0.65)
    return (scan * (dark + (1 - dark) * lit)).astype(np.uint8)


def hard_shadow(scan, rng, _resolution):
    return cast_shadow(scan, rng, 0.002)


def soft_shadow(scan, rng, _resolution):
    return cast_shadow(scan, rng, rng.uniform(0.02, 0.12))


def printed_frame(scan, rng, resolution):
    margin, width = rng.integers(2, 16) * resolution / 300, max(1, round(rng.integers(2, 7) * resolution / 300))
    box = [margin, margin, scan.shape[1] - 1 - margin, scan.shape[0] - 1 - margin]
    gray = ink_gray(scan, rng)
    return draw_on(scan, lambda pen: pen.rectangle(box, outline=gray, width=width))


def ruled_lines(scan, rng, resolution):
    """One to five lines, tilted by up to two degrees, from border to border."""
    height, width = scan.shape
    n_lines, drop = int(rng.integers(1, 6)), np.tan(np.deg2rad(rng.uniform(-2, 2))) * width / 2
    thickness = max(1, round(rng.integers(2, 6) * resolution / 300))
    margin = abs(drop) + 2 * thickness
    if 2 * margin > height:
        return None
    levels = np.linspace(margin, height - margin, n_lines + 2)[1:-1]
    gray = ink_gray(scan, rng)
    return draw_on(
        scan, lambda pen: [pen.line([0, y - drop, width, y + drop], fill=gray, width=thickness) for y in levels]
    )


def scanner_edge(scan, rng, resolution):
    poor = scan.copy()
    side = np.rot90(poor, rng.integers(4))
    depth = max(2, round(rng.integers(6, 25) * resolution / 300))
    side[:depth] = np.minimum(side[:depth], ink_gray(scan, rng))
    return poor


def far_speck(scan, rng, resolution):
    """A square of about 8 pixels at 300 dpi, half a signature away from it or more."""
    turns, side = int(rng.integers(4)), max(2, round(rng.integers(7, 11) * resolution / 300))
    turned = np.rot90(scan, turns)
    away = int(rng.uniform(0.4, 0.8) * max(scan.shape)) + side
    poor = add_paper(turned, rng, top=away + side)
    left = int(rng.uniform(0.05, 0.9) * (poor.shape[1] - side))
    poor[side : 2 * side, left : left + side] = ink_gray(scan, rng)
    return np.ascontiguousarray(np.rot90(poor, -turns))


def make_pale(scan, rng):
    """Return white paper with the signature in a pale ink, and how much ink each pixel has."""
    absorbed = ((np.median(scan) - scan.astype(float)) / np.median(scan)).clip(0, 1)
    absorbed = (absorbed / np.quantile(absorbed[absorbed > 0.3], 0.7)).clip(0, 1)
    paper = 245 - (245 - rng.uniform(135, 180)) * absorbed + rng.normal(0, 2, scan.shape)
    return paper.clip(0, 255).astype(np.uint8), absorbed


def is_lost(poor, absorbed):
    """Return whether most of the pale ink counts as paper: only then something is wrong with it."""
    return np.mean(poor[absorbed > 0.8] > otsu_threshold(poor)) > 0.5


def pale_ink_in_frame(scan, rng, resolution):
    pale, absorbed = make_pale(scan, rng)
    margin, width = 3 * resolution / 300, max(1, round(rng.integers(3, 7) * resolution / 300))
    box = [margin, margin, scan.shape[1] - 1 - margin, scan.shape[0] - 1 - margin]
    poor = draw_on(pale, lambda pen: pen.rectangle(box, outline=10, width=width))
    return poor if is_lost(poor, absorbed) else None


def pale_ink_under_text(scan, rng, resolution):
    pale, absorbed = make_pale(scan, rng)
    size = int(rng.uniform(30, 45) * resolution / 300)
    poor = write(add_paper(pale, rng, top=int(1.5 * size)), 1, 10, size)
    absorbed = np.pad(absorbed, ((poor.shape[0] - len(absorbed), 0), (0, 0)))
    return poor if is_lost(poor, absorbed) else None


def write(scan, n_lines, gray, size):
    font = ImageFont.load_default(size)
    return draw_on(
        scan, lambda pen: [pen.text((6, 2 + 1.3 * size * line), TEXT, fill=gray, font=font) for line in range(n_lines)]
    )


def text_above(scan, rng, resolution):
    size, n_lines = int(rng.uniform(30, 60) * resolution / 300), int(rng.integers(3, 6))
    return write(add_paper(scan, rng, top=int(1.3 * size * n_lines) + 10), n_lines, ink_gray(scan, rng), size)


def two_beside(scan, rng, _resolution):
    """Two signatures, with twice the space between them that each takes."""
    width = scan.shape[1]
    poor = add_paper(scan, rng, right=3 * width)
    poor[:, -width:] = scan
    return poor


def two_above(scan, rng, _resolution):
    height = scan.shape[0]
    poor = add_paper(scan, rng, bottom=3 * height)
    poor[-height:] = scan
    return poor


def cut_off(scan, side, share):
    """Cut off the part at one side (top, bottom, left, right) that has this share of the ink."""
    turned = np.rot90(scan, (0, 2, 3, 1)[side])
    inked = np.cumsum((turned <= otsu_threshold(scan)).sum(axis=1))
    return np.ascontiguousarray(turned[np.searchsorted(inked, share * inked[-1]) :])


def cut_through(scan, rng, resolution):
    """Cut at top or bottom through three strokes or more."""
    poor = cut_off(scan, int(rng.integers(2)), rng.uniform(0.3, 0.5))
    width = max(2, round(4 * resolution / 300))
    is_ink = poor[[0, width]] <= otsu_threshold(poor)
    n_strokes = np.count_nonzero(np.diff(is_ink.astype(int), axis=1, prepend=0) == 1, axis=1)
    return poor if n_strokes.min() >= 4 else None


def blank_paper(scan, rng, _resolution):
    paper = np.median(scan) + rng.normal(0, rng.uniform(0, 6), scan.shape)
    return paper.clip(0, 255).astype(np.uint8)


def inverted(scan, _rng, _resolution):
    return 255 - scan


def thumbnail(scan, rng, _resolution):
    image = Image.fromarray(scan)
    image.thumbnail((rng.integers(20, 41),) * 2, Image.Resampling.BOX)
    return np.asarray(image)


def out_of_focus(scan, rng, resolution):
    sigma = max(1.5, rng.uniform(5, 9) * resolution / 300)
    return gaussian_filter(scan.astype(float), sigma).astype(np.uint8)


def noisy(scan, rng, _resolution):
    """Gaussian noise of a quarter of the contrast or more."""
    contrast = float(np.median(scan)) - np.quantile(scan, 0.01)
    return (scan + rng.normal(0, rng.uniform(0.25, 0.5) * contrast, scan.shape)).clip(0, 255).astype(np.uint8)


def salt_and_pepper(scan, rng, _resolution):
    share, drawn = rng.uniform(0.01, 0.05), rng.random(scan.shape)
    return np.where(drawn < share, 0, np.where(drawn > 1 - share, 255, scan)).astype(np.uint8)


_ALL = (
    *(hard_shadow, soft_shadow, printed_frame, ruled_lines, scanner_edge, far_speck, pale_ink_in_frame),
    *(pale_ink_under_text, text_above, two_beside, two_above, cut_through, blank_paper, inverted, thumbnail),
    *(out_of_focus, noisy, salt_and_pepper),
)
DEFECTS = {function.__name__.replace("_", " "): function for function in _ALL}
