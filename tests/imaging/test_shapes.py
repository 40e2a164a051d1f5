"""Things on a blank sheet that are dark, too, and bare tables without a sheet."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from sigkit.imaging import ImageError, crop_ink

SHAPE = 500, 800


def problems(sheet):
    return crop_ink(sheet, "photo", check=True).issues


def sheet_with(draw, angle=0.0, light=0.0):
    """Return a sheet on which a function has drawn, turned, in light that falls off to the right."""
    image = Image.new("L", (2 * SHAPE[1], 2 * SHAPE[0]), 235)
    draw(ImageDraw.Draw(image))
    image = image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=235).reduce(2)
    noise = np.random.default_rng(0).normal(0, 2, SHAPE)
    return (np.asarray(image) * np.linspace(1, 1 - light, SHAPE[1]) + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", [0.0, 0.35])
@pytest.mark.parametrize(
    ("box", "width"), [((500, 300, 900, 700), 10), ((500, 300, 840, 700), 14), ((300, 200, 900, 640), 8)]
)
def test_a_ring_is_refused(box, width, light):
    sheet = sheet_with(lambda pen: pen.ellipse(box, outline=70, width=width), light=light)
    with pytest.raises(ImageError, match="the ink is a ring"):
        crop_ink(sheet, "photo")


@pytest.mark.parametrize("radius", [120, 180, 280])
@pytest.mark.parametrize("text", ["PAID", "12.03.2024"])
def test_a_round_stamp_is_reported(radius, text):
    def draw(pen):
        for share in (1, 0.75):
            r = share * radius
            pen.ellipse((700 - r, 500 - r, 700 + r, 500 + r), outline=60, width=8)
        pen.text((700, 500), text, fill=60, font=ImageFont.load_default(radius // 4), anchor="mm")

    assert "ring" in problems(sheet_with(draw, 7))["shape"]


def draw_code(pen, corner, n=25, module=10, seed=0):
    """Draw a square of dark and bright modules with three marks, as that of a QR code."""
    dark = np.random.default_rng(seed).random((n, n)) < 0.5
    mark = np.pad(np.pad(np.ones((3, 3), bool), 1), 1, constant_values=True)
    for rows, columns in ((slice(7), slice(7)), (slice(7), slice(n - 7, n)), (slice(n - 7, n), slice(7))):
        dark[rows, columns] = mark
    for row, column in np.argwhere(dark):
        x, y = corner[0] + module * column, corner[1] + module * row
        pen.rectangle((x, y, x + module - 1, y + module - 1), fill=20)


@pytest.mark.parametrize("angle", [0, -6, 11])
@pytest.mark.parametrize(("n", "module"), [(21, 16), (25, 12), (29, 16)])
def test_a_code_of_squares_is_reported(n, module, angle):
    found = problems(sheet_with(lambda pen: draw_code(pen, (600, 300), n, module), angle))
    assert "two directions" in found.get("shape", "")


@pytest.mark.parametrize(
    "points",
    [
        [(400 + 4 * t, 500 + 150 * np.sin(t / 45)) for t in range(200)],
        [(800 + 3 * t * np.cos(t / 40), 500 + 2 * t * np.sin(t / 40)) for t in range(20, 140)],
        [(500 + 3 * t, 300 + t**2 / 80) for t in range(200)],
    ],
)
@pytest.mark.parametrize("width", [4, 7])
def test_a_hair_is_reported(points, width):
    found = problems(sheet_with(lambda pen: pen.line(points, fill=60, width=width, joint="curve")))
    assert "turns and ends only" in found["shape"]


def _arc(x, y, radius, start):
    angles = np.linspace(start, start + np.pi, 24)
    return list(zip(x + radius * np.cos(angles), y + radius * np.sin(angles)))


@pytest.mark.parametrize("angle", [10, 25, 70])
def test_a_paper_clip_is_refused_or_reported(angle):
    def draw(pen):
        wire = [(730, 470), *_arc(880, 500, 30, -np.pi / 2), *_arc(710, 506, 24, np.pi / 2)]
        pen.line([*wire, *_arc(860, 500, 18, -np.pi / 2), (750, 518)], fill=90, width=8, joint="curve")

    try:
        found = problems(sheet_with(draw, angle))
    except ImageError:
        return
    assert "shape" in found


@pytest.mark.parametrize("angle", [0, 3, -7])
@pytest.mark.parametrize(("radius", "width"), [(30, 5), (60, 10), (110, 8)])
def test_a_frame_with_rounded_corners_is_refused(radius, width, angle):
    sheet = sheet_with(lambda pen: pen.rounded_rectangle((250, 200, 1350, 800), radius, outline=50, width=width), angle)
    with pytest.raises(ImageError, match="no signature"):
        crop_ink(sheet, "photo")


@pytest.mark.parametrize("brightness", [90, 150, 200])
@pytest.mark.parametrize("grain", [(2, 60), (3, 3), (80, 3)], ids=["wood", "stone", "upright wood"])
@pytest.mark.parametrize("depth", [0.12, 0.22])
def test_a_table_without_a_sheet_is_refused(brightness, grain, depth):
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=SHAPE), grain)
    table = brightness * (1 + depth * noise / noise.std())
    with pytest.raises(ImageError, match="no signature"):
        crop_ink(table.clip(0, 255).astype(np.uint8), "photo")


@pytest.mark.parametrize("grain", [(2, 60), (3, 3), (60, 2)], ids=["wood", "stone", "upright wood"])
def test_a_sheet_in_the_middle_of_a_table_is_found(grain, scans):
    for seed, scan in enumerate(scans):
        sheet = np.pad(scan, 60, constant_values=240)
        noise = np.random.default_rng(seed).normal(size=(sheet.shape[0] + 120, sheet.shape[1] + 160))
        noise = ndimage.gaussian_filter(noise, grain)
        image = (110 * (1 + 0.2 * noise / noise.std())).clip(0, 255).astype(np.uint8)
        image[60:-60, 80:-80] = sheet
        crop_ink(image, "photo")


def test_a_signature_beside_a_ring_or_a_code_is_found(scans):
    for scan in scans:
        side = 220
        height, width = scan.shape
        for thing in ("ring", "code"):
            image = Image.new("L", (width + side + 60, max(height, side) + 40), 240)
            image.paste(Image.fromarray(scan), (10, 20))
            pen = ImageDraw.Draw(image)
            if thing == "ring":
                pen.ellipse((width + 20, 20, width + side, side), outline=40, width=6)
            else:
                draw_code(pen, (width + 20, 30), module=6)
            ink = crop_ink(np.asarray(image), "photo").pixels
            assert ink.shape[1] > ink.shape[0]


def _flourish(t):
    """Return points of a large round stroke, open and not quite an ellipse, with a few letters in it."""
    turn = 2 * np.pi * t / 100
    radius = 220 * (1 + 0.06 * np.sin(2.7 * turn))
    return 700 + 1.4 * radius * np.cos(turn), 500 + radius * np.sin(turn)


def test_a_round_flourish_and_a_long_stroke_are_not_refused():
    def draw_flourish(pen):
        pen.line([_flourish(t) for t in range(105)], fill=40, width=9, joint="curve")
        letters = [(560 + 2.4 * t, 500 + 60 * np.sin(t / 5) + 20 * np.cos(t / 3)) for t in range(110)]
        pen.line(letters, fill=40, width=9, joint="curve")

    # It may be a stamp, so a warning is right.
    assert set(problems(sheet_with(draw_flourish))) <= {"stamp"}
    stroke = [(300 + 5 * t, 500 + 90 * np.sin(t / 28)) for t in range(200)]
    crop_ink(sheet_with(lambda pen: pen.line(stroke, fill=40, width=9, joint="curve")), "photo")


def test_handwriting_has_no_doubtful_shape(scans):
    for scan in scans:
        assert "shape" not in problems(scan)
