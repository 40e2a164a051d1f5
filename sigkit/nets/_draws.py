"""Random numbers of networks, drawn from generators of sigkit instead of PyTorch's global ones."""

from contextlib import nullcontext
from functools import cache

import numpy as np
import torch
from torch import nn
from torch._C import (
    DispatchKey,
    DispatchKeySet,
    _current_graph_task_id,
    _pop_torch_dispatch_stack,
    _push_on_torch_dispatch_stack,
)
from torch.utils._python_dispatch import TorchDispatchMode

# Layers of these packages are known; other code may draw anywhere.
_KNOWN_PACKAGES = ("torch.nn.modules.", "torchvision.", "sigkit.")
_ALWAYS_DRAWING = (nn.FractionalMaxPool2d, nn.FractionalMaxPool3d)
# PyTorch marks these operators as random, but they draw nothing themselves.
_DRAW_NOTHING = ("aten::_fused_sdp_choice", "aten::_nested_tensor_softmax_with_shape")


class OwnDraws(TorchDispatchMode):
    """Context in which PyTorch's random operators of this thread draw from generators of the context.

    PyTorch's global generators are neither read nor changed, so other threads may use them meanwhile. On the CPU, the
    numbers are those that `torch.manual_seed` with the same seed gives. Operators that were passed a generator keep it.
    A context may be entered again, in the same thread, and continues to draw from its generators.

    Parameters
    ----------
    *seed : int
        The seed; several integers, none of them negative, are hashed into one.

    Raises
    ------
    RuntimeError
        In the context: if an operator that draws random numbers accepts no generator, or if random numbers are drawn in
        a backward pass that was begun in the context, as by layers that `torch.utils.checkpoint` computes again.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import OwnDraws
    >>> with OwnDraws(3):
    ...     drawn = torch.rand(2)
    >>> bool((drawn == torch.rand(2, generator=torch.Generator().manual_seed(3))).all())
    True
    """

    supports_higher_order_operators = True

    def __init__(self, *seed):
        super().__init__()
        self.seed = seed[0] if len(seed) == 1 else int(np.random.SeedSequence(seed).generate_state(1)[0])
        self._generators = {}

    # The methods of the base class also keep a note of active modes for the whole process, which threads would leave
    # wrong. The stack of modes belongs to the thread.
    def __enter__(self):
        self._backward_pass = _current_graph_task_id()
        _push_on_torch_dispatch_stack(self)
        return self

    def __exit__(self, *error):
        _pop_torch_dispatch_stack(None)

    @classmethod
    def ignore_compile_internals(cls):
        """Let `torch.compile` work as without this context: compiled code draws its seeds by an operator."""
        return True

    @classmethod
    def _should_skip_dynamo(cls):
        # Otherwise the first operator would import the compiler, which takes seconds.
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Call an operator, with a generator if it draws random numbers."""
        kwargs = kwargs or {}
        kind, target, place = _describe(func)
        if kind == "composite":
            # In inference mode, operators that consist of others arrive whole.
            with self:
                return func.redispatch(DispatchKeySet(DispatchKey.CompositeImplicitAutograd), *args, **kwargs)
        given = {} if kind == "deterministic" else _named(func, args, kwargs)
        device = _device(given) if given and _draws(given) else None
        if device is None or device.type == "meta":
            return func(*args, **kwargs)
        if _current_graph_task_id() != self._backward_pass:
            raise RuntimeError(
                f"{func} draws random numbers in the backward pass, in a layer that is computed again there, as by "
                "torch.utils.checkpoint. They would differ from those of the forward pass: do not recompute layers "
                "that draw."
            )
        if kind == "unsupported":
            raise RuntimeError(
                f"{func} draws from PyTorch's global random state and accepts no generator, so the result would not "
                "depend on random_state alone. Draw by other operators, such as torch.nn.Dropout; attention with "
                "dropout does within torch.nn.attention.sdpa_kernel(SDPBackend.MATH)."
            )
        if kind == "native_dropout":
            return _drop(given["input"], given["p"], self._generator(device))
        return target(*args[:place], **{**kwargs, "generator": self._generator(device)})

    def _generator(self, device):
        if device.index is None and device.type != "cpu":
            # A device without a number is the current one, which also has a name with a number.
            device = torch.Generator(device).device
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self.seed)
        return self._generators[device]


def may_draw(*things, evaluation=False):
    """Check whether networks may draw random numbers when they are called; False only if they certainly do not.

    Parameters
    ----------
    *things : torch.nn.Module or object
        Networks, and objects that are called with them, such as a loss.
    evaluation : bool, default=False
        Whether the networks are in evaluation mode, in which layers such as dropout draw nothing.

    Returns
    -------
    bool
        True if there are layers that draw, or any code other than that of torch, torchvision and sigkit.

    Examples
    --------
    >>> from torch import nn
    >>> from sigkit.nets import build_network, may_draw
    >>> network = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    >>> may_draw(build_network("signet")), may_draw(network), may_draw(network, evaluation=True)
    (False, True, False)
    """
    parts = [part for thing in things for part in (thing.modules() if isinstance(thing, nn.Module) else [thing])]
    return any(_is_unknown(part) or (isinstance(part, nn.Module) and _layer_draws(part, evaluation)) for part in parts)


def fixed_draws(needed):
    """Return a context for the evaluation of a network, in which equal inputs give equal outputs.

    Parameters
    ----------
    needed : bool
        What `may_draw` found. Most networks draw nothing in evaluation, and need no context.

    Returns
    -------
    context manager
        A context for one call, whose draws have a fixed seed.

    Examples
    --------
    >>> import torch
    >>> from sigkit.nets import fixed_draws
    >>> drawn = []
    >>> for _ in range(2):
    ...     with fixed_draws(needed=True):
    ...         drawn.append(torch.rand(3))
    >>> bool((drawn[0] == drawn[1]).all())
    True
    """
    return OwnDraws(0) if needed else nullcontext()


def _layer_draws(layer, evaluation):
    own = vars(layer)
    changed = own["_forward_pre_hooks"] or own["_forward_hooks"] or "forward" in own
    rates = [value for name, value in own.items() if name == "p" or "drop" in name]
    drops = isinstance(layer, nn.RReLU) or any(isinstance(rate, (int, float)) and rate for rate in rates)
    return bool(changed) or isinstance(layer, _ALWAYS_DRAWING) or (drops and not evaluation)


def _is_unknown(thing):
    return not type(thing).__module__.startswith(_KNOWN_PACKAGES)


@cache
def _describe(func):
    """Describe how an operator draws: the kind, the operator to call instead, and the number of positional arguments.

    In a name such as `aten::rand.generator`, the part after the point names the overload.
    """
    deterministic = "deterministic", None, None
    schema = _schema(func)
    if schema is None or schema.name in _DRAW_NOTHING or schema.name.endswith("_backward"):
        return deterministic
    names = [*_defaults(func)]
    if "generator" in names:
        return "random", func, names.index("generator")
    for overload in func.overloadpacket.overloads():
        other = getattr(func.overloadpacket, overload)
        with_generator = [*_defaults(other)]
        if "generator" in with_generator and [name for name in with_generator if name != "generator"] == names:
            return "random", other, len(names)
    if torch.Tag.nondeterministic_seeded not in func.tags:
        return deterministic
    if schema.name == "aten::native_dropout" and not schema.overload_name:
        return "native_dropout", None, None
    if func.has_kernel_for_dispatch_key(DispatchKey.CompositeImplicitAutograd):
        return "composite", None, None
    return "unsupported", None, None


def _named(func, args, kwargs):
    """Return the arguments of a call by their names, with those left at their defaults."""
    defaults = _defaults(func)
    return {**defaults, **dict(zip(defaults, args)), **kwargs}


def _defaults(func):
    """Return the default values of all arguments of an operator by their names."""
    return {argument.name: argument.default_value for argument in _schema(func).arguments}


def _schema(func):
    # Operators that take functions have none.
    return getattr(func, "_schema", None)


def _draws(given):
    """Check whether an operator with these arguments draws without a generator of the caller."""
    rates = [value for name, value in given.items() if "dropout" in name and isinstance(value, (int, float))]
    in_evaluation = given.get("train") is False or (rates and not any(rates))
    return given.get("generator") is None and not in_evaluation


def _device(given):
    """Return the device on which an operator draws."""
    if given.get("device") is not None:
        return torch.device(given["device"])
    tensors = [value for value in given.values() if isinstance(value, torch.Tensor)]
    return tensors[0].device if tensors else torch.get_default_device()


def _drop(images, rate, generator):
    """Compute dropout and its mask, as `native_dropout` does on accelerators."""
    kept = torch.empty_like(images, dtype=torch.bool).bernoulli_(1 - rate, generator=generator)
    return images * kept * (0.0 if rate == 1 else 1 / (1 - rate)), kept
