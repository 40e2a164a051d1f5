"""Memory that is kept while it is freed and taken again and again."""

import sys

import numpy as np
import pytest

import sigkit.utils._allocator as module
from sigkit.utils import freed_memory_kept

resource = pytest.importorskip("resource")
IS_GLIBC = module._glibc() is not None


def pages_taken():
    """Take 120 MiB in parts and free them; how many pages had to be asked for."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    parts = [np.ones(30 * 2**20, dtype=np.uint8) for _ in range(4)]
    del parts
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not IS_GLIBC, reason="only glibc can be told to keep memory, where the environment does not")
def test_pages_are_asked_for_once():
    with freed_memory_kept():
        pages_taken()
        again = pages_taken()
    pages_taken()
    afterwards = pages_taken()
    assert again < afterwards / 10


def test_what_happens_inside_comes_out():
    with pytest.raises(KeyError, match="inner"), freed_memory_kept():
        raise KeyError("inner")


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_settings_of_the_environment_stay(monkeypatch, name):
    monkeypatch.setenv(name, "glibc.malloc.trim_threshold=1000000")
    assert module._glibc() is None
    with freed_memory_kept():
        assert pages_taken() > 0


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert module._glibc() is None
    with freed_memory_kept():
        pass
