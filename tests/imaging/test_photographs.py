import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from sigkit.imaging import ImageError, crop_ink
from sigkit.imaging._photo._components import Pieces, _is_form
from sigkit.imaging._photo._light import find_darkness
from sigkit.imaging._photo._slopes import bin_across

CANVAS = 765, 1089


def _load():
    path = Path(__file__).parents[2] / "benchmarks" / "photographs.py"
    spec = importlib.util.spec_from_file_location("photographs", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


photographs = _load()


@pytest.mark.parametrize(
    "kinds",
    [
        ("gradient", "jpeg"),
        ("soft_shadow",),
        ("hard_shadow", "jpeg"),
        ("rules", "jpeg"),
        ("squares",),
        ("dots",),
        ("frame",),
        ("sign_here",),
        ("edges",),
        ("specks",),
        ("show_through",),
        ("print",),
        ("stamp",),
        ("tilt", "scale", "jpeg"),
    ],
    ids="+".join,
)
def test_what_is_left_is_the_signature(kinds, scans, ink_of, agreement):
    rates = []
    for number, scan in enumerate(scans):
        photograph = photographs.photograph(scan, kinds, np.random.default_rng([7, number]))
        rates.append(agreement(ink_of(scan), ink_of(photograph)))
    assert np.median(rates) > 0.9
    assert min(rates) > 0.6


@pytest.mark.parametrize("kinds", photographs.EMPTY_KINDS, ids=lambda kinds: "+".join(kinds) or "paper")
def test_a_sheet_without_a_signature_is_refused(kinds):
    for number in range(2):
        color = bool(number % 2)
        sheet = photographs.photograph(None, kinds, np.random.default_rng([3, number]), color=color)
        with pytest.raises(ImageError, match="no signature"):
            crop_ink(sheet, "photo")


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (7, 5), (60, 2000), (3000, 40), (12, 12, 3)])
@pytest.mark.parametrize("gray", [0, 130, 255])
def test_a_blank_image_of_any_shape_is_refused(shape, gray):
    with pytest.raises(ImageError, match="no signature"):
        crop_ink(np.full(shape, gray, np.uint8), "photo")


def test_noise_is_refused():
    rng = np.random.default_rng(0)
    for spread in (3, 12, 40):
        noise = rng.normal(200, spread, (300, 500)).clip(0, 255).astype(np.uint8)
        with pytest.raises(ImageError, match="no signature"):
            crop_ink(noise, "photo")


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.6, 3.0])
def test_the_distance_of_the_camera_does_not_matter(factor, scans):
    scan = np.pad(scans[0], 60, mode="edge")
    size = round(scan.shape[1] * factor), round(scan.shape[0] * factor)
    resized = np.asarray(Image.fromarray(scan).resize(size, Image.Resampling.LANCZOS))
    expected, found = (crop_ink(image, "photo").pixels.shape for image in (scan, resized))
    np.testing.assert_allclose(found, expected, rtol=0.06)


def slope_of(ink):
    rows, columns = np.nonzero(ink)
    return np.rad2deg(np.arctan(np.polyfit(columns, rows, 1)[0]))


@pytest.mark.parametrize("angle", [-9, -4, 5, 10])
def test_tilt_is_reduced(angle, scans, ink_of):
    scan = np.pad(scans[1], 80, constant_values=240)
    turned = np.asarray(Image.fromarray(scan).rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=240))
    assert 0.4 < (slope_of(ink_of(scan)) - slope_of(ink_of(turned))) / angle < 0.8


def test_a_small_signature_on_a_large_photograph_is_found(scans, ink_of, agreement):
    sheet = np.full((2400, 3200), 235, np.uint8)
    scan = scans[2]
    sheet[1500 : 1500 + scan.shape[0], 700 : 700 + scan.shape[1]] = scan
    assert agreement(ink_of(scan), ink_of(sheet)) > 0.9


FORM = [(60, 60, 460, 60), (60, 200, 460, 200), (60, 60, 60, 200), (460, 60, 460, 200)]


