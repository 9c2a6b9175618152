"""The language server, driven by pygls' own client over standard input and output, as an editor does it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="pygls is not installed: pip install 'tinycc-ml[lsp]'")
from lsprotocol import types
from pygls import uris
from pygls.lsp.client import LanguageClient

from ..frontends.spec.texts import ROOT

_TIMEOUT_S = 60
_START = "import sys; sys.argv = ['tinyml', 'lsp']; from tinycc_ml.cli import main; main()"
NET = """input x: f32[1, 3, 8, 8]
weights(random(1))
block twice(x) {
    return x |> relu |> relu
}
h = x |> conv(8) |> twice
output y = h |> flatten |> dense(10)
"""


class Editor:
    """A client with one open text."""

    def __init__(self, path: Path):
        self.client = LanguageClient("editor", "1")
        self.uri = uris.from_fs_path(str(path)) or ""
        self.document = types.TextDocumentIdentifier(self.uri)
        self.shown: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.version = 0
        show = self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        show(lambda params: self.shown.put_nowait(params))

    async def start(self) -> types.InitializeResult:
        await self.client.start_io(sys.executable, "-c", _START, cwd=str(ROOT))
        capabilities = types.ClientCapabilities()
        result = await self.client.initialize_async(types.InitializeParams(capabilities))
        self.client.initialized(types.InitializedParams())
        return result

    async def stop(self) -> int | None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        server = self.client._server
        await self.client.stop()
        return server.returncode if server else None

    def open(self, text: str) -> None:
        self.version = 1
        item = types.TextDocumentItem(self.uri, "tinyml", self.version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, at: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Positions as the protocol has them: from 0."""
        self.version += 1
        where = types.Range(types.Position(*at), types.Position(*end))
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        changes = [types.TextDocumentContentChangePartial(where, text)]
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, changes))

    async def diagnostics(self) -> tuple[types.Diagnostic, ...]:
        """The next ones that are shown for the text."""
        while True:
            shown = await self.shown.get()
            if shown.uri == self.uri:
                return tuple(shown.diagnostics)


def _drive(path: Path, body: Callable[[Editor], Awaitable[None]]) -> None:
    """Start a server, do something, and stop it: it ends with 0."""

    async def run() -> None:
        editor = Editor(path)
        await editor.start()
        await body(editor)
        assert await editor.stop() == 0

    asyncio.run(asyncio.wait_for(run(), _TIMEOUT_S))


def _range(found: types.Range) -> tuple[int, int, int, int]:
    return found.start.line, found.start.character, found.end.line, found.end.character


def test_a_server_says_what_it_can_do(tmp_path: Path) -> None:
    async def run() -> None:
        editor = Editor(tmp_path / "net.tml")
        said = await editor.start()
        can = said.capabilities
        assert said.server_info is not None and said.server_info.name == "tinyml"
        assert can.hover_provider and can.definition_provider and can.document_symbol_provider
        assert can.completion_provider and can.document_formatting_provider
        assert await editor.stop() == 0

    asyncio.run(asyncio.wait_for(run(), _TIMEOUT_S))


def test_mistakes_come_and_go_while_typing(tmp_path: Path) -> None:
    async def body(editor: Editor) -> None:
        editor.open(NET)
        assert await editor.diagnostics() == ()
        editor.change((5, 9), (5, 13), "covn")
        editor.change((6, 0), (6, 0), 's = "\U0001f600" ;\n')
        (wrong,) = await editor.diagnostics()  # once, after the second change
        assert _range(wrong.range) == (6, 9, 6, 10) and "';' has no meaning here" in wrong.message
        editor.change((6, 0), (7, 0), "")
        (wrong,) = await editor.diagnostics()
        assert _range(wrong.range) == (5, 9, 5, 13) and "did you mean 'conv'" in wrong.message
        editor.change((5, 9), (5, 13), "conv")
        assert await editor.diagnostics() == ()

    _drive(tmp_path / "net.tml", body)


