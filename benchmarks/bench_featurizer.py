"""SigNet features in sigkit, in float32 and bfloat16, against plain PyTorch in float32, with the same threads.

python benchmarks/bench_featurizer.py [N_IMAGES]
"""

import os
import sys
import tempfile
import time
from functools import partial

import numpy as np
import torch

from sigkit.datasets import make_signatures
from sigkit.nets import build_network, center_crop, choose_device, choose_precision, save_weights
from sigkit.transformers import SignaturePreprocessor, SigNetFeaturizer

BATCH = 32


def plain_features(network, images, device):
    batch = torch.from_numpy(np.ascontiguousarray(center_crop(images, (150, 220)))).to(device)
    with torch.inference_mode():
        return network(batch.float()[:, None] / 255).cpu().numpy()


def compute(module, images):
    with torch.inference_mode():
        return module(torch.from_numpy(images).to(next(module.parameters()).device)).cpu().numpy()


def rate(work, images):
    """Return images per second, the best of three rounds, and the features."""
    work(images[:BATCH])
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        features = np.concatenate([work(images[row : row + BATCH]) for row in range(0, len(images), BATCH)])
        rounds.append(len(images) / (time.perf_counter() - start))
    return max(rounds), features


def main():
    n_images = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    device = choose_device()
    scans, _ = make_signatures(n_writers=-(-n_images // 8), n_genuine=8, n_skilled=0, random_state=0)
    images = SignaturePreprocessor().fit_transform(scans[:n_images])
    network = build_network("signet", seed=0)
    with torch.no_grad():
        # Statistics of batch normalization as training leaves them, so that bfloat16 has something to round.
        network.train()(torch.from_numpy(center_crop(images[:BATCH], (150, 220)) / 255.0).float()[:, None])
    plain_network = network.eval().to(device)
    reference, expected = rate(lambda batch: plain_features(plain_network, batch, device), images)
    bfloat16 = choose_precision("auto", device) == "bfloat16"
    print(f"{device.type}, {torch.get_num_threads()} threads; fast bfloat16: {bfloat16}")
    print(f"plain PyTorch float32: {reference:.1f} images/s")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "signet.safetensors")
        save_weights(path, network, "signet")
        featurizer = SigNetFeaturizer(weights=path, batch_size=BATCH).fit(images)
    for precision in ("float32", "bfloat16"):
        # Prepared once for all batches, as in `transform` of many images.
        module = featurizer.set_params(precision=precision).as_module()
        ours, features = rate(partial(compute, module), images)
        cosine = (expected * features).sum(1) / np.linalg.norm(expected, axis=1) / np.linalg.norm(features, axis=1)
        print(f"sigkit {precision}: {ours:.1f} images/s; ratio {ours / reference:.2f}; least cosine {cosine.min():.6f}")


if __name__ == "__main__":
    main()
