"""Networks of torchvision as architectures."""

import pytest
import torch
from safetensors.torch import save

from sigkit.nets import MetaLearner, build_network, check_architecture, load_network, save_weights
from sigkit.nets._torchvision import model_names

# One of each family that is built differently, with its number of features.
FAMILIES = {
    "alexnet": 4096,
    "convnext_tiny": 768,
    "densenet121": 1024,
    "efficientnet_b0": 1280,
    "googlenet": 1024,
    "inception_v3": 2048,
    "maxvit_t": 512,
    "mnasnet0_5": 1280,
    "mobilenet_v3_small": 1024,
    "regnet_y_400mf": 440,
    "resnet18": 512,
    "shufflenet_v2_x0_5": 1024,
    "squeezenet1_1": 512,
    "swin_t": 768,
    "swin_v2_t": 768,
    "vgg11": 4096,
    "vit_b_16": 768,
}


@pytest.mark.parametrize(("name", "n_features"), FAMILIES.items())
def test_features(name, n_features):
    with torch.device("meta"):
        network = build_network(f"torchvision:{name}").eval()
    device = next(network.parameters()).device
    sizes = [(150, 220), (100, 180), (230, 90)] if network.takes_any_size else [network.input_size]
    for size in sizes:
        assert network(torch.zeros(2, 1, *size, device=device)).shape == (2, n_features)
    assert network.n_features == n_features
    assert network.takes_any_size == (name not in ("vit_b_16", "maxvit_t"))


def test_every_model_of_torchvision_is_known():
    assert len(model_names()) >= 80
    for name in model_names():
        check_architecture(f"torchvision:{name}")


def test_the_first_convolution_takes_the_image_as_three_equal_channels():
    import torchvision

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        original = torchvision.models.resnet18().eval()
    original.fc = torch.nn.Identity()
    network = build_network("torchvision:resnet18", seed=3).eval()
    images = torch.rand(2, 1, 60, 90, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(network(images), original(images.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-6)


def test_vision_transformers_see_the_whole_image():
    network = build_network("torchvision:vit_b_32", seed=0).eval()
    padded = []
    network.body.register_forward_pre_hook(lambda module, inputs: padded.append(inputs[0]))
    with torch.no_grad():
        network(torch.ones(1, 1, 150, 220))
    assert padded[0].shape == (1, 1, 224, 224)
    assert padded[0].sum() == 150 * 220
    assert padded[0][0, 0, 37, 2] == padded[0][0, 0, 186, 221] == 1


# Swin has integer buffers; SqueezeNet neither linear layer nor normalization.
@pytest.mark.parametrize("name", ["squeezenet1_1", "swin_t", "shufflenet_v2_x0_5", "regnet_y_400mf"])
@pytest.mark.parametrize("half", [False, True])
def test_weight_files(tmp_path, name, half):
    path, network = tmp_path / "weights.safetensors", build_network(f"torchvision:{name}", seed=1).eval()
    save_weights(path, network, f"torchvision:{name}", half=half)
    loaded, metadata = load_network(path)
    assert metadata["architecture"] == f"torchvision:{name}"
    expected, found = network.state_dict(), loaded.state_dict()
    assert {key: tensor.dtype for key, tensor in found.items()} == {
        key: tensor.dtype for key, tensor in expected.items()
    }
    for key, tensor in expected.items():
        torch.testing.assert_close(found[key], tensor, rtol=1e-3 if half else 0, atol=1e-4 if half else 0)
    with torch.no_grad():
        assert loaded(torch.zeros(1, 1, 64, 96)).isfinite().all()


def test_weight_files_of_meta_learners(tmp_path):
    path = tmp_path / "weights.safetensors"
    learner = MetaLearner(build_network("torchvision:squeezenet1_1", seed=1))
    save_weights(path, learner, "torchvision:squeezenet1_1")
    network, _, meta_learned = load_network(path, return_meta_learned=True)
    assert [*network.state_dict()] == [*learner.network.state_dict()]
    assert sorted(meta_learned) == ["head.bias", "head.weight", "network_rates", "rates"]


def test_weights_of_another_model_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(path, build_network("tiny"), "tiny")
    weights, tensors = path.read_bytes(), build_network("tiny").state_dict()
    for model, message in (
        ("squeezenet1_1", "architecture='tiny', not 'torchvision:squeezenet1_1'"),
        ("squeezenet", "no classification network 'squeezenet'"),
    ):
        with pytest.raises(ValueError, match=rf"weights\.safetensors: .*{message}"):
            save_weights(path, build_network("tiny"), f"torchvision:{model}")
        assert path.read_bytes() == weights
        (tmp_path / "foreign.safetensors").write_bytes(save(tensors, metadata={"architecture": f"torchvision:{model}"}))
        with pytest.raises(ValueError, match=rf"foreign\.safetensors: .*{message}"):
            load_network(tmp_path / "foreign.safetensors")