def test_all_mistakes_are_shown_with_their_ranges(tmp_path: Path) -> None:
    async def body(editor: Editor) -> None:
        text = NET.replace("conv(8)", "conv(8, strides=2)") + "a = nothing\n"
        editor.open(text)
        found = await editor.diagnostics()
        assert [_range(d.range) for d in found] == [(5, 17, 5, 24), (7, 4, 7, 11)]
        assert all(d.severity == types.DiagnosticSeverity.Error for d in found)

    _drive(tmp_path / "net.tml", body)


def test_mistakes_in_included_files_are_shown_there_and_cleared(tmp_path: Path) -> None:
    blocks = tmp_path / "blocks.tml"
    blocks.write_text("a = nothing\n")

    async def body(editor: Editor) -> None:
        editor.open('include "blocks.tml"\n' + NET)
        shown = [await editor.shown.get() for _ in range(2)]
        where = {Path(uris.to_fs_path(s.uri) or "").name: s.diagnostics for s in shown}
        assert len(where["blocks.tml"]) == 1 and not where["net.tml"]
        blocks.write_text("a = 1\n")
        saved = types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(editor.uri))
        editor.client.text_document_did_save(saved)
        shown = [await editor.shown.get() for _ in range(2)]
        assert all(not s.diagnostics for s in shown)

    _drive(tmp_path / "net.tml", body)


def test_hover_completion_definition_and_symbols(tmp_path: Path) -> None:
    async def body(editor: Editor) -> None:
        editor.open(NET)
        client, document = editor.client, editor.document
        place = types.Position(5, 0)
        hover = await client.text_document_hover_async(types.HoverParams(document, place))
        assert hover is not None and isinstance(hover.contents, types.MarkupContent)
        assert "h: f32[1,8,8,8]" in hover.contents.value and "13,824 MACs" in hover.contents.value
        place = types.Position(5, 9)
        items = await client.text_document_completion_async(types.CompletionParams(document, place))
        labels = {item.label for item in items}  # type: ignore[union-attr]
        assert {"twice", "conv", "Conv"} <= labels
        place = types.Position(5, 22)
        found = await client.text_document_definition_async(types.DefinitionParams(document, place))
        assert isinstance(found, types.Location) and found.uri == editor.uri
        assert _range(found.range) == (2, 6, 2, 11)
        outline = await client.text_document_document_symbol_async(
            types.DocumentSymbolParams(document)
        )
        assert [s.name for s in outline or ()] == ["x", "twice", "h", "y"]

    _drive(tmp_path / "net.tml", body)


def test_definitions_lead_into_other_files(tmp_path: Path) -> None:
    (tmp_path / "blocks.tml").write_text("block thrice(x) {\n    return x |> relu\n}\n")

    async def body(editor: Editor) -> None:
        editor.open('include "blocks.tml"\n' + NET.replace("|> twice", "|> thrice"))
        for place, name in (
            (types.Position(6, 22), "blocks.tml"),
            (types.Position(6, 9), "prelude.tml"),
        ):
            found = await editor.client.text_document_definition_async(
                types.DefinitionParams(editor.document, place)
            )
            assert isinstance(found, types.Location) and found.uri.endswith(name)

    _drive(tmp_path / "net.tml", body)


def test_a_text_is_formatted(tmp_path: Path) -> None:
    async def body(editor: Editor) -> None:
        editor.open(NET.replace("h = x", "h   =  x"))
        options = types.FormattingOptions(tab_size=4, insert_spaces=True)
        edits = await editor.client.text_document_formatting_async(
            types.DocumentFormattingParams(editor.document, options)
        )
        assert edits is not None and len(edits) == 1
        assert "\nh = x |> conv(8) |> twice\n" in edits[0].new_text

    _drive(tmp_path / "net.tml", body)


def test_without_pygls_there_is_one_clear_line() -> None:
    code = f"import sys; sys.modules['pygls'] = None; sys.modules['lsprotocol'] = None; {_START}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "needs pygls" in line and "pip install 'tinycc-ml[lsp]'" in line
