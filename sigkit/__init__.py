"""Offline handwritten signature verification with scikit-learn parts.

Import from the sub-packages: `sigkit.datasets`, `sigkit.transformers`, `sigkit.estimators`,
`sigkit.model_selection`, `sigkit.metrics`. Importing `sigkit` itself loads neither torch nor Pillow.
"""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("sigkit")
