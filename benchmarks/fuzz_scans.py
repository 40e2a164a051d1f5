"""Read damaged and malicious image files, each in a child process: an image or an error, quickly, in little memory.

    python benchmarks/fuzz_scans.py [--mutations 30000] [--only PDF ...] [--bombs 30] [--folder SCANS] [--seed 0]

Seeds are synthetic signatures in all formats and modes that are read, and also every file of a folder if one is given.
HEIC and PDF files are among them if the packages that read them are installed. Mutations flip bits, cut, insert, clear
blocks, or change fields of headers; bombs are small files that ask for much. Each file is read in gray or in color,
some with the number of a page, and preprocessed with one background or another. The exit status is 1 if an error is no
`ImageError` that names the file, a warning does not name it, a decoder complains on standard error although there is an
image, or a file takes 10 s of processor time or 1 GB of memory in all, with that of the processes it starts.
"""

import argparse
import contextlib
import importlib.util
import io
import multiprocessing
import os
import random
import struct
import sys
import tempfile
import warnings
import zlib
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from sigkit.datasets import make_signatures
from sigkit.imaging import ImageError, crop_ink, place_ink, read_image

MAX_SECONDS, MAX_BYTES = 10, 10**9
MAX_WALL = 300
"""Seconds until a child is killed: other processes may have the processor."""

CANVAS, BACKGROUNDS = (730, 1042), ("otsu", "adaptive", "none", "photo")
PAGES = (None, None, 0, 1)


def encode(image, suffix, **options):
    file = io.BytesIO()
    image.save(file, suffix, **options)
    return file.getvalue()


def make_seeds():
    """Return the contents of sound files by a name."""
    scans, _ = make_signatures(n_writers=2, n_genuine=1, n_skilled=0, random_state=0)
    seeds = {}
    for number, scan in enumerate(scans):
        gray = Image.fromarray(scan).resize((240, 150))
        exif = Image.Exif()
        exif[0x0112] = 6
        rgba = gray.convert("RGBA")
        rgba.putalpha(gray.point(lambda value: 255 - value))
        bits, color, wide = gray.convert("1"), gray.convert("RGB"), Image.fromarray(np.asarray(gray).astype("u2") * 257)
        palette = color.quantize(16)
        modes = {"1": bits, "L": gray, "P": palette, "RGB": color, "RGBA": rgba, "I16": wide}
        made = {f"PNG {mode}": encode(image, "PNG") for mode, image in modes.items()}
        made |= {f"TIFF {mode}": encode(image, "TIFF") for mode, image in modes.items()}
        for method in ("packbits", "tiff_lzw", "tiff_adobe_deflate"):
            made[f"TIFF {method}"] = encode(color, "TIFF", compression=method, tiffinfo={278: 40})
        for method in ("group3", "group4", "tiff_ccitt"):
            made[f"TIFF {method}"] = encode(bits, "TIFF", compression=method)
        made["TIFF group3 two-dimensional"] = encode(bits, "TIFF", compression="group3", tiffinfo={292: 1, 278: 50})
        made["TIFF jpeg"] = encode(color, "TIFF", compression="jpeg")
        made["TIFF CMYK"] = encode(color.convert("CMYK"), "TIFF")
        made["BigTIFF"] = encode(gray, "TIFF", big_tiff=True)
        made["JPEG L"] = encode(gray, "JPEG", exif=exif)
        made["JPEG RGB"] = encode(color, "JPEG", comment=b"a comment")
        made["JPEG progressive"] = encode(color, "JPEG", progressive=True)
        made["JPEG CMYK"] = encode(color.convert("CMYK"), "JPEG")
        made["JPEG restarts"] = encode(gray, "JPEG", restart_marker_rows=1)
        made |= {f"BMP {mode}": encode(modes[mode], "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")}
        made["GIF"] = encode(palette, "GIF", comment=b"a comment")
        made["GIF frames"] = encode(gray, "GIF", save_all=True, append_images=[gray.rotate(180)], transparency=0)
        made["WebP"] = encode(color, "WEBP")
        made["WebP lossless"] = encode(rgba, "WEBP", lossless=True, exif=exif)
        made["WebP frames"] = encode(color, "WEBP", save_all=True, append_images=[color.rotate(180)])
        made |= {f"PPM {mode}": encode(modes[mode], "PPM") for mode in ("1", "L", "RGB", "I16")}
        seeds |= {f"{name} {number}": content for name, content in made.items()}
    return seeds


