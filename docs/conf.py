"""Sphinx settings: the reference is made from the docstrings, and its lists of names from each room's `__all__`."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "sigkit"
author = "the sigkit developers"
copyright = "2026, the sigkit developers"
release = version = installed_version("sigkit")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "matplotlib.sphinxext.plot_directive"]
plot_html_show_source_link = plot_html_show_formats = False
autosummary_generate = True
# The rooms import what they export from private modules: list exactly the names in `__all__`.
autosummary_ignore_module_all = False
autosummary_imported_members = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
html_theme = "alabaster"


def write_tables(app):
    """Write the tables that are made from registries, before the pages that include them are read."""
    from generated_tables import TABLES

    (HERE / "generated").mkdir(exist_ok=True)
    for name, table in TABLES.items():
        (HERE / "generated" / f"{name}.txt").write_text(table())


def setup(app):
    app.connect("builder-inited", write_tables)
