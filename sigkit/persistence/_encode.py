"""From the objects of a system to plain values and arrays."""

import math
import pathlib

import joblib
import numpy as np
from sklearn.utils import Bunch

from sigkit._utils import listing
from sigkit.persistence._arrays import ArrayWriter, can_store
from sigkit.persistence._fields import field_names, values_of

BIT_GENERATORS = {name: getattr(np.random, name) for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")}
# Python limits the decimal digits of an integer that is read, but not the hexadecimal ones.
LONG = 2**64
# Python's stack ends after a few hundred levels, after fewer where `load` is called deep inside a program.
MAX_DEPTH = 100
# Of a class that was made by a class statement; others keep their content elsewhere than in attributes.
_HEAP_TYPE = 1 << 9


class Encoder:
    """Convert a system to JSON values and arrays.

    Texts, truth values, None, finite numbers and lists stand for themselves. Anything else is an object with one entry,
    whose name is the kind. What can be shared (arrays, lists, dicts, sets, objects, random states) is numbered in the
    order of completion; where it comes again, "same" has its number.

    Parameters
    ----------
    known : dict of str to type
        The classes that are accepted, by name.

    Attributes
    ----------
    arrays : ArrayWriter
        The arrays.
    classes : list of list
        The name of each class that was met, and its fields, or None.
    """

    def __init__(self, known):
        self.arrays, self.classes = ArrayWriter(), []
        self._known, self._names = known, {}
        for name, cls in known.items():
            self._names.setdefault(cls, name)
        self._numbers, self._done, self._open, self._depth = {}, {}, set(), 0
        self._unshared = {
            type(None): lambda value: value,
            bool: lambda value: value,
            str: lambda value: value,
            int: lambda value: value if abs(value) < LONG else {"int": hex(value)},
            float: lambda value: value if math.isfinite(value) else {"float": repr(value)},
            range: lambda value: {"range": self._parts([value.start, value.stop, value.step])},
            tuple: lambda value: {"tuple": self._parts(value)},
            frozenset: lambda value: {"frozenset": self._sorted(value)},
            slice: lambda value: {"slice": self._parts([value.start, value.stop, value.step])},
            bytes: lambda value: {"bytes": self.arrays.add(np.frombuffer(value, np.uint8))},
            pathlib.PosixPath: lambda value: {"path": str(value)},
            pathlib.WindowsPath: lambda value: {"path": str(value)},
            joblib.Memory: lambda value: self.encode(value.location),
        }
        self._shared = {
            list: self._parts,
            set: lambda value: {"set": self._sorted(value)},
            dict: lambda value: {"dict": self._entries(value)},
            Bunch: lambda value: {"bunch": self._entries(value)},
            np.ndarray: self._array,
            np.memmap: self._array,
            np.random.RandomState: lambda value: {"random_state": self._state(value.get_state(legacy=False))},
            np.random.Generator: lambda value: {"generator": self._state(value.bit_generator.state)},
        }

    def encode(self, value):
        """Encode a value and everything in it.

        Parameters
        ----------
        value : object
            The value.

        Returns
        -------
        object
            JSON values.

        Raises
        ------
        Unknown
            If it holds something of an unknown class, contains itself, or is nested too deeply.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unknown(f"is inside of {MAX_DEPTH} other objects")
        encoded = self._encode(value)
        self._depth -= 1
        return encoded

    def _encode(self, value):
        kind = type(value)
        convert = self._unshared.get(kind)
        if convert is not None:
            return convert(value)
        if isinstance(value, np.generic) and can_store(value):
            return {"scalar": self.arrays.add(np.asarray(value))}
        key = id(value)
        if key in self._done:
            return {"same": self._done[key][0]}
        if key in self._open:
            raise Unknown("contains itself")
        convert = self._shared.get(kind, self._object if kind in self._names else None)
        if convert is None:
            raise Unknown(f"is {_described(value, self._known)}")
        self._open.add(key)
        encoded = convert(value)
        self._open.remove(key)
        # The value is kept, so that no other one gets its id.
        self._done[key] = len(self._done), value
        return encoded

    def _within(self, place, value):
        """Encode a part of a value; an error names its place."""
        try:
            return self.encode(value)
        except Unknown as error:
            error.place = place + error.place
            raise

    def _parts(self, values):
        return [self._within(f"[{number}]", value) for number, value in enumerate(values)]

    def _entries(self, values):
        return [
            [self._within(f" key {key!r}", key), self._within(f"[{key!r}]", value)] for key, value in values.items()
        ]

    def _sorted(self, values):
        # Sets have another order in each process.
        return self._parts(sorted(values, key=repr))

    def _array(self, array):
        if array.dtype.hasobject and array.dtype.kind == "O":
            return {"objects": [list(array.shape), self._parts(array.ravel().tolist())]}
        if not can_store(array):
            raise Unknown(f"is an array of type {array.dtype}")
        return {"array": self.arrays.add(array)}

    def _state(self, state):
        if state["bit_generator"] not in BIT_GENERATORS:
            raise Unknown(f"draws from a {state['bit_generator']}, which is no bit generator of numpy")
        return self.encode(state)

    def _object(self, thing):
        cls = type(thing)
        number = self._numbers.get(cls)
        if number is None:
            _check_content(cls)
            names = field_names(cls)
            number = self._numbers[cls] = len(self.classes)
            self.classes.append([self._names[cls], None if names is None else list(names)])
        values = values_of(thing)
        if self.classes[number][1] is not None:
            _check_all_fields(thing)
            content = [self._within(f".{name}", value) for name, value in zip(field_names(cls), values)]
        elif type(values) is dict and all(type(name) is str for name in values):
            content = {name: self._within(f".{name}", value) for name, value in values.items()}
        else:
            raise Unknown(f"is a {cls.__name__}, whose state is no dict of attributes")
        return {"object": [number, content]}


class Unknown(Exception):
    """Something in a system cannot be saved; `place` leads to it from the system."""

    def __init__(self, what):
        super().__init__(what)
        self.what, self.place = what, ""


def _check_content(cls):
    """Check that the attributes of an object of the class are all of its content."""
    others = {object, tuple} if field_names(cls) else {object}
    builtin = [each.__name__ for each in cls.__mro__ if not each.__flags__ & _HEAP_TYPE and each not in others]
    if builtin:
        raise Unknown(f"is a {cls.__name__}, which is also a {builtin[0]}: attributes alone would be saved")


def _check_all_fields(thing):
    """Check that an object has no attributes beside its fields, except cached properties."""
    cls = type(thing)
    others = [
        name for name in getattr(thing, "__dict__", ()) if name not in field_names(cls) and not hasattr(cls, name)
    ]
    if others:
        raise Unknown(f"is a {cls.__name__} with attributes that are no fields, {listing(others)}")


def _described(value, known):
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return f"a function or class, {value.__module__}.{value.__qualname__}"
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if name in known:
        return f"of another class {name} than the one in classes=, which was defined later or before: make it again"
    return f"of the class {name}"
