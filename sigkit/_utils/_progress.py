"""Progress of long work, on the standard error stream."""

import sys
import time


def progress(items, total, label, verbose):
    """Pass items on, and tell how many there were so far.

    Parameters
    ----------
    items : iterable
        What to pass on; each item is a list whose length counts, or a single thing.
    total : int
        How many things there will be.
    label : str
        What is done.
    verbose : int
        0 tells nothing.

    Yields
    ------
    object
        The items.

    Examples
    --------
    >>> from sigkit._utils import progress
    >>> list(progress([1, 2], total=2, label="counting", verbose=0))
    [1, 2]
    """
    start = told = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += len(item) if isinstance(item, list) else 1
        now = time.monotonic()
        if verbose and (now - told >= 1 or done >= total):
            told = now
            rate = done / max(now - start, 1e-9)
            # The first seconds go into starting workers and say nothing about the rest.
            left = f", {(total - done) / rate:.0f} s left" if now - start > 5 else ""
            pace = f"{rate:.0f} a second" if rate >= 1 else f"{1 / rate:.1f} s each"
            sys.stderr.write(f"[sigkit] {label}: {done} of {total}, {pace}{left}\n")
