"""As `python -m sigver.adversarial.train_ensadv`: train on images, and on attacks on several networks.

    python examples/from_sigver/train_ensadv.py --dataset-path gpds.npz --users 350 615 --model signet --epochs 60 \\
        --eps 5 --trained-models signet_thin thin signet_smaller smaller --logdir signet_ensadv

`--trained-models` takes pairs of a model and the LOGDIR of its training with the same users and options; one that is
not finished, or does not exist, is trained first.
"""

from featurelearning_train import make_featurizer, make_parser, train
from sigver_options import run

from sigkit.estimators import EnsembleAdversarialTrainer


def main(arguments=None):
    parser = make_parser(__doc__)
    parser.add_argument("--trained-models", nargs="*", default=[], metavar=("MODEL", "LOGDIR"))
    parser.add_argument("--eps", type=float, default=5, help="length of the attack, in units of full ink")
    parser.add_argument("--alpha", type=float, default=0.5, help="share of unchanged images in the loss")
    options = parser.parse_args(arguments)
    if len(options.trained_models) % 2:
        raise ValueError("--trained-models: pass pairs of a model and a folder.")
    pairs = zip(options.trained_models[::2], options.trained_models[1::2])
    surrogates = [make_featurizer(options, *pair) for pair in pairs]
    featurizer = make_featurizer(options, options.model, options.logdir)
    train(options, EnsembleAdversarialTrainer(featurizer, surrogates, epsilon=255 * options.eps, alpha=options.alpha))


if __name__ == "__main__":
    run(main)
