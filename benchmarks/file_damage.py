"""Damage to the bytes and to the values of files, for `fuzz_files.py`.

`RAW` has functions of a random generator and the content of a file. `STRUCTURED` has, by format, functions of these two
and of whether the digest is renewed.
"""

import io
import json
import pickle

import numpy as np
import torch
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from sigkit._utils import digest_of, seal_safetensors
from sigkit.experiments import pack_part
from sigkit.training import state_digest

# Damage to bytes.


def place(rng, content, longest=64):
    start = int(rng.integers(len(content)))
    return start, start + int(rng.integers(1, longest))


def flip_bits(rng, content):
    content = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    return bytes(content)


def set_bytes(rng, content):
    start, end = place(rng, content, 16)
    return content[:start] + rng.bytes(len(content[start:end])) + content[end:]


def zero_block(rng, content):
    start, end = place(rng, content, 512)
    return content[:start] + bytes(len(content[start:end])) + content[end:]


def truncate(rng, content):
    return content[: int(rng.integers(len(content)))]


def insert(rng, content):
    start, end = place(rng, content)
    return content[:start] + rng.bytes(end - start) + content[start:]


def delete(rng, content):
    start, end = place(rng, content)
    return content[:start] + content[end:]


def swap_blocks(rng, content):
    size = int(rng.integers(4, 64))
    first, second = sorted(int(start) for start in rng.integers(max(1, len(content) - size), size=2))
    if second - first < size:
        return truncate(rng, content)
    a, b = content[first : first + size], content[second : second + size]
    return content[:first] + b + content[first + size : second] + a + content[second + size :]


RAW = (flip_bits, set_bytes, zero_block, truncate, insert, delete, swap_blocks)


# Damage to values.


def damaged_array(rng, array):
    """Return an array that differs in its values, its type or its shape."""
    array = np.array(array)
    kinds = ["type", "shape", "empty", "transposed", "value"] + ["nan", "huge", "negative"] * (array.dtype.kind == "f")
    what = rng.choice(kinds)
    if what == "type":
        types = ["float64", "float32", "float16", "int64", "int32", "uint8", "bool", "complex64"]
        with np.errstate(all="ignore"):
            return array.astype(rng.choice(types)) if array.dtype.kind in "fiub" else np.zeros(array.shape)
    if what == "shape":
        return np.concatenate([array, array[-1:]]) if array.ndim and len(array) else np.stack([array, array])
    if what == "empty":
        return array.reshape(-1)[:0]
    if what == "transposed":
        return np.ascontiguousarray(array.T) if array.ndim > 1 else array[None]
    if not array.size:
        return np.zeros(3)
    position = int(rng.integers(array.size))
    values = {"nan": np.nan, "huge": 3e38, "negative": -abs(float(array.flat[position])) - 1} if "nan" in kinds else {}
    if what == "value":
        if array.dtype.kind in "fiub":
            array.flat[position] = (int(array.flat[position]) + 1) % 128
        else:
            array.flat[position] = "x"
    else:
        with np.errstate(all="ignore"):
            array.flat[position] = values[what]
    return array


def damaged_table(rng, table, damage_value):
    """Return named values of which one is removed, renamed, changed, or exchanged with another."""
    table = dict(table)
    names = list(table)
    if not names:
        return {"x": damage_value(None)}
    name, other = str(rng.choice(names)), str(rng.choice(names))
    what = rng.choice(["remove", "rename", "swap", "add", "change", "change", "change"])
    if what == "remove":
        del table[name]
    elif what == "rename":
        table[name + "x"] = table.pop(name)
    elif what == "swap":
        table[name], table[other] = table[other], table[name]
    elif what == "add":
        table[name + "x"] = table[name]
    else:
        table[name] = damage_value(table[name])
    return table


def damaged_text(rng, text):
    return rng.choice(["", "null", "{}", "[", "5", '{"image_size": 5}', "NaN", "x" + str(text)]).item()


def damage_safetensors(rng, content, forged):
    length = 8 + int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8:length]).get("__metadata__", {})
    arrays = load_safetensors(content)
    if forged:
        mark = metadata.pop("format", None)
        metadata.pop("digest", None)
    if metadata and rng.random() < 0.4:
        metadata = damaged_table(rng, metadata, lambda text: damaged_text(rng, text))
    else:
        arrays = damaged_table(rng, arrays, lambda array: damaged_array(rng, array))
    content = save_safetensors({name: np.array(array, order="C") for name, array in arrays.items()}, metadata=metadata)
    return seal_safetensors(content, mark) if forged and mark else content


def damage_npz(rng, content, forged):
    with np.load(io.BytesIO(content)) as archive:
        arrays = dict(archive)
    if forged and "owner" in arrays:
        # A part of an experiment.
        owner = arrays.pop("owner").decode()
        del arrays["digest"]
        arrays = damaged_table(rng, arrays, lambda array: damaged_array(rng, array))
        return pack_part(owner, {name: np.asarray(array) for name, array in arrays.items()})
    digest = arrays.pop("digest", None) if forged else None
    arrays = damaged_table(rng, arrays, lambda array: damaged_array(rng, array))
    if digest is not None:
        arrays["digest"] = digest_of(
            {name: array.item() if not array.ndim else array for name, array in arrays.items()}
        )
    damaged = io.BytesIO()
    np.savez(damaged, **arrays)
    return damaged.getvalue()


def damage_plain(rng, value):
    """Return a plain value or a tensor that differs somewhere."""
    if isinstance(value, torch.Tensor):
        return torch.from_numpy(np.array(damaged_array(rng, value.numpy()), order="C"))
    if isinstance(value, np.ndarray):
        return damaged_array(rng, value)
    if isinstance(value, dict) and value and rng.random() < 0.9:
        keys = {str(key): key for key in value}
        changed = damaged_table(rng, {str(key): part for key, part in value.items()}, lambda v: damage_plain(rng, v))
        return {keys.get(name, name): part for name, part in changed.items()}
    if isinstance(value, (list, tuple)) and value and rng.random() < 0.9:
        position = int(rng.integers(len(value)))
        return [*value[:position], damage_plain(rng, value[position]), *value[position + 1 :]]
    return [None, 0, -1, 1.5, float("nan"), "x", [], {}, torch.zeros(2)][int(rng.integers(9))]


def damage_torch(rng, content, forged):
    damaged = io.BytesIO()
    value = torch.load(io.BytesIO(content), weights_only=True)
    changed = damage_plain(rng, value)
    if forged and isinstance(changed, dict) and "digest" in value:
        changed["digest"] = state_digest(changed)
    torch.save(tuple(changed) if isinstance(changed, list) else changed, damaged)
    return damaged.getvalue()


def damage_json(rng, content, forged):
    return json.dumps(damage_plain(rng, json.loads(content)), default=str).encode()


def damage_pickle(rng, content, forged):
    # The file was written by this program.
    return pickle.dumps(damage_plain(rng, pickle.loads(content)))


STRUCTURED = {
    "safetensors": damage_safetensors,
    "npz": damage_npz,
    "torch": damage_torch,
    "json": damage_json,
    "pickle": damage_pickle,
}
