"""Memory that a process keeps while it takes and frees much of it again and again."""

import ctypes
import os
import sys
from contextlib import contextmanager

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MIB = 2**20


@contextmanager
def freed_memory_kept():
    """Let the process keep the memory that it frees, instead of giving it back and taking it again.

    Each page of memory that is taken anew costs a fault; in a training on the processor, which frees in each step what
    it takes in the next, they add up to an eighth of the time. Only glibc can be told so; elsewhere, and where the
    environment has settings of its own for it, nothing happens. Afterwards freed memory is given back, and glibc is
    left with the thresholds that it comes to by itself where large arrays are used.

    Examples
    --------
    >>> from sigkit.utils import freed_memory_kept
    >>> with freed_memory_kept():
    ...     total = sum(len(bytes(10**6)) for _ in range(10))
    >>> total
    10000000
    """
    library = _glibc()
    if library is None:
        yield
        return
    _set(library, mmap_threshold=32 * _MIB, trim_threshold=2048 * _MIB - 1, top_pad=64 * _MIB)
    try:
        yield
    finally:
        _set(library, mmap_threshold=32 * _MIB, trim_threshold=64 * _MIB, top_pad=0)
        library.malloc_trim(0)


def _glibc():
    configured = "MALLOC_" in " ".join(os.environ) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if configured or not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


def _set(library, *, mmap_threshold, trim_threshold, top_pad):
    # Each of them ends glibc's own adjustment of all of them.
    library.mallopt(_MMAP_THRESHOLD, mmap_threshold)
    library.mallopt(_TRIM_THRESHOLD, trim_threshold)
    library.mallopt(_TOP_PAD, top_pad)
