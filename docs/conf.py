"""Sphinx settings: the reference is made from the docstrings, and its lists of names from each room's `__all__`."""

from importlib.metadata import version as installed_version

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
