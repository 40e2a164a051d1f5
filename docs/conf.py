"""Sphinx settings: the reference is made from the docstrings, and its lists of names from each room's `__all__`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from landing_picture import draw_landing_picture
from other_projects import write_inventories
from short_names import resolve_short_name
from sphinx_gallery.sorting import ExplicitOrder

from sigkit import __version__
from sigkit._utils import DOCUMENTATION

project = "sigkit"
author = "the sigkit developers"
copyright = "2026, the sigkit developers"
release = version = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "generated/*.txt", "generated/backreferences", "**sg_execution_times.rst"]
# Names in single backquotes become links where they name something; parameters and the like stay as they are.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [("py:obj", r"(?s).*")]

autosummary_generate = True
# The rooms import what they export from private modules: list exactly the names in `__all__`.
autosummary_ignore_module_all = False
autosummary_imported_members = True
# Docstrings have the types.
autodoc_typehints = "none"
autodoc_default_options = {"member-order": "bysource"}
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
maximum_signature_line_length = 88

intersphinx_mapping = write_inventories(HERE / "generated" / "inventories")
intersphinx_timeout = 5

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

LESSONS = [
    "plot_preprocessing.py",
    "plot_signatures.py",
    "plot_verification.py",
    "plot_forgeries_and_strokes.py",
    "plot_threshold.py",
    "plot_likelihood_ratios.py",
    "plot_comparison.py",
    "plot_meta_learning.py",
    "plot_learning_curves.py",
    "plot_attack.py",
    "plot_face_verifier.py",
    "plot_audit.py",
]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    # The other scripts are run from the command line.
    "ignore_pattern": r"(^|[/\\])(?!plot_)[^/\\]*\.py$",
    "within_subsection_order": ExplicitOrder([*LESSONS, "*"]),
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sigkit",),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "min_reported_time": 5,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sigkit {version}"
html_baseurl = f"{DOCUMENTATION}/"
html_static_path = ["_static"]
html_css_files = ["sigkit.css"]
html_show_sourcelink = html_copy_source = False
html_sidebars = {page: [] for page in ("index", "install", "getting_started", "changelog", "glossary")}
html_theme_options = {
    "logo": {"text": "sigkit"},
    "header_links_before_dropdown": 5,
    "navigation_depth": 3,
    "show_nav_level": 1,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": ["page-toc"],
}


def write_parts(app):
    """Write the tables and the picture that pages include, before the pages are read."""
    from generated_tables import TABLES

    for name, table in TABLES.items():
        (HERE / "generated" / f"{name}.txt").write_text(table())
    draw_landing_picture(HERE / "generated" / "landing.png")


def setup(app):
    app.connect("builder-inited", write_parts)
    app.connect("missing-reference", resolve_short_name)
