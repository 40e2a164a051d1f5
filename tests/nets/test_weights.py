import io
import json
import math
import os
import pickle
import shutil
import struct
import zipfile
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load, save

import sigkit.nets._architectures as registry
from sigkit._utils import seal_safetensors
from sigkit.nets import MetaLearner, build_network, load_network, register_architecture, save_weights, weights_path


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
        assert file.metadata().keys() == {"architecture", "format", "digest"}
    network, metadata = load_network(path, architecture="signet")
    assert metadata == {"architecture": "tiny"}
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


WRAPPED = {
    "state_dict": lambda weights: {"epoch": 3, "state_dict": weights, "optimizer": {"state": {}, "param_groups": []}},
    "model": lambda weights: {"model": weights, "lr": 0.1, "scheduler": {}},
    "net": lambda weights: {"net": weights, "history": [1, 2]},
    "parallel": lambda weights: {f"module.{name}": tensor for name, tensor in weights.items()},
    "compiled": lambda weights: {f"_orig_mod.{name}": tensor for name, tensor in weights.items()},
    "all": lambda weights: {"model": {f"module._orig_mod.{name}": tensor for name, tensor in weights.items()}},
    "sigver": lambda weights: ({f"module.{name}": tensor for name, tensor in weights.items()}, {}, {}),
}


@pytest.mark.parametrize("form", WRAPPED)
def test_weights_inside_of_checkpoints_and_wrappers(tmp_path, tiny, form):
    path = tmp_path / "weights.pth"
    torch.save(WRAPPED[form](tiny.state_dict()), path)
    loaded = load_network(path, "tiny")[0].state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tiny.state_dict().items())


def test_wrapped_names_in_safetensors_are_shortened(tmp_path, tiny):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(save(WRAPPED["parallel"](tiny.state_dict())))
    assert load_network(path, "tiny")[0].n_features == 16


@pytest.mark.parametrize(
    ("checkpoint", "message"),
    [
        ({"epoch": 3, "best": 0.1}, r"'epoch', 'best', of which none is\. .* torch\.save\("),
        ({"model": 1, "ema": 1}, r"'model', 'ema', of which 'model', 'ema' are\."),
        ({"model": {}, "epoch": 2}, "'model', 'epoch', of which none is"),
    ],
)
def test_checkpoints_that_are_not_clear_say_what_they_hold(tmp_path, tiny, checkpoint, message):
    path = tmp_path / "weights.pth"
    torch.save({key: tiny.state_dict() if value == 1 else value for key, value in checkpoint.items()}, path)
    with pytest.raises(ValueError, match=rf"weights\.pth: not a state dict, but .* keys {message}"):
        load_network(path, "tiny")


