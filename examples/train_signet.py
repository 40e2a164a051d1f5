"""Learn features from a corpus: train a network, on a processor or an accelerator, and write its weights.

    python examples/train_signet.py bhsig260 /data/BHSig260 signet.safetensors --checkpoint-dir run
    python examples/train_signet.py cedar /data/CEDAR signet.safetensors --recipe signet --epochs 60
    torchrun --nproc-per-node 4 examples/train_signet.py gpds /data/GPDS signet.safetensors --recipe signet-f
    python examples/train_signet.py bhsig260 /data/BHSig260 robust.safetensors --recipe genuine --adversarial 510

Killed and started again with the same arguments, it goes on after the last whole epoch and ends with the same weights.
Of BHSig260, Bengali writers 1 to 20 and Hindi writers 61 to 80 are not trained on (`--hold-out`), so that
`examples/features_table.py` can measure on them. Recipes:

transfer   features that carry over to other corpora: a residual network, forgeries and mirror images as writers of
           their own, a cosine margin, distorted images (the default)
genuine    the same from genuine signatures alone, without mirror images, in 16 epochs
mixed      from the weights in the package, the corpus and drawn signatures of `--drawn` writers together
signet     the original recipe: SigNet, genuine signatures, random crops
signet-f   the same with forgeries and a forgery loss (lambda 0.95, equation 4)
"""

import argparse
import os

import numpy as np
from corpus import CORPORA, load
from train_synthetic import N_GENUINE, check_weights_path, draw

from sigkit.transformers import (
    SYNTHETIC_RECIPE,
    TRANSFER_RECIPE,
    SignaturePreprocessor,
    SigNetFeaturizer,
    TrainingCurvesDisplay,
)

RECIPES = {
    "transfer": TRANSFER_RECIPE,
    "genuine": TRANSFER_RECIPE | {"forgery_classes": False, "mirrored_classes": False, "epochs": 16},
    "mixed": SYNTHETIC_RECIPE | {"initial_weights": "synthetic", "lr": 0.02, "epochs": 8},
    "signet": {"architecture": "signet"},
    "signet-f": {"architecture": "signet", "forgery_weight": 0.95},
}
HELD_OUT = {"bhsig260": {"Bengali 1-20": "B-001:B-020", "Hindi 61-80": "H-061:H-080"}}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=CORPORA)
    parser.add_argument("folder", help="where the corpus is")
    parser.add_argument("weights", help="the file to write, .safetensors")
    parser.add_argument("--pattern", help="how the files are named, for the corpus 'folder'")
    parser.add_argument("--recipe", choices=RECIPES, default="transfer")
    parser.add_argument("--architecture", help="another network than the recipe's")
    parser.add_argument("--epochs", type=int, help="another number than the recipe's")
    parser.add_argument("--adversarial", type=float, metavar="EPSILON", help="learn images attacked by so much")
    parser.add_argument("--attack-steps", type=int, default=3, help="of each attack in training (default: 3)")
    parser.add_argument("--hold-out", nargs="*", metavar="FIRST:LAST", help="writers not to train on, by ranges of ids")
    parser.add_argument("--n-writers", type=int, help="train on the first so many writers only, for a trial")
    parser.add_argument("--drawn", type=int, default=0, metavar="N", help="learn from so many drawn writers besides")
    parser.add_argument("--drawn-dir", help="folder that keeps the drawn signatures, for --drawn")
    parser.add_argument("--checkpoint-dir", help="folder that keeps the state of the training")
    parser.add_argument("--memory", help="folder that remembers preprocessed images")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "auto"), default="float32")
    parser.add_argument("--device", help="cpu or cuda; an accelerator if there is one")
    parser.add_argument("--half", action="store_true", help="write the weights in half precision")
    parser.add_argument("--curves", help="file for the learning curves, such as curves.png")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def is_held_out(writers, ranges):
    """Tell which writers lie in ranges of ids, as text or as numbers."""
    held = np.zeros(len(writers), dtype=bool)
    for text in ranges:
        first, _, last = text.partition(":")
        first, last = (type(writers[0])(end) for end in (first, last or first))
        held |= (writers >= first) & (writers <= last)
    return held


