"""As the other scripts of sigver's repository of adversarial examples, in one: attack verifiers, and defend them.

    python examples/from_sigver/attacks.py --dataset-path cedar.npz --defense-model-path signet.pth --save-path attacks
    python examples/from_sigver/attacks.py --dataset-path gpds.npz --users 0 300 --defense-model-path signet.pth \\
        --lk --attack-model-path signet_615_881.pth --save-path attacks_lk2

It trains the classifiers, chooses the images that all of them decide correctly, attacks them, removes the background of
attacked images by Otsu's method, and prints success rates and perturbations (`train_classifiers_choose_imgs.py`,
`cnn_attacks.py`, `lbp_attacks.py`, `evaluate_otsu.py`, `process_results.py`). Results are saved in the folder SAVE_PATH
after each attack, where an interrupted run continues.
"""

import numpy as np
from sigver_options import add_device, device_of, load_users, parser_of, run
from sklearn.pipeline import make_pipeline

from sigkit.attacks import FGM, AnnealingAttack, BoundaryAttack, CarliniWagnerL2
from sigkit.datasets import load_npz
from sigkit.estimators import WriterDependentSVC
from sigkit.experiments import AttackCampaign
from sigkit.nets import center_crop
from sigkit.transformers import BackgroundRemover, CLBPFeaturizer, SigNetFeaturizer

ATTACKS = {
    "fgm": FGM(epsilon=1000.0),
    "carlini": CarliniWagnerL2(confidence=0.5, n_search_steps=5, n_iterations=60, learning_rate=0.003),
    "anneal": AnnealingAttack(n_steps=250),
    "decision": BoundaryAttack(n_steps=250),
}
VERIFIERS = {
    "signet": [WriterDependentSVC(gamma=2.0**-11), WriterDependentSVC("linear")],
    "clbp": [
        WriterDependentSVC(gamma=2.0**-15, scaling="none"),
        WriterDependentSVC("linear", scaling="none"),
    ],
}


def main(arguments=None):
    parser = parser_of(__doc__)
    parser.add_argument("--dataset-path", required=True, help="the .npz file")
    parser.add_argument("--users", nargs=2, type=int, help="first and last (excluded) user (default: all)")
    parser.add_argument("--seed", type=int, default=1234)
    parser.add_argument("--features", nargs="+", choices=VERIFIERS, default=[*VERIFIERS])
    parser.add_argument("--defense-model-path", required=True, help="weights of the network of the systems")
    parser.add_argument("--attack-model-path", help="weights of another network, of the attacker; with --lk")
    parser.add_argument("--model", default="signet", help="architecture of .pth files (default: signet)")
    parser.add_argument("--lk", action="store_true", help="the attacker has limited knowledge")
    parser.add_argument("--attacks", nargs="+", choices=ATTACKS, default=[*ATTACKS])
    parser.add_argument("--save-path", required=True, help="folder of the results")
    add_device(parser)
    options = parser.parse_args(arguments)
    if options.users:
        images, target, _ = load_users(options.dataset_path, options.users)
    else:
        signatures = load_npz(options.dataset_path)
        images, target = signatures.images, signatures.target

    def network(path):
        return SigNetFeaturizer(options.model, weights=path, device=device_of(options))

    features = {"signet": network(options.defense_model_path), "clbp": CLBPFeaturizer()}
    systems, others = {}, {}
    for name in options.features:
        for verifier in VERIFIERS[name]:
            systems[f"{name} {verifier.kernel}"] = make_pipeline(features[name], verifier)
            if name == "signet" and options.attack_model_path:
                others[f"{name} {verifier.kernel}"] = make_pipeline(network(options.attack_model_path), verifier)
    knowledge = ("perfect",) if not options.lk else ("limited-features",) if others else ("limited",)
    campaign = AttackCampaign(
        systems,
        {name: ATTACKS[name] for name in options.attacks},
        knowledge=knowledge,
        other_features=others if options.lk else None,
        defences={"otsu": BackgroundRemover()},
        folder=options.save_path,
        random_state=options.seed,
        verbose=1,
    )
    print(campaign.run(np.ascontiguousarray(center_crop(images, (150, 220))), target))


if __name__ == "__main__":
    run(main)
