"""What a file says about its pixel values: which value is white, how many bits are used, and what alpha means."""

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sigkit.imaging import ImageError, crop_ink, read_image

GRAY = np.random.default_rng(0).integers(0, 256, (20, 33), dtype=np.uint8)
GRAY[0, :2] = 0, 255
RAW, LZW, DEFLATE = 1, 5, 8


def encode(image, suffix, **options):
    file = io.BytesIO()
    image.save(file, suffix, **options)
    return file.getvalue()


def reverse(data):
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)


def tiff(data, bits, *, order="<", photometric=1, compression=RAW, fill_order=1, samples=1, others=()):
    """Return a TIFF file of one strip with the size of `GRAY`, in either byte order."""
    if compression == DEFLATE:
        data = zlib.compress(data)
    if fill_order == 2:
        data = reverse(data)
    height, width = GRAY.shape
    tags = {256: width, 257: height, 259: compression, 262: photometric, 266: fill_order, 273: 8, 277: samples}
    tags |= {278: height, 279: len(data)} | dict(others)
    tags = {tag: (value,) for tag, value in tags.items() if value is not None} | {258: (bits,) * samples}
    tags = {tag: value[0] if isinstance(value[0], tuple) else value for tag, value in tags.items()}
    entries, values, start = [], b"", 8 + len(data) + len(data) % 2
    end = start + 2 + 12 * len(tags) + 4
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(numbers)}H", *numbers)
        entries.append(struct.pack(f"{order}HHI", tag, 3, len(numbers)))
        if len(packed) > 4:
            entries.append(struct.pack(f"{order}I", end + len(values)))
            values += packed
        else:
            entries.append(packed.ljust(4, b"\0"))
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, start)
    directory = [struct.pack(f"{order}H", len(tags)), *entries, b"\0" * 4, values]
    return b"".join([header, data, b"\0" * (len(data) % 2), *directory])


def pack_12(values):
    bits = "".join(f"{value:012b}" for value in values)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


