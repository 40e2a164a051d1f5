"""Tables of the documentation that are made from registries, so that nothing is listed twice by hand."""

from sigkit import datasets
from sigkit.nets import ARCHITECTURES


def list_table(*rows):
    """Return a table with a header, as reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for first, *others in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return "\n".join(lines) + "\n"


def architectures():
    """Return the table of the registered networks."""
    rows = [
        (
            f"``{name}``",
            f"{network.n_parameters / 1e6:.1f} million" if network.n_parameters > 1e5 else f"{network.n_parameters:,}",
            f"{network.n_features:,}",
            network.description,
        )
        for name, network in ARCHITECTURES.items()
    ]
    return list_table(("`architecture`", "parameters", "features", "what it is"), *rows)


def corpora():
    """Return the table of the public corpora."""
    rows = []
    for name in datasets.list_corpora():
        # Summary, blank line, description.
        description = getattr(datasets, f"load_{name}").__doc__.split("\n\n")[1]
        rows.append((f":func:`~sigkit.datasets.load_{name}`", " ".join(description.split())))
    return list_table(("loader", "corpus"), *rows)


TABLES = {"architectures": architectures, "corpora": corpora}
"""Tables by the name of the file in docs/generated that a page includes."""
