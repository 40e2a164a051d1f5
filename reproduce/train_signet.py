"""Train a network on a corpus, on a CPU or an accelerator, and write its weights.

    python reproduce/train_signet.py bhsig260 /data/BHSig260 signet.safetensors --checkpoint-dir run
    python reproduce/train_signet.py cedar /data/CEDAR signet.safetensors --recipe signet --epochs 60
    torchrun --nproc-per-node 4 reproduce/train_signet.py gpds /data/GPDS signet.safetensors --recipe signet-f
    python reproduce/train_signet.py bhsig260 /data/BHSig260 robust.safetensors --recipe genuine --adversarial 510

If it is interrupted and started again with the same arguments, it resumes after the last complete epoch and ends with
the same weights. Bengali writers 1 to 20 and Hindi writers 61 to 80 of BHSig260 are held out (`--hold-out`), so that
`reproduce/features_table.py` can evaluate on them. Recipes:

transfer   features that transfer to other corpora: a residual network, forgeries and mirror images as additional
           classes, a cosine margin, distorted images (the default)
genuine    the same with genuine signatures only, without mirror images, for 16 epochs
mixed      from the weights in the package, on the corpus and on synthetic signatures of `--drawn` writers together
signet     the original recipe: SigNet, genuine signatures, random crops
signet-f   the same with forgeries and a forgery loss (lambda 0.95, equation 4)

Expected on CEDAR with weights of the recipe `transfer`, by `reproduce/features_table.py` (23 November 2026): EER 10.51
+- 0.57 % with a global and 7.09 +- 0.63 % with user-specific thresholds, by "sigver"; of `mixed`, with 1,000 synthetic
writers (25 November 2026), 8.45 +- 0.84 % and 5.00 +- 0.40 %.
"""

import argparse
import os

import numpy as np
from sklearn.base import clone
from train_synthetic import N_GENUINE, check_weights_path, draw

from sigkit.datasets import list_corpora, load_corpus, load_folder
from sigkit.training import SYNTHETIC_RECIPE, TRANSFER_RECIPE, SigNetTraining, TrainingCurvesDisplay
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

RECIPES = {
    "transfer": SigNetFeaturizer("signet_residual", training=TRANSFER_RECIPE),
    "genuine": SigNetFeaturizer(
        "signet_residual", training=clone(TRANSFER_RECIPE).set_params(extra_classes=(), epochs=16)
    ),
    "mixed": SigNetFeaturizer(
        "signet_small",
        initial_weights="synthetic",
        training=clone(SYNTHETIC_RECIPE).set_params(lr=0.02, epochs=8),
    ),
    "signet": SigNetFeaturizer("signet", training=SigNetTraining()),
    "signet-f": SigNetFeaturizer("signet", forgery_weight=0.95, training=SigNetTraining()),
}
HELD_OUT = {"bhsig260": {"Bengali 1-20": "B-001:B-020", "Hindi 61-80": "H-061:H-080"}}
CORPORA = (*list_corpora(), "folder")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=CORPORA)
    parser.add_argument("folder", help="the folder of the corpus")
    parser.add_argument("weights", help="the file to write, .safetensors")
    parser.add_argument("--pattern", help="how the files are named, for the corpus 'folder'")
    parser.add_argument("--recipe", choices=RECIPES, default="transfer")
    parser.add_argument("--architecture", help="use another network than that of the recipe")
    parser.add_argument("--epochs", type=int, help="use another number than that of the recipe")
    parser.add_argument(
        "--adversarial", type=float, metavar="EPSILON", help="adversarial training, with attacks of at most this length"
    )
    parser.add_argument("--attack-steps", type=int, default=3, help="steps of each attack in training (default: 3)")
    parser.add_argument("--hold-out", nargs="*", metavar="FIRST:LAST", help="ranges of ids of writers not to train on")
    parser.add_argument("--n-writers", type=int, help="train on the first N writers only, for a trial")
    parser.add_argument(
        "--drawn", type=int, default=0, metavar="N", help="also train on synthetic signatures of N writers"
    )
    parser.add_argument("--drawn-dir", help="folder in which the synthetic signatures are stored")
    parser.add_argument("--checkpoint-dir", help="folder in which the state of the training is stored")
    parser.add_argument("--memory", help="folder in which preprocessed images are cached")
    parser.add_argument("--precision", choices=("float32", "bfloat16", "auto"), default="float32")
    parser.add_argument("--device", help="cpu or cuda (default: an accelerator if there is one)")
    parser.add_argument("--half", action="store_true", help="write the weights in half precision")
    parser.add_argument("--curves", help="write the learning curves to this file, such as curves.png")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def load(options):
    if options.corpus == "folder":
        return load_folder(options.folder, options.pattern, on_error="skip")
    return load_corpus(options.corpus, options.folder, on_error="skip")


