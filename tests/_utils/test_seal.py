import json
import random

import numpy as np
import pytest
from safetensors import SafetensorError
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
    content = seal_safetensors(save(arrays, metadata={"step": "mean"}), "mean 1")
    assert unseal_safetensors(content, "file", "mean 1", "") == {"step": "mean"}
    np.testing.assert_equal(load(content), arrays)
    assert unseal_safetensors(seal_safetensors(save(arrays), "mean 1"), "file", "mean 1", "") == {}


def test_equal_contents_are_equal_files():
    arrays, metadata = {"a": np.arange(3)}, {str(number): "" for number in range(20)}
    one, other = (seal_safetensors(save(arrays, metadata=metadata), "mean 1") for _ in range(2))
    assert one == other


def test_every_changed_byte_of_a_sealed_file_is_found_or_changes_nothing():
    arrays = {"a": np.arange(9, dtype=np.float32), "b": np.ones((2, 2), np.uint8)}
    content = seal_safetensors(save(arrays, metadata={"step": "mean"}), "mean 1")
    rng = random.Random(0)
    for foreign in (False, True):
        for position in range(len(content)):
            damaged = bytearray(content)
            damaged[position] ^= 1 << rng.randrange(8)
            try:
                metadata = unseal_safetensors(bytes(damaged), "file", "mean 1", "", foreign=foreign)
                found = load(bytes(damaged))
            except (ValueError, SafetensorError):
                continue
            assert metadata == {"step": "mean"}
            np.testing.assert_equal(found, arrays)


def test_files_of_other_programs_are_accepted_if_asked_for():
    content = save({"a": np.arange(9)}, metadata={"by": "another program"})
    assert unseal_safetensors(content, "file", "mean 1", "", foreign=True) == {"by": "another program"}
    assert unseal_safetensors(save({"a": np.arange(9)}), "file", "mean 1", "", foreign=True) == {}
    with pytest.raises(ValueError, match=r"file: has no digest.* Delete it\."):
        unseal_safetensors(content, "file", "mean 1", "Delete it.")


@pytest.mark.parametrize("kept", ["format", "digest"])
def test_one_mark_is_enough_to_ask_for_the_digest(kept):
    content = seal_safetensors(save({"a": np.arange(9)}), "mean 1")
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    content = save({"a": np.arange(9)}, metadata={kept: metadata[kept]})
    with pytest.raises(ValueError, match=r"file: (has no digest|damaged)"):
        unseal_safetensors(content, "file", "mean 1", "", foreign=True)


def test_another_format_is_refused():
    content = seal_safetensors(save({"a": np.arange(9)}), "mean 1")
    with pytest.raises(ValueError, match=r"file: a file of another kind or version, not 'mean 2'\. Make it again"):
        unseal_safetensors(content, "file", "mean 2", "Make it again.")


@pytest.mark.parametrize("length", [0, 7, 8, 40, -1])
def test_a_cut_file_is_refused(length):
    content = seal_safetensors(save({"a": np.arange(9)}), "mean 1")
    with pytest.raises(ValueError, match="file: "):
        unseal_safetensors(content[:length], "file", "mean 1", "", foreign=True)


@pytest.mark.parametrize("header", [b"[]", b"3", b'{"__metadata__": []}', b'{"__metadata__": {"a": 1}}', b"[" * 5000])
def test_a_header_that_is_no_table_is_refused(header):
    with pytest.raises(ValueError, match="file: "):
        unseal_safetensors(len(header).to_bytes(8, "little") + header, "file", "mean 1", "")
