"""Features of batches of images: views, magnifications, precision."""

import numpy as np
import pytest
import torch

from sigkit.nets import build_network, center_crop, choose_device, choose_precision, prepare_network
from sigkit.training import SigNetTraining
from sigkit.transformers import SigNetFeaturizer
from sigkit.transformers._features import FeatureExtractor, extract_features

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    images = np.zeros((4, 170, 242), dtype=np.uint8)
    for image in images:
        for _ in range(30):
            row, column = rng.integers(0, 150), rng.integers(0, 210)
            image[row : row + 4, column : column + 30] = rng.integers(60, 255)
    return images


@pytest.fixture(scope="module")
def signet():
    """SigNet with statistics of batch normalization that are not the identity."""
    network = build_network("signet_thin", seed=0).train()
    with torch.no_grad():
        network(torch.rand(8, 1, 150, 220, generator=torch.Generator().manual_seed(0)))
    return network.eval()


def features_of(network, images, **settings):
    return extract_features(FeatureExtractor(network, **settings), images)


def test_float32_equals_plain_torch(signet, images):
    features = features_of(prepare_network(signet, CPU), images)
    batch = torch.from_numpy(images[:, 10:160, 11:231]).float()[:, None] / 255
    with torch.no_grad():
        expected = signet(batch).numpy()
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5 * expected.max())


def test_other_types_than_bytes_are_not_changed_and_give_the_same(signet, images):
    network, values = prepare_network(signet, CPU), images.astype(np.float32)
    for n_views in (1, 2):
        features = features_of(network, values, n_views=n_views)
        assert np.array_equal(values, images)
        np.testing.assert_allclose(features, features_of(network, images, n_views=n_views), rtol=1e-5, atol=1e-5)


def test_folding_changes_nothing_but_rounding(signet, images):
    folded = prepare_network(signet, CPU, fold=True)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    expected = features_of(prepare_network(signet, CPU), images)
    np.testing.assert_allclose(features_of(folded, images), expected, atol=1e-5 * expected.max())


def test_bfloat16_keeps_the_direction_of_features(signet, images):
    exact = features_of(prepare_network(signet, CPU), images)
    rounded = features_of(prepare_network(signet, CPU, "bfloat16"), images)
    cosine = (exact * rounded).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
    assert cosine.min() >= 0.999
    assert not np.array_equal(exact, rounded)


def test_preparing_does_not_change_the_network(signet):
    before = {name: tensor.clone() for name, tensor in signet.state_dict().items()}
    prepare_network(signet, CPU, "bfloat16")
    assert all(torch.equal(before[name], tensor) for name, tensor in signet.state_dict().items())


def test_the_crop_is_centered():
    images = np.arange(170 * 242).reshape(1, 170, 242)
    assert np.array_equal(center_crop(images, (150, 220)), images[:, 10:160, 11:231])


def test_devices():
    assert choose_device("cpu") == CPU
    assert choose_device().type in ("cpu", "cuda", "mps")
    assert choose_precision("auto", CPU) in ("float32", "bfloat16")
    with pytest.raises(ValueError, match="device='abacus'"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="device='cuda'"):
            choose_device("cuda")


def test_views_distort_all_images_in_the_same_way_and_are_averaged():
    images = np.random.default_rng(0).integers(0, 256, (5, 40, 60), dtype=np.uint8)
    images[:, :12], images[:, 28:] = 0, 0
    network = prepare_network(build_network("tiny", seed=0), torch.device("cpu"))
    one, three = (features_of(network, images, n_views=n_views) for n_views in (1, 3))
    assert not np.allclose(one, three, atol=1e-3)
    assert (np.sum(one * three, axis=1) > 0.9 * np.linalg.norm(one, axis=1) * np.linalg.norm(three, axis=1)).all()
    alone = np.concatenate([features_of(network, images[row : row + 1], n_views=3) for row in range(5)])
    np.testing.assert_allclose(alone, three, atol=1e-5)


def test_features_at_several_magnifications_are_concatenated():
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 60), dtype=np.uint8)
    network = prepare_network(build_network("signet_small", seed=0), torch.device("cpu"))
    both = features_of(network, images, n_views=2, magnifications=(1.0, 1.5))
    assert both.shape == (3, 2048)
    parts = [features_of(network, images, n_views=2, magnifications=(factor,)) for factor in (1.0, 1.5)]
    np.testing.assert_array_equal(both, np.hstack(parts))
    assert not np.allclose(*parts, atol=1e-3)


def test_enlarged_images_are_twice_as_large():
    seen = []

    class Watch(torch.nn.Module):
        input_size = (20, 30)

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):
            seen.append(images)
            return images.mean((2, 3))

    images = np.zeros((1, 30, 40), dtype=np.uint8)
    images[0, 14:16, 19:21] = 255
    features_of(Watch(), images, magnifications=(2.0,))
    assert seen[0].shape == (1, 1, 40, 60)
    # The ink is in the middle still, and twice as wide.
    assert (seen[0][0, 0].sum(0) > 0).nonzero().flatten().tolist() == [*range(27, 33)]
    assert seen[0].sum() == pytest.approx(16, rel=0.01)


def test_a_featurizer_as_a_module_computes_its_features_with_gradients(images):
    featurizer = SigNetFeaturizer(
        "tiny", training=SigNetTraining(epochs=0), n_views=2, magnification=(1, 1.5), random_state=0
    )
    expected = featurizer.fit_transform(images)
    module = featurizer.as_module()
    pixels = torch.from_numpy(images).float().requires_grad_()
    features = module(pixels)
    assert not module.training
    np.testing.assert_allclose(features.detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    (gradient,) = torch.autograd.grad(features.sum(), pixels)
    assert gradient.shape == pixels.shape
    assert gradient.flatten(1).any(dim=1).all()
    # A copy: the estimator stays as it is.
    with torch.no_grad():
        next(module.parameters()).fill_(0)
    np.testing.assert_array_equal(featurizer.transform(images), expected)


def test_one_image_has_the_same_features_with_any_number_of_threads():
    images = np.random.default_rng(0).integers(0, 256, (1, 170, 242), dtype=np.uint8)
    extractor = FeatureExtractor(prepare_network(build_network("signet_small", seed=0), torch.device("cpu")))
    n_threads = torch.get_num_threads()
    try:
        found = []
        for n in (1, 2):
            torch.set_num_threads(n)
            found.append(extract_features(extractor, images))
            assert torch.get_num_threads() == n
    finally:
        torch.set_num_threads(n_threads)
    np.testing.assert_array_equal(*found)
