"""Training of SigNet: sigkit against a plain PyTorch loop, in images per second and as a ratio.

    python benchmarks/bench_training.py

The plain loop is that of the original code: random crops of single images by Pillow, contiguous layout, float32,
cross-entropy over writers. sigkit runs `SigNetFeaturizer.fit`, which records the time of each epoch, in float32, and in
bfloat16 where the device is fast in it. The first epoch is not counted. With `--peak`, the share of the peak
performance of the device in bfloat16 is printed as well.
"""

import argparse
import copy
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sigkit.nets import build_network, choose_device, choose_precision
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer

N_WRITERS, BATCH_SIZE = 16, 32


def plain_loop(images, labels, device, epochs):
    """Train like the original code; return images per second of all epochs but the first."""
    network = nn.Sequential(build_network("signet", seed=0), nn.Linear(2048, N_WRITERS)).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=1e-4)
    rng = np.random.default_rng(0)
    for epoch in range(epochs):
        if epoch == 1:
            start = time.perf_counter()
        for rows in np.split(rng.permutation(len(images)), len(images) // BATCH_SIZE):
            crops = []
            for row in rows:
                top, left = rng.integers(21), rng.integers(23)
                crop = Image.fromarray(images[row]).crop((left, top, left + 220, top + 150))
                crops.append(torch.from_numpy(np.array(crop))[None].float() / 255)
            loss = nn.functional.cross_entropy(network(torch.stack(crops).to(device)), labels[rows].to(device))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(network.parameters(), 10)
            optimizer.step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (epochs - 1) * len(images) / (time.perf_counter() - start)


def sigkit_fit(images, labels, device, epochs, precision, compile=False):
    """Train with sigkit; return images per second of all epochs but the first."""
    training = SigNetTraining(epochs=epochs, batch_size=BATCH_SIZE, validation_fraction=0, compile=compile)
    featurizer = SigNetFeaturizer(training=training, device=str(device), precision=precision, random_state=0)
    featurizer.fit(images, labels.numpy())
    return (epochs - 1) * len(images) / sum(epoch["dur"] for epoch in featurizer.history_[1:])


def flops_per_image():
    """Return the floating-point operations per image of a training step: forward, and about twice as many backward."""
    network, images = copy.deepcopy(build_network("signet")), torch.zeros(2, 1, 150, 220)
    with FlopCounterMode(display=False) as counter:
        network(images).sum().backward()
    return counter.get_total_flops() / 2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=256, help="images per epoch, a multiple of 32 (default: 256)")
    parser.add_argument("--epochs", type=int, default=3, help="epochs, the first is not counted (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, the fastest of which counts (default: 3)")
    parser.add_argument("--compile", action="store_true", help="also train with torch.compile")
    parser.add_argument("--peak", type=float, help="peak in bfloat16, in TFLOP/s: 989 for an H100 or H200")
    options = parser.parse_args()
    if options.epochs < 2 or options.images % BATCH_SIZE:
        parser.error("--epochs is at least 2, and --images a multiple of 32")
    device = choose_device()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (options.images, 170, 242), dtype=np.uint8)
    images[rng.random(images.shape) > 0.05] = 0
    labels = torch.arange(options.images) % N_WRITERS

    bfloat16 = choose_precision("auto", device) == "bfloat16"
    runs = {"sigkit, float32": {"precision": "float32"}}
    if bfloat16:
        runs["sigkit, bfloat16"] = {"precision": "bfloat16"}
    if options.compile:
        runs["sigkit, compiled"] = {"precision": "auto", "compile": True}
    speeds = {}
    for _ in range(options.rounds):
        speed = plain_loop(images, labels, device, options.epochs)
        speeds.setdefault("plain PyTorch, float32", []).append(speed)
        for name, settings in runs.items():
            speeds.setdefault(name, []).append(sigkit_fit(images, labels, device, options.epochs, **settings))
    reference = max(speeds["plain PyTorch, float32"])
    print(f"SigNet, batches of {BATCH_SIZE}, {device}, {torch.get_num_threads()} threads, fast bfloat16: {bfloat16}")
    for name, measured in speeds.items():
        share = ""
        if options.peak and name != "plain PyTorch, float32":
            share = f", {max(measured) * flops_per_image() / options.peak / 1e12:.1%} of the peak"
        print(f"{name:<24} {max(measured):7.1f} images/s, ratio {max(measured) / reference:.2f}{share}")


if __name__ == "__main__":
    main()
