import numpy as np
import pytest
import torch

from sigkit.nets import build_network, center_crop, choose_device, extract_features, has_fast_bfloat16, prepare_network

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
    """SigNet with statistics of batch normalisation that are not the identity."""
    network = build_network("signet_thin", seed=0).train()
    with torch.no_grad():
        network(torch.rand(8, 1, 150, 220, generator=torch.Generator().manual_seed(0)))
    return network.eval()


def test_float32_equals_plain_torch(signet, images):
    features = extract_features(prepare_network(signet, CPU), images)
    batch = torch.from_numpy(images[:, 10:160, 11:231]).float()[:, None] / 255
    with torch.no_grad():
        expected = signet(batch).numpy()
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5 * expected.max())


def test_values_that_are_no_bytes_are_left_alone_and_give_the_same(signet, images):
    network, values = prepare_network(signet, CPU), images.astype(np.float32)
    for n_views in (1, 2):
        features = extract_features(network, values, n_views)
        assert np.array_equal(values, images)
        np.testing.assert_allclose(features, extract_features(network, images, n_views), rtol=1e-5, atol=1e-5)


def test_folding_changes_nothing_but_rounding(signet, images):
    folded = prepare_network(signet, CPU, fold=True)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    expected = extract_features(prepare_network(signet, CPU), images)
    np.testing.assert_allclose(extract_features(folded, images), expected, atol=1e-5 * expected.max())


def test_bfloat16_keeps_the_direction_of_features(signet, images):
    exact = extract_features(prepare_network(signet, CPU), images)
    rounded = extract_features(prepare_network(signet, CPU, "bfloat16"), images)
    cosine = (exact * rounded).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
    assert cosine.min() >= 0.999
    assert not np.array_equal(exact, rounded)


def test_preparing_leaves_the_network_alone(signet):
    before = {name: tensor.clone() for name, tensor in signet.state_dict().items()}
    prepare_network(signet, CPU, "bfloat16")
    assert all(torch.equal(before[name], tensor) for name, tensor in signet.state_dict().items())


def test_crop_takes_the_middle():
    images = np.arange(170 * 242).reshape(1, 170, 242)
    assert np.array_equal(center_crop(images, (150, 220)), images[:, 10:160, 11:231])


def test_devices():
    assert choose_device("cpu") == CPU
    assert choose_device().type in ("cpu", "cuda", "mps")
    assert isinstance(has_fast_bfloat16(CPU), bool)
    with pytest.raises(ValueError, match="device='abacus'"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="device='cuda'"):
            choose_device("cuda")


def test_views_change_all_images_alike_and_are_averaged():
    images = np.random.default_rng(0).integers(0, 256, (5, 40, 60), dtype=np.uint8)
    images[:, :12], images[:, 28:] = 0, 0
    network = prepare_network(build_network("tiny", seed=0), torch.device("cpu"))
    one, three = (extract_features(network, images, n_views) for n_views in (1, 3))
    assert not np.allclose(one, three, atol=1e-3)
    assert (np.sum(one * three, axis=1) > 0.9 * np.linalg.norm(one, axis=1) * np.linalg.norm(three, axis=1)).all()
    alone = np.concatenate([extract_features(network, images[row : row + 1], 3) for row in range(5)])
    np.testing.assert_allclose(alone, three, atol=1e-5)


def test_magnifications_stand_side_by_side():
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 60), dtype=np.uint8)
    network = prepare_network(build_network("signet_small", seed=0), torch.device("cpu"))
    both = extract_features(network, images, 2, (1.0, 1.5))
    assert both.shape == (3, 2048)
    parts = [extract_features(network, images, 2, (factor,)) for factor in (1.0, 1.5)]
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
    extract_features(Watch(), images, magnifications=(2.0,))
    assert seen[0].shape == (1, 1, 40, 60)
    # The ink is in the middle still, and twice as wide.
    assert (seen[0][0, 0].sum(0) > 0).nonzero().flatten().tolist() == [*range(27, 33)]
    assert seen[0].sum() == pytest.approx(16, rel=0.01)
