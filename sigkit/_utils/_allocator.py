"""Memory that a process keeps while it takes and frees much of it again and again."""

import ctypes
import os
import sys
import threading
from contextlib import contextmanager

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_KIB, _MIB = 2**10, 2**20
_OWN_SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_")

_lock, _users = threading.Lock(), 0


@contextmanager
def freed_memory_kept():
    """Let the process keep the memory that it frees, instead of giving it back and taking it again.

    Each page of memory that is taken anew costs a fault; in a training on the processor, which frees in each step what
    it takes in the next, they add up to an eighth of the time. Only glibc can be told so; elsewhere, and where the
    environment has settings of its own for it, nothing happens. After the last of those who use it at a time, freed
    memory is given back, the padding is glibc's default, and its thresholds are those that it comes to by itself where
    large arrays are used.

    Examples
    --------
    >>> from sigkit._utils import freed_memory_kept
    >>> with freed_memory_kept():
    ...     total = sum(len(bytes(10**6)) for _ in range(10))
    >>> total
    10000000
    """
    library = _glibc()
    if library is None:
        yield
        return
    _count(library, 1)
    try:
        yield
    finally:
        _count(library, -1)


def _glibc():
    configured = any(name in os.environ for name in _OWN_SETTINGS)
    configured = configured or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if configured or not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


def _count(library, change):
    global _users
    with _lock:
        _users += change
        if _users == 1 and change == 1:
            _set(library, trim_threshold=2048 * _MIB - 1, top_pad=64 * _MIB)
        elif _users == 0:
            _set(library, trim_threshold=64 * _MIB, top_pad=128 * _KIB)
            library.malloc_trim(0)


def _set(library, *, trim_threshold, top_pad):
    # Each of them ends glibc's own adjustment of all of them.
    library.mallopt(_MMAP_THRESHOLD, 32 * _MIB)
    library.mallopt(_TRIM_THRESHOLD, trim_threshold)
    library.mallopt(_TOP_PAD, top_pad)
