"""From plain values and arrays to the objects of a system. Nothing in them is executed or imported."""

import pathlib

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from sigkit.persistence._encode import BIT_GENERATORS
from sigkit.persistence._fields import field_names, make


class Decoder:
    """Make the objects of a system.

    Parameters
    ----------
    known : dict of str to type
        The classes that are accepted, by name.
    classes : list of list
        The name of each class of the file, and its fields, or None.
    arrays : ArrayReader
        The arrays.

    Attributes
    ----------
    estimators : list of estimator
        The estimators that were made.

    Raises
    ------
    ValueError
        If a class is not known, or has other fields.
    """

    def __init__(self, known, classes, arrays):
        self.estimators = []
        self._arrays, self._done = arrays, []
        self._classes = [_known_class(known, *entry) for entry in classes]
        self._unshared = {
            "int": lambda text: int(text, 16),
            "float": float,
            "range": lambda parts: range(*self._parts(parts)),
            "tuple": lambda parts: tuple(self._parts(parts)),
            "frozenset": lambda parts: frozenset(self._parts(parts)),
            "slice": lambda parts: slice(*self._parts(parts)),
            "bytes": lambda number: self._arrays.get(number).tobytes(),
            "path": pathlib.Path,
            "scalar": lambda number: self._arrays.get(number)[()],
            "same": lambda number: self._done[number],
        }
        self._shared = {
            "set": lambda parts: set(self._parts(parts)),
            "dict": self._entries,
            "bunch": self._bunch,
            "array": arrays.get,
            "objects": self._objects,
            "random_state": self._random_state,
            "generator": self._generator,
            "object": self._object,
        }

    def decode(self, value):
        """Make an object.

        Parameters
        ----------
        value : object
            JSON values, as `Encoder.encode` returned them.

        Returns
        -------
        object
            The object.

        Raises
        ------
        Exception
            Of many kinds, if the values were written by another program.
        """
        if type(value) is dict:
            [(kind, content)] = value.items()
            convert = self._unshared.get(kind)
            if convert is not None:
                return convert(content)
            made = self._shared[kind](content)
        elif type(value) is list:
            made = self._parts(value)
        else:
            return value
        self._done.append(made)
        return made

    def _parts(self, values):
        return [self.decode(value) for value in values]

    def _entries(self, entries):
        return {self.decode(key): self.decode(value) for key, value in entries}

    def _objects(self, content):
        shape, parts = content
        array = np.empty(len(parts), dtype=object)
        for number, part in enumerate(parts):
            array[number] = self.decode(part)
        return array.reshape(shape)

    def _bunch(self, entries):
        bunch = Bunch()
        # Its keys need not be names.
        bunch.update(self._entries(entries))
        return bunch

    def _random_state(self, state):
        state = self.decode(state)
        random_state = np.random.RandomState(BIT_GENERATORS[state["bit_generator"]](0))
        random_state.set_state(state)
        return random_state

    def _generator(self, state):
        state = self.decode(state)
        bit_generator = BIT_GENERATORS[state["bit_generator"]](0)
        bit_generator.state = state
        return np.random.Generator(bit_generator)

    def _object(self, content):
        number, values = content
        if type(values) is dict:
            values = {name: self.decode(value) for name, value in values.items()}
        else:
            values = self._parts(values)
        made = make(self._classes[number], values)
        if isinstance(made, BaseEstimator):
            self.estimators.append(made)
        return made


def _known_class(known, name, names):
    cls = known.get(name)
    if cls is None:
        raise ValueError(f"the class {name} is not known here; if it is your own, pass it in classes=")
    if names != (None if field_names(cls) is None else list(field_names(cls))):
        raise ValueError(f"the class {name} has other fields here than {names}")
    return cls
