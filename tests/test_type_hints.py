"""Type hints of the plain functions of `sigkit.metrics` and `sigkit.datasets`, which type checkers of users read."""

import importlib
import importlib.resources
import inspect
import typing

import pytest

import sigkit


def functions():
    for room in ("metrics", "datasets"):
        module = importlib.import_module(f"sigkit.{room}")
        for name in module.__all__:
            if inspect.isfunction(getattr(module, name)):
                yield f"{room}.{name}"


@pytest.mark.parametrize("name", list(functions()))
def test_every_parameter_has_a_hint_that_can_be_resolved(name):
    room, name = name.split(".")
    function = getattr(importlib.import_module(f"sigkit.{room}"), name)
    hints = typing.get_type_hints(function)
    assert hints.keys() == {*inspect.signature(function).parameters, "return"}


def test_the_package_says_that_it_has_hints():
    assert (importlib.resources.files(sigkit) / "py.typed").is_file()
