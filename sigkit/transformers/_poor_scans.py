"""Report poor scans: one warning for each kind of problem, or one error for all."""

from sigkit._utils import listing, warn
from sigkit.imaging import PROBLEMS, ImageError

_OF_CANVAS = {
    "over_canvas": (
        "ink larger than the canvas of {canvas} pixels, whose outer parts were cropped",
        'Choose a larger canvas_size; "max" considers only the signatures that are passed to fit.',
    ),
    "cut_off": (
        "ink cut off, because the canvas of {canvas} pixels does not have the aspect ratio of image_size {image}",
        'Choose a canvas_size with that ratio, or "max".',
    ),
}
_OF_SIZE = {
    "outsize": (
        'ink much larger than that of all others, which canvas_size="max" makes small',
        "Crop such scans or leave them out, or pass canvas_size as two integers.",
    ),
    "resolution": (
        "a resolution in the file other than {expected}",
        'Pass resolution="file" if the files are right, or the resolution as a number if they are wrong.',
    ),
    "pixel_shape": ("pixels that are not square", 'Pass resolution="file", which makes them square.'),
    "two_dpi": (
        "two resolutions in the file that contradict each other",
        "Correct the file: write the right one in both places, or save it as PNG with the right one.",
    ),
    "absurd_dpi": (
        "a resolution in the file that no scan has, which is not used",
        "Correct the file, or save it again without a resolution.",
    ),
    "unknown_dpi": (
        "files without a known resolution, which are taken to have 300 dpi",
        "Scan at 300 dpi, or pass the resolution as a number if it is the same for all scans.",
    ),
}
_MESSAGES = _OF_CANVAS | _OF_SIZE | PROBLEMS
_ADVICE_WITH_PHOTO = {
    "shadow": "Crop it, or photograph it again in even light.",
    "dark_edge": "Crop it.",
    "lines": "Crop to the signature, inside of any frame.",
    "pale": "If it is the signature, beside darker print, crop the print.",
}
"""What to do where the advice otherwise is `background="photo"`, which is set already."""


def report_issues(issues, names, on_poor_scan, canvas_size, image_size, expected, background):
    """Warn of the issues of scans, raise an error that names all of them, or ignore them.

    `issues` has a dict for each scan, from kinds of problems to short descriptions. `expected` is the resolution that
    files should state, in words.
    """
    if on_poor_scan == "ignore":
        return
    sizes = {"canvas": "{} x {}".format(*canvas_size), "image": "{} x {}".format(*image_size), "expected": expected}
    messages = []
    for kind, (what, advice) in _MESSAGES.items():
        found = [f"{name} ({of_scan[kind]})" for of_scan, name in zip(issues, names) if kind in of_scan]
        if found:
            if background == "photo":
                advice = _ADVICE_WITH_PHOTO.get(kind, advice)
            # All of them in an error: it is of no use to correct some and to be told of the others then.
            named = listing(found) if on_poor_scan == "warn" else ", ".join(found)
            share = f" in {len(found)} of {len(names)} scans" if len(names) > 1 else ""
            messages.append(f"Found {what.format(**sizes)}{share}: {named}. {advice}")
    if on_poor_scan == "error" and messages:
        raise ImageError("\n".join(messages))
    for message in messages:
        warn(message)