@pytest.mark.parametrize("fill_order", [1, 2])
@pytest.mark.parametrize("compression", [RAW, DEFLATE])
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 16])
def test_photometric_and_orders_of_tiff(bits, order, photometric, compression, fill_order):
    levels = 2 ** min(bits, 8) - 1
    gray = (GRAY.astype(int) * levels // 255).astype(np.uint16)
    values = (gray if photometric else levels - gray) << max(0, bits - 8)
    if bits == 16:
        data = values.astype(f"{order}u2").tobytes()
    elif bits == 12:
        data = b"".join(pack_12(row) for row in values)
    else:
        planes = [values >> bit & 1 for bit in range(bits - 1, -1, -1)]
        data = np.packbits(np.stack(planes, axis=-1).reshape(len(values), -1), axis=1).tobytes()
    content = tiff(
        data,
        bits,
        order=order,
        photometric=photometric,
        compression=compression,
        fill_order=fill_order,
        others={281: 65535}.items() if bits == 16 else (),
    )
    assert np.array_equal(read_image(content), gray * 255 // levels)


@pytest.mark.parametrize("bits", [8, 16])
def test_gray_without_a_photometric_tag_has_black_0(bits):
    data = GRAY.astype("u1" if bits == 8 else "<u2") * (1 if bits == 8 else 257)
    assert np.array_equal(read_image(tiff(data.tobytes(), bits, others={262: None}.items())), GRAY)
    fax = encode(Image.fromarray(GRAY > 99), "TIFF", compression="group4")
    (at,) = (
        fax.index(struct.pack("<HHIH", 262, 3, 1, kind))
        for kind in (0, 1)
        if struct.pack("<HHIH", 262, 3, 1, kind) in fax
    )
    without = fax[:at] + struct.pack("<H", 305) + fax[at + 2 :]
    with Image.open(io.BytesIO(fax)) as image:
        white_is_0 = image.tag_v2[262] == 0
    assert np.array_equal(read_image(without) > 0, (GRAY > 99) == white_is_0)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("used", [8, 10, 12, 16])
def test_bits_that_are_used(used, order):
    """In TIFF and PNG files, with and without a word on it."""
    values = (GRAY.astype(np.uint16) << (used - 8)) + (GRAY.astype(np.uint16) >> (16 - used) if used > 8 else 0)
    data = values.astype(f"{order}u2").tobytes()
    largest = 2**used - 1
    for others in ({}, {281: largest}, {281: 1}):
        assert np.array_equal(read_image(tiff(data, 16, order=order, others=others.items())), GRAY)
    png = encode(Image.fromarray(values), "PNG")
    data = b"sBIT" + bytes([used])
    says = png[:33] + struct.pack(">I", 1) + data + struct.pack(">I", zlib.crc32(data)) + png[33:]
    assert np.array_equal(read_image(png), GRAY)
    assert np.array_equal(read_image(says), GRAY)


def test_sbit_of_values_that_are_scaled():
    """As the specification asks: the values have the whole range."""
    png = encode(Image.fromarray(GRAY.astype(np.uint16) * 257), "PNG")
    data = b"sBIT\x0a"
    says = png[:33] + struct.pack(">I", 1) + data + struct.pack(">I", zlib.crc32(data)) + png[33:]
    assert np.array_equal(read_image(says), GRAY)


@pytest.mark.parametrize("darkest", [2, 4, 16])
def test_dark_scans_stay_dark_if_the_file_says_so(darkest):
    values = GRAY.astype(np.uint16) * 257 // darkest
    expected = (values >> 8).astype(np.uint8)
    assert np.array_equal(read_image(tiff(values.astype("<u2").tobytes(), 16, others={281: 65535}.items())), expected)
    assert np.array_equal(read_image(encode(Image.fromarray(values), "PPM")), expected)
    if darkest < 16:
        assert np.array_equal(read_image(encode(Image.fromarray(values), "PNG")), expected)


def test_white_is_zero_and_nothing_says_how_dark_ink_is():
    ink = (255 - GRAY.astype(np.uint16)) * 4
    with pytest.raises(ImageError, match=r"its values reach 1020 of 65535, and 0 is white.*MaxSampleValue"):
        read_image(tiff(ink.astype("<u2").tobytes(), 16, photometric=0))
    assert np.array_equal(read_image(tiff(ink.astype("<u2").tobytes(), 16, photometric=0, others=[(281, 1023)])), GRAY)


@pytest.mark.parametrize("order", ["<", ">"])
def test_colors_of_16_bits(order):
    color = np.dstack([GRAY, GRAY, GRAY]).astype(np.uint16)
    assert np.array_equal(
        read_image(tiff((color * 257).astype(f"{order}u2").tobytes(), 16, order=order, photometric=2, samples=3)), GRAY
    )
    for low in (4, 16):
        content = tiff((color * low).astype(f"{order}u2").tobytes(), 16, order=order, photometric=2, samples=3)
        with pytest.raises(ImageError, match="of which only the lowest 12 are used"):
            read_image(content, color=low == 4)


@pytest.mark.parametrize("kind", ["10 bits", "float", "signed", "32 bits"])
def test_ranges_that_are_not_known(kind):
    wide = GRAY.astype(np.int32)
    content, message = {
        "10 bits": (tiff(bytes(2000), 10), "its kind of pixels is rare"),
        "float": (encode(Image.fromarray(GRAY / np.float32(255)), "TIFF"), "float32 pixels"),
        "signed": (tiff((wide * 99 - 9999).astype("<i2").tobytes(), 16, others=[(339, 2)]), "integers from -9999"),
        "32 bits": (encode(Image.fromarray(wide << 20), "TIFF"), "have no known range"),
    }[kind]
    with pytest.raises(ImageError, match=message):
        read_image(content)


def test_palette_of_8_bits():
    ramp = [*range(256)]
    content = bytearray(encode(Image.fromarray(GRAY).convert("P"), "TIFF"))
    wide = struct.pack("<768H", *(257 * value for value in ramp * 3))
    pillow = struct.pack("<768H", *(256 * value for value in ramp * 3))
    written = wide if wide in content else pillow
    assert np.array_equal(read_image(bytes(content)), GRAY)
    assert np.array_equal(read_image(bytes(content).replace(written, struct.pack("<768H", *ramp * 3))), GRAY)


@pytest.mark.parametrize("suffix", ["JPEG", "TIFF", "TIFF jpeg"])
def test_cmyk(suffix):
    """JPEG files of Adobe have inverted values; those of Pillow do, too."""
    scan = Image.new("L", (64, 48), 250)
    scan.paste(20, (16, 16, 48, 32))
    options = {"compression": "jpeg"} if suffix == "TIFF jpeg" else {}
    options |= {} if suffix == "TIFF" else {"quality": 95}
    for mode in ("CMYK", "YCbCr"):
        if mode == "YCbCr" and suffix == "TIFF":
            continue
        content = encode(scan.convert("RGB").convert(mode), suffix.split()[0], **options)
        assert np.abs(read_image(content).astype(int) - np.asarray(scan)).max() < 12, mode


@pytest.mark.parametrize("compression", ["zstd", "tiff_lzw", "packbits"])
def test_compressions(compression):
    for image in (Image.fromarray(GRAY), Image.fromarray(GRAY).convert("RGB"), Image.fromarray(GRAY > 99)):
        content = encode(image, "TIFF", compression=compression)
        assert np.array_equal(read_image(content), np.asarray(image.convert("L")))


def strokes(size=(120, 60)):
    """Return a mask of strokes, 255 for ink, with soft edges."""
    mask = Image.new("L", (2 * size[0], 2 * size[1]))
    ImageDraw.Draw(mask).line([(20, 90), (70, 20), (120, 90), (170, 30), (220, 90)], fill=255, width=9)
    return mask.resize(size, Image.Resampling.BOX)


def with_alpha(kind, mask):
    """Return an image in which ink can be seen in the alpha channel only."""
    alpha = np.asarray(mask)
    if kind == "white":
        return Image.merge("RGBA", [*Image.new("RGB", mask.size, "white").split(), mask])
    if kind == "white on black":
        rgb = np.where(alpha[..., None] > 0, 255, 0).astype(np.uint8).repeat(3, axis=2)
        return Image.fromarray(np.dstack([rgb, alpha]))
    if kind == "pale":
        return Image.merge("RGBA", [*Image.new("RGB", mask.size, (255, 255, 150)).split(), mask])
    if kind == "multiplied":
        return Image.fromarray(np.dstack([alpha] * 4))
    if kind == "gray":
        return Image.merge("LA", [Image.new("L", mask.size, 255), mask])
    palette = Image.new("P", mask.size)
    palette.putpalette([255, 255, 255] * 256)
    palette.putdata(
        list(mask.getdata()) if not hasattr(mask, "get_flattened_data") else list(mask.get_flattened_data())
    )
    palette.info["transparency"] = bytes(range(256))
    return palette


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("palette", "PNG"),
        *itertools.product(["white", "white on black", "pale", "multiplied", "gray"], ["PNG", "WEBP", "TIFF"]),
    ],
)
def test_alpha_is_the_ink(kind, suffix, color, monkeypatch):
    mask = strokes()
    options = {"lossless": True, "exact": True} if suffix == "WEBP" else {}
    options |= {"transparency": bytes(range(256))} if kind == "palette" else {}
    content = encode(with_alpha(kind, mask), suffix, **options)
    expected = 255 - np.asarray(mask)
    assert np.array_equal(read_image(content, color=color), expected)
    monkeypatch.setattr("sigkit.imaging._pixels._PART", 500)
    assert np.array_equal(read_image(content, color=color), expected)
    assert crop_ink(read_image(content), "otsu").pixels.size


