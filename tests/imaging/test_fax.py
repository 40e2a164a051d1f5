import io

import numpy as np
import pytest
from PIL import Image

from sigkit.imaging import ImageError, read_image
from sigkit.imaging._formats import _fax
from sigkit.imaging._formats._fax import check_fax

METHODS = {
    "group4": {"compression": "group4"},
    "group3": {"compression": "group3"},
    "group3 two-dimensional": {"compression": "group3", "tiffinfo": {292: 1}},
    "group3 aligned": {"compression": "group3", "tiffinfo": {292: 4}},
    "modified Huffman": {"compression": "tiff_ccitt"},
}


def draw(width, height, seed, grain):
    """Return random bits in grains: single pixels, or blots of some columns and rows."""
    rng = np.random.default_rng(seed)
    rows, columns = grain
    small = rng.random((-(-height // rows), -(-width // columns))) < 0.4
    return np.kron(small, np.ones(grain, dtype=bool))[:height, :width].astype(bool)


def encode(bits, **options):
    file = io.BytesIO()
    Image.fromarray(bits).save(file, "TIFF", **options)
    return file.getvalue()


def strip(content):
    """Return the start and the end of the only strip."""
    with Image.open(io.BytesIO(content)) as image:
        (start,), (count,) = image.tag_v2[273], image.tag_v2[279]
    return start, start + count


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("grain", [(1, 1), (1, 3), (4, 9), (50, 200)])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 40), (700, 60), (9000, 9)])
def test_sound_files_are_read(method, grain, size):
    bits = draw(*size, seed=0, grain=grain)
    assert np.array_equal(read_image(encode(bits, **METHODS[method])), bits * np.uint8(255))


@pytest.mark.parametrize("method", ["group4", "group3", "group3 two-dimensional", "modified Huffman"])
def test_every_length_of_a_run(method):
    lengths = [*range(70), *range(64, 2700, 61), 2560, 2561, 5119, 5120, 5183]
    bits = np.zeros((2 * len(lengths), 6000), dtype=bool)
    for row, length in enumerate(lengths):
        bits[2 * row, 10 : 10 + length] = True
        bits[2 * row + 1] = True
        bits[2 * row + 1, 10 : 10 + length] = False
    assert np.array_equal(read_image(encode(bits, **METHODS[method])), bits * np.uint8(255))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("invert", [False, True])
def test_several_strips(method, invert):
    bits = draw(90, 64, seed=1, grain=(2, 5))
    options = METHODS[method]
    options = options | {"tiffinfo": options.get("tiffinfo", {}) | {278: 20, 262: int(invert)}}
    content = encode(bits, **options)
    assert np.array_equal(read_image(content), bits * np.uint8(255))


@pytest.mark.parametrize("method", METHODS)
def test_a_changed_bit_gives_an_error_if_libtiff_complains(method, capfd):
    bits = draw(120, 40, seed=2, grain=(2, 5))
    content = encode(bits, **METHODS[method])
    start, end = strip(content)
    rng = np.random.default_rng(0)
    n_errors = n_complaints = 0
    for at in rng.choice(8 * (end - start), 250, replace=False):
        damaged = bytearray(content)
        damaged[start + at // 8] ^= 1 << at % 8
        capfd.readouterr()
        try:
            read_image(bytes(damaged))
        except ImageError:
            n_errors += 1
            continue
        n_complaints += bool(capfd.readouterr().err)
    assert n_complaints == 0
    # Others give valid lines, which no decoder can tell from the original ones.
    assert n_errors > 100


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("damage", ["cut", "cleared", "shifted"])
def test_larger_damage_is_found(method, damage):
    content = encode(draw(200, 80, seed=3, grain=(2, 5)), **METHODS[method])
    start, end = strip(content)
    code = content[start:end]
    half = len(code) // 2
    changed = {
        "cut": code[:half] + bytes(len(code) - half),
        "cleared": code[: half - 20] + bytes(40) + code[half + 20 :],
        "shifted": code[:half] + code[half + 1 :] + b"\0",
    }[damage]
    with pytest.raises(ImageError, match=r"line \d+ of 80 of its .* code is not valid"):
        read_image(content[:start] + changed + content[end:])


@pytest.mark.parametrize(
    ("code", "columns", "rows"),
    [
        (b"", 8, 1),
        (bytes(100), 8, 1),
        # Twelve lines like the one before, of the eight that a byte can describe.
        (b"\xff", 8, 12),
        # A run of the horizontal mode that is longer than the line, and a pass mode without anything to pass.
        (bytes([0b00110110, 0b00011010, 0xFF]), 3, 1),
        (bytes([0b00010001, 0xFF]), 8, 1),
    ],
)
def test_code_that_is_not_valid(code, columns, rows):
    with pytest.raises(ImageError, match="Group 4 code"):
        check_fax(code, columns, rows, scheme="Group 4")


def test_code_is_read_in_chunks(monkeypatch):
    bits = draw(300, 400, seed=4, grain=(1, 4))
    content = encode(bits, compression="group4")
    start, end = strip(content)
    monkeypatch.setattr(_fax, "_CHUNK", 300)
    check_fax(content[start:end], 300, 400, scheme="Group 4")
    with pytest.raises(ImageError, match=r"line (399|400) of 400"):
        check_fax(content[start : end - 20], 300, 400, scheme="Group 4")


def test_lines_without_or_with_misplaced_ends():
    bits = draw(120, 40, seed=5, grain=(2, 5))
    content = encode(bits, compression="group3")
    start, end = strip(content)
    text = "".join(f"{byte:08b}" for byte in content[start:end])
    # The first line without the code that ends a line, as some writers begin: libtiff would lose this line.
    moved = text.removeprefix("000000000001") + "000000000001"
    moved = int(moved, 2).to_bytes(len(moved) // 8, "big")
    with pytest.raises(ImageError, match="line 2 of 40"):
        check_fax(moved, 120, 40, scheme="Group 3")
