"""As `python -m sigver.metalearning.train`: meta-train on some users of an .npz file, and evaluate on others.

    python examples/from_sigver/metalearning_train.py --dataset-path gpds.npz --model signet --num-updates 5 \\
        --num-rf 10 --num-sk-test 10 --epochs 100 --dev-users 350 881 --exp-users 300 350 --logdir meta
    python examples/from_sigver/metalearning_train.py ... --test --checkpoint meta/model.safetensors --exp-users 0 300

The meta-learned weights are in LOGDIR/model.safetensors. An interrupted meta-training resumes in LOGDIR.
"""

import os

import numpy as np
from sigver_options import add_device, device_of, load_users, parser_of, run
from sklearn.base import clone

from sigkit.estimators import MetaLearnedVerifier
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.training import InnerLoop, MetaTraining, SigNetTraining, StepSchedule
from sigkit.transformers import SigNetFeaturizer


def parse_arguments(arguments):
    parser = parser_of(__doc__)
    parser.add_argument("--dataset-path", required=True, help="the .npz file")
    parser.add_argument("--num-gen", type=int, default=5, help="references")
    parser.add_argument("--num-rf", type=int, default=10, help="random forgeries of the adaptation; 0 for one class")
    parser.add_argument("--num-gen-test", type=int, default=10)
    parser.add_argument("--num-rf-test", type=int, default=10, help="in meta-training; the evaluation has all")
    parser.add_argument("--num-sk-test", type=int, required=True, help="in meta-training; the evaluation has all")
    parser.add_argument("--model", required=True, help="signet, smallcnn or another architecture")
    parser.add_argument("--train-lr", type=float, default=1e-3)
    parser.add_argument("--learn-task-lr", action="store_true")
    parser.add_argument("--meta-batch-size", type=int, default=4)
    parser.add_argument("--meta-lr", type=float, default=1e-3)
    parser.add_argument("--meta-min-lr", type=float, default=1e-5)
    parser.add_argument("--num-updates", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--pretrain-epochs", type=int, default=0)
    parser.add_argument("--pretrain-forg", action="store_true")
    parser.add_argument("--pretrain-forg-lambda", type=float, default=0.95)
    parser.add_argument("--msl-epochs", type=int, default=15)
    parser.add_argument("--logdir", required=True)
    parser.add_argument("--test", action="store_true", help="evaluate the weights of --checkpoint only")
    parser.add_argument("--checkpoint", help="initial weights")
    parser.add_argument("--use-testset", action="store_true", help="evaluate on users 0 to 299 instead of 300 to 349")
    parser.add_argument("--dev-users", nargs=2, type=int, default=(350, 881), help="first and last (excluded) user")
    parser.add_argument("--exp-users", nargs=2, type=int, help="users of the evaluation")
    parser.add_argument("--devset-size", type=int, help="use that many development users, drawn at random")
    parser.add_argument("--devset-sk-size", type=int, help="use the forgeries of that many of them")
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--save-file", help="folder of the results, in LOGDIR")
    add_device(parser)
    options = parser.parse_args(arguments)
    if options.test and options.checkpoint is None:
        parser.error("--test: pass the weights with --checkpoint")
    return options


def make_verifier(options, dev_users):
    pretrain = None
    if options.pretrain_epochs:
        # The constants of sigver.
        training = SigNetTraining(
            epochs=options.pretrain_epochs, lr=0.01, schedule=StepSchedule(n_parts=1), weight_decay=1e-3
        )
        weight = options.pretrain_forg_lambda if options.pretrain_forg else None
        pretrain = SigNetFeaturizer(options.model, forgery_weight=weight, training=training)
    training = MetaTraining(
        epochs=options.epochs,
        inner_loop=InnerLoop(options.train_lr, learn_lr=options.learn_task_lr),
        pretrain=pretrain,
        multi_step_epochs=options.msl_epochs,
        meta_batch_size=options.meta_batch_size,
        lr=options.meta_lr,
        min_lr=options.meta_min_lr,
        n_queries=(options.num_gen_test, options.num_rf_test, options.num_sk_test),
        n_forgery_writers=options.devset_sk_size,
        checkpoint_dir=options.logdir,
    )
    return MetaLearnedVerifier(
        options.model,
        weights=options.checkpoint,
        dev_writers=dev_users,
        n_references=options.num_gen,
        n_random_forgeries=options.num_rf,
        n_updates=options.num_updates,
        training=training,
        device=device_of(options),
        random_state=options.seed,
        verbose=1,
    )


def main(arguments=None):
    options = parse_arguments(arguments)
    exp_users = options.exp_users or ((0, 300) if options.use_testset else (300, 350))
    images, target, _, dev_users = load_users(options.dataset_path, exp_users, options.dev_users)
    if options.devset_size is not None:
        rng = np.random.default_rng(options.seed)
        dev_users = sorted(rng.choice(dev_users, options.devset_size, replace=False).tolist())
    verifier, weights = make_verifier(options, dev_users), options.checkpoint
    if not options.test:
        rows = np.isin(target[:, 0].astype(int), dev_users)
        weights = os.path.join(options.logdir, "model.safetensors")
        verifier.fit(images[rows], target[rows]).save_weights(weights)
        print(f"The weights are in {weights}.")
    rows = np.isin(target[:, 0].astype(int), [*dev_users, *range(*exp_users)])
    cv = WriterSplit(options.num_gen, options.num_gen_test, dev_users, options.folds, random_state=options.seed)
    tested = clone(verifier).set_params(weights=weights, training=MetaTraining(epochs=0), verbose=0)
    folder = options.save_file and os.path.join(options.logdir, options.save_file)
    print(writer_dependent_experiment(tested, images[rows], target[rows], cv=cv, folder=folder, verbose=1))


if __name__ == "__main__":
    run(main)
