"""Decide from its measures what is wrong with a scan, and say it in words.

The limits were chosen on scans of CEDAR, BHSig260 and SigComp2011, on synthetic signatures of 100 to 600 dpi, and on
these with defects; `benchmarks/check_scan_quality.py` prints how many of each are found.
"""

from typing import NamedTuple


class Problem(NamedTuple):
    """A kind of problem: what scans have, and what to do about it."""

    what: str
    advice: str


PROBLEMS = {
    "blank": Problem("nothing but paper", "Scan it again, or leave it out."),
    "faint": Problem(
        "ink that differs from the paper by only a few gray values", "Leave out what is blank, or scan it again."
    ),
    "noise": Problem("specks or noise all over", "Scan again, or reduce the noise."),
    "dark_paper": Problem("dark paper", "Paper must be bright and ink dark; if they are inverted, pass 255 - image."),
    "shadow": Problem(
        "a shadow, uneven light, or large dark areas",
        'Pass background="photo" for photographs, or crop or scan again.',
    ),
    "dark_edge": Problem("a dark edge at a border, as of a scanner", 'Crop it, or pass background="photo".'),
    "lines": Problem(
        "straight lines, as of a frame, a form or ruled paper",
        'Pass background="photo", which removes them, or crop to the inside of the frame.',
    ),
    "pale": Problem(
        "something paler than the ink, which is cleared as background",
        'If it is the signature, beside darker print, pass background="photo", or crop the print.',
    ),
    "stray": Problem("small marks far from the signature", "Crop or erase them."),
    "apart": Problem("more than one signature, or text", "Crop to one signature."),
    "print": Problem("printed letters or bars", "Crop to the signature, or leave out a form without one."),
    "shape": Problem("ink with the shape of something else", "Look at it, and leave it out if it is no signature."),
    "stamp": Problem("a closed ring, as of a stamp", "Crop to the signature, or leave out a stamp without one."),
    "table": Problem(
        "ink in dark or colored parts at the borders, as of a table beside the sheet", "Crop to the sheet."
    ),
    "cut": Problem("strokes that are cut off at a border", "Scan with a margin around the signature."),
    "blurred": Problem("blurred strokes", "Scan or photograph in focus."),
    "small": Problem("ink that is too small for a signature", "Scan at 300 dpi."),
}
"""The kinds of problems of a scan."""


def find_problems(quality, background="otsu"):
    """Return what describes each problem of a scan, by kind.

    With the background "adaptive", the ink was found by a threshold at each pixel, and the paper may be uneven.
    """
    is_even = background != "adaptive"
    longest = max(quality.ink_height, quality.ink_width)
    # What else is measured on these scans is no property of a signature.
    if quality.contrast < 10:
        return {"faint": f"contrast {quality.contrast}"}
    if quality.ink_share > 0.5 and quality.dark_edges == 4:
        return {"dark_paper": f"{quality.ink_share:.0%} dark"}
    if longest < 40:
        return {"small": f"{quality.ink_height} x {quality.ink_width} pixels"}
    if quality.noise > 0.135 * quality.contrast:
        return {"noise": f"noise {quality.noise:.0f}, contrast {quality.contrast}"}
    if quality.speckle > 0.003:
        return {"noise": f"{quality.speckle * quality.height * quality.width:.0f} specks"}
    is_narrow = 0 < quality.edge_depth <= 0.1 * max(quality.height, quality.width)
    if quality.ink_share > 0.35 or (quality.solid_share > 0.015 and not is_narrow):
        return {"shadow": f"{quality.ink_share:.0%} counts as ink"}
    found = _find_surroundings(quality)
    if is_even and quality.uneven_light > 0.35:
        found["shadow"] = f"gray values of paper differ by {quality.uneven_light:.0%} of the contrast"
    elif is_even and quality.pale_share > 0.05:
        found["pale"] = f"{quality.pale_share:.0%} of the ink's area"
    # Wide in pixels, in relation to the strokes and to the signature: each alone depends on the resolution.
    is_wide = quality.edge_width > 0.22 * quality.stroke_width and quality.edge_width > 0.0065 * longest
    if is_even and is_wide and quality.edge_width > 1.8:
        found["blurred"] = f"transition of {quality.edge_width:.1f} pixels"
    return found


def _find_surroundings(quality):
    """Return problems by what is around the signature, or missing there."""
    found = {}
    lines = quality.horizontal_line, quality.vertical_line
    if quality.dark_edges:
        found["dark_edge"] = f"{quality.edge_depth} pixels"
    elif max(lines) >= 0.92 or min(lines) >= 0.75:
        found["lines"] = f"{max(lines):.0%} of the scan"
    elif quality.frame_share >= 0.25:
        found["lines"] = f"a frame of {quality.frame_share:.0%} of the scan"
    elif quality.cut_strokes >= 3:
        found["cut"] = f"{quality.cut_strokes} strokes"
    elif min(quality.ink_height, quality.ink_width) < 0.08 * max(quality.ink_height, quality.ink_width):
        found["lines"] = f"all ink is {quality.ink_height} x {quality.ink_width} pixels"
    if quality.stray_distance >= 0.3:
        found["stray"] = f"{quality.stray_distance:.0%} of its size away"
    if quality.gap_share >= 0.45 or quality.n_lines >= 4 or quality.n_parts >= 50:
        found["apart"] = f"{quality.n_parts} parts, {quality.n_lines} lines, gap {quality.gap_share:.0%}"
    return found
