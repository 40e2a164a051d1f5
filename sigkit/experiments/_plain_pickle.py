"""Reading of plain data from a pickle without unpickling it: nothing is imported, called or executed."""

import pickletools

import numpy as np

# The functions by which numpy's arrays, dtypes and scalars are pickled, and that for bytes in old pickles.
_KNOWN = {
    "_reconstruct": "numpy.core.multiarray",
    "_frombuffer": "numpy.core.numeric",
    "scalar": "numpy.core.multiarray",
    "ndarray": "numpy",
    "dtype": "numpy",
    "encode": "_codecs",
}
_NUMBERS = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}
# How files of other kinds begin.
_OTHER_FILES = {
    b"PK\x03\x04": "a ZIP archive, such as PyTorch writes weights (.pth), and numpy several arrays (.npz)",
    b"\x93NUMPY": "an array of numpy (.npy)",
}
_LEGACY_WEIGHTS = 0x1950A86A20F9469CFC6C  # all that the first pickle of an old .pth file has
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_WITH_VALUE = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}


def read_plain_pickle(content):
    """Read lists, tuples, dicts, numbers, strings, bytes and arrays of numbers from a pickle.

    The instructions of the pickle are interpreted here, without the unpickler of Python. The names of functions in it
    are compared with a short list; arrays are made from their bytes, type and shape.

    Parameters
    ----------
    content : bytes
        The pickle.

    Returns
    -------
    object
        The data.

    Raises
    ------
    ValueError
        If it is damaged, or holds anything else; the message says what to do.
    """
    for start, kind in _OTHER_FILES.items():
        if content.startswith(start):
            raise ValueError(f"it is no pickle but {kind}. Pass the pickle; load_sigver_weights reads weights.")
    reader = _Reader(budget=len(content))
    try:
        for instruction, argument, _ in pickletools.genops(content):
            if instruction.name == "STOP":
                found = reader.stack.pop()
                break
            reader.run(instruction.name, argument)
        else:
            raise ValueError("it has no end")
    except _NotPlainError as error:
        raise ValueError(
            f"refused: {error}. Copying it again does not help: only lists, dicts, numbers and arrays of numbers are "
            "read. Save the results as these, in the program that made them."
        ) from error
    except Exception as error:
        # Damaged pickles make the parser and the stack raise errors of many kinds.
        raise ValueError(
            f"damaged, or no pickle ({type(error).__name__}: {error}). Copy it again, or pass the pickled results."
        ) from error
    if type(found) is int and found == _LEGACY_WEIGHTS:
        raise ValueError("it has weights in the old format of PyTorch (.pth): load_sigver_weights reads them.")
    return found


class _NotPlainError(ValueError):
    pass


class _Name(str):
    """The name of a function, which is neither imported nor called."""


class _Unfinished:
    """An array whose content, or a type of numbers whose byte order comes later in the pickle."""

    def __init__(self, value=None):
        self.value = value


class _Reader:
    """The stack and the memory of a pickle; `budget` is the number of bytes that its arrays may have together."""

    def __init__(self, budget):
        self.stack, self.marks, self.memory, self.budget = [], [], {}, budget

    def run(self, name, argument):
        """Carry out one instruction."""
        stack = self.stack
        if name in _WITH_VALUE:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name == "MARK":
            self.marks.append(len(stack))
        elif name in ("TUPLE", "LIST", "DICT"):
            parts = self._since_mark()
            stack.append(tuple(parts) if name == "TUPLE" else parts if name == "LIST" else _pairs(parts))
        elif name in ("APPEND", "APPENDS"):
            parts = [stack.pop()] if name == "APPEND" else self._since_mark()
            _expect(stack[-1], list).extend(parts)
        elif name in ("SETITEM", "SETITEMS"):
            parts = [stack.pop(-2), stack.pop()] if name == "SETITEM" else self._since_mark()
            _expect(stack[-1], dict).update(_pairs(parts))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memory[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.memory[len(self.memory)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            found = self.memory[argument]
            stack.append(found.value if isinstance(found, _Unfinished) else found)
        elif name == "GLOBAL":
            stack.append(_known(*argument.split(" ")))
        elif name == "STACK_GLOBAL":
            stack.append(_known(stack.pop(-2), stack.pop()))
        elif name == "REDUCE":
            stack.append(self._call(stack.pop(-2), _expect(stack.pop(), tuple)))
        elif name == "BUILD":
            state = _expect(stack.pop(), tuple)
            stack.append(self._finish(_expect(stack.pop(), _Unfinished), state))
        elif name not in ("PROTO", "FRAME"):
            raise _NotPlainError(f"it has the instruction {name}, which plain data does not need")

    def _since_mark(self):
        mark = self.marks.pop()
        if mark > len(self.stack):
            raise ValueError("a mark above the stack")
        parts = self.stack[mark:]
        del self.stack[mark:]
        return parts

    def _call(self, name, arguments):
        """Return what a function of this name makes of its arguments."""
        name = _expect(name, _Name)
        if name == "_reconstruct":
            return _Unfinished()
        if name == "dtype":
            if arguments[0] not in _NUMBERS:
                raise _NotPlainError(f"it has an array of the type {arguments[0]!r}, not of numbers")
            return _Unfinished(np.dtype(arguments[0]))
        if name == "encode":
            text, encoding = arguments
            self._spend(len(text))
            return _expect(text, str).encode({"latin1": "latin1"}[encoding])
        if name == "scalar":
            dtype, data = arguments
            return self._array(data, dtype, (), "C").item()
        if name == "_frombuffer":
            return self._array(*arguments)
        raise ValueError(f"a call of {name}")

    def _finish(self, unfinished, state):
        """Set the byte order of a type of numbers, or the content of an array."""
        if unfinished.value is None:
            _, shape, dtype, is_fortran, data = state
            unfinished.value = self._array(data, dtype, shape, "F" if is_fortran else "C")
        elif state[1] in ("<", ">"):
            unfinished.value = unfinished.value.newbyteorder(state[1])
        return unfinished.value

    def _array(self, data, dtype, shape, order):
        if not isinstance(data, (bytes, bytearray)) or not isinstance(dtype, np.dtype):
            raise ValueError("an array without bytes or without a type")
        self._spend(len(data))
        sizes = [_expect(size, int) for size in _expect(shape, tuple)]
        if min(sizes, default=0) < 0:
            raise ValueError(f"an array of shape {shape}")
        flat = np.frombuffer(data, dtype) if len(data) else np.empty(0, dtype)
        return flat.reshape(sizes, order=order).astype(dtype.newbyteorder("="), copy=False)

    def _spend(self, n_bytes):
        # A few bytes can be used for many arrays, which together would fill the memory.
        self.budget -= n_bytes
        if self.budget < 0:
            raise _NotPlainError("its arrays are larger than the file")


def _expect(value, kind):
    if type(value) is not kind:
        raise ValueError(f"{type(value).__name__} instead of {kind.__name__}")
    return value


def _pairs(parts):
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _known(module, name):
    """Return the name of a function of the short list, or raise an error that says what was found."""
    if name not in _KNOWN or module.replace("numpy._core", "numpy.core") != _KNOWN[name]:
        raise _NotPlainError(f"it names {module}.{name}, by which it could execute code; nothing was executed")
    return _Name(name)
