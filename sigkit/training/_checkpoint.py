"""The state of a training in one file with a digest. No code in it is executed."""

import io
import json
import os
from numbers import Integral

import torch

from sigkit._utils import DIGEST, own_random_state, read_file, whole_file
from sigkit.nets import load_torch
from sigkit.training._check_state import check_state, state_digest
from sigkit.training._distributed import from_first, processes

STATE_FILE = "training.pt"


def make_folder(folder):
    """Create the folder of a state, if it does not exist.

    Parameters
    ----------
    folder : str
        The folder.

    Raises
    ------
    OSError
        If it cannot be made or written into.
    ValueError
        If it is a file.
    """
    _refuse_file(folder)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise type(error)(f"checkpoint_dir={folder!r}: the folder cannot be made ({error}).") from error
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"checkpoint_dir={folder!r}: the folder is not writable.")


def write_state(folder, state):
    """Write a state atomically, with its digest.

    Parameters
    ----------
    folder : str
        The folder.
    state : dict
        Tensors and plain values; "recipe" and "history" are stored as JSON.

    Raises
    ------
    OSError
        If it cannot be written. The error names the folder; the state that was there before is unchanged.
    """
    state = {**state, "recipe": json.dumps(state["recipe"]), "history": json.dumps(state["history"])}
    # Written to memory first: torch reports a full disk as an error of its own.
    content = io.BytesIO()
    torch.save({**state, DIGEST: state_digest(state)}, content)
    try:
        with whole_file(os.path.join(folder, STATE_FILE)) as file:
            file.write(content.getbuffer())
    except OSError as error:
        raise OSError(
            error.errno,
            f"checkpoint_dir={folder!r}: the state of the training cannot be written ({error}). The training ends; the "
            "state of the last epoch that was written is intact. Make space, and call fit again to resume from it.",
        ) from error


def read_state(folder):
    """Read the state of an interrupted training, without executing anything in it.

    Parameters
    ----------
    folder : str or None
        Folder of `write_state`.

    Returns
    -------
    dict or None
        The state; None if there is none.

    Raises
    ------
    ValueError
        If the folder is a file, or the state is damaged: if it does not match its digest, lacks an entry, or has NaN.
    OSError
        If the state cannot be read.
    """
    if folder is None:
        return None
    path = os.path.join(folder, STATE_FILE)
    _refuse_file(folder)
    if not os.path.isfile(path):
        return None
    content = read_file(path)
    try:
        state = load_torch(content)
        intact = isinstance(state, dict) and state.get(DIGEST) == state_digest(state)
        state = {**state, "recipe": json.loads(state["recipe"]), "history": json.loads(state["history"])}
    except Exception as error:
        # Damaged files make the zip reader or the unpickler raise errors of many kinds.
        raise ValueError(
            f"{path}: not the state of a training, or damaged ({type(error).__name__}). Delete it to start again."
        ) from error
    if not intact:
        raise ValueError(
            f"{path}: damaged, or written by another version of sigkit: its content does not match its digest. Delete "
            "it to start again."
        )
    del state[DIGEST]
    try:
        check_state(state)
    except ValueError as error:
        raise ValueError(
            f"{path}: not the state of a training, or damaged; {error}. Delete it to start again."
        ) from None
    return state


def training_seed(random_state, folder=None):
    """Choose the seed of a training; an interrupted training keeps its seed.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Source of the seed. An integer is used as it is, so that the state of a training with another seed is refused
        later; otherwise the seed of the state takes precedence.
    folder : str or None, default=None
        Folder that may contain a state.

    Returns
    -------
    int
        The seed, the same in all processes that train together.
    """
    drawn = own_random_state(random_state).randint(2**31 - 1)

    def choose():
        state = None if isinstance(random_state, Integral) else read_state(folder)
        return drawn if state is None else state["recipe"]["seed"]

    return from_first(choose)


def keep_seed(folder, seed):
    """Write a state without an epoch, which holds the seed alone, unless there is a state with epochs.

    Computations before the first epoch, such as pre-training, are then resumed with the same seed.

    Parameters
    ----------
    folder : str
        The folder.
    seed : int
        The seed.
    """
    if processes()[0] == 0:
        state = read_state(folder)
        if state is None or not state["history"]:
            make_folder(folder)
            write_state(folder, {"recipe": {"seed": seed}, "history": []})


def to_jsonable(value):
    """Convert a value to types that JSON preserves.

    Parameters
    ----------
    value : object
        A value, or a dict, list or tuple of values.

    Returns
    -------
    object
        Python numbers, text, dicts and lists; values of other types as text.
    """
    if isinstance(value, dict):
        return {name: to_jsonable(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_jsonable(part) for part in value]
    if hasattr(value, "item"):
        try:
            return value.item()
        except (ValueError, RuntimeError):
            # An array or tensor of several values.
            return str(value)
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _refuse_file(folder):
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise ValueError(f"checkpoint_dir={folder!r} is a file; name a folder.")
