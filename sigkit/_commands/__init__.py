"""The command `sigkit`: what people type rather than write, on the functions of the other rooms."""

from sigkit._commands._main import main

__all__ = ["main"]
