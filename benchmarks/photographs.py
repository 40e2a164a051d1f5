"""Simulate photographs of signatures, and scans of forms, from clean scans; used by benchmarks and tests.

A scan is inked onto a sheet of paper with what else is on it, lit, and photographed: `photograph(scan, kinds, rng)`.
`photograph(None, kinds, rng)` is a sheet without a signature. All lengths are those of a scan at 300 dpi.
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

PAPER = ("rules", "squares", "dots", "frame", "sign_here", "stamp", "print", "show_through", "specks")
LIGHT = ("gradient", "soft_shadow", "hard_shadow")
CAMERA = ("edges", "tilt", "perspective", "scale", "blur", "jpeg")
KINDS = (*PAPER, *LIGHT, *CAMERA)

# Lines, frames and shadows are dark, as ink is. Each kind is tried with a signature and without.
EMPTY_KINDS = (
    (),
    ("rules",),
    ("squares",),
    ("dots",),
    ("frame",),
    ("sign_here",),
    ("frame", "sign_here"),
    ("gradient",),
    ("soft_shadow",),
    ("hard_shadow",),
    ("edges",),
    ("specks",),
    ("frame", "edges", "gradient"),
    ("rules", "hard_shadow", "tilt"),
    ("squares", "soft_shadow", "gradient", "tilt", "perspective"),
    ("frame", "sign_here", "hard_shadow", "tilt", "scale"),
)

# (color of the ink, is blue)
_PENS = ((25, 25, 30), (35, 50, 150), (60, 60, 70), (20, 40, 110), (70, 90, 190))
_PRINT = (20, 20, 22)
_STAMPS = ((170, 30, 40), (110, 40, 130), (30, 110, 60))


def photograph(scan, kinds, rng, color=True):
    """Return a photograph of a clean scan, shape (height, width, 3) and dtype uint8; gray if not `color`.

    `kinds` names what is on the sheet, how it is lit, and how it is photographed: see `KINDS`.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"unknown kinds {sorted(unknown)}; known are {', '.join(KINDS)}.")
    ink = _ink_of(scan, rng)
    height, width = ink.shape
    top, bottom = (int(height * rng.uniform(0.15, 0.5)) for _ in range(2))
    left, right = (int(width * rng.uniform(0.1, 0.5)) for _ in range(2))
    ink = np.pad(ink, ((top, bottom), (left, right)))
    field = left, top, left + width, top + height
    paper = np.array([0.95, 0.94, 0.90] if color and rng.random() < 0.5 else [0.93, 0.93, 0.93], dtype=np.float32)
    sheet = np.broadcast_to(paper, (*ink.shape, 3)).copy()
    pen = np.array(_PENS[rng.integers(len(_PENS))] if color else (35, 35, 35)) / 255
    has_print = "print" in kinds or "frame" in kinds
    if "print" in kinds and color:
        # Without a different color no program can tell the letters of a form from those of a hand.
        pen = np.array(_PENS[(1, 3, 4)[rng.integers(3)]]) / 255
    if "stamp" in kinds and color:
        pen = np.array(_PENS[0]) / 255
    for kind in PAPER:
        if kind in kinds:
            layer, tint, opacity = _DRAW[kind](ink, field, rng, color and not has_print)
            sheet = _put(sheet, layer, np.array(tint) / 255, opacity)
    sheet = _put(sheet, ink, pen, 1.0)
    light = np.ones(ink.shape, dtype=np.float32)
    for kind in LIGHT:
        if kind in kinds:
            light *= _shade(kind, ink.shape, rng)
    image = Image.fromarray((sheet * light[..., np.newaxis] * 255).clip(0, 255).astype(np.uint8))
    pixels = np.asarray(_take(image, kinds, rng)).astype(np.float32)
    pixels += rng.normal(0, rng.uniform(1, 4), pixels.shape[:2])[..., np.newaxis] + rng.normal(0, 1, pixels.shape)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if "jpeg" in kinds:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(30, 91)))
        image = Image.open(file)
    return np.asarray(image.convert("RGB" if color else "L"))


def _ink_of(scan, rng):
    """Return how much ink is on each pixel, from 0 to 1."""
    if scan is None:
        return np.zeros((int(rng.uniform(150, 450)), int(rng.uniform(400, 900))), dtype=np.float32)
    ink = 1 - scan.astype(np.float32) / max(np.percentile(scan, 90), 1)
    return np.where(ink < 0.06, 0, ink).clip(0, 1)


def _put(sheet, layer, tint, opacity):
    """Print a layer: its color is mixed with that of the sheet, and where they overlap the darker one is seen."""
    cover = (layer * opacity)[..., np.newaxis].astype(np.float32)
    return sheet * (1 - cover) + cover * np.minimum(sheet, tint.astype(np.float32))


