"""Quality of scans: the share of sound scans that are flagged, and the share of drawn defects that are found.

    python benchmarks/check_scan_quality.py [FOLDER_OF_CORPORA] [--every N] [--writers N]

The folder has CEDAR, BHSig260 and SigComp2011, as far as they are there, and `--every N` takes each Nth scan of them.
The defects are drawn on synthetic signatures of 100 to 600 dpi. The command fails if more than 1 % of all scans of the
folder or of the synthetic signatures are flagged, or fewer than 98 % of a defect are found. Some scans of the corpora
do have defects: CEDAR has printed lines at borders, and signatures that are cut off.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from scan_defects import DEFECTS, cut_off

from sigkit.datasets import make_signatures
from sigkit.imaging import check_scan, read_image

CORPORA = ("CEDAR", "BHSig260/Bengali", "BHSig260/Hindi", "SigComp2011")
RESOLUTIONS = (100, 150, 200, 300, 400, 600)
MAX_FLAGGED, MIN_FOUND = 0.01, 0.98


def report(name, found):
    """Print the share of scans with problems, and how many have which; return the share."""
    share = float(np.mean([bool(problems) for problems in found])) if found else float("nan")
    kinds = Counter(kind for problems in found for kind in problems)
    listed = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    print(f"{name:24} {len(found):6} {share:8.2%}  {listed}", flush=True)
    return share


def check_corpora(folder, every):
    """Check the scans of all corpora; return whether few are flagged."""
    everything = []
    for corpus in CORPORA:
        paths = sorted(path for path in (folder / corpus).rglob("*") if path.suffix.lower() in (".png", ".tif"))
        found = [check_scan(read_image(path)).problems for path in paths[::every]]
        report(corpus, found)
        everything += found
    return report("all corpora", everything) <= MAX_FLAGGED


def check_drawn(n_writers):
    """Check synthetic signatures, and the same with defects; return whether few are flagged and most are found."""
    sound, defects, beside = [], {name: [] for name in DEFECTS}, []
    for resolution in RESOLUTIONS:
        settings = {"n_skilled": 1, "n_simple": 1, "scan": "mixed", "resolution": resolution}
        scans, _ = make_signatures(n_writers, 1, random_state=resolution, **settings)
        sound += [check_scan(scan).problems for scan in scans]
        for number, scan in enumerate(scans):
            for name, draw in DEFECTS.items():
                poor = draw(scan, np.random.default_rng([resolution, number]), resolution)
                if poor is not None:
                    defects[name].append(check_scan(poor).problems)
            beside.append(check_scan(cut_off(scan, number % 2 + 2, 0.4)).problems)
    ok = report("synthetic, sound", sound) <= MAX_FLAGGED
    for name, found in defects.items():
        ok &= report(name, found) >= MIN_FOUND
    # Of most, only one or two strokes reach the border: closely cropped signatures look like that.
    report("cut at left or right", beside)
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="folder of corpora")
    parser.add_argument("--every", type=int, default=1, help="take each Nth scan of a corpus (default: 1)")
    parser.add_argument("--writers", type=int, default=40, help="synthetic writers per resolution (default: 40)")
    options = parser.parse_args()
    print(f"{'scans':24} {'number':>6} {'flagged':>8}  problems")
    ok = check_corpora(options.folder, options.every) if options.folder else True
    if not check_drawn(options.writers) or not ok:
        raise SystemExit(f"more than {MAX_FLAGGED:.0%} flagged, or fewer than {MIN_FOUND:.0%} of a defect found")


if __name__ == "__main__":
    main()
