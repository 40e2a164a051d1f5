"""The error for names that can be understood in several ways, and patterns that would decide it."""


class Unclear(ValueError):
    """A layout that is not clear; the message says why. `texts` are possible words of a kind, if any were found."""

    def __init__(self, reason, texts=()):
        super().__init__(reason)
        self.texts = tuple(texts)


def suggest_patterns(names, texts=()):
    """Suggest patterns for the names of images.

    Parameters
    ----------
    names : list of str
        The names, with "/" between folders.
    texts : tuple of str, default=()
        Texts that can be kinds.

    Returns
    -------
    str
        Patterns, with the parameter `kinds` where it is needed.
    """
    depth = max(name.count("/") for name in names)
    if depth == 0:
        return "'{writer}_*', '*_{writer}.*' or '{kind}_{writer}_*'"
    if texts:
        kinds = ", ".join(f"{text!r}: ..." for text in sorted(texts))
        return (
            f"'{{writer}}/*' if all are genuine, or '{{writer}}/{{kind}}*' with kinds={{{kinds}}}, where 0 is genuine, "
            "1 skilled and 2 simple"
        )
    if depth == 1:
        return "'{writer}/*', or '{writer}{kind}/*' with kinds={'': 0, '_forg': 1}"
    levels = ["/".join(["*"] * at + ["{writer}"] + ["*"] * (depth - at)) for at in range(depth)]
    rest = ["*"] * (depth - 1)
    kinds = ["/".join([*pair, *rest]) for pair in (("{kind}", "{writer}"), ("{writer}", "{kind}"))]
    return f"{', '.join(map(repr, levels + kinds[:1]))} or {kinds[1]!r}"