def _canvas(shape):
    image = Image.new("L", shape[::-1])
    return image, ImageDraw.Draw(image)


def _finish(image):
    return gaussian_filter(np.asarray(image, dtype=np.float32) / 255, 0.6)


def _rules(ink, field, rng, color):
    image, draw = _canvas(ink.shape)
    step, width = int(rng.uniform(80, 108)), int(rng.integers(1, 5))
    for row in range(int(rng.integers(step)), ink.shape[0], step):
        draw.line([0, row, ink.shape[1], row], fill=255, width=width)
    return _finish(image), _tint(rng, color), rng.uniform(0.3, 0.9)


def _squares(ink, field, rng, color):
    image, draw = _canvas(ink.shape)
    step, width = int(rng.uniform(55, 62)), int(rng.integers(1, 4))
    for row in range(int(rng.integers(step)), ink.shape[0], step):
        draw.line([0, row, ink.shape[1], row], fill=255, width=width)
    for column in range(int(rng.integers(step)), ink.shape[1], step):
        draw.line([column, 0, column, ink.shape[0]], fill=255, width=width)
    return _finish(image), _tint(rng, color), rng.uniform(0.3, 0.9)


def _tint(rng, color):
    tints = (
        ((150, 170, 215), (170, 170, 175), (190, 140, 140), (90, 90, 95)) if color else ((90, 90, 90), (150, 150, 150))
    )
    return tints[rng.integers(len(tints))]


def _dots(ink, field, rng, color):
    """Return a dotted line below the signature, from one side of the sheet to the other or not."""
    image, draw = _canvas(ink.shape)
    row = int(field[1] + (field[3] - field[1]) * rng.uniform(0.6, 0.95))
    start, stop = (0, ink.shape[1]) if rng.random() < 0.5 else (field[0] - 20, field[2] + 20)
    step, size = int(rng.integers(8, 14)), int(rng.integers(2, 5))
    for column in range(start, stop, step):
        draw.ellipse([column, row, column + size, row + size], fill=255)
    return _finish(image), _PRINT, rng.uniform(0.6, 1)


def _frame(ink, field, rng, color):
    """Return the frame of a field; the signature may cross it."""
    image, draw = _canvas(ink.shape)
    width = int(rng.integers(2, 8))
    room = [int(rng.uniform(-0.06, 0.08) * (field[2] - field[0])) for _ in range(4)]
    box = [
        max(3, field[0] - room[0]),
        max(3, field[1] - room[1]),
        min(ink.shape[1] - 4, field[2] + room[2]),
        min(ink.shape[0] - 4, field[3] + room[3]),
    ]
    draw.rectangle(box, outline=255, width=width)
    return _finish(image), _PRINT, rng.uniform(0.7, 1)


def _sign_here(ink, field, rng, color):
    """Return a line to sign on, longer than the signature."""
    image, draw = _canvas(ink.shape)
    row = int(field[1] + (field[3] - field[1]) * rng.uniform(0.6, 1.0))
    start = max(2, int(field[0] - rng.uniform(0.06, 0.3) * (field[2] - field[0])))
    stop = min(ink.shape[1] - 3, int(field[2] + rng.uniform(0.06, 0.3) * (field[2] - field[0])))
    draw.line([start, row, stop, row], fill=255, width=int(rng.integers(2, 6)))
    return _finish(image), _PRINT, rng.uniform(0.6, 1)


