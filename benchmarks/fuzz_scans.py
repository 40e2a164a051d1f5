"""Read damaged and malicious image files, each in a child process: an image or an error, quickly, in little memory.

    python benchmarks/fuzz_scans.py [--mutations 30000] [--bombs 30] [--folder SCANS] [--seed 0]

Seeds are synthetic signatures in all formats and modes that are read, and also every file of a folder if one is given.
Mutations flip bits, cut, insert, clear blocks, or change fields of headers; bombs are small files that ask for much.
Each file is read and preprocessed with a background in turn. The exit status is 1 if an error is no `ImageError` that
names the file, if a warning does not name it, or if a file takes 10 s of processor time or 1 GB of memory in all.
"""

import argparse
import io
import multiprocessing
import os
import random
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from sigkit.datasets import make_signatures

MAX_SECONDS, MAX_BYTES = 10, 10**9
MAX_WALL = 60
"""Seconds until a child is killed: other processes may have the processor."""

CANVAS = (730, 1042)


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
    pack, packed = zlib.compressobj(9), []
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
    """Yield the names of files, and functions that return their contents or create them at a path."""
    size = {256: (4, (10,)), 257: (4, (10,)), 258: (3, (8,)), 259: (3, (1,)), 262: (3, (1,))}
    deflated = zlib.compress(bytes(60_000), 9)
    small = encode(Image.new("L", (40, 40), 255), "PNG")
    yield "60,000 x 40 PNG of two values", lambda: png(60_000, 40, 1)
    yield "182 megapixels PNG of two values", lambda: png(14_000, 13_000, 1)
    yield "182 megapixels TIFF of a fax", lambda: fax(14_000, 13_000)
    yield "182 megapixels PNG of gray", lambda: png(13_500, 13_500)
    yield "144 megapixels PNG of color", lambda: png(12_000, 12_000, 8, 2)
    yield "144 megapixels PNG of transparent color", lambda: png(12_000, 12_000, 8, 6, row=bytes(4 * 12_000))
    yield "180 megapixels PNG of 16-bit gray", lambda: png(13_400, 13_400, 16)
    yield "900 megapixels PNG", lambda: png(30_000, 30_000)
    yield "PNG one pixel wide", lambda: png(1, 30_000_000)
    yield "PNG one pixel high", lambda: png(30_000_000, 1)
    yield (
        "PNG with a compressed text",
        lambda: small[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**9))) + small[33:],
    )
    yield (
        "PNG with a compressed profile",
        lambda: small[:33] + chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**9))) + small[33:],
    )
    yield (
        "JPEG of 4 gigapixels",
        lambda: encode(Image.new("L", (9, 9)), "JPEG").replace(b"\0\x09\0\x09", b"\xff\xff\xff\xff"),
    )
    yield (
        "64 megapixels progressive JPEG",
        lambda: encode(Image.new("RGB", (8000, 8000)), "JPEG", progressive=True, subsampling=0),
    )
    yield "JPEG with more than 100 scans", lambda: repeated_scans(100)
    yield "JPEG with 30 scans", lambda: repeated_scans(20)
    yield (
        "WebP of 268 megapixels",
        lambda: b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + struct.pack("<IBIBI", 10, 0x2F, 0xFFFFFFF, 0, 0),
    )
    yield "34 megapixels WebP", lambda: encode(Image.effect_noise((5800, 5800), 90), "WEBP", quality=1, method=0)
    yield (
        "34 megapixels WebP, lossless",
        lambda: encode(Image.effect_noise((5800, 5800), 9).convert("RGB"), "WEBP", lossless=True, method=0),
    )
    yield "GIF of 4 gigapixels", lambda: gif(65535, 65535, 65535, 65535)
    yield "GIF with a frame larger than its screen", lambda: gif(1, 1, 65535, 65535)
    yield (
        "TIFF with a tile of 60,000 x 60,000",
        lambda: tiff(
            size
            | {259: (3, (8,)), 322: (4, (60_000,)), 323: (4, (60_000,)), 324: (4, (8,)), 325: (4, (len(deflated),))},
            deflated,
        ),
    )
    yield (
        "TIFF with 60,000 strips of the same bytes",
        lambda: tiff(
            size
            | {
                256: (4, (3000,)),
                257: (4, (60_000,)),
                259: (3, (8,)),
                273: (4, (8,) * 60_000),
                278: (3, (1,)),
                279: (4, (len(deflated),) * 60_000),
            },
            deflated,
        ),
    )
    yield (
        "TIFF with 65,000 damaged tags",
        lambda: tiff(
            size | {273: (4, (8,)), 279: (4, (100,))} | {tag: (4, (2**31,) * 2) for tag in range(400, 65_400)},
            bytes(range(100)),
        )[:-200_000],
    )
    yield (
        "JPEG with 5,000 damaged tags",
        lambda: encode(
            Image.new("L", (40, 40)),
            "JPEG",
            exif=b"Exif\0\0" + tiff({tag: (4, (2**31,)) for tag in range(5000)}).replace(b"\4\0\1\0", b"\4\0\xff\xff"),
        ),
    )
    yield "PPM with a long comment", lambda: b"P5 #" + b"c" * 200_000_000
    yield "PGM of plain text", lambda: b"P2 9999 9999 255\n" + b"#\n" * 50_000_000
    yield (
        "BMP with run lengths",
        lambda: (
            b"BM"
            + struct.pack("<IIIIiiHHIIIIII", 0, 0, 1078, 40, 14_000, 14_000, 1, 8, 1, 0, 0, 0, 256, 0)
            + bytes(range(256)) * 4
            + b"\xff\1" * 2_000_000
        ),
    )
    yield "PostScript", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n"
    yield "a file of 50 GB", lambda path: os.truncate(path, 50 * 10**9)
    if hasattr(os, "mkfifo"):
        yield "a named pipe", lambda path: (path.unlink(), os.mkfifo(path))
        yield "an endless device", lambda path: (path.unlink(), path.symlink_to("/dev/zero"))


