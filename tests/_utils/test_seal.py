import random

import numpy as np
import pytest
from safetensors.numpy import load, save

from sigkit._utils import digest_of, seal_safetensors, sealed, unseal_safetensors, unsealed

VALUES = [
    None,
    True,
    1,
    1.0,
    -0.0,
    "1",
    b"1",
    "",
    [],
    {},
    [1],
    [[1]],
    [1, [2]],
    [[1, 2]],
    {"1": 1},
    {1: 1},
    {"a": {"b": 1}, "c": 2},
    {"a": {"b": 1, "c": 2}},
    ["ab", "c"],
    ["a", "bc"],
    "\udcff",
    np.zeros(2),
    np.zeros(2, np.float32),
    np.zeros((1, 2)),
    np.zeros((2, 0)),
    np.float64(1),
    np.array(["ada"]),
    np.array([True]),
]


def test_different_values_have_different_digests():
    assert len({digest_of(value) for value in VALUES}) == len(VALUES)


def test_equal_values_have_equal_digests():
    assert digest_of({"a": [1, (2, None)], "b": 2}) == digest_of({"b": 2, "a": (1, [2, None])})
    assert digest_of(np.arange(6).reshape(2, 3).T) == digest_of(np.arange(6).reshape(2, 3).T.copy())


@pytest.mark.parametrize("value", [object(), np.array([object()]), {"a": {1}}])
def test_what_has_no_value_has_no_digest(value):
    with pytest.raises(TypeError, match="no digest"):
        digest_of(value)


@pytest.mark.parametrize("change", [{"seed": 4}, {"seed": 3.0}, {"more": 1}, {"digest": ""}, {"digest": None}])
def test_changed_values_are_refused(change):
    with pytest.raises(ValueError, match=r"seed\.json: damaged.* Delete it\."):
        unsealed({**sealed({"seed": 3}), **change}, "seed.json", "Delete it.")


def test_nested_values_that_are_too_deep_are_refused():
    deep = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match=r"seed\.json: damaged"):
        unsealed({"seed": deep, "digest": ""}, "seed.json", "Delete it.")


def test_values_without_digest_are_refused():
    with pytest.raises(ValueError, match=r"seed\.json: has no digest.*Delete it\."):
        unsealed({"seed": 3}, "seed.json", "Delete it.")


def test_sealed_values_are_returned_without_the_digest():
    assert unsealed(sealed({"seed": 3}), "seed.json", "") == {"seed": 3}


def test_sealed_tensors_are_read_by_safetensors():
    arrays = {"a": np.arange(3, dtype=np.float32), "b": np.ones((2, 2), np.uint8)}
    content = seal_safetensors(save(arrays, metadata={"step": "mean"}))
    assert unseal_safetensors(content, "file", "") == {"step": "mean"}
    np.testing.assert_equal(load(content), arrays)
    assert unseal_safetensors(seal_safetensors(save(arrays)), "file", "") == {}


def test_every_changed_byte_of_a_sealed_file_is_found_or_changes_nothing():
    arrays = {"a": np.arange(9, dtype=np.float32), "b": np.ones((2, 2), np.uint8)}
    content = seal_safetensors(save(arrays, metadata={"step": "mean"}))
    rng = random.Random(0)
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.randrange(8)
        try:
            metadata = unseal_safetensors(bytes(damaged), "file", "")
        except ValueError:
            continue
        assert metadata == {"step": "mean"}
        np.testing.assert_equal(load(bytes(damaged)), arrays)


@pytest.mark.parametrize("length", [0, 7, 8, 40, -1])
def test_a_cut_file_is_refused(length):
    content = seal_safetensors(save({"a": np.arange(9)}))
    with pytest.raises(ValueError, match="file: "):
        unseal_safetensors(content[:length], "file", "")


@pytest.mark.parametrize("header", [b"[]", b"3", b'{"__metadata__": []}', b"[" * 5000])
def test_a_header_that_is_no_table_is_refused(header):
    with pytest.raises(ValueError, match="file: "):
        unseal_safetensors(len(header).to_bytes(8, "little") + header, "file", "")
