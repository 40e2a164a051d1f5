"""As `python -m sigver.adversarial.train_madry`: train on images attacked by projected gradient descent.

    python examples/from_sigver/train_madry.py --dataset-path gpds.npz --users 350 615 --model signet --epochs 60 \\
        --attack-l2 2 --logdir signet_madry
"""

from featurelearning_train import make_featurizer, make_parser, train
from sigver_options import run

from sigkit.estimators import AdversarialTrainer


def main(arguments=None):
    parser = make_parser(__doc__)
    parser.add_argument("--attack-steps", type=int, default=200)
    parser.add_argument("--attack-l2", type=float, default=20, help="radius, in units of full ink")
    options = parser.parse_args(arguments)
    featurizer = make_featurizer(options, options.model, options.logdir)
    # Pixels are from 0 to 1 in sigver, and from 0 to 255 here.
    train(options, AdversarialTrainer(featurizer, epsilon=255 * options.attack_l2, n_steps=options.attack_steps))


if __name__ == "__main__":
    run(main)
