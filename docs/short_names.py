"""Links from short names in the text, such as `GridSearchCV` or `WriterSplit`, to the pages that document them."""

import importlib
import pkgutil

from other_projects import full_names
from sphinx.ext import intersphinx

import sigkit

ROOMS = [room.name for room in pkgutil.iter_modules(sigkit.__path__) if room.ispkg and not room.name.startswith("_")]


def public_names():
    """Return the full name of each public name of sigkit by its short name."""
    return {
        name: f"sigkit.{room}.{name}" for room in ROOMS for name in importlib.import_module(f"sigkit.{room}").__all__
    }


NAMES = full_names() | public_names()


def resolve_short_name(app, env, node, contnode):
    """Resolve a reference that Sphinx did not find, if the name is a public one without its module."""
    if node.get("refdomain") != "py":
        return None
    room, _, name = node["reftarget"].removesuffix("()").rpartition(".")
    first, _, method = (room or name).partition(".")
    if name in NAMES and room in ("", NAMES[name].split(".")[-2]):
        target = NAMES[name]
    elif first in NAMES and room and not method:
        target = f"{NAMES[first]}.{name}"  # a method, such as `WriterDependentSVC.enroll`
    else:
        return None
    node = node.deepcopy()
    node["reftarget"] = target
    python = env.get_domain("py")
    found = python.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)
    return found or intersphinx.missing_reference(app, env, node, contnode)
