"""Every public docstring is complete numpydoc, with an example."""

import importlib
import inspect

import pytest
from numpydoc.validate import validate

ROOMS = (
    "attacks",
    "datasets",
    "estimators",
    "experiments",
    "imaging",
    "metrics",
    "model_selection",
    "nets",
    "persistence",
    "training",
    "transformers",
    "_commands",
    "_utils",
)
# Methods that scikit-learn makes, with its own docstrings.
REQUESTS = ("set_fit_request", "set_score_request")
# A summary starts on the line of the quotes, and a single line without "See Also" may be enough.
IGNORED = {"ES01", "SA01", "GL01", "GL08", "YD01"}


def public_names():
    for room in ROOMS:
        module = importlib.import_module(f"sigkit.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"sigkit.{room}.{name}"
            for method in vars(thing) if inspect.isclass(thing) else ():
                if inspect.isfunction(getattr(thing, method)) and not method.startswith(
                    ("_", "set_score_request", "set_fit_request")
                ):
                    yield f"sigkit.{room}.{name}.{method}"


@pytest.mark.parametrize("name", list(public_names()))
def test_docstrings_are_valid_numpydoc(name):
    # Methods are shown in the example of their class.
    ignored = IGNORED | {"EX01"} if name.count(".") == 3 else IGNORED
    errors = [error for error in validate(name)["errors"] if error[0] not in ignored]
    assert not errors


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_exist_once(room):
    module = importlib.import_module(f"sigkit.{room}")
    assert module.__doc__
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