def is_held_out(writers, ranges):
    """Return a mask of the writers whose ids, strings or numbers, are in one of the ranges."""
    held = np.zeros(len(writers), dtype=bool)
    for text in ranges:
        first, _, last = text.partition(":")
        first, last = (type(writers[0])(end) for end in (first, last or first))
        held |= (writers >= first) & (writers <= last)
    return held


def check_drawing(options):
    """Check the arguments that concern synthetic signatures."""
    if options.drawn < 0:
        raise ValueError(f"--drawn {options.drawn}: the number of synthetic writers must be at least 0.")
    if options.drawn and not options.drawn_dir:
        raise ValueError("--drawn: name a folder for the synthetic signatures with --drawn-dir.")
    if options.recipe == "mixed" and not options.drawn:
        raise ValueError("--recipe mixed: set the number of synthetic writers with --drawn.")
    if options.recipe == "mixed" and options.architecture:
        raise ValueError(
            "--recipe mixed: the architecture is that of the weights in the package; leave out --architecture."
        )


def draw_once(options):
    """Make synthetic signatures; of several processes the first makes them and the others read them."""
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
            raise ValueError(f"--hold-out {text}: no such writer; the ids are {writers.min()} to {writers.max()}.")
    check_weights_path(options.weights)
    known = np.unique(writers[~is_held_out(writers, ranges)])[: options.n_writers]
    rows = np.flatnonzero(np.isin(writers, known))
    print(f"Training on {len(rows)} scans of {len(known)} writers; held out: {' '.join(ranges) or 'none'}")

    preprocessor = SignaturePreprocessor(canvas_size=corpus.canvas_size, memory=options.memory, n_jobs=-1, verbose=1)
    images = preprocessor.fit_transform([corpus.images[row] for row in rows])
    target = corpus.target[rows]
    if options.drawn:
        drawn, drawn_target = draw_once(options)
        drawn_target = [(f"drawn-{writer}", forgery) for writer, forgery in drawn_target.tolist()]
        images = np.concatenate([images, drawn])
        target = np.array([(str(writer), forgery) for writer, forgery in target.tolist()] + drawn_target, dtype=object)
        print(f"and on {len(drawn)} synthetic signatures of {options.drawn} writers")
    featurizer = clone(RECIPES[options.recipe]).set_params(
        training__checkpoint_dir=options.checkpoint_dir,
        device=options.device,
        precision=options.precision,
        random_state=options.seed,
        verbose=1,
    )
    if options.architecture is not None:
        featurizer.set_params(architecture=options.architecture)
    if options.epochs is not None:
        featurizer.set_params(training__epochs=options.epochs)
    if options.adversarial:
        from sigkit.estimators import AdversarialTrainer

        featurizer = AdversarialTrainer(featurizer, epsilon=options.adversarial, n_steps=options.attack_steps)
    featurizer.fit(images, target)
    if int(os.environ.get("RANK", 0)) == 0:
        trained_on = f"{options.corpus}, {len(known)} writers"
        if options.drawn:
            trained_on += f" and {options.drawn} synthetic ones"
        featurizer.save_weights(options.weights, corpus=trained_on, half=options.half)
        print(f"The weights are in {options.weights}.")
        if options.curves:
            TrainingCurvesDisplay.from_estimator(featurizer).figure_.savefig(options.curves, dpi=150)
    if "LOCAL_RANK" in os.environ:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
