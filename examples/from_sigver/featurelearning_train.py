"""As `python -m sigver.featurelearning.train`: train SigNet or SigNet-F on users of an .npz file.

    python examples/from_sigver/featurelearning_train.py --model signet --dataset-path gpds.npz --users 300 881 \\
        --epochs 60 --logdir signet
    python examples/from_sigver/featurelearning_train.py --model signet --dataset-path gpds.npz --users 300 881 \\
        --epochs 60 --forg --lamb 0.95 --logdir signet_f

The weights of the best epoch are in LOGDIR/model_best.pth, in sigver's format. An interrupted training resumes
in LOGDIR.
"""

import os

from sigver_options import add_device, device_of, load_users, parser_of, run

from sigkit.nets import save_sigver_weights
from sigkit.training import SigNetTraining, SoftmaxLoss, StepSchedule
from sigkit.transformers import SigNetFeaturizer


def make_parser(description):
    parser = parser_of(description)
    parser.add_argument("--dataset-path", required=True, help="the .npz file")
    parser.add_argument("--users", nargs=2, type=int, default=(350, 881), help="first and last (excluded) user")
    parser.add_argument("--model", required=True, help="signet, signet_thin, signet_smaller or another architecture")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--lr-decay", type=float, default=0.1)
    parser.add_argument("--lr-decay-times", type=int, default=3)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--forg", action="store_true", help="also train on forgeries")
    parser.add_argument("--lamb", type=float, default=0.95, help="weight of the forgery loss, with --forg")
    parser.add_argument("--logdir", required=True)
    add_device(parser)
    return parser


def make_featurizer(options, model, logdir, loss_type="L2"):
    training = SigNetTraining(
        SoftmaxLoss(writer_term="all" if loss_type == "L1" else "genuine"),
        epochs=options.epochs,
        batch_size=options.batch_size,
        lr=options.lr,
        schedule=StepSchedule(decay=options.lr_decay, n_parts=options.lr_decay_times),
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        checkpoint_dir=logdir,
    )
    return SigNetFeaturizer(
        model,
        forgery_weight=options.lamb if options.forg else None,
        training=training,
        device=device_of(options),
        random_state=options.seed,
        verbose=1,
    )


def train(options, featurizer):
    """Fit a featurizer, or a trainer that wraps one, and write its weights."""
    images, target, _ = load_users(options.dataset_path, options.users)
    trained = featurizer.fit(images, target)
    trained = getattr(trained, "estimator_", trained)
    layers, path = trained.net_.module_, os.path.join(options.logdir, "model_best.pth")
    layers = {"writer_layer": layers.writers, "forgery_layer": layers.forgery}
    save_sigver_weights(path, trained.network_, trained.architecture_, **layers)
    print(f"The weights are in {path}.")


def main(arguments=None):
    parser = make_parser(__doc__)
    parser.add_argument("--loss-type", choices=("L1", "L2"), default="L2", help="equation 3 or 4 of arXiv:1705.05787")
    options = parser.parse_args(arguments)
    train(options, make_featurizer(options, options.model, options.logdir, options.loss_type))


if __name__ == "__main__":
    run(main)
