"""As `python -m sigver.wd.test`: train and evaluate writer-dependent SVMs on users of an .npz file.

    python examples/from_sigver/wd_test.py -m signet --model-path signet.pth --data-path gpds.npz --save-path results \\
        --exp-users 0 300 --dev-users 300 881 --gen-for-train 12

SAVE_PATH is a folder in which each finished split is saved, and where an interrupted run continues. References and
negatives are other random draws than those of sigver.
"""

from sigver_options import add_device, device_of, load_users, parser_of, run

from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import writer_dependent_experiment
from sigkit.model_selection import WriterSplit
from sigkit.transformers import SigNetFeaturizer

SEED = 1234


def main(arguments=None):
    parser = parser_of(__doc__)
    parser.add_argument("-m", dest="model", required=True, help="signet, signet_thin, signet_smaller or another one")
    parser.add_argument("--model-path", required=True, help=".pth file of sigver, or .safetensors file of sigkit")
    parser.add_argument("--data-path", required=True, help="the .npz file")
    parser.add_argument("--save-path", help="folder of the results")
    parser.add_argument("--exp-users", nargs=2, type=int, default=(0, 300), help="first and last (excluded) user")
    parser.add_argument("--dev-users", nargs=2, type=int, default=(300, 881), help="the same of the development set")
    parser.add_argument("--gen-for-train", type=int, default=12)
    parser.add_argument("--gen-for-test", type=int, default=10)
    parser.add_argument("--forg-from_exp", type=int, default=0, help="negatives from each other enrolled user")
    parser.add_argument("--forg-from_dev", type=int, default=14, help="negatives from each development user")
    parser.add_argument("--svm-type", choices=("rbf", "linear"), default="rbf")
    parser.add_argument("--svm-c", type=float, default=1.0)
    parser.add_argument("--svm-gamma", type=float, default=2.0**-11)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--folds", type=int, default=10)
    add_device(parser)
    options = parser.parse_args(arguments)
    groups = [options.exp_users, options.dev_users] if options.forg_from_dev else [options.exp_users]
    images, target, _, *dev_users = load_users(options.data_path, *groups)
    dev_users = dev_users[0] if dev_users else None
    settings = {"batch_size": options.batch_size, "device": device_of(options), "verbose": 1}
    features = SigNetFeaturizer(options.model, weights=options.model_path, **settings).fit_transform(images)
    model = WriterDependentSVC(
        options.svm_type,
        C=options.svm_c,
        gamma=options.svm_gamma,
        dev_writers=dev_users,
        n_dev_negatives=options.forg_from_dev or 1,
        n_peer_negatives=options.forg_from_exp,
        scaling="writer",
        n_jobs=-1,
        random_state=SEED,
    )
    cv = WriterSplit(options.gen_for_train, options.gen_for_test, dev_users, options.folds, random_state=SEED)
    results = writer_dependent_experiment(model, features, target, cv=cv, folder=options.save_path, verbose=1)
    print(results)


if __name__ == "__main__":
    run(main)