@pytest.mark.parametrize("angle", [-8, -3, 5, 8])
@pytest.mark.parametrize("line", [(30, 196, 490, 192), (40, 188, 500, 206), (50, 72, 470, 60), (60, 130, 460, 130)])
def test_a_frame_that_a_line_nearly_covers_is_no_signature(line, angle):
    drawing = Image.new("L", (540, 280), 225)
    for ends in (*FORM, line):
        ImageDraw.Draw(drawing).line(ends, fill=40, width=4)
    sheet = np.asarray(drawing.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=225))
    with pytest.raises(ImageError, match="no signature"):
        crop_ink(sheet, "photo")


def test_the_bins_of_one_slope_are_not_joined_with_those_of_the_next():
    # With the first slope one point is in the last bin; with the second, two are in the first.
    bins, counts = bin_across(np.array([[4.0, 0.0, 8.0], [0.0, 0.0, 8.0]]), 4.0)
    assert bins.tolist() == [[1, 0, 2], [0, 0, 2]]
    assert counts.tolist() == [[2, 2, 1], [2, 1, 1]]


@pytest.mark.parametrize("side", [60, 460])
@pytest.mark.parametrize("angle", range(-16, 17, 2))
def test_a_tilted_corner_of_a_form_is_no_signature(angle, side):
    drawing = Image.new("L", (540, 280), 225)
    for ends in (FORM[0], (side, 60, side, 200)):
        ImageDraw.Draw(drawing).line(ends, fill=40, width=4)
    sheet = np.asarray(drawing.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=225))
    pieces = Pieces(sheet < 128)
    assert pieces.n == 1
    assert _is_form(pieces, 1) or abs(angle) >= 14
    with pytest.raises(ImageError, match="no signature"):
        crop_ink(sheet, "photo")


@pytest.mark.parametrize(
    ("ink", "frame"),
    [((120, 140, 230), (10, 10, 10)), ((60, 90, 200), (40, 40, 40)), ((130, 130, 130), (0, 0, 0))],
)
@pytest.mark.parametrize("width", [2, 5])
def test_pale_ink_in_a_dark_frame_is_kept(ink, frame, width, scans, ink_of, agreement):
    scan = scans[3]
    share = ((240 - scan.astype(float)) / 200).clip(0, 1)[..., np.newaxis]
    image = Image.fromarray((245 * (1 - share) + np.array(ink) * share).astype(np.uint8))
    ImageDraw.Draw(image).rectangle([3, 3, image.width - 4, image.height - 4], outline=frame, width=width)
    assert agreement(ink_of(scan), ink_of(np.asarray(image))) > 0.85


def _draw(lines, width=4, size=(300, 700), ink=40):
    image = Image.new("L", size[::-1], 235)
    for line in lines:
        ImageDraw.Draw(image).line(line, fill=ink, width=width, joint="curve")
    return np.asarray(image)


_LOOP = [(100 + 3.2 * t, 140 + 70 * np.sin(t / 11) + 15 * np.cos(t / 5)) for t in range(150)]


def _n_pieces(ink):
    return ndimage.label(ink, np.ones((3, 3)))[1]


@pytest.mark.parametrize("tint", [40, 90, 160])
@pytest.mark.parametrize("thickness", [1, 3, 5])
def test_a_stroke_that_crosses_rules_stays_whole(tint, thickness, ink_of, agreement):
    image = Image.fromarray(_draw([_LOOP]))
    for row in (100, 180):
        ImageDraw.Draw(image).line([0, row, 700, row + 12], fill=tint, width=thickness)
    ruled = Image.fromarray(np.minimum(np.asarray(image), _draw([_LOOP])))
    found = ink_of(np.asarray(ruled))
    assert agreement(ink_of(_draw([_LOOP])), found) > 0.85
    sizes = np.bincount(ndimage.label(found, np.ones((3, 3)))[0].ravel())[1:]
    assert sizes.max() > 0.95 * sizes.sum()


@pytest.mark.parametrize("line", [[(120, 240), (540, 236)], [(90, 235), (400, 250)], [(300, 240), (620, 240)]])
def test_an_underline_of_the_signer_stays(line):
    assert _n_pieces(crop_ink(_draw([_LOOP, line]), "photo").pixels > 60) == 2