def test_names_of_an_architecture_that_begin_as_a_wrapper_stay(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(registry, "ARCHITECTURES", registry._REGISTRY)

    class Outer(torch.nn.Module):
        input_size, takes_any_size, n_features = tiny.input_size, tiny.takes_any_size, tiny.n_features

        def __init__(self):
            super().__init__()
            self.module = build_network("tiny", seed=0)

        def forward(self, images):
            return self.module(images)

    register_architecture("outer", Outer, "for a test")
    torch.save(Outer().state_dict(), tmp_path / "weights.pth")
    assert load_network(tmp_path / "weights.pth", "outer")[0].n_features == 16


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
    save_foreign(path, tiny)
    with pytest.raises(ValueError, match=r"NaN or infinity in fc_layers\.0\.fc\.weight"):
        load_network(path, "tiny")


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("number", [math.nan, -math.inf, 1e7, 7e4])
def test_what_cannot_be_loaded_is_not_saved(tmp_path, tiny, number, half):
    path = tmp_path / "weights.safetensors"
    save_weights(path, tiny, "tiny")
    before = path.read_bytes()
    with torch.no_grad():
        tiny.fc_layers[0].fc.weight[0, 0] = number
    if number == 7e4 and not half:
        # Beyond half precision only.
        save_weights(path, tiny, "tiny")
        assert same(load_network(path)[0], tiny)
        return
    with pytest.raises(ValueError, match=r"weights\.safetensors: .*fc_layers\.0\.fc\.weight"):
        save_weights(path, tiny, "tiny", half=half)
    for architecture, message in (("smallcnn", "are of architecture='tiny'"), ("resnet", "Register an architecture")):
        with pytest.raises(ValueError, match=rf"weights\.safetensors: .*{message}"):
            save_weights(path, build_network("tiny", seed=0), architecture)
    with pytest.raises(ValueError, match=r"weights\.safetensors: its metadata have recipe=\[1\]"):
        save_weights(path, build_network("tiny", seed=0), "tiny", metadata={"recipe": "[1]"})
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["weights.safetensors"]


def test_buffers_with_infinity_are_not_saved_with_the_weights(tmp_path, monkeypatch):
    class WithMask(torch.nn.Linear):
        input_size, takes_any_size, n_features = None, True, 1

        def __init__(self, persistent):
            super().__init__(1, 1)
            self.register_buffer("mask", torch.tensor([0, -torch.inf]), persistent=persistent)

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(registry, "ARCHITECTURES", registry._REGISTRY)
    register_architecture("masked", partial(WithMask, persistent=True), "a buffer that cannot be saved")
    with pytest.raises(ValueError, match=r"'masked': the buffer mask has NaN or infinity, .* persistent=False"):
        build_network("masked")
    register_architecture("masked", partial(WithMask, persistent=False), "a buffer that is not saved")
    network = build_network("masked", seed=0)
    save_weights(tmp_path / "w.safetensors", network, "masked")
    loaded, _ = load_network(tmp_path / "w.safetensors")
    assert same(loaded, network)
    assert torch.equal(loaded.mask, network.mask)


def test_architectures_of_another_library_name_the_file(tmp_path, tiny):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(save(tiny.state_dict(), metadata={"architecture": "resnet"}))
    with pytest.raises(ValueError, match=r"weights\.safetensors: architecture must be .*found 'resnet'.*Register"):
        load_network(path)
    torch.save({0: torch.zeros(1)}, tmp_path / "weights.pth")
    with pytest.raises(ValueError, match="not a state dict"):
        load_network(tmp_path / "weights.pth")


def test_weight_files_have_the_permissions_of_other_new_files(tmp_path):
    save_weights(tmp_path / "tiny.safetensors", build_network("tiny", seed=0), "tiny")
    (tmp_path / "other").touch()
    assert (tmp_path / "tiny.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def overwrite(path):
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 3)
        file.write(b"\1" * 10_000)


def truncate(path):
    open(path, "wb").close()


def replace(path):
    other = path.parent / "other.safetensors"
    save_weights(other, build_network("tiny", seed=9), "tiny")
    shutil.copyfile(other, path)


def save_pth(path, network):
    torch.save(network.state_dict(), path)


def save_old_pth(path, network):
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)


def save_half(path, network):
    save_weights(path, network, "tiny", half=True)


def save_foreign(path, network):
    path.write_bytes(save(network.state_dict()))


