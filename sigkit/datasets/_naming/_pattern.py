"""Patterns in which a user describes where a path has the writer and the kind of the signature."""

import re

from sigkit._utils import GENUINE, SIMPLE, SKILLED
from sigkit.datasets._naming._words import KINDS

_PLACEHOLDERS = ("writer", "kind")
_LETTER = r"[^\W\d_]"


def check_kinds(kinds):
    """Return the forgery kinds by their texts in lower case.

    Parameters
    ----------
    kinds : dict of str to int or None
        The parameter of the user; None for the default.

    Returns
    -------
    dict of str to int
        The kinds.

    Raises
    ------
    ValueError
        If it is no such dict, or a text has two values.
    """
    if kinds is None:
        return KINDS
    lower = {}
    if not hasattr(kinds, "items") or not all(isinstance(text, str) for text in kinds):
        raise ValueError(f"kinds must be a dict from texts to forgery kinds, such as {{'g': 0}}; got {kinds!r}.")
    for text, kind in kinds.items():
        if kind not in (GENUINE, SKILLED, SIMPLE):
            raise ValueError(f"kinds[{text!r}] must be 0 (genuine), 1 (skilled) or 2 (simple), got {kind!r}.")
        if lower.setdefault(text.lower(), kind) != kind:
            raise ValueError(f"kinds has {text!r} twice, in upper and lower case, with different values.")
    return lower


def compile_pattern(pattern, kinds=None):
    """Return the regular expression of a naming pattern.

    Parameters
    ----------
    pattern : str
        The pattern, with `{writer}`, `{kind}` and asterisks.
    kinds : dict of str to int, default=None
        The kinds that the user passed. With them `{kind}` can stand directly beside another placeholder: it is then
        one of their texts, the longest that fits.

    Returns
    -------
    re.Pattern
        The expression of whole paths, with a group for each placeholder.

    Raises
    ------
    ValueError
        If the pattern is invalid.
    """
    if not isinstance(pattern, str):
        raise ValueError(f"pattern must be a str such as '{{writer}}/{{kind}}_*.png', got {pattern!r}.")
    parts = [part for part in re.split(r"(\{[^{}]*\}|\*)", pattern) if part]
    touching = _touching(pattern, parts, kinds)
    expression, seen = "", set()
    for index, part in enumerate(parts):
        name = part[1:-1]
        if part == "*":
            # Lazy before a kind, so that its text is found.
            expression += "[^/]*?" if parts[index + 1 : index + 2] == ["{kind}"] else "[^/]*"
        elif part.startswith("{") and part.endswith("}"):
            if name not in _PLACEHOLDERS:
                raise ValueError(
                    f"pattern {pattern!r} has the unknown placeholder {part}; there are {{writer}}, {{kind}} and *."
                )
            if name in seen:
                expression += f"(?P={name})"
            elif name == "kind" and touching:
                expression += f"(?P<kind>{_any_of(kinds)})"
            else:
                expression += f"(?P<{name}>[^/]{'*?' if name == 'kind' and '' in (kinds or ()) else '+?'})"
            seen.add(name)
        elif "{" in part or "}" in part:
            raise ValueError(
                f"pattern {pattern!r} has a single brace; there are the placeholders {{writer}}, {{kind}} and *."
            )
        else:
            expression += re.escape(part)
    if "writer" not in seen:
        raise ValueError(f"pattern {pattern!r} has no {{writer}}: it must contain the place of the writer's id.")
    if kinds is not None and "kind" not in seen:
        raise ValueError("kinds is given, but the pattern has no {kind}.")
    return re.compile(expression, re.IGNORECASE)


def match_pattern(names, matcher, kinds):
    """Match the names of files.

    Parameters
    ----------
    names : list of str
        The names; a folder has "/" at its end.
    matcher : re.Pattern
        The expression.
    kinds : dict of str to int
        The forgery kinds by their texts in lower case.

    Returns
    -------
    found : list of (str, int, str)
        Writer, forgery kind and name of each signature.
    unknown : list of (str, str)
        Name and text of the kind of each file of unknown kind.
    extra : list of str
        The names of other files.
    """
    found, unknown, extra = [], [], []
    for name in names:
        match = matcher.fullmatch(name)
        kind = match.groupdict().get("kind") if match else None
        if not match or name.endswith("/"):
            extra.append(name)
        elif kind is not None and kind.lower() not in kinds:
            unknown.append((name, kind))
        else:
            found.append((match["writer"], GENUINE if kind is None else kinds[kind.lower()], name))
    return found, unknown, extra


def _touching(pattern, parts, kinds):
    """Return whether {kind} stands directly beside another placeholder; without kinds that is an error."""
    is_open = [part == "*" or (part[0] == "{" and part[-1] == "}") for part in parts]
    pairs = [set(parts[at : at + 2]) for at in range(len(parts) - 1) if is_open[at] and is_open[at + 1]]
    if any("{kind}" not in pair or len(pair) == 1 for pair in pairs):
        raise ValueError(
            f"pattern {pattern!r} has two adjacent placeholders, so that the end of the first is not defined. "
            "Put the text between them that the file names contain there; write * once for each folder."
        )
    if pairs and not kinds:
        raise ValueError(
            f"pattern {pattern!r} has two adjacent placeholders, so that the end of the first is not defined. Pass the "
            "texts that the kind can be, such as kinds={'': 0, '_forg': 1}."
        )
    return bool(pairs)


def _any_of(kinds):
    """Return an expression of any text of a kind, the longest first."""
    texts = sorted(kinds, key=len, reverse=True)
    return "|".join(_alone(text) if len(text) == 1 and text.isalpha() else re.escape(text) for text in texts)


def _alone(letter):
    # The "f" of "1f" is a kind, that of "adolf" or "file" is not.
    return f"(?<!{_LETTER}){re.escape(letter)}(?!{_LETTER})"
