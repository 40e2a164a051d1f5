"""A small differentiable verifier, and images to attack."""

import numpy as np
import pytest
import torch
from torch import nn

SIZE = (12, 16)


class SmallVerifier(nn.Module):
    """Two writers, each with a linear classifier on the features of a small network."""

    def __init__(self, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        n_pixels = SIZE[0] * SIZE[1]
        self.first = torch.randn(n_pixels, 24, generator=generator) / n_pixels**0.5
        self.second = torch.randn(24, 2, generator=generator)

    def forward(self, images, claims):
        features = torch.nn.functional.softplus(images.flatten(1) / 255 @ self.first)
        return (features @ self.second)[torch.arange(len(images)), torch.from_numpy(np.asarray(claims))]


@pytest.fixture
def verifier():
    return SmallVerifier()


@pytest.fixture
def claims():
    return np.arange(100) % 2


@pytest.fixture
def images():
    """A hundred images of whole gray levels, in which about half of the pixels are background."""
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, 256, (100, *SIZE))
    return np.where(generator.random(drawn.shape) < 0.5, 0, drawn).astype(np.uint8)


@pytest.fixture
def scores(verifier, images, claims):
    return verifier(torch.from_numpy(images).float(), claims).numpy()


@pytest.fixture
def goals(scores):
    """The opposite of each decision at the median score."""
    return np.where(scores >= np.median(scores), "reject", "accept")
