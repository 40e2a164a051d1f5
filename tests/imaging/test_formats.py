import io
import os
import stat
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

from sigkit.imaging import ImageError, read_image


def encode(image, suffix, **options):
    file = io.BytesIO()
    image.save(file, suffix, **options)
    return file.getvalue()


@pytest.fixture
def noise():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8))


def read_with_pillow(content):
    """Read an image as Pillow does, with gray from its high byte."""
    with Image.open(io.BytesIO(content)) as image:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return np.asarray(image.convert("L"))


def test_all_formats_and_modes_are_those_of_pillow(seeds):
    assert len(seeds) > 35
    for name, content in seeds.items():
        assert np.array_equal(read_image(content), read_with_pillow(content)), name


def test_large_images_are_converted_in_parts(seeds, monkeypatch):
    monkeypatch.setattr("sigkit.imaging._pixels._PART", 1000)
    for name, content in seeds.items():
        assert np.array_equal(read_image(content), read_with_pillow(content)), name


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"\xc5\xd0\xd3\xc6" + bytes(30), "PostScript"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafavif", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "video"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"\xd7\xcd\xc6\x9a" + bytes(30), "Windows Metafile"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\1", "Photoshop"),
        (b"<svg xmlns=''/>", "SVG"),
        (b"<!DOCTYPE html>", "HTML"),
    ],
)
@pytest.mark.parametrize("suffix", ["png", "eps", "tif"])
def test_other_formats_are_named(tmp_path, content, kind, suffix):
    path = tmp_path / f"query.{suffix}"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=rf"query\.{suffix}: a file of the kind {kind}.*only PNG.*Convert it to PNG"):
        read_image(path)


@pytest.mark.parametrize("suffix", ["ICO", "TGA", "PCX", "SGI", "QOI", "DDS", "ICNS", "MSP", "XBM"])
def test_formats_that_no_scan_has_are_refused(noise, suffix):
    image = noise.resize((64, 64))
    image = image.convert("1") if suffix in ("MSP", "XBM") else image.convert("RGB")
    with pytest.raises(ImageError, match=r"not read|not an image"):
        read_image(encode(image, suffix))


def test_no_program_is_started(tmp_path, monkeypatch):
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'started'}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "query.png").write_bytes(encode(Image.new("RGB", (9, 9)), "EPS"))
    with pytest.raises(ImageError, match="PostScript"):
        read_image(tmp_path / "query.png")
    assert not (tmp_path / "started").exists()


def test_formats_that_others_have_registered_are_not_opened(tmp_path, noise, monkeypatch):
    monkeypatch.setattr(Image, "ID", [*Image.ID])
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    opened = []

    def accept(prefix):
        opened.append(prefix)
        return True

    for name in ("HEIF", "PNG", "TIFF"):
        Image.register_open(name, lambda file, name: 1 / 0, accept)
    for content in (b"own format", encode(noise, "PNG"), encode(noise, "TIFF")):
        (tmp_path / "scan").write_bytes(content)
        if content.startswith(b"own"):
            with pytest.raises(ImageError, match="not an image that is read"):
                read_image(tmp_path / "scan")
        else:
            assert np.array_equal(read_image(tmp_path / "scan"), np.asarray(noise))
    assert not opened


def test_the_content_decides_and_not_the_suffix(tmp_path, noise):
    for suffix, name in [("PNG", "scan.jpg"), ("TIFF", "scan.png"), ("BMP", "scan"), ("PPM", "scan.txt")]:
        (tmp_path / name).write_bytes(encode(noise, suffix))
        assert np.array_equal(read_image(tmp_path / name), np.asarray(noise))


