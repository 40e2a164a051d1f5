"""The entry point: choose a command, run it, and report errors in one line."""

import importlib
import os
import sys
import warnings

from sigkit._commands._arguments import make_parser

ERROR, INTERRUPTED = 2, 130
"""Exit codes: of wrong arguments and unusable input, as of argparse; and of Ctrl-C, as of shells."""


def main(arguments=None):
    """Run the command `sigkit`.

    Parameters
    ----------
    arguments : list of str or None, default=None
        The arguments; those of the process if None.

    Returns
    -------
    int
        The exit code: 0, 2 if the arguments or the input cannot be used, or 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        By argparse, after `--help` and if an argument is wrong.

    Examples
    --------
    >>> from sigkit._commands import main
    >>> main(["audit", "nowhere"])
    2
    """
    options = make_parser().parse_args(arguments)
    shown = warnings.formatwarning
    warnings.formatwarning = _format_warning
    try:
        # torch takes seconds to import, so only the chosen command is imported.
        importlib.import_module(f"sigkit._commands._{options.command}").run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"sigkit {options.command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output, such as `head`, has enough; Python would complain again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError, ImportError) as error:
        message = " ".join(str(error).split())
        print(f"sigkit {options.command}: {type(error).__name__}: {message}", file=sys.stderr)
        return ERROR
    finally:
        warnings.formatwarning = shown
    return 0


def _format_warning(message, category, filename, lineno, line=None):
    """Format a warning without the line of this program that led to it, which says nothing to a user of the command."""
    return f"warning: {' '.join(str(message).split())}\n"
