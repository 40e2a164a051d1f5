"""Augmentation of whole batches: sigkit's own against torchvision.transforms.v2, in images per second and as a ratio.

    python benchmarks/bench_augmentation.py

sigkit crops with torchvision's function, at positions that it draws itself.
Each image of a batch must be augmented with its own random numbers. torchvision draws once per call for all images, so
it is called once per image, with those transformations of `Distortion` that it has (affine, elastic, blur, erasing; not
the width of strokes, the fading of ink and the noise). One call for the whole batch is timed as well, to show the
overhead of the calls. Reported is the fastest of `--rounds`.
"""

import argparse
import time

import torch
from torchvision.transforms import v2

from sigkit.training import Distortion, make_augmentation

SIZE = (150, 220)


def random_crop():
    """Return torchvision's random crop."""
    return v2.Compose([v2.RandomCrop(SIZE), v2.ToDtype(torch.float32, scale=True)])


def distortion():
    """Return the transformations of `Distortion` that torchvision has, with similar parameters."""
    return v2.Compose(
        [
            v2.ToDtype(torch.float32, scale=True),
            v2.RandomAffine(degrees=10, translate=(0.04, 0.03), scale=(1 / 1.2, 1.2), shear=10),
            v2.ElasticTransform(alpha=20.0, sigma=8.0),
            v2.GaussianBlur(3),
            v2.RandomErasing(p=0.3, scale=(0.001, 0.02)),
            v2.CenterCrop(SIZE),
        ]
    )


def each(transform, images):
    """Augment each image with its own random numbers."""
    return torch.stack([transform(image) for image in images])


def rate(rounds, function, *arguments):
    """Return images per second."""
    function(*arguments)
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - start)
    return len(arguments[-1]) / min(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds, the fastest of which counts (default: 5)")
    parser.add_argument("--batch-size", type=int, default=64, help="images in a batch (default: 64)")
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    images = (torch.rand(options.batch_size, 1, 170, 242, generator=generator) > 0.95).to(torch.uint8) * 255
    print(f"batches of {options.batch_size} images of 170 x 242, {torch.get_num_threads()} threads, images/s")
    for name, augmentation, transform in (
        ("random crop", "crop", random_crop()),
        ("distortion", Distortion(), distortion()),
    ):
        ours = make_augmentation(augmentation, SIZE)
        speed = rate(options.rounds, lambda batch, ours=ours: ours(batch, generator), images)
        single = rate(options.rounds, each, transform, images)
        alike = rate(options.rounds, transform, images)
        print(
            f"{name}: sigkit {speed:.0f}; torchvision, one call per image {single:.0f} ({speed / single:.1f} times "
            f"slower), one call per batch {alike:.0f} ({speed / alike:.1f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
