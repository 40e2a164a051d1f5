"""Formats that other packages read: HEIC by pillow-heif, PDF by pypdfium2."""

import io
import sys
import warnings
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sigkit.imaging import ImageError, list_pages, read_image

BLUE = (30, 40, 170)


def drawing(number=0, size=(300, 200)):
    image = Image.new("RGB", size, (250, 250, 248))
    ImageDraw.Draw(image).line([(40, 150), (120 + 20 * number, 40), (180, 150), (260, 60)], fill=BLUE, width=9)
    return image


def close(image, expected, tolerance=4):
    expected = np.asarray(expected)
    return image.shape == expected.shape and np.abs(image.astype(int) - expected).mean() < tolerance


@pytest.fixture
def heic():
    """Return a function that encodes images as one HEIC file."""
    pillow_heif = pytest.importorskip("pillow_heif", reason="HEIC needs the package pillow-heif")
    if not pillow_heif.libheif_info()["encoders"]:
        pytest.skip("this build of pillow-heif cannot write HEIC")

    def encode(*images, **options):
        file, first = io.BytesIO(), pillow_heif.from_pillow(images[0])
        for image in images[1:]:
            first.add_from_pillow(image)
        first.save(file, quality=90, **options)
        return file.getvalue()

    return encode


@pytest.fixture
def pdf():
    """Return a function that saves images as the pages of a PDF file."""
    pytest.importorskip("pypdfium2", reason="PDF needs the package pypdfium2")

    def encode(*images, resolution=300.0):
        file = io.BytesIO()
        images[0].save(file, "PDF", save_all=True, append_images=images[1:], resolution=resolution)
        return file.getvalue()

    return encode


def make_pdf(content, *, box="0 0 72 36", resources=b"", filters=b"", objects=()):
    """Return a PDF file with one page, and further objects from number 5."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<<%s>>>>" % (box.encode(), resources)
    stream = b"<<%s/Length %d>>\nstream\n%s\nendstream" % (filters, len(content), content)
    catalog, pages = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    file, places = io.BytesIO(b"%PDF-1.4\n"), []
    file.seek(0, 2)
    for number, body in enumerate([catalog, pages, page, stream, *objects], 1):
        places.append(file.tell())
        file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = file.tell()
    file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
    file.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    file.write(b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(places) + 1, table))
    return file.getvalue()


def test_heic(heic, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(heic(drawing()))
    assert close(read_image(path), drawing().convert("L"))
    assert close(read_image(path, color=True), drawing())
    assert list_pages(path) == [str(path)]
    assert np.array_equal(read_image(f"{path}[0]"), read_image(path))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16"])
def test_modes_of_heic(heic, mode):
    gray = drawing().convert("L")
    wide = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    assert close(read_image(heic(wide if mode == "I;16" else gray.convert(mode))), gray)


def test_white_ink_of_heic(heic):
    mask = drawing().convert("L").point(lambda value: 255 * (value < 128))
    image = Image.merge("RGBA", [*Image.new("RGB", mask.size, "white").split(), mask])
    assert close(read_image(heic(image)), 255 - np.asarray(mask))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_of_heic_is_applied_once(heic, orientation):
    """Phones write it as a turn of the image, and again into the data of the camera."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    gray, turns = np.asarray(drawing().convert("L")), {1: 0, 3: 2, 6: 3, 8: 1}[orientation]
    assert close(read_image(heic(drawing(), exif=exif.tobytes())), np.rot90(gray, turns))


def test_images_of_a_heic_file_are_pages(heic, tmp_path):
    path = tmp_path / "ada.heic"
    path.write_bytes(heic(drawing(0), drawing(1), drawing(2)))
    with pytest.raises(ImageError, match=r"ada\.heic: has 3 pages"):
        read_image(path)
    assert len(list_pages(path)) == 3
    for number, page in enumerate(list_pages(path)):
        assert close(read_image(page), drawing(number).convert("L"))


