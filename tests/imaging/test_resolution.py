"""The resolution that files state, in every format, and resampling."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from sigkit.imaging import ImageError, crop_ink, preprocess_image, read_image, read_with_resolution, stated_resolution
from sigkit.imaging._resample import check_resampled, resample

GRAY = Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20))


def saved(suffix, image=GRAY, **settings):
    file = io.BytesIO()
    image.save(file, suffix, **settings)
    return file.getvalue()


def tiff(*tags, order="<"):
    """Make a TIFF file of 4 x 2 pixels with more tags: number, type, bytes of the value."""
    entries = [(256, 3, struct.pack(order + "H", 4)), (257, 3, struct.pack(order + "H", 2))]
    entries += [(258, 3, struct.pack(order + "H", 8)), (262, 3, struct.pack(order + "H", 1))]
    entries += [(273, 3, struct.pack(order + "H", 8)), (279, 3, struct.pack(order + "H", 8)), *tags]
    directory, values = struct.pack(order + "H", len(entries)), b""
    beyond = 16 + 2 + 12 * len(entries) + 4
    for tag, kind, value in sorted(entries):
        if len(value) > 4:
            value, values = struct.pack(order + "I", beyond + len(values)), values + value
        directory += struct.pack(order + "HHI", tag, kind, 1) + value.ljust(4, b"\0")
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HI", 42, 16) + bytes(range(8)) + directory + bytes(4) + values


def rational(above, below=1, order="<"):
    return 5, struct.pack(order + "II", above, below)


def dpi_tiff(across, down, unit=2, **settings):
    tags = [(282, *across), (283, *down)]
    return tiff(*tags, *([] if unit is None else [(296, 3, struct.pack("<H", unit))]), **settings)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + b"\0\0\0\0"


def png(across, down, unit):
    content = saved("PNG")
    return content[:33] + chunk(b"pHYs", struct.pack(">IIB", across, down, unit)) + content[33:]


def jpeg(across, down, unit, **settings):
    content = bytearray(saved("JPEG", **settings))
    assert content[6:11] == b"JFIF\0"
    content[13:18] = struct.pack(">BHH", unit, across, down)
    return bytes(content)


def bmp(across, down):
    content = bytearray(saved("BMP"))
    content[38:46] = struct.pack("<ii", across, down)
    return bytes(content)


def gif(aspect):
    content = bytearray(saved("GIF"))
    content[12] = aspect
    return bytes(content)


def exif(**values):
    tags = Image.Exif()
    names = {"across": 282, "down": 283, "unit": 296, "orientation": 274}
    for name, value in values.items():
        tags[names[name]] = value
    return tags


KNOWN = {
    "TIFF, inches": (saved("TIFF", dpi=(204, 196)), (196, 204)),
    "TIFF, centimeters": (dpi_tiff(rational(12000, 100), rational(240), unit=3), (240 * 2.54, 120 * 2.54)),
    "TIFF, no unit is inches": (dpi_tiff(rational(300), rational(300), unit=None), (300, 300)),
    "TIFF, one side": (tiff((282, *rational(400))), (400, 400)),
    "TIFF, float": (dpi_tiff((11, struct.pack("<f", 200)), (11, struct.pack("<f", 100))), (100, 200)),
    "TIFF, double": (dpi_tiff((12, struct.pack("<d", 200)), (12, struct.pack("<d", 100))), (100, 200)),
    "TIFF, short": (dpi_tiff((3, struct.pack("<H", 600)), (3, struct.pack("<H", 600))), (600, 600)),
    "TIFF, big-endian": (tiff((282, *rational(150, order=">")), order=">"), (150, 150)),
    "PNG": (png(11811, 11811, 1), (300, 300)),
    "PNG, not square": (png(8031, 3858, 1), (98, 204)),
    "PNG, EXIF": (saved("PNG", exif=exif(across=250, down=250, unit=2)), (250, 250)),
    "JPEG, inches": (jpeg(300, 300, 1), (300, 300)),
    "JPEG, centimeters": (jpeg(118, 118, 2), (299.72, 299.72)),
    "JPEG, EXIF beside a default": (jpeg(72, 72, 1, exif=exif(across=600, down=600, unit=2)), (600, 600)),
    "BMP": (bmp(7874, 7874), (200, 200)),
    "WebP, EXIF": (saved("WEBP", exif=exif(across=200, down=100, unit=2)), (100, 200)),
}
UNKNOWN = {
    "PNG without": saved("PNG"),
    "JPEG without": saved("JPEG"),
    "GIF without": saved("GIF"),
    "BMP of zeros": bmp(0, 0),
    "BMP, negative": bmp(-11811, 11811),
    "PBM": b"P5 2 1 255 " + bytes([0, 255]),
    "72 dpi in TIFF": saved("TIFF", dpi=(72, 72)),
    "72 dpi in PNG": png(2835, 2835, 1),
    "72 dpi in PNG, rounded down": png(2834, 2834, 1),
    "96 dpi in BMP": bmp(3780, 3780),
    "96 dpi in JPEG": jpeg(96, 96, 1),
    "JPEG, ratio 1 : 1": jpeg(1, 1, 0),
    "JPEG, ratio 300 : 300": jpeg(300, 300, 0),
    "JPEG, 1 x 1 per inch": jpeg(1, 1, 1),
    "JPEG, 1 x 1 per cm": jpeg(1, 1, 2),
    "72 dpi in whole pixels per cm": jpeg(28, 28, 2),
    "96 dpi in whole pixels per cm": jpeg(37, 37, 2),
    "PNG, 300 per meter": png(300, 300, 1),
    "PNG, 1e6 dpi": png(39_370_079, 39_370_079, 1),
    "TIFF, unit none": dpi_tiff(rational(300), rational(300), unit=1),
    "TIFF, 0": dpi_tiff(rational(0), rational(300)),
    "TIFF, infinite": dpi_tiff(rational(300, 0), rational(300, 0)),
    "TIFF, 0 of 0": dpi_tiff(rational(0, 0), rational(0, 0)),
    "TIFF, NaN": dpi_tiff((11, struct.pack("<f", np.nan)), (11, struct.pack("<f", 300))),
    "TIFF, 1e9 dpi": dpi_tiff(rational(10**9), rational(10**9)),
    "TIFF, 30 dpi": dpi_tiff(rational(30), rational(30)),
    "TIFF, pixels of 100 : 1": dpi_tiff(rational(300), rational(3)),
    "TIFF, text": dpi_tiff((2, b"300\0"), (2, b"300\0")),
    "TIFF, beyond the end": tiff((282, 5, b"\xff\xff\xff\x7f")),
}
NOT_SQUARE = {
    "JPEG, ratio": (jpeg(2, 1, 0), 2),
    "PNG, ratio": (png(1, 2, 0), 0.5),
    "TIFF, unit none": (dpi_tiff(rational(204), rational(102), unit=1), 2),
    "GIF": (gif(113), 0.5),
    "72 x 36 dpi": (saved("TIFF", dpi=(72, 36)), 2),
}


@pytest.mark.parametrize(("content", "expected"), KNOWN.values(), ids=KNOWN)
def test_known_resolutions(content, expected):
    resolution = stated_resolution(content)
    assert resolution.is_known
    assert resolution.dpi == pytest.approx(expected, rel=2e-4)
    pixels, read = read_with_resolution(content)
    assert read == resolution
    np.testing.assert_array_equal(pixels, read_image(content))


@pytest.mark.parametrize("content", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_resolutions(content):
    resolution = stated_resolution(content)
    assert resolution is None or (not resolution.is_known and resolution.dpi == (300, 300))
    assert read_with_resolution(content)[1] == resolution


@pytest.mark.parametrize(("content", "ratio"), NOT_SQUARE.values(), ids=NOT_SQUARE)
def test_the_shape_of_pixels_is_known_without_a_resolution(content, ratio):
    resolution = stated_resolution(content)
    assert not resolution.is_known
    assert not resolution.is_square
    down, across = resolution.dpi
    assert across / down == pytest.approx(ratio)
    assert max(down, across) == pytest.approx(300)


def both(own, other, suffix="JPEG"):
    """Return a file that states a resolution (across, down) in its own place, and another one in its EXIF data."""
    tags = exif(across=other[0], down=other[1], unit=2)
    return jpeg(*own, 1, exif=tags) if suffix == "JPEG" else saved("PNG", dpi=own, exif=tags)


@pytest.mark.parametrize("suffix", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("own", "other", "expected", "text"),
    [
        ((300, 300), (200, 200), (300, 300), "300 dpi in one place and 200 dpi in another"),
        ((200, 200), (600, 600), (200, 200), "200 dpi in one place and 600 dpi in another"),
        ((300, 300), (204, 98), (300, 300), "300 dpi in one place and 204 x 98 dpi in another"),
        ((300, 300), (305, 305), (300, 300), "300 dpi"),
        ((72, 72), (300, 300), (300, 300), "300 dpi"),
        ((300, 300), (96, 96), (300, 300), "300 dpi"),
        ((1, 1), (204, 98), (98, 204), "204 x 98 dpi"),
        ((300, 300), (20_000, 20_000), (300, 300), "300 dpi"),
    ],
)
def test_two_resolutions_of_a_file(suffix, own, other, expected, text):
    resolution = stated_resolution(both(own, other, suffix))
    assert resolution.dpi == pytest.approx(expected, abs=0.01)
    assert str(resolution) == text
    assert (resolution.other is not None) == ("place" in text)


def test_a_shape_of_pixels_that_a_resolution_contradicts():
    content = jpeg(2, 1, 0, exif=exif(across=300, down=300, unit=2, orientation=6))
    resolution = stated_resolution(content)
    assert str(resolution) == "300 dpi in one place and pixels of 2 : 1 in another"
    assert resolution.dpi == (300, 300)
    for content in (jpeg(2, 1, 0, exif=exif(across=400, down=200, unit=2)), jpeg(2, 1, 0, exif=exif(across=72))):
        assert "place" not in str(stated_resolution(content))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("suffix", ["JPEG", "PNG", "WEBP"])
def test_a_turned_image_has_a_turned_resolution(suffix, orientation):
    content = saved(suffix, exif=exif(across=200, down=100, unit=2, orientation=orientation))
    pixels, resolution = read_with_resolution(content)
    assert pixels.shape == ((20, 10) if orientation >= 5 else (10, 20))
    assert resolution.dpi == ((200, 100) if orientation >= 5 else (100, 200))
    assert stated_resolution(content) == resolution


def test_how_it_is_named():
    contents = saved("TIFF", dpi=(204, 98)), bmp(11811, 11811), gif(113), UNKNOWN["TIFF, unit none"], UNKNOWN["TIFF, 0"]
    texts = [str(stated_resolution(content)) for content in contents]
    assert texts == ["204 x 98 dpi", "300 dpi", "pixels of 2 : 1", "300 without a unit", "0 x 300 dpi"]


@pytest.mark.parametrize("dpi", [300, 299.9994, (300, 301)])
def test_scans_of_300_dpi_are_not_resampled(draw_scan, dpi):
    scan = draw_scan()
    image, _ = preprocess_image(scan, (204, 290), resolution=dpi)
    np.testing.assert_array_equal(image, preprocess_image(scan, (204, 290)).image)


@pytest.mark.parametrize(("dpi", "shape"), [(600, (60, 130)), ((100, 300), (360, 260)), ((150, 200), (240, 390))])
def test_scans_are_resampled_to_300_dpi(draw_scan, dpi, shape):
    pair = dpi if isinstance(dpi, tuple) else (dpi, dpi)
    scan = draw_scan()
    resampled = resample(scan, pair)
    assert resampled.shape == shape
    np.testing.assert_array_equal(crop_ink(scan, resolution=dpi).pixels, crop_ink(resampled).pixels)


@pytest.mark.parametrize("dpi", [100, 200, 400, 600])
def test_two_valued_scans_stay_two_valued(draw_scan, dpi):
    scan = np.where(draw_scan(240, 520) < 128, np.uint8(3), np.uint8(250))
    resampled = resample(scan, (dpi, dpi))
    assert np.unique(resampled).tolist() == [3, 250]
    assert (resampled == 3).mean() == pytest.approx((scan == 3).mean(), rel=0.1)


@pytest.mark.parametrize(("dpi", "shape"), [((98, 204), (250, 260)), ((204, 98), (120, 541)), ((600, 600), (120, 260))])
def test_pixels_become_square_before_a_usual_size(draw_scan, dpi, shape):
    color = np.repeat(draw_scan()[:, :, np.newaxis], 3, axis=2)
    for scan in (color, color[:, :, 0]):
        resampled = resample(scan, dpi, usual_size=True)
        assert resampled.shape[:2] == shape
        assert resampled.ndim == scan.ndim


@pytest.mark.parametrize(
    ("resolution", "is_right"), [((150, 300), True), ((100, 200), True), (None, False), (300, False)]
)
def test_a_photograph_with_pixels_that_are_not_square(draw_scan, resolution, is_right):
    photograph = draw_scan(300, 700)
    flat = np.asarray(Image.fromarray(photograph).resize((700, 150), Image.Resampling.BOX))
    shapes = crop_ink(photograph, "photo").pixels.shape, crop_ink(flat, "photo", resolution=resolution).pixels.shape
    ratios = [height / width for height, width in shapes]
    assert ratios[1] == pytest.approx(ratios[0] if is_right else ratios[0] / 2, rel=0.1)


@pytest.mark.parametrize("resolution", [0, -300, np.nan, np.inf, "300 dpi", (300, 0), (1, 2, 3), None])
def test_senseless_resolutions(draw_scan, resolution):
    if resolution is None:
        crop_ink(draw_scan(), resolution=None)
        return
    with pytest.raises(ValueError, match="resolution must be a positive number in dpi, or two, down and across"):
        crop_ink(draw_scan(), resolution=resolution)


def test_enlarging_needs_memory():
    check_resampled((10_000, 8000), (300, 300), False, max_memory=1)
    check_resampled((10_000, 8000), (600, 600), False, max_memory=1)
    check_resampled((1000, 800), (50, 50), False, max_memory=700)
    too_large = r"8000 x 10000 pixels at 50 x 50 dpi are 48000 x 60000 at 300 dpi, which need 8,240 MiB .*=700\."
    with pytest.raises(ImageError, match=too_large):
        check_resampled((10_000, 8000), (50, 50), False, max_memory=700)
    too_large = "1000 x 800 pixels at 300 x 100 dpi are 1000 x 2400 at 300 dpi, which need 11 MiB"
    with pytest.raises(ImageError, match=too_large):
        check_resampled((800, 1000, 3), (100, 300), True, max_memory=10)