@pytest.mark.parametrize("dark_side", [40, 90, 150])
def test_the_edge_of_a_shadow_is_no_ink(dark_side):
    sheet = np.full((200, 400), 230, np.uint8)
    sheet[:, :173] = dark_side
    assert find_darkness([sheet], 48).max() < 0.02


def test_ink_is_as_dark_in_the_shadow():
    sheet = np.full((200, 400), 240.0)
    sheet[60:64] *= 0.25
    sheet[:, 200:] *= 0.5
    darkness = find_darkness([sheet.astype(np.uint8)], 48)[0]
    np.testing.assert_allclose(darkness[61, [50, 350]], 0.75, atol=0.02)


def _squared(image, tint, step=40, width=2, askew=0.06):
    """Return an image in color on squared paper that is a little askew."""
    image = Image.fromarray(np.repeat(image[..., np.newaxis], 3, axis=2) if image.ndim == 2 else image)
    paper = Image.new("RGB", image.size, (235, 235, 235))
    draw = ImageDraw.Draw(paper)
    reach = max(image.size)
    for start in range(-reach, 2 * reach, step):
        draw.line([0, start, reach, start + askew * reach], fill=tint, width=width)
        draw.line([start, 0, start - askew * reach, reach], fill=tint, width=width)
    return np.minimum(np.asarray(image), np.asarray(paper))


def _in_color(gray, ink):
    """Return an image in which what is dark has this color."""
    share = ((235 - gray.astype(float)) / 195).clip(0, 1)[..., np.newaxis]
    return (235 * (1 - share) + np.array(ink) * share).astype(np.uint8)


@pytest.mark.parametrize(
    ("ink", "tint"), [((70, 90, 190), (90, 90, 95)), ((60, 60, 70), (150, 170, 215)), ((70, 90, 190), (190, 140, 140))]
)
def test_ink_of_another_color_than_the_paper_s_lines_is_kept(ink, tint, ink_of, agreement):
    image = _squared(_in_color(_draw([_LOOP], width=3), ink), tint)
    assert agreement(ink_of(_draw([_LOOP], width=3)), ink_of(image)) > 0.8


@pytest.mark.parametrize("tint", [(205, 205, 205), (195, 205, 225), (215, 200, 200)])
@pytest.mark.parametrize("ink", [(30, 30, 35), (35, 50, 150)])
def test_thick_strokes_on_squared_paper_are_no_shadows(ink, tint, ink_of, agreement):
    thick = _draw([_LOOP], width=15)
    assert agreement(ink_of(thick), ink_of(_squared(_in_color(thick, ink), tint, step=70))) > 0.8


@pytest.mark.parametrize("corner", [(560, 150), (330, 250), (620, 60)])
@pytest.mark.parametrize("light", [0.45, 0.65])
def test_the_tip_of_a_shadow_beside_a_signature_is_removed(corner, light):
    signature = _draw([_LOOP])
    shade = Image.new("L", signature.shape[::-1], 0)
    x, y = corner
    ImageDraw.Draw(shade).polygon([corner, (x + 400, y + 150), (x + 150, y + 400)], fill=255)
    shade = ndimage.gaussian_filter(np.asarray(shade) / 255, 1.5)
    image = (signature * (1 - (1 - light) * shade)).astype(np.uint8)
    assert _n_pieces(crop_ink(image, "photo").pixels > 60) == 1


@pytest.mark.parametrize("seed", [54, 60, 162, 276])
def test_a_stamp_that_the_signature_crosses_is_removed(seed, scans, ink_of, agreement):
    rng = np.random.default_rng(seed)
    scan = scans[seed % 4]
    photograph = photographs.photograph(scan, ("stamp",), rng)
    assert agreement(ink_of(scan), ink_of(photograph)) > 0.8


