"""Letters as target points of the pen, in units of the x-height above the baseline."""

from functools import cache

import numpy as np

# Each letter is a list of points "x,y". Strokes are separated by bars; in connected writing, the first stroke joins the
# neighboring letters.
_SMALL = {
    "a": ".75,.85 .35,1 0,.5 .3,0 .7,.6 .78,.95 .75,.15 1,.05 1.2,.3",
    "b": "0,.2 .35,1.4 .3,2 .1,1.6 .1,.2 .4,0 .7,.4 .5,.9 .9,.8",
    "c": ".7,.8 .4,1 0,.5 .3,0 .7,.1 .9,.3",
    "d": ".7,.85 .35,1 0,.5 .3,0 .7,.7 .8,2 .75,.15 1,0 1.15,.3",
    "e": "0,.4 .5,.6 .55,.9 .3,1 .05,.5 .3,0 .7,.1 .9,.4",
    "f": "0,.3 .5,1.5 .45,2 .2,1.7 .2,-.7 .05,-1 .3,-.2 .7,.2",
    "g": ".7,.85 .35,1 0,.5 .3,0 .7,.7 .75,.9 .7,-.7 .35,-1.1 .1,-.7 .6,-.1 1,.3",
    "h": "0,.2 .35,1.5 .3,2 .1,1.6 .1,0 .15,.6 .45,1 .65,.6 .65,.1 .9,.1",
    "i": "0,.2 .25,1 .25,.15 .45,0 .65,.3|.3,1.5 .38,1.42",
    "j": ".1,.3 .35,1 .3,-.7 0,-1.1 -.2,-.7 .3,-.1 .6,.3|.4,1.5 .48,1.42",
    "k": "0,.2 .35,1.5 .3,2 .1,1.6 .1,0 .15,.5 .5,1 .45,.6 .2,.5 .6,0 .85,.2",
    "l": "0,.2 .35,1.4 .3,2 .1,1.6 .1,.2 .3,0 .6,.3",
    "m": "0,.3 .15,1 .15,0 .2,.7 .4,1 .55,.6 .55,0 .6,.7 .8,1 .95,.6 .95,.1 1.2,.1",
    "n": "0,.3 .15,1 .15,0 .2,.7 .45,1 .65,.6 .65,.1 .9,.1",
    "o": ".5,1 .1,.8 .05,.3 .35,0 .7,.4 .6,.9 .4,.95 .7,.8 1,.85",
    "p": "0,.3 .2,1 .15,-1 .15,.4 .4,1 .7,.6 .5,.05 .25,.1 .8,.1 1,.3",
    "r": "0,.2 .2,1.05 .35,.85 .6,.9 .55,.2 .75,0 .95,.3",
    "s": "0,.2 .4,1 .5,.6 .55,.2 .3,0 .05,.15 .5,.05 .8,.3",
    "t": "0,.2 .3,1.7 .25,.2 .45,0 .7,.3|0,1.2 .6,1.25",
    "u": "0,.3 .15,1 .1,.3 .35,0 .65,.6 .7,1 .7,.2 .9,0 1.1,.3",
    "v": "0,.8 .15,1 .35,0 .65,.9 .8,.85 1,.8",
    "w": "0,.8 .1,1 .2,0 .5,.8 .6,0 .9,.9 1.05,.85 1.25,.8",
    "x": "0,.8 .2,1 .5,.1 .8,.1|.7,1 0,0",
    "y": "0,.3 .15,1 .1,.4 .35,.1 .65,.7 .7,1 .6,-.7 .25,-1.1 .05,-.7 .6,-.1 1,.3",
    "z": "0,.7 .2,1 .65,.9 .05,.05 .6,.1 .9,.3",
}
_CAPITAL = {
    "A": "0,0 .7,2.1 1.3,0 1.5,.2|.2,.8 1.1,.85",
    "B": ".2,2 .15,0 .1,1.2 .3,2.1 1,1.7 .5,1.1 1.1,.6 .7,0 .2,.1",
    "C": "1.2,1.7 .8,2.1 .1,1.2 .4,.1 1.2,.3",
    "D": ".3,2 .25,.1 .1,.1 .9,.1 1.3,1.1 .8,2 .1,1.8",
    "E": "1,1.8 .6,2.1 .3,1.6 .7,1.1 .1,.6 .5,0 1.1,.3",
    "F": ".4,1.8 .3,0 .1,.1|0,1.9 .6,2 1.2,2.1|.2,1.1 .8,1.1",
    "G": "1.1,1.7 .7,2.1 .1,1.1 .5,.1 1.1,.7 1.1,1 1,-.6 .5,-.8",
    "H": ".1,2 .2,0|1.1,2.1 .9,0 1.1,.2|.1,1 1.1,1.1",
    "I": ".1,1.7 .5,2.1 .4,.2 .1,0 .6,.1",
    "J": ".2,1.8 .9,2 .7,-.6 .3,-1 .1,-.5 1,.3",
    "K": ".2,2 .15,0|1.1,2.1 .25,1 .4,1.1 1.2,0 1.4,.2",
    "L": ".3,1.7 .5,2.1 .4,.4 .1,0 .5,.2 1.2,0",
    "M": "0,0 .3,2 .7,.6 1.2,2.1 1.4,.1 1.6,.2",
    "N": "0,0 .2,2 .9,.1 1.1,2.1",
    "O": ".7,2.1 .1,1.3 .3,.1 1.1,.5 1.1,1.6 .6,2 1,2.1",
    "P": ".3,2 .2,0|0,1.6 .6,2.1 1.2,1.6 .8,1 .3,1.1",
    "R": ".2,2 .15,0|0,1.6 .5,2.1 1.1,1.6 .7,1.1 .3,1 .7,.8 1.2,0 1.4,.2",
    "S": "1.1,1.7 .7,2.1 .3,1.6 .8,.9 .8,.3 .3,0 0,.4",
    "T": ".7,2 .6,.1 .4,0|0,1.8 .5,2.1 1.4,2",
    "U": "0,1.8 .2,2 .2,.5 .6,0 1,.7 1.1,2 1.1,.2 1.3,.1",
    "V": "0,1.8 .2,2.1 .6,0 1.2,2.1",
    "W": "0,1.9 .1,2 .4,0 .9,1.6 1.2,0 1.7,2.1",
    "X": "0,1.8 .3,2 .9,.1 1.2,.2|1.2,2.1 0,0",
    "Y": "0,1.9 .2,2 .5,1.1 1,2 .8,-.4 .3,-1 .1,-.5 .8,.2",
    "Z": "0,1.6 .3,2 1.1,2 .1,.1 .6,.2 1.2,0",
}

