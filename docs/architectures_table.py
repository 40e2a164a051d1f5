"""The table of networks in the documentation, from the registry."""

from sigkit.nets import ARCHITECTURES

HEADER = ("`architecture`", "parameters", "features", "what it is")


def architectures_table():
    """Return the table of the registered networks, as reStructuredText."""
    rows = [
        (
            f"``{name}``",
            f"{network.n_parameters / 1e6:.1f} million" if network.n_parameters > 1e5 else f"{network.n_parameters:,}",
            f"{network.n_features:,}",
            network.description,
        )
        for name, network in ARCHITECTURES.items()
    ]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (HEADER, *rows):
        first, *others = row
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return "\n".join(lines) + "\n"