def make_other_seeds():
    """Return the contents of sound files with pages, of other samples than 8 bits, and of formats of other packages."""
    scans, _ = make_signatures(n_writers=2, n_genuine=1, n_skilled=0, random_state=0)
    first, second = (Image.fromarray(scan).resize((240, 150)) for scan in scans)
    pages = {"save_all": True, "append_images": [second]}
    wide = np.asarray(first).astype(np.uint16)
    alpha = Image.merge("LA", [Image.new("L", first.size, 255), first.point(lambda value: 255 - value)])
    significant = chunk(b"sBIT", b"\x0a")
    png = encode(Image.fromarray(wide * 4), "PNG")
    seeds = {
        "TIFF pages": encode(first, "TIFF", **pages),
        "TIFF pages, deflate": encode(first.convert("RGB"), "TIFF", compression="tiff_adobe_deflate", **pages),
        "TIFF pages, group4": encode(
            first.convert("1"), "TIFF", compression="group4", save_all=True, append_images=[second.convert("1")]
        ),
        "TIFF preview": encode(first.resize((48, 30)), "TIFF", **pages),
        "TIFF zstd": encode(first, "TIFF", compression="zstd"),
        "TIFF of 12 bits in 16": encode(Image.fromarray(wide * 16), "TIFF", tiffinfo={281: 4095}),
        "TIFF of 16 bits, big-endian": encode(Image.fromarray((wide * 257).astype(">u2")), "TIFF"),
        "TIFF of 16 bits, white is 0": samples((255 - wide) * 257, 16, {262: (3, (0,))}),
        "TIFF of 8 bits, reversed": samples(np.asarray(first), 8, {266: (3, (2,))}),
        "PNG of 10 bits in 16": png[:33] + significant + png[33:],
        "PNG with ink in alpha": encode(alpha, "PNG"),
        "WebP with ink in alpha": encode(alpha, "WEBP", lossless=True),
        "PNM pages": encode(first, "PPM") + b"\n" + encode(second.convert("RGB"), "PPM"),
    }
    with contextlib.suppress(ImportError):
        from pillow_heif import from_pillow

        one, two = (from_pillow(image.convert("RGB")) for image in (first, first))
        two.add_from_pillow(second.convert("RGBA"))
        for name, file in {"HEIC": one, "HEIC pages": two}.items():
            content = io.BytesIO()
            file.save(content, quality=50)
            seeds[name] = content.getvalue()
    if importlib.util.find_spec("pypdfium2"):
        seeds["PDF"] = encode(first, "PDF", resolution=300.0)
        seeds["PDF of a fax"] = encode(first.convert("1"), "PDF", resolution=300.0)
        seeds["PDF pages"] = encode(first.convert("RGB"), "PDF", resolution=300.0, **pages)
        seeds["PDF of lines"] = pdf(b"3 w 10 10 m 60 30 l S BT /F1 9 Tf 9 9 Td (Ada) Tj ET", b"/MediaBox[0 0 72 36]")
    return seeds


def samples(values, bits, tags):
    """Return a TIFF file of raw gray samples, with other tags."""
    size = {256: (4, (values.shape[1],)), 257: (4, (values.shape[0],)), 258: (3, (bits,)), 259: (3, (1,))}
    data = values.tobytes()
    return tiff(size | {262: (3, (1,)), 273: (4, (8,)), 279: (4, (len(data),))} | tags, data)