def examine(path, background):
    """Read and preprocess a file; return what came of it, the kind in detail, and the warnings."""
    import warnings

    from sigkit.imaging import ImageError, crop_ink, place_ink, read_image

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            # The first step raises the errors of the file, and the second those of its content, which callers name.
            image = read_image(path)
            try:
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


def work(connection, errors):
    """Examine the files that come through a connection; standard error goes into a file."""
    os.dup2(os.open(errors, os.O_RDWR | os.O_CREAT), 2)
    while True:
        path, background = connection.recv()
        before, start = os.lseek(2, 0, os.SEEK_END), time.process_time()
        reset_peak()
        outcome = examine(path, background)
        noise = os.lseek(2, 0, os.SEEK_END) > before
        connection.send((*outcome, noise, time.process_time() - start, peak_bytes()))


def reset_peak():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        # The peak is that of the whole life of the process.
        pass


def peak_bytes():
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Child:
    """A process that examines one file after another, and is replaced if it hangs or dies."""

    def __init__(self, folder):
        self.errors, self.process = folder / "stderr", None

    def examine(self, path, background):
        if self.process is None:
            self.connection, other = multiprocessing.Pipe()
            self.process = multiprocessing.get_context("spawn").Process(
                target=work, args=(other, self.errors), daemon=True
            )
            self.process.start()
            other.close()
        try:
            self.connection.send((path, background))
            if self.connection.poll(MAX_WALL):
                return self.connection.recv()
            outcome = "hang", ""
        except (EOFError, OSError):
            outcome = "raw", "the process died"
        self.process.kill()
        self.process.join()
        self.process = None
        return *outcome, [], False, 0.0, 0


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=30_000)
    parser.add_argument("--bombs", type=int, default=100, help="the largest number of bombs")
    parser.add_argument("--folder", type=Path, help="real files as further seeds")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    seeds = make_seeds()
    if options.folder:
        files = sorted(path for path in options.folder.rglob("*") if path.is_file())
        seeds |= {str(path): path.read_bytes() for path in files}
    rng = random.Random(options.seed)
    names = sorted(seeds)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        child, failures = Child(folder), []
        print(f"{len(seeds)} seeds of {sum(map(len, seeds.values())) / len(seeds) / 1000:.1f} kB on average")
        totals = [Counter(), Counter()]
        for stage, items in enumerate((mutations(options.mutations, seeds, names, rng), bombs(options.bombs))):
            for number, (name, make) in enumerate(items):
                path = folder / "scan.png"
                path.unlink(missing_ok=True)
                make(path)
                background = ("otsu", "adaptive", "none")[number % 3]
                result = child.examine(path, background)
                outcome, detail, warned, noise, seconds, peak = result
                totals[stage][outcome] += 1
                totals[stage]["complaint of a decoder beside an image"] += noise and outcome == "image"
                unnamed = [text for text in warned if path.name not in text]
                found = {
                    "raw error": outcome == "raw",
                    "above 10 s": outcome == "hang" or seconds > MAX_SECONDS,
                    "above 1 GB": peak > MAX_BYTES,
                    "warning without the file's name": bool(unnamed),
                }
                totals[stage].update({kind: int(is_found) for kind, is_found in found.items()})
                totals[stage]["slowest, ms"] = max(totals[stage]["slowest, ms"], round(1000 * seconds))
                totals[stage]["most memory, MB"] = max(totals[stage]["most memory, MB"], round(peak / 1e6))
                if any(found.values()):
                    kinds = ", ".join(kind for kind, is_found in found.items() if is_found)
                    failures.append(
                        f"{name}, {background}: {kinds} ({detail[:200]} {seconds:.1f} s {peak / 1e6:.0f} MB {unnamed[:1]})"
                    )
                if stage:
                    print(f"  {name}: {outcome} {detail[:100]}; {seconds:.1f} s, {peak / 1e6:.0f} MB")
            print(("mutations", "bombs")[stage], dict(totals[stage]))
    for failure in failures[:20]:
        print("FAILED", failure)
    return bool(failures)


def mutations(number, seeds, names, rng):
    for _ in range(number):
        name = rng.choice(names)
        content, kind = mutate(seeds[name], rng)
        yield f"{name}, {kind}", lambda path, content=content: path.write_bytes(content)


def bombs(number):
    for (name, make), _ in zip(make_bombs(), range(number)):
        if make.__code__.co_argcount:
            yield name, lambda path, make=make: (path.touch(), make(path))
        else:
            yield name, lambda path, make=make: path.write_bytes(make())


if __name__ == "__main__":
    sys.exit(main())
