"""The time of an audit, against reading the same scans alone, and what it finds.

    python benchmarks/bench_audit.py                         10,000 synthetic scans of 200 writers
    python benchmarks/bench_audit.py --folder /data/CEDAR    the scans of a folder, and the report

`sigkit.imaging.read_image` of the same files in the same number of threads is the reference: less cannot be done. On a
machine with other work, the processor time says more than the time.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from PIL import Image

from sigkit.datasets import audit, load_folder, make_signatures
from sigkit.imaging import read_image


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", help="a folder that load_folder reads (default: synthetic scans)")
    parser.add_argument("--n-scans", type=int, default=10_000, help="number of synthetic scans (default: 10000)")
    parser.add_argument("--n-jobs", type=int, default=2, help="threads (default: 2)")
    parser.add_argument("--page", help="file for the page of pictures, such as worst.png")
    return parser.parse_args()


def draw(folder, n_scans):
    """Save synthetic scans: 25 genuine signatures and 25 skilled forgeries per writer."""
    n_writers = -(-n_scans // 50)
    scans, target = make_signatures(n_writers, 25, 25, random_state=0, n_jobs=-1)
    paths = [os.path.join(folder, f"{row}.png") for row in range(n_scans)]
    for path, scan in zip(paths, scans):
        Image.fromarray(scan).save(path, dpi=(300, 300), compress_level=1)
    return np.array(paths), target[:n_scans]


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as temporary:
        if options.folder:
            corpus = load_folder(options.folder)
            images, target = corpus.images, corpus.target
        else:
            images, target = draw(temporary, options.n_scans)
        megapixels = np.mean([np.prod(Image.open(path).size) for path in images[:: max(1, len(images) // 50)]]) / 1e6
        size = sum(Path(path).stat().st_size for path in images) / 1e6
        print(f"{len(images)} scans, {megapixels:.2f} megapixels each, {size:.0f} MB; {options.n_jobs} threads")
        start, processor = time.perf_counter(), time.process_time()
        Parallel(options.n_jobs, prefer="threads")(delayed(read_image)(path) for path in images)
        reading, reading_processor = time.perf_counter() - start, time.process_time() - processor
        start, processor = time.perf_counter(), time.process_time()
        found = audit(images, target, n_jobs=options.n_jobs, verbose=1, random_state=0)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        print(f"reading alone: {reading:.1f} s ({reading_processor:.1f} s of processor time)")
        print(f"audit: {seconds:.1f} s ({processor:.1f} s), {len(images) / seconds:.0f} scans/s")
        print(f"ratio {seconds / reading:.1f} ({processor / reading_processor:.1f})\n")
        print(found)
        if options.page:
            found.plot().figure_.savefig(options.page, dpi=100)


if __name__ == "__main__":
    main()
