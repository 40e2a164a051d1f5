"""Synthetic signatures: `make_signatures` against rendering of the same movements by Pillow, in images per second.

    python benchmarks/bench_drawing.py

The plain renderer is given the simulated movements, so it has less to do: it draws discs at four times the resolution,
downsamples them, and adds paper noise. Both render at 300 dpi; sigkit runs in one process and in one per core.
"""

import argparse
import os
import time
from functools import partial

import numpy as np
from joblib import Parallel, delayed
from PIL import Image, ImageDraw

from sigkit.datasets import draw_seed, make_signatures, simulate_movements

ZOOM, DPI = 4, 300


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-writers", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def render_plain(movements, pen, rng):
    """Render movements with Pillow."""
    paths = [movement.path * DPI / 25.4 for movement in movements]
    points = np.concatenate(paths)
    left, top = points.real.min() - 30, points.imag.max() + 30
    size = int(np.ptp(points.real)) + 60, int(np.ptp(points.imag)) + 60
    sheet = Image.new("L", (ZOOM * size[0], ZOOM * size[1]), 0)
    draw = ImageDraw.Draw(sheet)
    radius = ZOOM * pen.width * DPI / 25.4 / 2
    for path in paths:
        along = np.concatenate([[0], np.cumsum(np.abs(np.diff(path)))])
        at = np.linspace(0, along[-1], int(along[-1]) + 1)
        for x, y in zip(np.interp(at, along, path.real), np.interp(at, along, path.imag)):
            x, y = ZOOM * (x - left), ZOOM * (top - y)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    ink = np.asarray(sheet.resize(size, Image.Resampling.BOX), dtype=np.float32) / 255
    paper = rng.normal(235, 5, ink.shape).astype(np.float32)
    return np.clip(paper - ink * 0.8 * paper, 0, 255).astype(np.uint8)


def main():
    options = parse_arguments()
    counts = (options.n_writers, 6, 6)
    total = options.n_writers * 12
    writers = range(1, options.n_writers + 1)
    rng = np.random.default_rng(0)
    movements = [simulate_movements(draw_seed(0), writer, 0, 1, "mixed", rng) for writer in writers]
    n_cores = os.cpu_count()
    Parallel(n_jobs=n_cores)(delayed(make_signatures)(1, 1, 0) for _ in range(n_cores))
    rates = {"Pillow, one process": [], "sigkit, one process": [], f"sigkit, {n_cores} processes": []}
    timed = [lambda: [render_plain(*written, np.random.default_rng(0)) for written in movements]]
    timed += [partial(make_signatures, *counts, random_state=0, n_jobs=n_jobs) for n_jobs in (1, n_cores)]
    for _ in range(options.rounds):
        for found, call, count in zip(rates.values(), timed, (options.n_writers, total, total)):
            start = time.perf_counter()
            call()
            found.append(count / (time.perf_counter() - start))
    reference = np.median(rates["Pillow, one process"])
    for name, found in rates.items():
        rate = np.median(found)
        print(f"{name:24} {rate:6.0f} images/s, ratio {rate / reference:.1f}")


if __name__ == "__main__":
    main()