def mutate(content, rng):
    """Return a damaged copy, and the kind of the damage."""
    data, kind = bytearray(content), rng.choice(["bits", "cut", "insert", "clear", "header"])
    at = rng.randrange(len(data))
    if kind == "bits":
        for _ in range(rng.choice([1, 1, 1, 4, 16])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[at:]
    elif kind == "insert":
        data[at:at] = rng.randbytes(rng.choice([1, 2, 4, 64]))
    elif kind == "clear":
        length = rng.choice([4, 64, 512])
        data[at : at + length] = bytes(len(data[at : at + length]))
    else:
        # Headers are at the beginning, except that directories of TIFF files can be at the end.
        at = rng.randrange(min(len(data), 200)) if rng.random() < 0.7 else max(0, len(data) - 1 - rng.randrange(300))
        size = rng.choice([1, 2, 4])
        value = rng.choice([0, 1, 255, 256**size - 1, 256**size // 2, rng.randrange(256**size)]) % 256**size
        data[at : at + size] = value.to_bytes(size, rng.choice(["little", "big"]))
    return bytes(data), kind


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth=8, color=0, row=None, extra=b""):
    """Return a PNG file whose rows are all the same, by default white."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    row = b"\0" + (b"\xff" * -(-width * depth * samples // 8) if row is None else row)
    pack, packed = zlib.compressobj(1), []
    for first in range(0, height, 1000):
        # A few dark rows, so that there is ink.
        rows = [
            b"\0" * len(row) if height // 3 < y < height // 2 else row for y in range(first, min(first + 1000, height))
        ]
        packed.append(pack.compress(b"".join(rows)))
    packed.append(pack.flush())
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", b"".join(packed)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff(tags, data=b""):
    """Return a TIFF file with tags, (type, values) by number, and data before them at byte 8."""
    codes = {3: "H", 4: "I"}
    entries, values, at = [], [], 8 + len(data) + 2 + 12 * len(tags) + 4
    for tag, (kind, items) in tags.items():
        packed = struct.pack(f"<{len(items)}{codes[kind]}", *items)
        entries.append(struct.pack("<HHI", tag, kind, len(items)))
        if len(packed) > 4:
            entries.append(struct.pack("<I", at))
            values.append(packed)
            at += len(packed)
        else:
            entries.append(packed.ljust(4, b"\0"))
    directory = [struct.pack("<H", len(tags)), *entries, b"\0" * 4, *values]
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + b"".join(directory)


def gif(width, height, frame_width, frame_height):
    header = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return header + b"," + struct.pack("<HHHHB", 0, 0, frame_width, frame_height, 0) + b"\x02\x02\x4c\x01\x00;"


def pdf(content, page=b"", filters=b"", forms=()):
    """Return a PDF file of one page, with the bodies of forms, of which the first one is /F."""
    page = b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>%s>>" % page
    catalog, pages = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    stream = b"<<%s/Length %d>>\nstream\n%s\nendstream" % (filters, len(content), content)
    parts, places = [b"%PDF-1.4\n"], []
    for number, body in enumerate([catalog, pages, page, stream, *forms], 1):
        places.append(sum(map(len, parts)))
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = sum(map(len, parts))
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
    parts += [b"%010d 00000 n \n" % place for place in places]
    parts.append(b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(places) + 1, table))
    return b"".join(parts)


def nested_forms(levels):
    """Return a PDF file that draws a form ten times, which draws another one ten times, and so on."""
    forms = []
    for level in range(levels):
        is_last = level == levels - 1
        content = b"0 0 9 9 re f " if is_last else b"/F Do " * 10
        inner = b"" if is_last else b"/Resources<</XObject<</F %d 0 R>>>>" % (6 + level)
        head = b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]%s/Length %d>>" % (inner, len(content))
        forms.append(b"%s\nstream\n%s\nendstream" % (head, content))
    return pdf(b"/F Do " * 10, forms=forms)


def many_pages(n):
    """Return a TIFF file with n pages, which have a width only."""
    places = [8 + 18 * number for number in range(n)]
    content = bytearray(8 + 18 * n)
    content[:8] = b"II*\0" + struct.pack("<I", 8)
    for place, following in zip(places, [*places[1:], 0]):
        struct.pack_into("<HHHIII", content, place, 1, 256, 3, 1, 9, following)
    return bytes(content)


def repeated_scans(n):
    """Return a progressive JPEG file whose last scan is there n times."""
    content = encode(Image.effect_noise((3000, 3000), 60).convert("RGB"), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * n + content[-2:]


def fax(width, height):
    """Return a sound TIFF file of Group 4 with a rectangle of ink."""
    bits = Image.new("1", (width, height), 1)
    bits.paste(0, (width // 3, height // 3, width // 2, height // 2))
    return encode(bits, "TIFF", compression="group4", tiffinfo={278: height})


def make_bombs():
    """Yield the names of files, and functions that return their contents, or that create them at a path."""
    size = {256: (4, (10,)), 257: (4, (10,)), 258: (3, (8,)), 259: (3, (8,)), 262: (3, (1,))}
    raw = size | {259: (3, (1,)), 273: (4, (8,)), 279: (4, (100,))}
    code = zlib.compress(bytes(60_000), 9)
    tile = {322: (4, (60_000,)), 323: (4, (60_000,)), 324: (4, (8,)), 325: (4, (len(code),))}
    rows = {256: (4, (3000,)), 257: (4, (60_000,)), 278: (3, (1,))}
    strips = {273: (4, (8,) * 60_000), 279: (4, (len(code),) * 60_000)}
    fax_lines = {
        256: (4, (1,)),
        258: (3, (1,)),
        257: (4, (400_000,)),
        259: (3, (4,)),
        273: (4, (8,)),
        279: (4, (4_000_000,)),
    }
    damaged = {tag: (4, (2**31, 2**31)) for tag in range(600, 65_400)}
    exif = tiff({tag: (4, (2**31,)) for tag in range(5000)}).replace(b"\4\0\1\0", b"\4\0\xff\xff")
    small, noise = Image.new("L", (40, 40), 255), Image.effect_noise((5200, 5200), 90)
    white, packed = encode(small, "PNG"), b"a\0\0" + zlib.compress(bytes(10**8), 1)
    lossless = struct.pack("<IBIBI", 10, 0x2F, 0xFFFFFFF, 0, 0)
    run_length = struct.pack("<IIIIiiHHIIIIII", 0, 0, 1078, 40, 5000, 5000, 1, 8, 1, 0, 0, 0, 256, 0)
    yield "60,000 x 40 PNG of two values", lambda: png(60_000, 40, 1)
    yield "196 megapixels PNG of two values", lambda: png(14_000, 14_000, 1)
    yield "182 megapixels TIFF of a fax", lambda: fax(14_000, 13_000)
    yield "196 megapixels PNG of gray", lambda: png(14_000, 14_000)
    yield "121 megapixels PNG of color", lambda: png(11_000, 11_000, 8, 2)
    yield "121 megapixels PNG of transparent color", lambda: png(11_000, 11_000, 8, 6, row=bytes(44_000))
    yield "196 megapixels PNG of 16-bit gray", lambda: png(14_000, 14_000, 16)
    yield "900 megapixels PNG", lambda: png(30_000, 30_000)
    yield "PNG one pixel wide", lambda: png(1, 400_000)
    yield "PNG one pixel wide, of 30 megapixels", lambda: png(1, 30_000_000)
    yield "PNG one pixel high", lambda: png(400_000, 1)
    yield "PNG with a compressed text", lambda: white[:33] + chunk(b"zTXt", packed) + white[33:]
    yield "PNG with a compressed profile", lambda: white[:33] + chunk(b"iCCP", packed) + white[33:]
    yield "JPEG of 4 gigapixels", lambda: encode(small, "JPEG").replace(b"\0\x28\0\x28", b"\xff\xff\xff\xff")
    yield (
        "53 megapixels progressive JPEG",
        lambda: encode(Image.new("RGB", (7300, 7300)), "JPEG", progressive=True, subsampling=0),
    )
    yield "JPEG with more than 100 scans", lambda: repeated_scans(100)
    yield "JPEG with 30 scans", lambda: repeated_scans(20)
    yield "JPEG with 5,000 damaged tags", lambda: encode(small, "JPEG", exif=b"Exif\0\0" + exif)
    yield "JPEG with 50 million comments", lambda: encode(small, "JPEG")[:2] + b"\xff\xfe\0\2" * 50_000_000
    yield "PNG with 20 million chunks", lambda: white[:33] + chunk(b"tEXt", b"") * 20_000_000 + white[33:]
    yield "WebP of 268 megapixels", lambda: b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + lossless
    yield "27 megapixels WebP", lambda: encode(noise, "WEBP", quality=1, method=0)
    yield "27 megapixels WebP, lossless", lambda: encode(noise, "WEBP", lossless=True, method=0)
    yield "GIF of 4 gigapixels", lambda: gif(65535, 65535, 65535, 65535)
    yield "GIF with 30 million blocks", lambda: gif(9, 9, 9, 9)[:-3] + b"\1\1" * 30_000_000 + b"\0;"
    yield "GIF with a frame larger than its screen", lambda: gif(1, 1, 65535, 65535)
    yield "TIFF with a tile of 60,000 x 60,000", lambda: tiff(size | tile, code)
    yield "TIFF with 60,000 strips of the same bytes", lambda: tiff(size | rows | strips, code)
    yield "fax of 400,000 lines", lambda: tiff(size | fax_lines, b"\xff" * 4_000_000)
    yield "TIFF with 20 million strips", lambda: tiff(size | {273: (4, (8,) * 20_000_000), 279: (4, (8,))})
    yield "TIFF with 65,000 damaged tags", lambda: tiff(raw | damaged, bytes(range(100)))[:-200_000]
    yield "PPM with a long comment", lambda: b"P5 #" + b"c" * 200_000_000
    yield "PGM of plain text", lambda: b"P2 9999 9999 255\n" + b"#\n" * 50_000_000
    yield "BMP with run lengths", lambda: b"BM" + run_length + bytes(range(256)) * 4 + b"\xff\1\1\0" * 1_000_000
    yield "TIFF with 9,000 pages", lambda: many_pages(9_000)
    yield "TIFF with a million pages", lambda: many_pages(1_000_000)
    yield "PNM with 50 million empty images", lambda: b"P4 0 1 " * 50_000_000
    yield "PDF page of 5 m x 5 m", lambda: pdf(b"", b"/MediaBox[0 0 14400 14400]")
    yield "PDF page of 77 megapixels", lambda: pdf(b"0 0 m 99 99 l S", b"/MediaBox[0 0 2000 2200]")
    yield "PDF with forms in forms", lambda: nested_forms(12)
    content = zlib.compress(b"q Q " * 2**27, 9)
    yield "PDF with a content of 512 MB", lambda: pdf(content, filters=b"/Filter/FlateDecode")
    yield (
        "PDF with a content of 512 MB, packed twice",
        lambda: pdf(zlib.compress(content, 9), filters=b"/Filter[/FlateDecode/FlateDecode]"),
    )
    yield "PostScript", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n"
    yield "a file of 50 GB", lambda path: os.truncate(path, 50 * 10**9)
    if hasattr(os, "mkfifo"):
        yield "a named pipe", lambda path: (path.unlink(), os.mkfifo(path))
        yield "an endless device", lambda path: (path.unlink(), path.symlink_to("/dev/zero"))


def examine(path, background, page=None, color=False):
    """Read and preprocess a file; return what came of it, details, and the texts of warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            # Errors of the second step do not name the file: a `SignaturePreprocessor` adds it.
            image = read_image(path, page=page, color=color)
            try:
                if background == "photo" or image.ndim == 2:
                    place_ink(crop_ink(image, background), CANVAS)
                outcome = "image", ""
            except ImageError:
                outcome = "image", "without ink"
        except ImageError as error:
            named = str(error).startswith(str(path))
            outcome = "ImageError" if named else "raw", str(error).removeprefix(f"{path}: ")
        except BaseException as error:
            outcome = "raw", f"{type(error).__name__}: {error}"
    return *outcome, [str(warning.message) for warning in caught]


def work(connection, folder, seeds, seed):
    """Examine files: those of the paths that come through a connection, or the mutations with given numbers.

    Standard error goes into a file, to which libtiff writes that it has found damage.
    """
    os.dup2(os.open(folder / "errors", os.O_RDWR | os.O_CREAT), 2)
    while True:
        job = connection.recv()
        for number in [job[1]] if isinstance(job, tuple) else job:
            path, name = folder / "scan.png", ""
            if not isinstance(job, tuple):
                rng = random.Random(f"{seed} {number}")
                name = rng.choice(sorted(seeds))
                content, kind = mutate(seeds[name], rng)
                path.write_bytes(content)
                name = f"mutation {number}: {name}, {kind}"
            before, start = os.lseek(2, 0, os.SEEK_END), processor_time()
            reset_peak()
            page = None if isinstance(job, tuple) else PAGES[number // 8 % 4]
            outcome = examine(path, BACKGROUNDS[number % 4], page, color=bool(number // 4 % 2))
            noise = os.lseek(2, 0, os.SEEK_END) > before
            connection.send((name, *outcome, noise, processor_time() - start, peak_bytes()))


def processor_time():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def reset_peak():
    # Elsewhere than on Linux, the peak is that of the whole life of the process.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes():
    """Return the largest memory of this process, and that of the largest process that it has started at any time."""
    try:
        import resource
    except ImportError:
        return 0
    started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    try:
        status = Path("/proc/self/status").read_text()
        return started + int(status.split("VmHWM:")[1].split()[0]) * 1024
    except OSError:
        return started + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Child:
    """A process that examines one file after another, and is replaced if it hangs or dies."""

    def __init__(self, *arguments):
        self.arguments, self.process = arguments, None

    def send(self, job):
        if self.process is None:
            context = multiprocessing.get_context("spawn")
            self.connection, other = context.Pipe()
            self.process = context.Process(target=work, args=(other, *self.arguments), daemon=True)
            self.process.start()
            other.close()
        self.connection.send(job)

    def receive(self):
        """Return the name of the next file, its outcome, details, warnings, noise, seconds and bytes."""
        try:
            if self.connection.poll(MAX_WALL):
                return self.connection.recv()
            outcome = "hang", ""
        except (EOFError, OSError):
            outcome = "raw", "the process died"
        self.close()
        return "", *outcome, [], False, 0.0, 0

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


class Report:
    """Counts of the outcomes of one kind of file, and what was not as it should be."""

    def __init__(self):
        self.counts, self.failures = Counter(), []

    def add(self, name, outcome, detail, warned, noise, seconds, peak):
        found = {
            "raw error": outcome == "raw",
            "above 10 s": outcome == "hang" or seconds > MAX_SECONDS,
            "above 1 GB": peak > MAX_BYTES,
            "warning without the file's name": any("scan.png" not in text for text in warned),
            "image although a decoder complains": noise and outcome == "image",
        }
        self.counts.update({outcome: 1} | {kind: int(is_found) for kind, is_found in found.items()})
        for kind, value in {"slowest, ms": 1000 * seconds, "most memory, MB": peak / 1e6}.items():
            self.counts[kind] = max(self.counts[kind], round(value))
        kinds = ", ".join(kind for kind, is_found in found.items() if is_found)
        line = f"{name}: {kinds or outcome} {detail[:100]}{warned[:1] or ''}; {seconds:.1f} s, {peak / 1e6:.0f} MB"
        if kinds:
            self.failures.append(line)
        return line


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=30_000)
    parser.add_argument("--only", nargs="+", default=[""], help="parts of the names of the seeds, such as PDF or pages")
    parser.add_argument("--bombs", type=int, default=100, help="the largest number of bombs")
    parser.add_argument("--folder", type=Path, help="real files as further seeds")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    # The time of other threads would count too.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    seeds = make_seeds() | make_other_seeds()
    if options.folder:
        files = sorted(path for path in options.folder.rglob("*") if path.is_file())
        seeds |= {str(path): path.read_bytes() for path in files}
    seeds = {name: content for name, content in seeds.items() if any(part in name for part in options.only)}
    print(f"{len(seeds)} seeds of {sum(map(len, seeds.values())) / len(seeds) / 1000:.1f} kB on average")
    reports = {"mutations": Report(), "bombs": Report()}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        child = Child(folder, seeds, options.seed)
        for number in range(options.mutations):
            if child.process is None:
                child.send(range(number, options.mutations))
            name, *result = child.receive()
            reports["mutations"].add(name or f"mutation {number}", *result)
        child.close()
        for number, (name, make) in enumerate(islice(make_bombs(), options.bombs)):
            path = folder / "scan.png"
            path.unlink(missing_ok=True)
            if make.__code__.co_argcount:
                path.touch()
                make(path)
            else:
                path.write_bytes(make())
            child.send((path, number))
            print(" ", reports["bombs"].add(name, *child.receive()[1:]))
        child.close()
    for kind, report in reports.items():
        print(kind, dict(report.counts))
        for failure in report.failures[:20]:
            print("FAILED", failure)
    return any(report.failures for report in reports.values())


if __name__ == "__main__":
    sys.exit(main())