def _stamped(scan, shape, color, rules):
    """Return a scan in gray ink on paper with blue lines, with a stamp over a part of the signature."""
    scan = np.pad(scan, 60, constant_values=int(np.median(scan)))
    image = Image.new("RGB", scan.shape[::-1], (245, 243, 240))
    pen = ImageDraw.Draw(image)
    if rules:
        for row in range(30, image.height, 60):
            pen.line((0, row, image.width, row), fill=rules, width=2)
    if shape == "text":
        pen.text((70, 70), "PAID 12.03.2024", fill=color, font_size=34)
    elif shape == "rectangle":
        pen.rectangle((70, 70, 320, 140), outline=color, width=4)
        pen.text((80, 88), "PAID 12.03.2024", fill=color, font_size=28)
    else:
        pen.ellipse((70, 70, 210 if shape == "ring" else 310, 210 if shape == "ring" else 170), outline=color, width=5)
    return np.minimum(np.asarray(image), scan[..., np.newaxis])


@pytest.mark.parametrize("rules", [None, (140, 160, 210), (150, 150, 150)], ids=["plain", "blue rules", "gray rules"])
@pytest.mark.parametrize("color", [(200, 40, 40), (110, 50, 160)], ids=["red", "violet"])
@pytest.mark.parametrize("shape", ["ring", "oval", "rectangle", "text"])
def test_gray_ink_is_kept_beside_a_stamp(shape, color, rules, scans, ink_of, agreement):
    rates = [agreement(ink_of(scan), ink_of(_stamped(scan, shape, color, rules))) for scan in scans]
    assert np.median(rates) > 0.8


def test_the_legs_of_an_a_between_two_rules_are_strokes():
    image = np.full((320, 720), 235, dtype=np.uint8)
    pen = Image.fromarray(image)
    draw = ImageDraw.Draw(pen)
    for row in range(30, 320, 60):
        draw.line((0, row, 720, row), fill=170, width=2)
    draw.line((300, 214, 335, 87, 370, 214), fill=60, width=4)
    draw.line((318, 165, 352, 165), fill=60, width=4)
    draw.ellipse((400, 110, 470, 190), outline=60, width=4)
    ink = crop_ink(np.asarray(pen), "photo").pixels > 60
    # Without the legs, the crossbar and the ring are about half as tall.
    assert ink.shape[1] / ink.shape[0] < 1.8


@pytest.mark.parametrize("text", ["Signature of the applicant", "12.03.2024", "REF 4006381 333931"])
@pytest.mark.parametrize("angle", [-3, 0, 4])
def test_printed_letters_are_reported(text, angle, scans):
    sheet = Image.new("L", (900, 300), 235)
    ImageDraw.Draw(sheet).text((90, 110), text, font=ImageFont.load_default(50), fill=30)
    sheet = np.asarray(sheet.rotate(angle, Image.Resampling.BICUBIC, fillcolor=235))
    assert "print" in crop_ink(sheet, "photo", check=True).issues
    for scan in scans:
        assert "print" not in crop_ink(scan, "photo", check=True).issues


def draw_stamp(shape):
    sheet = Image.new("L", (900, 600), 240)
    draw = ImageDraw.Draw(sheet)
    draw.ellipse(
        {"round": (300, 150, 600, 450), "oval": (200, 170, 700, 430), "thick": (310, 160, 590, 440)}[shape],
        outline=90,
        width=20 if shape == "thick" else 8,
    )
    if shape != "thick":
        draw.text((380, 270), "PAID", font=ImageFont.load_default(50), fill=90)
    return np.asarray(sheet)


@pytest.mark.parametrize("shape", ["round", "oval"])
def test_a_stamp_without_a_signature_is_refused(shape):
    with pytest.raises(ImageError, match="the ink is a ring"):
        crop_ink(draw_stamp(shape), "photo")


def test_a_thick_ring_is_reported_as_a_stamp(scans):
    assert "stamp" in crop_ink(draw_stamp("thick"), "photo", check=True).issues
    for scan in scans:
        assert "stamp" not in crop_ink(scan, "photo", check=True).issues


@pytest.mark.parametrize(("seed", "number"), [(7171, 958), (8585, 89), (8585, 290), (8585, 649), (8585, 977)])
def test_remains_of_printed_lines_are_no_signature(seed, number):
    kinds = ("squares", "soft_shadow", "gradient", "tilt", "perspective")
    rng = np.random.default_rng([seed, 1, number])
    sheet = photographs.photograph(None, kinds, rng, color=rng.random() < 0.7)
    with pytest.raises(ImageError, match="only remains of them"):
        crop_ink(sheet, "photo")