N_INVENTED = 48
"""The number of letters of each invented script."""


@cache
def latin(letter):
    """Return the strokes of a Latin letter.

    Parameters
    ----------
    letter : str
        A lower-case or upper-case letter, or a full stop.

    Returns
    -------
    tuple of ndarray of shape (n_targets,), dtype complex128
        The targets of each stroke.
    """
    text = ".3,.1 .38,0" if letter == "." else (_SMALL | _CAPITAL)[letter]
    strokes = []
    for stroke in text.split("|"):
        points = [tuple(map(float, point.split(","))) for point in stroke.split()]
        strokes.append(np.array([complex(*point) for point in points]))
    return tuple(strokes)


@cache
def indic(number):
    """Return the strokes of an invented letter that hangs from a headline, as those of Indic scripts do.

    A letter has a body, and can have a bar and a sign above or below.

    Parameters
    ----------
    number : int
        The number of the letter, from 0.

    Returns
    -------
    tuple of ndarray of shape (n_targets,), dtype complex128
        The targets of each stroke.
    """
    rng = np.random.default_rng([1, number])
    n_targets = int(rng.integers(4, 8))
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.choice((-1, 1)) * rng.uniform(0.4, 1.7, n_targets))
    body = np.cumsum(np.exp(1j * angle) * rng.uniform(0.3, 0.8, n_targets))
    body = _fit(body, 0, rng.uniform(0.45, 0.8), rng.uniform(0, 0.25), rng.uniform(0.75, 1))
    strokes = [body]
    if rng.random() < 0.6:
        bar = body.real.max() + rng.uniform(0, 0.2)
        strokes.append(np.array([bar + 1j, bar + 0.0j]))
    if rng.random() < 0.4:
        middle = rng.uniform(0, 0.6)
        above = np.array([middle + 1j, middle - 0.2 + 1.4j, middle + 0.2 + 1.7j, middle + 0.5 + 1.3j])
        strokes.append(above if rng.random() < 0.6 else 0.7 * above.conj() + 0.9j)
    return tuple(strokes)


@cache
def abstract(number):
    """Return the strokes of an invented sign that is not a letter: loops, waves or zigzags.

    Parameters
    ----------
    number : int
        The number of the sign, from 0.

    Returns
    -------
    tuple of ndarray of shape (n_targets,), dtype complex128
        The targets of each stroke.
    """
    rng = np.random.default_rng([2, number])
    n_targets = int(rng.integers(4, 10))
    kind = rng.integers(3)
    if kind == 0:
        turns = rng.choice((-1, 1)) * np.arange(n_targets) * rng.uniform(1, 1.9)
        points = np.exp(1j * turns) * rng.uniform(0.5, 1, n_targets) + rng.uniform(0, 0.4) * np.arange(n_targets)
    elif kind == 1:
        points = np.arange(n_targets) * rng.uniform(0.3, 0.7) + 1j * (-1.0) ** np.arange(n_targets)
        points = points + rng.normal(0, 0.2, n_targets) + 1j * rng.normal(0, 0.3, n_targets)
    else:
        points = np.cumsum(rng.normal(0.3, 0.8, n_targets) + 1j * rng.normal(0, 1, n_targets))
    low, high = np.sort(rng.uniform(-1, 2.2, 2))
    return (_fit(points, 0, rng.uniform(0.6, 2), low, max(high, low + 0.8)),)


def _fit(points, left, right, low, high):
    """Scale points to fill a box."""
    x, y = points.real, points.imag
    x = left + (x - x.min()) * (right - left) / (np.ptp(x) + 1e-9)
    y = low + (y - y.min()) * (high - low) / (np.ptp(y) + 1e-9)
    return x + 1j * y