@pytest.mark.parametrize("key", [0, 7])
def test_a_color_that_is_transparent(key):
    """White ink, and the paper is the value that stands for transparent."""
    mask = np.asarray(strokes()) > 128
    values = np.where(mask, 255, key).astype(np.uint8)
    for image, transparent in [
        (Image.fromarray(values), key),
        (Image.fromarray(np.dstack([values] * 3)), (key,) * 3),
    ]:
        content = encode(image, "PNG", transparency=transparent)
        assert np.array_equal(read_image(content), np.where(mask, 0, 255))
    wide = encode(Image.fromarray(np.where(mask, 0, 65535).astype(np.uint16)), "PNG")
    data = b"tRNS" + struct.pack(">H", 0)
    at = wide.index(b"IDAT") - 4
    content = wide[:at] + struct.pack(">I", 2) + data + struct.pack(">I", zlib.crc32(data)) + wide[at:]
    assert (read_image(content) == 255).all()


@pytest.mark.parametrize("ink", [(0, 0, 0), (20, 30, 160), (150, 40, 30), (120, 120, 120)])
def test_ink_with_a_color_and_alpha(ink):
    mask = strokes()
    image = Image.merge("RGBA", [*Image.new("RGB", mask.size, ink).split(), mask])
    gray, color = read_image(encode(image, "PNG")), read_image(encode(image, "PNG"), color=True)
    solid = np.asarray(mask) == 255
    assert (gray[solid] == np.asarray(Image.new("RGB", (1, 1), ink).convert("L"))[0, 0]).all()
    assert (color[solid] == ink).all()
    assert (gray[np.asarray(mask) == 0] == 255).all()


