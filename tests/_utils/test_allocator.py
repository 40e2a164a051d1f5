"""The allocator settings under which freed memory stays in the process."""

import os
import platform
import subprocess
import sys

import pytest

import sigkit._utils._allocator as module
from sigkit._utils import freed_memory_kept

IS_GLIBC = platform.libc_ver()[0] == "glibc"

# In a process of its own, for in one that has worked there may be gaps to take memory from; and in an environment
# without settings, for dask's workers leave theirs in that of the tests.
COUNT_PAGES = """
import resource
import numpy as np
from sigkit._utils import freed_memory_kept

def page_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    parts = [np.ones(30 * 2**20, dtype=np.uint8) for _ in range(8)]
    del parts
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with freed_memory_kept():
    page_faults()
    with freed_memory_kept():
        print(page_faults())
    print(page_faults())
page_faults()
print(page_faults())
"""


@pytest.mark.skipif(not IS_GLIBC, reason="works with glibc only")
def test_memory_is_requested_once():
    named = {*module._OWN_SETTINGS, "GLIBC_TUNABLES"}
    settings = {"env": {name: value for name, value in os.environ.items() if name not in named}}
    found = subprocess.run([sys.executable, "-c", COUNT_PAGES], capture_output=True, text=True, check=True, **settings)
    within, outside_the_inner, afterwards = map(int, found.stdout.split())
    assert max(within, outside_the_inner) < afterwards / 2


def test_errors_inside_are_raised():
    with pytest.raises(KeyError, match="inner"), freed_memory_kept():
        {}["inner"]
    assert module._users == 0


def refuse(*arguments, **settings):
    raise AssertionError("settings were changed")


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_settings_of_the_environment_are_kept(monkeypatch, name):
    monkeypatch.setenv(name, "glibc.malloc.trim_threshold=1000000")
    monkeypatch.setattr(module, "_set", refuse)
    with freed_memory_kept():
        assert module._users == 0


def test_other_systems_are_not_changed(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(module, "_set", refuse)
    with freed_memory_kept():
        assert module._users == 0