@pytest.mark.parametrize("brand", [b"mif1", b"heix", b"mif2"])
def test_brands_of_heic(heic, brand):
    content = heic(drawing())
    assert content[4:12] == b"ftypheic"
    assert close(read_image(content[:8] + brand + content[12:]), drawing().convert("L"))
    with pytest.raises(ImageError, match="a file of the kind AVIF, which is not read"):
        read_image(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf" + content[28:])


def test_sizes_of_heic_are_compared_before_it_is_decoded(heic, monkeypatch):
    content = heic(drawing())
    size = content.index(b"ispe") + 8
    large = content[:size] + bytes.fromhex("00007000 00007000") + content[size + 8 :]
    with pytest.raises(ImageError, match=r"28672 x 28672 pixels need [\d,]+ MiB"):
        read_image(large)
    small = content[:size] + bytes.fromhex("00000020 00000020") + content[size + 8 :]
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(small)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_heic(heic, share):
    content = heic(drawing())
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(content[: int(share * len(content))])


def test_pages_of_pdf(pdf, tmp_path):
    path = tmp_path / "forms.pdf"
    pages = [drawing(number) for number in range(3)]
    path.write_bytes(pdf(*pages))
    assert list_pages(path) == [f"{path}[{number}]" for number in range(3)]
    for number, page in enumerate(list_pages(path)):
        assert close(read_image(page), pages[number].convert("L"))
    assert close(read_image(f"{path}[1]", color=True), pages[1])
    with pytest.raises(ImageError, match=r"forms\.pdf: has 3 pages"):
        read_image(path)
    with pytest.raises(ImageError, match=r"forms\.pdf\[3\]: has no page 3"):
        read_image(f"{path}[3]")
    path.write_bytes(b"\n printer's preamble \n" + pdf(pages[0]))
    assert list_pages(path) == [str(path)]


@pytest.mark.parametrize("resolution", [100, 150, 600])
def test_pdf_is_rendered_at_300_dpi(pdf, resolution):
    image = read_image(pdf(drawing(), resolution=float(resolution)))
    assert image.shape == (round(200 * 300 / resolution), round(300 * 300 / resolution))


def test_lines_and_annotations_of_pdf():
    pytest.importorskip("pypdfium2", reason="PDF needs the package pypdfium2")
    image = read_image(make_pdf(b"3 w 10 10 m 60 30 l S"))
    assert image.shape == (150, 300)
    assert image.min() == 0
    assert 0.01 < np.mean(image < 128) < 0.1
    assert (read_image(make_pdf(b"")) == 255).all()


def test_pages_of_pdf_that_are_too_large():
    pytest.importorskip("pypdfium2", reason="PDF needs the package pypdfium2")
    with pytest.raises(ImageError, match=r"60000 x 60000 pixels need [\d,]+ MiB"):
        read_image(make_pdf(b"", box="0 0 14400 14400"))


def nested_forms(levels):
    """Return a PDF file that draws a form ten times, which draws another ten times, and so on."""
    forms = []
    for level in range(levels):
        content = b"0 0 9 9 re f " if level == levels - 1 else b"/F Do " * 10
        inner = b"/Resources<</XObject<</F %d 0 R>>>>" % (6 + level) if level < levels - 1 else b""
        forms.append(
            b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]%s/Length %d>>\nstream\n%s\nendstream"
            % (inner, len(content), content)
        )
    return make_pdf(b"/F Do " * 10, resources=b"/XObject<</F 5 0 R>>", objects=forms)


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
@pytest.mark.parametrize("kind", ["time", "memory"])
def test_bombs_of_pdf(kind, monkeypatch):
    pytest.importorskip("pypdfium2", reason="PDF needs the package pypdfium2")
    monkeypatch.setattr("sigkit.imaging._formats._pdf._SECONDS", 1)
    monkeypatch.setattr("sigkit.imaging._formats._pdf._BYTES", 60 * 2**20)
    if kind == "time":
        content = nested_forms(9)
    else:
        content = make_pdf(zlib.compress(b"q Q " * 2**24, 9), filters=b"/Filter/FlateDecode")
    assert len(content) < 100_000
    with pytest.raises(ImageError, match=r"its page takes more than 1 s or 60 MiB to render"):
        read_image(content)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_pdf(pdf, share):
    content = pdf(drawing())
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(content[: int(share * len(content))])


def test_protected_pdf():
    pytest.importorskip("pypdfium2", reason="PDF needs the package pypdfium2")
    key = b"<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>" % (b"41" * 32, b"42" * 32)
    content = make_pdf(b"", objects=[key]).replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 5 0 R/ID[<61><61>]")
    with pytest.raises(ImageError, match="password"):
        read_image(content)


def test_pdf_without_an_interpreter(monkeypatch, pdf):
    content = pdf(drawing())
    for name, value in (("executable", ""), ("executable", "/nowhere/python"), ("frozen", True)):
        with monkeypatch.context() as patched:
            patched.setattr(sys, name, value, raising=False)
            with pytest.raises(ImageError, match="PDF pages are rendered by another Python process"):
                read_image(content)


@pytest.mark.parametrize(
    ("content", "kind", "extra", "package"),
    [
        (b"%PDF-1.7\n", "PDF", "pdf", "pypdfium2"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "heic", "pillow_heif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC", "heic", "pillow_heif"),
    ],
)
def test_the_extra_is_named_where_it_is_not_installed(tmp_path, monkeypatch, content, kind, extra, package):
    path = tmp_path / "query.png"
    path.write_bytes(content)
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"query\.png: a file of the kind {kind}, .*pip install 'sigkit\[{extra}\]'"
    for read in (read_image, list_pages):
        with pytest.raises(ImageError, match=message):
            read(path)


def test_nothing_is_registered_with_pillow(heic, pdf):
    Image.init()
    before = dict(Image.OPEN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(heic(drawing()))
        read_image(pdf(drawing()))
    assert before == Image.OPEN


def test_a_heic_image_without_pixels_is_damage(heic, monkeypatch):
    import pillow_heif

    content = heic(drawing())
    monkeypatch.setattr(pillow_heif, "HeifFile", lambda _: [SimpleNamespace(size=size) for size in ((0, 0), (0, 2))])
    with pytest.raises(ImageError, match="an image has no pixels"):
        read_image(content)
