"""Error rates on simulated photographs of drawn signatures, and how many sheets without a signature are refused.

    python benchmarks/check_photographs.py [--writers N] [--empty N] [--seed N] [--cases NAME ...]
        [--backgrounds NAME ...]

References and negatives are clean scans; queries are photographs of other signatures of the same writers. The verifier
is that of `make_fused_verifier`. The EERs are global, of skilled and of random forgeries, in percent; "refused"
counts signatures in which no ink was found: they are no trials. The simulation is in `photographs.py`.
"""

import argparse
import time
import warnings

import numpy as np
from photographs import EMPTY_KINDS, photograph

from sigkit.datasets import make_signatures
from sigkit.estimators import make_fused_verifier
from sigkit.imaging import ImageError, preprocess_image
from sigkit.metrics import eer_score

CANVAS = 765, 1089
REFERENCES = (0, 1, 2, 6, 7)
"""Which of nine genuine signatures of a writer are references: some of each session."""
BACKGROUNDS = "otsu", "adaptive", "photo"
CASES = {
    "clean scans": (),
    "gradient": ("gradient", "jpeg"),
    "soft shadow": ("soft_shadow", "jpeg"),
    "hard shadow": ("hard_shadow", "jpeg"),
    "ruled paper": ("rules", "jpeg"),
    "squared paper": ("squares", "jpeg"),
    "tilt, perspective": ("tilt", "perspective", "jpeg"),
    "150 to 600 dpi": ("scale", "jpeg"),
    "frame": ("frame",),
    "line to sign on": ("sign_here",),
    "dotted line": ("dots",),
    "black edges": ("edges",),
    "specks": ("specks",),
    "show-through": ("show_through",),
    "stamp": ("stamp",),
    "black print": ("print",),
    "ruled photographs": ("rules", "gradient", "soft_shadow", "tilt", "perspective", "scale", "blur", "jpeg"),
    "squared photographs": ("squares", "gradient", "hard_shadow", "tilt", "perspective", "scale", "blur", "jpeg"),
    "photographs of forms": ("frame", "gradient", "hard_shadow", "tilt", "perspective", "scale", "blur", "jpeg"),
}


def preprocess(scans, background):
    """Return images, and whether each scan could be used."""
    images, usable = [], np.ones(len(scans), dtype=bool)
    for index, scan in enumerate(scans):
        if scan.ndim == 3 and background != "photo":
            scan = np.rint(scan @ [0.299, 0.587, 0.114]).astype(np.uint8)
        try:
            images.append(preprocess_image(scan, CANVAS, background=background).image)
        except ImageError:
            usable[index] = False
            images.append(np.zeros((170, 242), dtype=np.uint8))
    return np.array(images), usable


def error_rates(model, images, target, usable):
    """Return the EER of skilled and of random forgeries, in percent."""
    images, target = images[usable], target[usable]
    scores = model.decision_function(images)
    columns = np.searchsorted(model.classes_, target[:, 0])
    own = scores[np.arange(len(scores)), columns]
    genuine, skilled = target[:, 1] == 0, target[:, 1] > 0
    others = np.ones(scores.shape, dtype=bool)
    others[np.arange(len(scores)), columns] = False
    random = scores[genuine][others[genuine]]
    rates = []
    for forged in (own[skilled], random):
        truth = np.concatenate([np.ones(genuine.sum()), np.zeros(len(forged))])
        rates.append(100 * eer_score(truth, np.concatenate([own[genuine], forged])))
    return rates


def check_signatures(n_writers, seed, cases, backgrounds):
    scans, target = make_signatures(n_writers, 9, 4, random_state=seed)
    clean_others, others = make_signatures(20, 5, 0, random_state=99, first_writer=10_001)
    position = np.concatenate([np.arange(9 + 4)] * n_writers)
    is_reference = (target[:, 1] == 0) & np.isin(position, REFERENCES)
    queries = [scan for scan, skip in zip(scans, is_reference) if not skip]
    references = [scan for scan, keep in zip(scans, is_reference) if keep]
    print(f"{n_writers} drawn writers, {len(REFERENCES)} references, {len(queries)} queries, seed {seed}")
    models = {}
    for background in backgrounds:
        images = preprocess([*references, *clean_others], background)[0]
        writers = np.concatenate([target[is_reference, 0], others[:, 0]])
        models[background] = make_fused_verifier(dev_writers=sorted(set(others[:, 0])), random_state=0)
        models[background].fit(images, writers)
    columns = "".join(f"{background:>16s}" for background in backgrounds)
    print(f"{'EER skilled (random), %':26s}{columns}   refused, ms per image ({backgrounds[-1]})")
    for name, kinds in cases.items():
        if kinds:
            taken = [photograph(scan, kinds, np.random.default_rng([seed, row])) for row, scan in enumerate(queries)]
        else:
            taken = queries
        line = f"{name:26s}"
        for background, model in models.items():
            start = time.process_time()
            images, usable = preprocess(taken, background)
            seconds = time.process_time() - start
            skilled, random = error_rates(model, images, target[~is_reference], usable)
            line += f"{skilled:8.1f} ({random:4.1f}) "
        print(f"{line}{(~usable).sum():8d}{1000 * seconds / len(taken):8.0f}", flush=True)


def check_empty(n, seed):
    """Count sheets without a signature from which an image was made."""
    made = dict.fromkeys(EMPTY_KINDS, 0)
    for number in range(n):
        kinds = EMPTY_KINDS[number % len(EMPTY_KINDS)]
        rng = np.random.default_rng([seed, 1, number])
        sheet = photograph(None, kinds, rng, color=rng.random() < 0.7)
        try:
            preprocess_image(sheet, CANVAS, background="photo")
            made[kinds] += 1
        except ImageError:
            pass
    print(f"sheets without a signature: {sum(made.values())} of {n} gave an image")
    for kinds, count in made.items():
        if count:
            print(f"    {', '.join(kinds)}: {count}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=40)
    parser.add_argument("--empty", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--backgrounds", nargs="+", default=list(BACKGROUNDS), choices=BACKGROUNDS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    check_signatures(options.writers, options.seed, {name: CASES[name] for name in options.cases}, options.backgrounds)
    check_empty(options.empty, options.seed)


if __name__ == "__main__":
    main()
