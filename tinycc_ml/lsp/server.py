"""The language server, on pygls, over standard input and output."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from .. import __version__
from ..frontends.spec import Source, SpecError
from ..frontends.spec.writing.format import format_text
from .analysis import Analysis, analyse, source_of
from .complete import complete
from .convert import Lines, by_source, completion, diagnostic, document_symbol
from .definition import definition
from .hover import hover
from .symbols import symbols

_LOG = logging.getLogger(__name__)
_PAUSE_S = 0.2  # of typing, before a text is checked
_TRIGGERS = [">", "(", ",", '"', " "]


class Server(LanguageServer):
    """Analyses of open texts, each for one version of its text."""

    def __init__(self) -> None:
        super().__init__("tinyml", __version__)
        self._analyses: dict[str, tuple[str, Analysis]] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._published: dict[str, set[str]] = {}
        self._one_at_a_time = asyncio.Lock()

    def check_soon(self, uri: str, pause_s: float = _PAUSE_S) -> None:
        """Publish what is wrong with a text, unless it changes before that."""
        if uri in self._waiting:
            self._waiting[uri].cancel()
        self._waiting[uri] = asyncio.create_task(self._check(uri, pause_s))

    async def _check(self, uri: str, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        analysis = await self.analysis(uri)
        if uri in self.workspace.text_documents and analysis is not None:
            self._publish(uri, analysis)

    async def analysis(self, uri: str, *, old_will_do: bool = False) -> Analysis | None:
        """What is known of the text as it is now; or as it was, so that nobody waits for it."""
        if old_will_do and uri in self._analyses:
            return self._analyses[uri][1]
        async with self._one_at_a_time:
            document = self.workspace.get_text_document(uri)
            text = document.source
            if uri not in self._analyses or self._analyses[uri][0] != text:
                try:
                    made = await asyncio.to_thread(analyse, _source(document, text))
                except Exception:
                    _LOG.exception("a text could not be analysed")
                    return None
                self._analyses[uri] = (text, made)
            return self._analyses[uri][1]

    def _publish(self, uri: str, analysis: Analysis) -> None:
        """Problems go to the files they are in; files that had some before and have none now are cleared."""
        found = {uri: [diagnostic(p, self.lines(analysis.source)) for p in analysis.problems if p.source is analysis.source]}  # fmt: skip
        for source, problems in by_source(analysis.problems).items():
            if source is not analysis.source and source.path is not None:
                lines = self.lines(source)
                found[_uri(source.path)] = [diagnostic(p, lines) for p in problems]
        for gone in self._published.get(uri, set()) - set(found):
            found[gone] = []
        self._published[uri] = set(found)
        for where, diagnostics in found.items():
            params = types.PublishDiagnosticsParams(where, diagnostics)
            self.text_document_publish_diagnostics(params)

    def recheck_all(self) -> None:
        """A file was written that others may include or read weights from."""
        self._analyses.clear()
        for uri in self.workspace.text_documents:
            self.check_soon(uri, 0.0)

    def forget(self, uri: str) -> None:
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self._analyses.pop(uri, None)
        for where in self._published.pop(uri, set()):
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(where, []))

    def lines(self, source: Source) -> Lines:
        return Lines(source.text, self.workspace.position_codec)

    def lines_of(self, uri: str) -> Lines:
        """Of the text as it is now."""
        return self.lines(source_of(self.workspace.get_text_document(uri).source, None, uri))


def _source(document: TextDocument, text: str) -> Source:
    path = Path(document.path) if document.uri.startswith("file:") else None
    return source_of(text, path, path.name if path else "text")


def _uri(path: Path) -> str:
    return uris.from_fs_path(str(path.resolve())) or ""


async def _opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    server.check_soon(params.text_document.uri, 0.0)


async def _changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    server.check_soon(params.text_document.uri)


async def _saved(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    server.recheck_all()


async def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    server.forget(params.text_document.uri)


async def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    analysis = await server.analysis(params.text_document.uri)
    if analysis is None:
        return None
    lines = server.lines(analysis.source)
    found = hover(analysis, lines.position(params.position))
    if found is None:
        return None
    text, span = found
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), lines.range(span))


async def _completion(server: Server, params: types.CompletionParams) -> list[types.CompletionItem]:
    uri = params.text_document.uri
    analysis = await server.analysis(uri, old_will_do=True)
    if analysis is None:
        return []
    lines = server.lines_of(uri)
    at = lines.position(params.position)
    return [completion(item) for item in complete(analysis, lines.before(at), at)]


async def _definition(server: Server, params: types.DefinitionParams) -> types.Location | None:
    analysis = await server.analysis(params.text_document.uri)
    if analysis is None:
        return None
    lines = server.lines(analysis.source)
    found = definition(analysis, lines.position(params.position))
    if found is None:
        return None
    where, span = found
    if where is analysis.source:
        return types.Location(params.text_document.uri, lines.range(span))
    path = where if isinstance(where, Path) else where.path
    there = lines if isinstance(where, Path) else server.lines(where)
    return None if path is None else types.Location(_uri(path), there.range(span))


async def _symbols(
    server: Server, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol]:
    analysis = await server.analysis(params.text_document.uri)
    if analysis is None or analysis.file is None:
        return []
    lines = server.lines(analysis.source)
    return [document_symbol(symbol, lines) for symbol in symbols(analysis.file)]


async def _formatting(
    server: Server, params: types.DocumentFormattingParams
) -> list[types.TextEdit] | None:
    """The whole text anew; None when its syntax is wrong."""
    document = server.workspace.get_text_document(params.text_document.uri)
    source = _source(document, document.source)
    try:
        text = await asyncio.to_thread(format_text, source)
    except SpecError:
        return None
    lines = server.lines(source)
    return [] if text == source.text else [types.TextEdit(lines.whole(), text)]


def make_server() -> Server:
    """A server that answers; it has no connection yet."""
    server = Server()
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(_opened)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(_changed)
    server.feature(types.TEXT_DOCUMENT_DID_SAVE)(_saved)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(_closed)
    server.feature(types.TEXT_DOCUMENT_HOVER)(_hover)
    triggers = types.CompletionOptions(trigger_characters=_TRIGGERS)
    server.feature(types.TEXT_DOCUMENT_COMPLETION, triggers)(_completion)
    server.feature(types.TEXT_DOCUMENT_DEFINITION)(_definition)
    server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)(_symbols)
    server.feature(types.TEXT_DOCUMENT_FORMATTING)(_formatting)
    return server


def serve() -> None:
    """Answer an editor until it says exit."""
    make_server().start_io()