@pytest.mark.parametrize("damage", [overwrite, truncate, replace, os.unlink])
@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("w.safetensors", lambda path, network: save_weights(path, network, "tiny")),
        ("half.safetensors", save_half),
        ("foreign.safetensors", save_foreign),
        ("w.pth", save_pth),
        ("old.pth", save_old_pth),
    ],
)
def test_a_loaded_network_does_not_depend_on_its_file(tmp_path, tiny, name, write, damage):
    path = tmp_path / name
    write(path, tiny)
    network, _ = load_network(path, "tiny")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    damage(path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_two_loaded_networks_share_no_memory():
    one, other = (load_network("synthetic")[0] for _ in range(2))
    with torch.no_grad():
        for tensor in one.state_dict().values():
            tensor.zero_()
    assert other.state_dict()["fc_layers.fc1.fc.weight"].abs().max() > 0
    assert all(tensor.is_contiguous() for tensor in other.state_dict().values())


def changed(tensors, change):
    """Return tensors that are changed; a tensor that becomes None is left out."""
    return {name: tensor for name, tensor in (tensors | change(tensors)).items() if tensor is not None}


WEIGHT, VARIANCE, COUNTER = "conv_layers.0.conv.weight", "conv_layers.0.bn.running_var", "num_batches_tracked"
COUNTER = f"conv_layers.0.bn.{COUNTER}"
IMPOSSIBLE = {
    "removed": (lambda t: {WEIGHT: None}, rf"{WEIGHT}: missing instead of \(8, 1, 3, 3\)"),
    "renamed": (lambda t: {WEIGHT: None, "other": t[WEIGHT]}, "2 tensors differ"),
    "too many": (lambda t: {"more": t[WEIGHT].clone()}, r"more: \(8, 1, 3, 3\) instead of none"),
    "counter too many": (lambda t: {"x.num_batches_tracked": torch.tensor(1)}, "x.num_batches_tracked: a counter inst"),
    "counter without a name": (lambda t: {"num_batches_tracked": torch.tensor(1)}, "num_batches_tracked: a counter"),
    "counter of floats": (lambda t: {COUNTER: torch.tensor(1.0)}, f"{COUNTER} is torch.float32 of shape"),
    "counter of a byte": (lambda t: {COUNTER: torch.tensor(1, dtype=torch.uint8)}, f"{COUNTER} is torch.uint8"),
    "two counters": (lambda t: {COUNTER: torch.tensor([1, 1])}, rf"{COUNTER} is torch.int64 of shape \(2,\)"),
    "negative counter": (lambda t: {COUNTER: torch.tensor(-1)}, f"{COUNTER} has numbers from -1"),
    "shape": (lambda t: {WEIGHT: t[WEIGHT][:, :, :2].contiguous()}, r"\(8, 1, 2, 3\) instead of \(8, 1, 3, 3\)"),
    "transposed": (lambda t: {"fc_layers.0.fc.weight": t["fc_layers.0.fc.weight"].T.contiguous()}, "instead of"),
    "integers": (lambda t: {WEIGHT: t[WEIGHT].long()}, f"{WEIGHT} is torch.int64.* not torch.float32"),
    "bytes": (lambda t: {WEIGHT: t[WEIGHT].byte()}, f"{WEIGHT} is torch.uint8"),
    "booleans": (lambda t: {WEIGHT: t[WEIGHT] > 0}, f"{WEIGHT} is torch.bool"),
    "complex": (lambda t: {WEIGHT: t[WEIGHT].to(torch.complex64)}, f"{WEIGHT} is torch.complex64"),
    "eight bits": (lambda t: {WEIGHT: t[WEIGHT].to(torch.float8_e4m3fn)}, f"{WEIGHT} is torch.float8"),
    "negative variance": (lambda t: {VARIANCE: -t[VARIANCE]}, f"{VARIANCE} has numbers from -1 to -1; .* from 0 to"),
    "huge variance": (lambda t: {VARIANCE: t[VARIANCE] * 1e13}, f"{VARIANCE} has numbers from 1e[+]13"),
    "huge": (lambda t: {WEIGHT: torch.full_like(t[WEIGHT], 3e38)}, f"{WEIGHT} has numbers from 3e[+]38"),
    "huge negative": (lambda t: {WEIGHT: torch.full_like(t[WEIGHT], -1e7)}, f"{WEIGHT} has numbers from -1e[+]07"),
    "infinite": (lambda t: {WEIGHT: t[WEIGHT] / 0}, f"NaN or infinity in {WEIGHT}"),
    "infinite as float32": (lambda t: {WEIGHT: t[WEIGHT].double() * 1e300}, f"NaN or infinity in {WEIGHT}"),
    "NaN": (lambda t: {VARIANCE: t[VARIANCE] * torch.nan}, f"NaN or infinity in {VARIANCE}"),
    "NaN beside -NaN": (lambda t: {VARIANCE: t[VARIANCE] * torch.tensor([torch.nan, 1] * 4)}, "NaN or infinity in"),
}


@pytest.mark.parametrize("origin", ["sigkit", "safetensors", "torch"])
@pytest.mark.parametrize(("change", "message"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_tensors_are_refused(tmp_path, tiny, origin, change, message):
    tensors = changed(tiny.state_dict(), change)
    path = tmp_path / ("bad.pth" if origin == "torch" else "bad.safetensors")
    if origin == "torch":
        torch.save(tensors, path)
    else:
        content = save(tensors, metadata={"architecture": "tiny"})
        path.write_bytes(seal_safetensors(content, "sigkit weights 1") if origin == "sigkit" else content)
    with pytest.raises(ValueError, match=rf"bad\.\w+: .*{message}"):
        load_network(path, "tiny")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_every_precision_becomes_float32(tmp_path, tiny, dtype):
    path = tmp_path / "w.safetensors"
    tensors = {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in tiny.state_dict().items()
    }
    path.write_bytes(save(tensors))
    network, metadata = load_network(path, "tiny")
    assert metadata == {"architecture": "tiny"}
    for name, tensor in network.state_dict().items():
        assert tensor.dtype in (torch.float32, torch.int64)
        assert torch.equal(tensor, tensors[name].to(tensor.dtype))


def test_variances_of_zero_are_those_of_dead_channels(tmp_path, tiny):
    tiny.conv_layers[0].bn.running_var.zero_()
    save_weights(tmp_path / "w.safetensors", tiny, "tiny")
    assert same(load_network(tmp_path / "w.safetensors")[0], tiny)


@pytest.mark.parametrize("change", ["tensor", "metadata", "more", "digest", "format", "no digest", "no format"])
def test_files_of_sigkit_must_match_their_digest(tmp_path, tiny, change):
    path = tmp_path / "w.safetensors"
    save_weights(path, tiny, "tiny", metadata={"corpus": "CEDAR"})
    tensors = load(path.read_bytes())
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    path.write_bytes(save(tensors, metadata=metadata))
    assert load_network(path)[1] == {"architecture": "tiny", "corpus": "CEDAR"}
    if change == "tensor":
        tensors[WEIGHT][0, 0, 0, 0] += 1e-6
    metadata |= {
        "metadata": {"corpus": "GPDS"},
        "more": {"licence": "none"},
        "digest": {"digest": "0" * 64},
        "format": {"format": "sigkit weights 2"},
    }.get(change, {})
    metadata.pop(change.removeprefix("no "), None) if change.startswith("no ") else None
    path.write_bytes(save(tensors, metadata=metadata))
    with pytest.raises(ValueError, match=r"w\.safetensors: (has no digest|damaged)"):
        load_network(path)


def test_a_bit_of_a_tensor_in_a_file_of_sigkit_is_noticed(tmp_path, tiny):
    path = tmp_path / "w.safetensors"
    save_weights(path, tiny, "tiny")
    content = path.read_bytes()
    path.write_bytes(content[:-5] + bytes([content[-5] ^ 1]) + content[-4:])
    with pytest.raises(ValueError, match=r"w\.safetensors: damaged, its content does not match its digest"):
        load_network(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("preprocessing", '{"image_size": 5, "ink_share": 0.1}'),
        ("preprocessing", '{"image_size": [170, 242.5], "ink_share": 0.1}'),
        ("preprocessing", '{"image_size": [170, 242, 3], "ink_share": 0.1}'),
        ("preprocessing", '{"image_size": [170, 242], "ink_share": NaN}'),
        ("preprocessing", '{"image_size": [170, 242], "ink_share": "much"}'),
        ("preprocessing", '{"image_size": [170, 242]}'),
        ("preprocessing", "{"),
        ("preprocessing", "[" * 3000),
        ("recipe", "SGD"),
        ("recipe", "[1]"),
        ("start", "3"),
        ("adaptation", '["head"]'),
        ("adaptation", '{"n_updates": [5]}'),
    ],
)
def test_metadata_that_sigkit_cannot_have_written_are_refused(tmp_path, tiny, name, text):
    path = tmp_path / "w.safetensors"
    path.write_bytes(save(tiny.state_dict(), metadata={"architecture": "tiny", name: text}))
    with pytest.raises(ValueError, match=rf"w\.safetensors: its metadata have {name}=.*, not a JSON object"):
        load_network(path)


@pytest.mark.parametrize("name", ["tiny", "resnet", "x" * 1000])
def test_unknown_architectures_name_the_file(tmp_path, tiny, name):
    path = tmp_path / "w.safetensors"
    path.write_bytes(save(build_network("smallcnn", seed=0).state_dict(), metadata={"architecture": name}))
    with pytest.raises(ValueError, match=r"w\.safetensors: "):
        load_network(path)


LEARNERS = [{"head": head, "adapt": adapt} for head in ("linear", "distance") for adapt in ("all", "head")]


@pytest.fixture(params=LEARNERS, ids=str)
def learner(request, tiny):
    return MetaLearner(tiny, n_updates=3, **request.param)


def test_a_meta_learner_is_read_as_it_was_written(tmp_path, learner):
    path = tmp_path / "meta.safetensors"
    save_weights(path, learner, "tiny")
    network, _, others = load_network(path, return_meta_learned=True)
    expected = learner.state_dict()
    found = {f"network.{name}": tensor for name, tensor in network.state_dict().items()} | others
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: {name: None for name in t if name.startswith("head.")}, "head"),
        (lambda t: {next(name for name in t if name.startswith("head.")): None}, "head"),
        (lambda t: {"network_rates": None}, "network_rates"),
        (lambda t: {"rates": None}, "rates"),
        (lambda t: {"rates": None, "network_rates": None}, "tensors differ from 'tiny'"),
        (lambda t: {"rates": torch.ones(2, 2)}, "found .2, 2., .3"),
        (lambda t: {"rates": torch.ones(3, 9)}, r"rates: \(3, 9\) instead of"),
        (lambda t: {"rates": torch.ones(0, 2), "network_rates": torch.ones(0, 2)}, "found .0, 2., .0, 2."),
        (lambda t: {"network_rates": torch.ones(3, 1)}, r"\(3, 1\) instead of"),
        (lambda t: {"rates": t["rates"] * torch.nan}, "NaN or infinity in rates"),
        (lambda t: {"rates": t["rates"] * 1e6}, "rates has numbers"),
        (lambda t: {"rates": t["rates"].long()}, "rates is torch.int64"),
        (lambda t: {"head.bias": t["head.bias"] / 0}, "NaN or infinity in head.bias"),
        (lambda t: {"head.bias": torch.ones(5)}, "head.bias"),
        (lambda t: {"head.more": torch.ones(5)}, "head.more"),
        (lambda t: {f"network.{VARIANCE}": -torch.ones(8)}, f"network.{VARIANCE} has numbers"),
        (lambda t: {"network.more": torch.ones(1)}, "network.more"),
    ],
)
def test_impossible_meta_learners_are_refused(tmp_path, learner, change, message):
    path = tmp_path / "meta.safetensors"
    with torch.no_grad():
        torch.nn.init.ones_(learner.head.bias)
    content = save(changed(learner.state_dict(), change), metadata={"architecture": "tiny"})
    for written in (content, seal_safetensors(content, "sigkit weights 1")):
        path.write_bytes(written)
        with pytest.raises(ValueError, match=rf"meta\.safetensors: .*{message}"):
            load_network(path)


