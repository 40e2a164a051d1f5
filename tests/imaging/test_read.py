import numpy as np
import pytest
from PIL import Image

from sigkit.imaging import ImageError, read_image

GRAY = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)


def save(image, path, **options):
    image.save(path, **options)
    return str(path)


def mode_of(path):
    with Image.open(path) as image:
        return image.mode


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_gray_files_are_not_converted(tmp_path, suffix):
    path = save(Image.fromarray(GRAY), tmp_path / f"scan.{suffix}")
    assert np.array_equal(read_image(path), GRAY)


def test_jpeg(tmp_path):
    path = save(Image.fromarray(np.full((16, 16), 120, np.uint8)), tmp_path / "scan.jpg", quality=95)
    assert np.abs(read_image(path).astype(int) - 120).max() <= 1


def test_palette(tmp_path):
    path = save(Image.fromarray(GRAY).convert("P"), tmp_path / "scan.png")
    assert mode_of(path) == "P"
    assert np.array_equal(read_image(path), GRAY)


def test_transparency_is_paper(tmp_path):
    rgba = np.zeros((2, 3, 4), dtype=np.uint8)
    rgba[0, :, 3] = [0, 128, 255]
    gray = read_image(save(Image.fromarray(rgba), tmp_path / "scan.png"))
    assert gray[0, 0] == 255
    assert abs(int(gray[0, 1]) - 127) <= 1
    assert gray[0, 2] == 0
    assert (gray[1] == 255).all()


def test_gray_with_transparency(tmp_path):
    path = save(Image.fromarray(np.dstack([GRAY, np.zeros_like(GRAY)])), tmp_path / "scan.png")
    assert mode_of(path) == "LA"
    assert (read_image(path) == 255).all()


def test_bilevel(tmp_path):
    bits = GRAY > 100
    path = save(Image.fromarray(bits), tmp_path / "scan.tif", compression="group4")
    assert mode_of(path) == "1"
    assert np.array_equal(read_image(path), bits * np.uint8(255))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits(tmp_path, suffix):
    path = save(Image.fromarray(GRAY.astype(np.uint16) << 8), tmp_path / f"scan.{suffix}")
    assert np.array_equal(read_image(path), GRAY)


def test_color_by_luminance(tmp_path):
    path = save(Image.new("RGB", (2, 2), (255, 0, 0)), tmp_path / "scan.png")
    assert (read_image(path) == 76).all()


def test_camera_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(Image.fromarray(np.full((8, 24), 90, np.uint8)), tmp_path / "photo.jpg", exif=exif)
    assert read_image(path).shape == (24, 8)


def test_float_pixels_have_no_range(tmp_path):
    path = save(Image.fromarray(GRAY / np.float32(255)), tmp_path / "scan.tif")
    with pytest.raises(ImageError, match=r"scan\.tif.*float32 pixels.*save it as 8-bit"):
        read_image(path)


@pytest.mark.parametrize("keep", [0, 20, 200])
@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "jpg"])
def test_truncated_files_are_named(tmp_path, suffix, keep):
    path = tmp_path / f"scan.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ImageError, match=rf"scan\.{suffix}: (cannot be read|not an image)"):
        read_image(path)


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(ImageError, match=r"nowhere\.png: no such file"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(ImageError, match="is a folder, not a file"):
        read_image(tmp_path)


def test_text_is_not_an_image():
    with pytest.raises(ImageError, match="11 bytes"):
        read_image(b"hello world")


def test_eight_bits_in_a_wide_type(tmp_path):
    path = save(Image.fromarray(GRAY.astype(np.int32)), tmp_path / "scan.tif")
    assert mode_of(path) == "I"
    assert np.array_equal(read_image(path), GRAY)