def check_drawing(options):
    """Refuse what the drawn signatures make no sense with."""
    if options.drawn < 0:
        raise ValueError(f"--drawn {options.drawn}: the number of drawn writers is at least 0.")
    if options.drawn and not options.drawn_dir:
        raise ValueError("--drawn: name a folder with --drawn-dir, in which the drawn signatures are kept.")
    if options.recipe == "mixed" and not options.drawn:
        raise ValueError("--recipe mixed: say with --drawn how many drawn writers to learn from.")
    if options.recipe == "mixed" and options.architecture:
        raise ValueError("--recipe mixed: the architecture is that of the weights in the package; leave it out.")


def draw_once(options):
    """Draw signatures, or read those that the first of several processes has drawn."""
    settings = options.drawn_dir, options.drawn, N_GENUINE, options.seed, -1
    if "LOCAL_RANK" in os.environ:
        import torch

        if torch.distributed.get_rank() == 0:
            draw(*settings)
        torch.distributed.barrier()
    return draw(*settings)


def main():
    options = parse_arguments()
    if "LOCAL_RANK" in os.environ:
        import torch

        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        torch.distributed.init_process_group()
    check_drawing(options)
    corpus = load(options)
    writers = np.array(corpus.target[:, 0].tolist())
    ranges = list(HELD_OUT.get(options.corpus, {}).values()) if options.hold_out is None else options.hold_out
    for text in ranges:
        if not is_held_out(writers, [text]).any():
            raise ValueError(
                f"--hold-out {text}: there is no such writer; the ids are {writers.min()} to {writers.max()}."
            )
    check_weights_path(options.weights)
    known = np.unique(writers[~is_held_out(writers, ranges)])[: options.n_writers]
    rows = np.flatnonzero(np.isin(writers, known))
    print(f"{len(rows)} scans of {len(known)} writers to learn from, without {' '.join(ranges) or 'exception'}")

    preprocessor = SignaturePreprocessor(canvas_size=corpus.canvas_size, memory=options.memory, n_jobs=-1, verbose=1)
    images = preprocessor.fit_transform([corpus.images[row] for row in rows])
    target = corpus.target[rows]
    if options.drawn:
        drawn, drawn_target = draw_once(options)
        drawn_target = [(f"drawn-{writer}", forgery) for writer, forgery in drawn_target.tolist()]
        images = np.concatenate([images, drawn])
        target = np.array([(str(writer), forgery) for writer, forgery in target.tolist()] + drawn_target, dtype=object)
        print(f"and {len(drawn)} drawn signatures of {options.drawn} writers")
    recipe = dict(RECIPES[options.recipe])
    for name in ("architecture", "epochs"):
        if getattr(options, name) is not None:
            recipe[name] = getattr(options, name)
    featurizer = SigNetFeaturizer(
        **recipe,
        checkpoint_dir=options.checkpoint_dir,
        device=options.device,
        precision=options.precision,
        random_state=options.seed,
        verbose=1,
    )
    if options.adversarial:
        from sigkit.estimators import AdversarialTrainer

        featurizer = AdversarialTrainer(featurizer, epsilon=options.adversarial, n_steps=options.attack_steps)
    featurizer.fit(images, target)
    if int(os.environ.get("RANK", 0)) == 0:
        learned = f"{options.corpus}, {len(known)} writers" + f" and {options.drawn} drawn ones" * bool(options.drawn)
        featurizer.save_weights(options.weights, corpus=learned, half=options.half)
        print(f"The weights are in {options.weights}.")
        if options.curves:
            trained = getattr(featurizer, "estimator_", featurizer)
            TrainingCurvesDisplay.from_featurizer(trained).figure_.savefig(options.curves, dpi=150)
    if "LOCAL_RANK" in os.environ:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