def _stamp(ink, field, rng, color):
    """Return a round stamp of another color, partly over the signature."""
    image, draw = _canvas(ink.shape)
    radius = int(rng.uniform(0.15, 0.25) * (field[2] - field[0]))
    x, y = int(rng.uniform(field[0], field[2])), int(rng.uniform(field[1], field[3]))
    for part in (1.0, 0.7):
        r = int(part * radius)
        draw.ellipse([x - r, y - r, x + r, y + r], outline=255, width=max(2, radius // 25))
    for angle in np.arange(0, 2 * np.pi, 0.25):
        u, v = x + 0.85 * radius * np.cos(angle), y + 0.85 * radius * np.sin(angle)
        draw.line([u - 4, v - 6, u + 5, v + 6], fill=255, width=3)
    return _finish(image), _STAMPS[rng.integers(len(_STAMPS))], rng.uniform(0.5, 0.9)


def _print(ink, field, rng, color):
    """Return lines of black printed letters, above and under the signature."""
    image, draw = _canvas(ink.shape)
    size = int(rng.integers(18, 34))
    for row in (field[1] + int(rng.uniform(0, 30)), field[3] - int(rng.uniform(20, 60))):
        text = "".join(rng.choice(list("abdeghiklmnoprstuwABDEGHKMNPRS"), size=14))
        draw.text((max(4, field[0] - 20), row), text, fill=255, font_size=size)
    return _finish(image), _PRINT, 1.0


def _show_through(ink, field, rng, color):
    """Return what is written on the back of the sheet: mirrored, blurred and pale."""
    return (
        gaussian_filter(np.roll(ink[:, ::-1], int(rng.integers(10, 60)), axis=0), 1.5),
        (120, 120, 130),
        rng.uniform(0.1, 0.25),
    )


def _specks(ink, field, rng, color):
    image, draw = _canvas(ink.shape)
    for _ in range(int(rng.integers(2, 12))):
        size = int(rng.integers(1, 9))
        x, y = int(rng.integers(ink.shape[1])), int(rng.integers(ink.shape[0]))
        near_x, near_y = (
            field[0] - 0.1 * ink.shape[1] < x < field[2] + 0.1 * ink.shape[1],
            field[1] - 30 < y < field[3] + 30,
        )
        if not (near_x and near_y and ink.any()):
            draw.rectangle([x, y, x + size, y + size], fill=255)
    return _finish(image), _PRINT, 1.0


_DRAW = {
    "rules": _rules,
    "squares": _squares,
    "dots": _dots,
    "frame": _frame,
    "sign_here": _sign_here,
    "stamp": _stamp,
    "print": _print,
    "show_through": _show_through,
    "specks": _specks,
}


def _shade(kind, shape, rng):
    """Return how bright the light is."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    if kind == "gradient":
        along = (columns / shape[1] - 0.5) * np.cos(angle) + (rows / shape[0] - 0.5) * np.sin(angle)
        return 1 - rng.uniform(0.1, 0.45) * (along - along.min()) / np.ptp(along)
    x, y = shape[1] * rng.uniform(0.2, 0.8), shape[0] * rng.uniform(0.2, 0.8)
    along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    if rng.random() < 0.4:
        # The corner of a shadow.
        angle += rng.uniform(0.8, 2.4)
        along = np.minimum(along, (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle))
    softness = rng.uniform(0.8, 4) if kind == "hard_shadow" else rng.uniform(10, 40)
    return 1 - rng.uniform(0.3, 0.6) / (1 + np.exp(np.clip(-along / softness, -30, 30)))


def _take(image, kinds, rng):
    """Return the image as the camera sees it: black edges, tilt, perspective, distance and blur."""
    width, height = image.size
    if "edges" in kinds:
        draw = ImageDraw.Draw(image)
        for side in range(4):
            if rng.random() < 0.6:
                size = int(rng.integers(4, 40))
                x, y = (width - size, height - size)
                box = ([0, 0, size, height], [x, 0, width, height], [0, 0, width, size], [0, y, width, height])[side]
                draw.rectangle(box, fill=(int(rng.integers(0, 25)),) * 3)
    scale = float(np.exp(rng.uniform(np.log(0.5), np.log(2)))) if "scale" in kinds else 1.0
    angle = np.deg2rad(rng.uniform(-10, 10)) if "tilt" in kinds else 0.0
    bend = rng.uniform(-0.08, 0.08, 2) if "perspective" in kinds else (0, 0)
    if scale != 1 or angle or any(bend):
        image = _project(image, scale, angle, bend)
    if "blur" in kinds:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.5))))
    return image


def _project(image, scale, angle, bend):
    width, height = image.size
    new_width, new_height = int(width * scale), int(height * scale)
    cos, sin = np.cos(angle), np.sin(angle)
    to_center = np.array([[1, 0, -new_width / 2], [0, 1, -new_height / 2], [0, 0, 1]])
    plane = np.array([[1, 0, 0], [0, 1, 0], [2 * bend[0] / new_width, 2 * bend[1] / new_height, 1]])
    turn = np.array([[cos / scale, -sin / scale, 0], [sin / scale, cos / scale, 0], [0, 0, 1]])
    pad = max(width, height) // 4
    from_center = np.array([[1, 0, width / 2 + pad], [0, 1, height / 2 + pad], [0, 0, 1]])
    matrix = from_center @ turn @ plane @ to_center
    if scale < 1:
        image = image.filter(ImageFilter.GaussianBlur(0.4 / scale))
    padded = np.pad(np.asarray(image), ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    coefficients = (matrix / matrix[2, 2]).ravel()[:8]
    return Image.fromarray(padded).transform(
        (new_width, new_height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC
    )