def test_alpha_that_is_no_ink():
    height, width = 60, 120
    opaque = Image.new("L", (width, height), 255)
    for size in ((20, 20), (width, 9)):
        opaque.paste(0, (0, 0, *size))
    sheet = Image.new("RGB", (width, height), (250, 250, 250))
    blank = Image.merge("RGBA", [*sheet.split(), opaque])
    assert read_image(encode(blank, "PNG")).min() >= 250
    sheet.paste((30, 30, 30), (40, 30, 90, 34))
    cut_out = Image.new("L", (width, height), 0)
    cut_out.paste(255, (35, 25, 95, 40))
    patch = Image.merge("RGBA", [*sheet.split(), cut_out])
    gray = read_image(encode(patch, "PNG"))
    assert (gray == 30).sum() == 200
    assert (gray >= 250).sum() == gray.size - 200
    for alpha in (0, 128, 255):
        constant = encode(Image.new("RGBA", (9, 9), (255, 255, 255, alpha)), "PNG")
        assert (read_image(constant) == 255).all()


def test_the_largest_value_beyond_the_end_of_the_file_is_damage():
    content = tiff(GRAY.astype("<u2").tobytes(), 16, others={281: 255}.items())
    entry = content.index(struct.pack("<HHI", 281, 3, 1))
    far = content[:entry] + struct.pack("<HHII", 281, 4, 2, 10**6) + content[entry + 12 :]
    with pytest.raises(ImageError, match="its tags are not valid: tag 281 is beyond its end"):
        read_image(far)


@pytest.mark.parametrize("photometric", [0, 1])
def test_signed_samples_of_16_bits_have_15(photometric):
    values = (GRAY if photometric else 255 - GRAY).astype("<i2") << 7
    content = tiff(values.tobytes(), 16, photometric=photometric, others={339: 2}.items())
    assert np.array_equal(read_image(content), GRAY)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("used", [8, 10, 12, 15])
def test_bits_that_signed_samples_use(used, order):
    """With and without a word on it; as unsigned ones, but that 15 are all."""
    values = GRAY.astype(np.int32) << (used - 8)
    for others in ({}, {281: 2**used - 1}, {281: 65535} if used == 15 else {281: 1}):
        content = tiff(values.astype(f"{order}i2").tobytes(), 16, order=order, others={339: 2, **others}.items())
        assert np.array_equal(read_image(content), GRAY)
    ink = ((255 - GRAY.astype(np.int32)) << (used - 8)).astype("<i2").tobytes()
    content = tiff(ink, 16, photometric=0, others={339: 2, 281: 2**used - 1}.items())
    assert np.array_equal(read_image(content), GRAY)
    if used < 15:
        with pytest.raises(ImageError, match=r"and 0 is white.*MaxSampleValue"):
            read_image(tiff(ink, 16, photometric=0, others={339: 2}.items()))


def test_samples_that_pillow_would_misread():
    with pytest.raises(ImageError, match="signed integers of 8 bits"):
        read_image(tiff((GRAY ^ 128).tobytes(), 8, others={339: 2}.items()))
    with pytest.raises(ImageError, match="signed integers of 12 bits"):
        read_image(tiff(bytes(20 * 50), 12, others={339: 2}.items()))
    plane = (GRAY.astype("<u2") * 257).tobytes()
    planes = {284: 2, 273: tuple(8 + at * len(plane) for at in range(3)), 279: (len(plane),) * 3}
    with pytest.raises(ImageError, match="16 bits, are stored in separate planes, and are not compressed"):
        read_image(tiff(plane * 3, 16, photometric=2, samples=3, others=planes.items()))
