"""Sphinx settings: the reference is made from the docstrings."""

from importlib.metadata import version as installed_version

project = "sigkit"
author = "the sigkit developers"
copyright = "2026, the sigkit developers"
release = version = installed_version("sigkit")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "matplotlib.sphinxext.plot_directive"]
plot_html_show_source_link = plot_html_show_formats = False
autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
exclude_patterns = ["_build"]
html_theme = "alabaster"