def test_a_distance_that_overflows_is_refused(tmp_path, tiny):
    learner = MetaLearner(tiny, head="distance")
    with torch.no_grad():
        learner.head.log_scale.fill_(80)
    save_foreign(tmp_path / "meta.safetensors", learner)
    with pytest.raises(ValueError, match=r"meta\.safetensors: head\.log_scale has numbers from 80"):
        load_network(tmp_path / "meta.safetensors", "tiny")


def test_a_changed_number_in_a_torch_file_is_noticed_by_its_checksum(tmp_path, tiny):
    path = tmp_path / "w.pth"
    torch.save(tiny.state_dict(), path)
    content, weights = path.read_bytes(), tiny.state_dict()[WEIGHT].numpy().tobytes()
    at = content.index(weights)
    path.write_bytes(content[:at] + b"\0\0\0\0" + content[at + 4 :])
    with pytest.raises(ValueError, match=r"w\.pth: cannot be read as torch weights \(the checksum of .* is wrong"):
        load_network(path, "tiny")


def test_a_compressed_torch_file_is_refused(tmp_path, tiny):
    stored = io.BytesIO()
    torch.save(tiny.state_dict(), stored)
    with zipfile.ZipFile(stored) as parts, zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in parts.namelist():
            archive.writestr(name, parts.read(name))
    with pytest.raises(ValueError, match=r"w\.pth: cannot be read as torch weights \(a part is compressed"):
        load_network(tmp_path / "w.pth", "tiny")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (torch.Tensor.to_sparse, r"torch\.sparse_coo on the device cpu"),
        (lambda tensor: tensor.to("meta"), r"torch\.strided on the device meta"),
    ],
)
@pytest.mark.filterwarnings("ignore:Validating sparse tensor:UserWarning")
def test_tensors_without_plain_numbers_are_refused(change, found, tmp_path, tiny):
    weights = tiny.state_dict()
    weights[WEIGHT] = change(weights[WEIGHT])
    torch.save(weights, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=rf"w\.pth: {WEIGHT} is {found}\. Save .* dense tensors on the CPU"):
        load_network(tmp_path / "w.pth", "tiny")


