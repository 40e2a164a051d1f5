"""Progress messages of long computations, on the standard error stream."""

import sys
import time


def progress(items, total, label, verbose):
    """Iterate over items and report progress, at most once a second.

    Parameters
    ----------
    items : iterable
        The items. A list counts by its length, anything else as one.
    total : int
        The expected number.
    label : str
        Name of the computation.
    verbose : int
        0 reports nothing.

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
    start = reported = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += len(item) if isinstance(item, list) else 1
        now = time.monotonic()
        if verbose and (now - reported >= 1 or done >= total):
            reported = now
            rate = done / max(now - start, 1e-9)
            # In the first seconds workers start, so an estimate of the remaining time would be far off.
            left = f", {(total - done) / rate:.0f} s left" if now - start > 5 else ""
            pace = f"{rate:.0f} per second" if rate >= 1 else f"{1 / rate:.1f} s each"
            sys.stderr.write(f"[sigkit] {label}: {done} of {total}, {pace}{left}\n")
