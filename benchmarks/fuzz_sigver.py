"""Kinds of files of sigver, for `fuzz_files.py`: none of them has a digest."""

import pickle

import numpy as np
import torch
from fuzz_files import IMAGES, RNG, TARGET, Target, kind, npz_target

from sigkit.experiments import load_sigver_results
from sigkit.nets import build_network, load_sigver_weights, save_sigver_weights


@kind
def sigver_npz(folder):
    path = folder / "documented.npz"
    np.savez(path, x=IMAGES[:, None], y=TARGET[:, 0], yforg=TARGET[:, 1])
    return npz_target(path, has_digest=False)


@kind
def sigver_pth(folder):
    path = folder / "layers.pth"
    layers = {"writer_layer": torch.nn.Linear(16, 4), "forgery_layer": torch.nn.Linear(16, 1)}
    save_sigver_weights(path, build_network("tiny", seed=0), "tiny", **layers)

    def read():
        modules = load_sigver_weights(path, "tiny")
        return [tensor.numpy() for module in modules if module for tensor in module.state_dict().values()]

    return Target(path, read, "torch", has_digest=False)


@kind
def sigver_results(folder):
    path = folder / "results.pickle"
    names = "FRR", "FAR_random", "FAR_skilled", "EER", "EER_userthresholds", "mean_AUC", "global_threshold"
    metrics = {name: np.float64(RNG.random()) for name in names} | {"auc_list": [0.5, 0.9]}
    scores = {
        name: [RNG.normal(size=4), RNG.normal(size=4)] for name in ("genuinePreds", "randomPreds", "skilledPreds")
    }
    path.write_bytes(pickle.dumps([{"all_metrics": metrics, "predictions": scores}] * 2))

    def read():
        parts = [(each.y_true, each.y_score, each.writers, each.auc) for each in load_sigver_results(path)]
        return [part for split in parts for part in split]

    return Target(path, read, "pickle", has_digest=False)