def test_weights_that_are_used_twice_are_written(tmp_path, monkeypatch):
    class Tied(torch.nn.Module):
        input_size, takes_any_size, n_features = None, True, 3

        def __init__(self):
            super().__init__()
            self.one, self.other = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
            self.other.weight = self.one.weight

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(registry, "ARCHITECTURES", registry._REGISTRY)
    register_architecture("tied", Tied, "one weight matrix for two layers")
    network = Tied()
    save_weights(tmp_path / "w.safetensors", network, "tied")
    assert same(load_network(tmp_path / "w.safetensors")[0], network)


def test_integer_buffers_of_an_own_architecture_keep_their_type(tmp_path, monkeypatch):
    class WithTable(torch.nn.Module):
        input_size, takes_any_size, n_features = None, True, 1

        def __init__(self):
            super().__init__()
            self.register_buffer("table", torch.arange(3, dtype=torch.int32))
            self.register_buffer("mask", torch.tensor([True, False]))

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(registry, "ARCHITECTURES", registry._REGISTRY)
    register_architecture("with_table", WithTable, "buffers of integers and booleans")
    network = WithTable()
    save_weights(tmp_path / "w.safetensors", network, "with_table")
    assert same(load_network(tmp_path / "w.safetensors")[0], network)
    tensors = network.state_dict()
    (tmp_path / "w.safetensors").write_bytes(save(tensors | {"table": tensors["table"].long()}))
    with pytest.raises(ValueError, match=r"table is torch\.int64"):
        load_network(tmp_path / "w.safetensors", "with_table")


def test_the_shipped_file_has_a_digest():
    content = Path(weights_path("synthetic")).read_bytes()
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    assert {"format", "digest"} <= metadata.keys()


def test_the_format_of_other_programs_is_no_mark_of_sigkit(tmp_path):
    network = build_network("tiny", seed=0)
    content = save(dict(network.state_dict()), metadata={"format": "pt"})
    (tmp_path / "foreign.safetensors").write_bytes(content)
    loaded, metadata = load_network(tmp_path / "foreign.safetensors", "tiny")
    assert metadata == {"format": "pt", "architecture": "tiny"}
    assert all(torch.equal(loaded.state_dict()[name], tensor) for name, tensor in network.state_dict().items())
