"""Photographs of sheets beside which a table is seen."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from sigkit.imaging import ImageError, crop_ink
from sigkit.imaging._photo import locate_signature
from sigkit.imaging._photo._table import find_table


def beside_a_table(sheet, texture, rng):
    """Return a photograph of a sheet whose corner is on a table; the sheet is extended to the left and upwards."""
    sheet = np.pad(sheet, ((110, 0), (120, 0)), constant_values=240)
    height, width = sheet.shape
    noise = ndimage.gaussian_filter(rng.normal(size=sheet.shape), texture)
    table = 100 * (1 + 0.25 * noise / noise.std())
    rows, columns = np.mgrid[:height, :width]
    photograph = np.where((columns < 90 + 0.1 * rows) | (rows < 80 - 0.1 * columns), table, sheet)
    return (photograph + rng.normal(0, 3, sheet.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("texture", [(1.5, 60), (50, 4), (2, 2)], ids=["wood", "upright wood", "stone"])
def test_a_table_beside_the_sheet_is_no_ink(texture, scans, ink_of, agreement):
    for seed in range(3):
        with pytest.raises(ImageError, match="no signature"):
            crop_ink(beside_a_table(np.full((400, 700), 240.0), texture, np.random.default_rng(seed)), "photo")
    scan = np.pad(scans[0], 60, mode="edge").astype(float)
    assert agreement(ink_of(scans[0]), ink_of(beside_a_table(scan, texture, np.random.default_rng(0)))) > 0.8


def draw_table(kind, shape, rng):
    """Return the brightness of a table, about 1, with a texture coarser or finer than a cell."""
    blurs = {
        "wood": (6, 240),
        "upright wood": (160, 4),
        "coarse wood": (25, 600),
        "stone": (8, 8),
        "fine stone": (1, 1),
    }
    if kind == "keys":
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        return np.where((rows % 52 < 8) | ((columns + 17 * (rows // 52)) % 52 < 8), 1.5, 0.7)
    noise = ndimage.gaussian_filter(rng.normal(size=shape), blurs[kind])
    return (1 + 0.25 * noise / noise.std()).clip(0.1, 2)


def on_a_table(scan, kind, tone, sides, rng):
    """Return a photograph in color of a sheet with margins of a table of a color (0 to 1) on sides, and the ink."""
    shape = 900, 1200
    table = draw_table(kind, shape, rng)[..., np.newaxis] * np.array(tone) * 235
    top, bottom, left, right = (150 * (side in sides) for side in ("top", "bottom", "left", "right"))
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    is_sheet = (rows >= top + 0.03 * columns * (top > 0)) & (rows < shape[0] - bottom)
    is_sheet &= (columns >= left + 0.04 * rows * (left > 0)) & (columns < shape[1] - right)
    photograph = np.where(is_sheet[..., np.newaxis], [243.0, 242, 238], table)
    ink = np.zeros(shape, dtype=np.uint8)
    small = np.asarray(Image.fromarray(255 - scan).resize((450, 450 * scan.shape[0] // scan.shape[1])))
    y, x = 320, 400
    ink[y : y + small.shape[0], x : x + small.shape[1]] = np.where(small > 30, small, 0)
    share = np.minimum(ink[..., np.newaxis] / 150, 1)
    photograph = photograph * (1 - share) + np.array([40, 50, 120]) * share
    noise = rng.normal(0, 3, photograph.shape)
    return (ndimage.gaussian_filter(photograph, (0.8, 0.8, 0)) + noise).clip(0, 255).astype(np.uint8), ink > 90


TONES = {"brown": (0.62, 0.45, 0.3), "bright": (1.0, 0.85, 0.66), "gray": (0.6, 0.6, 0.62)}
TABLES = [
    ("wood", "brown", ("left",)),
    ("wood", "bright", ("left", "top")),
    ("upright wood", "bright", ("right",)),
    ("coarse wood", "brown", ("top", "bottom", "left", "right")),
    ("coarse wood", "bright", ("top", "right")),
    ("stone", "gray", ("top", "bottom", "left", "right")),
    ("stone", "bright", ("bottom",)),
    ("fine stone", "brown", ("top", "left")),
    ("keys", "gray", ("top",)),
]


@pytest.mark.parametrize(("kind", "tone", "sides"), TABLES)
def test_ink_is_found_on_the_sheet_beside_a_table(kind, tone, sides, scans):
    for number, scan in enumerate(scans[:2]):
        photograph, ink = on_a_table(scan, kind, TONES[tone], sides, np.random.default_rng([5, number]))
        found = locate_signature(photograph)
        assert (found & ndimage.binary_dilation(ink, iterations=8)).sum() > 0.9 * found.sum()
        assert (ink & ndimage.binary_dilation(found, iterations=8)).sum() > 0.8 * ink.sum()


@pytest.mark.parametrize("width", [12, 20, 30])
def test_thick_strokes_in_a_closely_cropped_scan_are_no_table(width):
    page = Image.new("RGB", (480, 90 + width), (252, 252, 252))
    points = [(10 + 30 * number, 12 if number % 2 else 78 + width) for number in range(16)]
    ImageDraw.Draw(page).line(points, fill=(110, 100, 105), width=width // 2)
    assert find_table([np.asarray(channel) for channel in page.split()])[0] is None


@pytest.mark.parametrize(("kind", "tone"), [("stone", "bright"), ("fine stone", "gray")])
def test_ink_that_may_be_a_part_of_the_table_is_reported(kind, tone, scans):
    """In gray, a narrow frame of a table can be taken for strokes; its color tells it from the sheet."""
    n_wrong = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        photograph, _ = on_a_table(scans[0], kind, TONES[tone], (), rng)
        is_beside = np.ones(photograph.shape[:2], dtype=bool)
        is_beside[60:-60, 60:-60] = False
        table = draw_table(kind, is_beside.shape, rng)[..., np.newaxis] * np.array(TONES[tone]) * 235
        photograph[is_beside] = table.clip(0, 255)[is_beside]
        gray = photograph.mean(axis=2).astype(np.uint8)
        found = locate_signature(gray)
        if found[is_beside].sum() > 0.2 * found.sum():
            n_wrong += 1
            assert "table" in crop_ink(gray, "photo", check=True).issues
        assert found[is_beside].any() or "table" not in crop_ink(gray, "photo", check=True).issues
    assert n_wrong
    assert all("table" not in crop_ink(scan, "photo", check=True).issues for scan in scans)
