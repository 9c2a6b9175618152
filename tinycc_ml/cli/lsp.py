"""`tinyml lsp`: the language server, which needs pygls."""

from __future__ import annotations

from typing import Any

from ..errors import ToolError
from .screen import Screen

_NEEDED = ("pygls", "lsprotocol")


def run_server(screen: Screen) -> dict[str, Any]:
    """Serve until the editor ends it. ToolError when pygls is missing."""
    try:
        from ..lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        hint = "pip install 'tinycc-ml[lsp]'"
        raise ToolError("the language server needs pygls", hint=hint) from error
    serve()
    return {}