@pytest.mark.parametrize("orientation", range(9))
@pytest.mark.parametrize("suffix", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation(noise, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(noise.convert("RGB"), suffix, exif=exif)
    assert np.array_equal(read_image(content), read_with_pillow(content))


@pytest.mark.parametrize("suffix", ["JPEG", "TIFF", "WEBP"])
def test_orientation_of_xmp(noise, suffix):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    options = {"tiffinfo": {700: xmp}} if suffix == "TIFF" else {"xmp": xmp}
    content = encode(noise.convert("RGB"), suffix, **options)
    assert read_image(content).shape == (60, 40)


@pytest.mark.parametrize("limit", [10, None])
def test_the_limit_of_pillow_does_not_decide(seeds, monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    monkeypatch.setattr("sigkit.imaging._pixels._PART", 1000)
    for name, content in seeds.items():
        if limit and name.startswith("WebP"):
            with pytest.raises(ImageError, match=r"Raise PIL\.Image\.MAX_IMAGE_PIXELS"):
                read_image(content)
        else:
            assert read_image(content).size == 36_000, name
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM", "WebP"])
def test_large_sizes_are_refused_at_once(kind, fuzz, monkeypatch):
    small = Image.new("L", (9, 9))
    size = struct.pack("<ii", 60_000, 60_000)
    content = {
        "PNG": fuzz.png(40, 40)[:16] + struct.pack(">II", 60_000, 60_000) + fuzz.png(40, 40)[24:],
        "JPEG": encode(small, "JPEG").replace(b"\0\x09\0\x09", b"\xea\x60\xea\x60"),
        "GIF": fuzz.gif(60_000, 60_000, 60_000, 60_000),
        "BMP": encode(small, "BMP")[:18] + size + encode(small, "BMP")[26:],
        "TIFF": fuzz.tiff(
            {256: (4, (60_000,)), 257: (4, (60_000,)), 258: (3, (1,)), 259: (3, (8,)), 262: (3, (1,))}
            | {273: (4, (8,)), 279: (4, (8,))},
            zlib.compress(bytes(9)),
        ),
        "PPM": b"P4 9 9\n" + bytes(18),
        "WebP": b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + struct.pack("<IBIBI", 10, 0x2F, 0xFFFFFFF, 0, 0),
    }[kind]
    if kind == "PNG":
        header = content[12:29]
        content = content[:29] + struct.pack(">I", zlib.crc32(header)) + content[33:]
    monkeypatch.setattr(Image.core, "new", None, raising=False)
    max_memory = 0.01 if kind == "PPM" else 700
    with pytest.raises(ImageError, match=rf"need [\d,]+ MiB of memory, more than max_memory={max_memory}\. Crop"):
        read_image(content, max_memory=max_memory)


@pytest.mark.parametrize("sides", [(3000, 1), (1, 3000), (400, 400)])
def test_the_limit_can_be_raised(tmp_path, sides):
    Image.new("L", sides).save(tmp_path / "scan.png")
    with pytest.raises(ImageError, match=rf"scan\.png: {sides[0]} x {sides[1]} pixels need 100 MiB"):
        read_image(tmp_path / "scan.png", max_memory=100)
    assert read_image(tmp_path / "scan.png", max_memory=101).shape == sides[::-1]


def test_files_that_need_more_than_a_copy(tmp_path):
    content = encode(Image.effect_noise((2000, 1000), 50), "TIFF")
    (tmp_path / "scan.tif").write_bytes(content)
    for source, name in ((content, ""), (tmp_path / "scan.tif", r"scan\.tif: ")):
        with pytest.raises(ImageError, match=rf"{name}has 2,000,\d+ bytes: with a copy .* more than max_memory=3 MiB"):
            read_image(source, max_memory=3)


@pytest.mark.parametrize("sides", [(3_000_000, 1), (1, 3_000_000), (600_000, 20)])
def test_long_sides_need_more_than_their_pixels(tmp_path, sides):
    Image.new("1", sides).save(tmp_path / "scan.png")
    with pytest.raises(ImageError, match=rf"{sides[0]} x {sides[1]} pixels need [\d,]+ MiB"):
        read_image(tmp_path / "scan.png")


@pytest.mark.parametrize("value", [0, -1, "1", None, float("nan")])
def test_invalid_limits(value):
    with pytest.raises(ValueError, match="max_memory must be a positive number"):
        read_image(b"P5 1 1 255 0", max_memory=value)


def test_a_large_tile_and_many_strips(fuzz):
    size = {256: (4, (10,)), 257: (4, (10,)), 258: (3, (8,)), 259: (3, (8,)), 262: (3, (1,))}
    code = zlib.compress(bytes(100))
    tile = {322: (4, (60_000,)), 323: (4, (60_000,)), 324: (4, (8,)), 325: (4, (len(code),))}
    with pytest.raises(ImageError, match=r"3,5\d\d MiB of memory"):
        read_image(fuzz.tiff(size | tile, code))
    strips = {273: (4, (8,)), 278: (3, (1,)), 279: (4, (9,)), 257: (4, (70_000,))}
    with pytest.raises(ImageError, match="70,000 strips or tiles; at most"):
        read_image(fuzz.tiff(size | strips, code))


def test_scans_of_a_jpeg(fuzz):
    content = encode(Image.effect_noise((60, 40), 50).convert("RGB"), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="scans; at most 32 are read"):
        read_image(content[:last] + content[last:-2] * 40 + content[-2:])


def test_what_pillow_decodes_in_python(fuzz):
    header = b"P5 3000 3000 100\n"
    with pytest.raises(ImageError, match=r"P5 files with values up to 100 are read up to"):
        read_image(header + bytes(9_000_000))
    with pytest.raises(ImageError, match=r"of the plain kind"):
        read_image(b"P2 1 1 255\n7\n")
    run_length = struct.pack("<IIIIiiHHIIIIII", 0, 0, 1078, 40, 10, 10, 1, 8, 1, 0, 0, 0, 256, 0)
    with pytest.raises(ImageError, match="run lengths are read up to"):
        read_image(b"BM" + run_length + bytes(5_000_000))


def test_compressed_texts_and_profiles(noise):
    content = encode(noise, "PNG")
    for kind in (b"zTXt", b"iCCP", b"iTXt"):
        data = b"a\0" + b"\0" * (3 if kind == b"iTXt" else 1) + zlib.compress(bytes(10**7))
        extra = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        assert np.array_equal(read_image(content[:33] + extra + content[33:]), np.asarray(noise))


@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_files(seeds, monkeypatch, flag, share):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", flag)
    for name, content in seeds.items():
        # The second frame is not read.
        if "frames" in name and not name.startswith("WebP"):
            continue
        with pytest.raises(ImageError, match=r"cannot be read|not an image"):
            read_image(content[: int(share * len(content))])


def test_sound_files_if_pillow_is_set_to_load_truncated_ones(seeds, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for name, content in seeds.items():
        assert np.array_equal(read_image(content), read_with_pillow(content)), name


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT"])
def test_checksums_of_png_files(noise, kind):
    content = bytearray(encode(noise.convert("P"), "PNG"))
    content[content.index(kind) + 6] ^= 1
    with pytest.raises(ImageError, match=rf"the checksum of its {kind.decode()} chunk at byte \d+ is wrong"):
        read_image(bytes(content))


def test_a_part_of_a_jpeg_is_missing(noise):
    content = encode(noise, "JPEG", restart_marker_blocks=2)
    first, second = content.index(b"\xff\xd1"), content.index(b"\xff\xd2")
    with pytest.raises(ImageError, match="a part of its image data is missing"):
        read_image(content[:first] + content[second:])
    with pytest.raises(ImageError, match="it is truncated"):
        read_image(content[:-2] + bytes(2))
    frame = content.index(b"\xff\xc0")
    with pytest.raises(ImageError, match="its frame is not valid"):
        read_image(content[:frame] + content[frame : frame + 13] + content[frame:])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "group4", "jpeg"])
def test_strips_beyond_the_end(noise, compression):
    image = noise.convert("1") if compression == "group4" else noise
    content = encode(image, "TIFF", compression=compression)
    with Image.open(io.BytesIO(content)) as opened:
        offset = opened.tag_v2[273][0]
    # The value of the tag is the offset itself, short or long.
    entries = [struct.pack("<HHII", 273, kind, 1, offset) for kind in (3, 4)]
    (at,) = (content.index(entry) for entry in entries if entry in content)
    moved = content[:at] + struct.pack("<HHII", 273, 4, 1, len(content)) + content[at + 12 :]
    with pytest.raises(ImageError, match="it is truncated"):
        read_image(moved)


@pytest.mark.parametrize("suffix", ["JPEG", "TIFF"])
def test_markers_within_the_data_of_a_jpeg(noise, suffix):
    content = encode(noise, suffix, quality=95, **({"compression": "jpeg"} if suffix == "TIFF" else {}))
    at = content.rindex(b"\xff\0") + 1
    for marker in (0x08, 0xBF, 0xF1):
        with pytest.raises(ImageError, match=f"the marker {marker:#x} at byte .* has no meaning"):
            read_image(content[:at] + bytes([marker]) + content[at + 1 :])


def test_damaged_tags_do_not_warn(fuzz, noise):
    size = {256: (4, (10,)), 257: (4, (10,)), 258: (3, (8,)), 259: (3, (1,)), 262: (3, (1,))}
    strips = {273: (4, (8,)), 279: (4, (100,))}
    others = {tag: (4, (2**31, 2**31)) for tag in range(600, 2600)}
    content = fuzz.tiff(size | strips | others, bytes(range(100)))
    assert np.array_equal(read_image(content[:-15_000]), np.arange(100).reshape(10, 10))
    exif = fuzz.tiff({tag: (4, (2**31,)) for tag in range(2000)}).replace(b"\4\0\1\0", b"\4\0\xff\xff")
    content = encode(noise, "JPEG", exif=b"Exif\0\0" + exif, quality=95)
    assert read_image(content).shape == (40, 60)
    # Pillow would warn that these single values have several.
    twice = {tag: (kind, values * 2) for tag, (kind, values) in size.items() if tag != 258}
    content = fuzz.tiff(size | strips | twice, bytes(range(100)))
    assert np.array_equal(read_image(content), np.arange(100).reshape(10, 10))


def test_animations(noise):
    for suffix in ("GIF", "PNG", "WEBP"):
        options = {"lossless": True} if suffix == "WEBP" else {}
        image = noise if suffix != "WEBP" else noise.convert("RGB")
        other = image.rotate(180)
        content = encode(image, suffix, save_all=True, append_images=[other, other], **options)
        assert np.array_equal(read_image(content), np.asarray(noise)), suffix


def test_compressions_of_tiff_that_are_not_read(noise):
    for compression in ("lzma", "tiff_thunderscan"):
        if compression == "tiff_thunderscan":
            content = bytearray(encode(noise, "TIFF", compression="tiff_lzw"))
            at = content.index(struct.pack("<HHIH", 259, 3, 1, 5)) + 8
            content[at : at + 2] = struct.pack("<H", 32809)
        else:
            content = encode(noise, "TIFF", compression=compression)
        with pytest.raises(ImageError, match=r"TIFF compression \d+ is not read"):
            read_image(bytes(content))


def test_tags_of_tiff_files(fuzz):
    size = {256: (4, (10,)), 257: (4, (10,)), 258: (3, (8,)), 259: (3, (1,)), 262: (3, (1,))}
    strips = {273: (4, (8,)), 279: (4, (100,))}
    for changed, message in [
        ({256: (4, (0,))}, "a side is 0"),
        ({273: (4, ())}, "tag 273 has 0 values"),
        ({257: (4, (20,)), 278: (4, (10,))}, "1 of 2 strips or tiles"),
        ({262: (3, (6,))}, "YCbCr that are not compressed"),
    ]:
        with pytest.raises(ImageError, match=message):
            read_image(fuzz.tiff(size | strips | changed, bytes(100)))
    without_counts = {tag: values for tag, values in (size | strips).items() if tag != 279}
    assert np.array_equal(read_image(fuzz.tiff(without_counts, bytes(range(100)))).ravel(), np.arange(100))
    with pytest.raises(ImageError, match="tag 256 is missing"):
        read_image(fuzz.tiff(strips, bytes(100)))


def test_big_endian_and_big_tiff(noise):
    wide = Image.fromarray(np.asarray(noise).astype(">u2") * 256)
    for content in (encode(noise, "TIFF", big_tiff=True), encode(wide, "TIFF")):
        assert np.array_equal(read_image(content), np.asarray(noise))
    assert TiffImagePlugin.READ_LIBTIFF is False


def test_the_benchmark_of_damaged_files(fuzz):
    arguments = ["--mutations", "60", "--bombs", "1"]
    done = subprocess.run([sys.executable, fuzz.__file__, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
