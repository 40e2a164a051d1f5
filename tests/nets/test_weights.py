import os
import pickle
import struct

import pytest
import torch
from safetensors import safe_open

from sigkit.nets import build_network, load_network, save_weights


def same(network, other):
    weights, others = network.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(torch.equal(weights[name], others[name]) for name in weights)


@pytest.fixture
def tiny():
    return build_network("tiny", seed=3)


def test_safetensors_round_trip_names_the_architecture(tmp_path, tiny):
    path = tmp_path / "weights.safetensors"
    save_weights(path, tiny, "tiny")
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == {"architecture": "tiny"}
    network, metadata = load_network(path, architecture="signet")
    assert metadata["architecture"] == "tiny"
    assert same(network, tiny)
    assert not network.training


@pytest.mark.parametrize("old_format", [False, True])
def test_tuple_of_three_state_dicts(tmp_path, tiny, old_format):
    path = tmp_path / "signet.pth"
    layer = torch.nn.Linear(16, 4).state_dict()
    torch.save((tiny.state_dict(), layer, layer), path, _use_new_zipfile_serialization=not old_format)
    network, metadata = load_network(path, architecture="tiny")
    assert metadata["architecture"] == "tiny"
    assert same(network, tiny)


def test_state_dict_without_batch_counters(tmp_path, tiny):
    path = tmp_path / "signet.pth"
    weights = {name: tensor for name, tensor in tiny.state_dict().items() if "num_batches" not in name}
    torch.save(weights, path)
    assert same(load_network(path, architecture="tiny")[0], tiny)


def test_half_precision_files_become_float32(tmp_path, tiny):
    path = tmp_path / "weights.safetensors"
    save_weights(path, build_network("tiny", seed=3).half(), "tiny")
    network, _ = load_network(path)
    assert next(network.parameters()).dtype == torch.float32


class Malice:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("raw", [False, True])
def test_malicious_pickle_is_refused_and_not_executed(tmp_path, tiny, raw):
    path, harm = tmp_path / "signet.pth", tmp_path / "harm"
    if raw:
        path.write_bytes(pickle.dumps(Malice(str(harm))))
    else:
        torch.save((tiny.state_dict(), Malice(str(harm)), {}), path)
    with pytest.raises(ValueError, match=r"signet\.pth: (refused|cannot be read)"):
        load_network(path, architecture="tiny")
    assert not harm.exists()


@pytest.mark.parametrize("keep", [0, 4, 100, -10])
@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_truncated_files_are_named(tmp_path, tiny, name, keep):
    path = tmp_path / name
    if name.endswith("pth"):
        torch.save(tiny.state_dict(), path)
    else:
        save_weights(path, tiny, "tiny")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"{path.name}: .*(again|refused)"):
        load_network(path, architecture="tiny")


def test_safetensors_with_an_absurd_header(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")
    with pytest.raises(ValueError, match=r"weights\.safetensors: not a whole"):
        load_network(path)


def test_weights_of_another_architecture_name_it(tmp_path, tiny):
    path = tmp_path / "weights.pth"
    torch.save(tiny.state_dict(), path)
    with pytest.raises(ValueError, match="architecture='tiny', not 'signet'"):
        load_network(path, architecture="signet")


def test_weights_of_no_architecture_name_what_differs(tmp_path, tiny):
    path = tmp_path / "weights.pth"
    torch.save({**tiny.state_dict(), "fc_layers.0.fc.weight": torch.zeros(3, 3)}, path)
    with pytest.raises(
        ValueError, match=r"fit no architecture.*fc_layers\.0\.fc\.weight: \(3, 3\) instead of \(16, 96\)"
    ):
        load_network(path, architecture="tiny")


def test_other_contents_and_suffixes(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="not a state dict"):
        load_network(path)
    other = tmp_path / "weights.h5"
    other.write_bytes(b"")
    with pytest.raises(ValueError, match=r"not \.h5"):
        load_network(other)
    with pytest.raises(FileNotFoundError, match=r"no file '.*nowhere\.pth'\. The package ships .* 'synthetic'"):
        load_network(tmp_path / "nowhere.pth")


def test_other_contents_are_not_a_torch_file(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(bytes(range(200)))
    with pytest.raises(ValueError, match=r"weights\.pth: not a torch file, or cut short"):
        load_network(path)


def test_weights_of_a_failed_training_are_refused(tmp_path, tiny):
    path = tmp_path / "weights.safetensors"
    with torch.no_grad():
        tiny.fc_layers[0].fc.weight[0, 0] = torch.nan
    save_weights(path, tiny, "tiny")
    with pytest.raises(ValueError, match=r"NaN or infinity in fc_layers\.0\.fc\.weight"):
        load_network(path)


def test_architectures_of_another_library_name_the_file(tmp_path, tiny):
    path = tmp_path / "weights.safetensors"
    save_weights(path, tiny, "resnet")
    with pytest.raises(ValueError, match=r"weights\.safetensors: architecture must be .*found 'resnet'.*Register"):
        load_network(path)
    torch.save({0: torch.zeros(1)}, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match="not a state dict"):
        load_network(tmp_path / "weights.pth")


def test_weight_files_have_the_permissions_of_other_new_files(tmp_path):
    save_weights(tmp_path / "tiny.safetensors", build_network("tiny", seed=0), "tiny")
    (tmp_path / "other").touch()
    assert (tmp_path / "tiny.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode
