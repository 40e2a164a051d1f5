"""What the scripts of this folder share: users of an .npz file, the device, and the options of a training."""

import argparse
import sys

import numpy as np

from sigkit.datasets import load_npz


def parser_of(description):
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_device(parser):
    parser.add_argument("--gpu-idx", type=int, default=0, help="number of the accelerator, if there is one")


def device_of(options):
    """Return the device of `--gpu-idx`, or the CPU."""
    import torch

    return f"cuda:{options.gpu_idx}" if torch.cuda.is_available() else "cpu"


def users(first_and_last):
    """Return the users of an option such as `--users 300 881`, the last one excluded."""
    return list(range(*first_and_last))


def load_users(path, *groups):
    """Load images and target of some groups of users; return them with the users of each group that exist."""
    signatures = load_npz(path)
    writers = np.array(signatures.target[:, 0].tolist())
    known = [sorted({*users(group)} & {*writers.tolist()}) for group in groups]
    if len({user for group in known for user in group}) < sum(map(len, known)):
        raise ValueError("the groups of users overlap: development users are never enrolled.")
    if not all(known):
        raise ValueError(f"{path}: a group of users is empty; there are users {writers.min()} to {writers.max()}.")
    rows = np.isin(writers, np.concatenate(known))
    return signatures.images[rows], signatures.target[rows], *known


def run(main):
    """Run a script; errors of the input are one line."""
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
