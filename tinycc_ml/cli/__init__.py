"""The command line: `tinyml VERB` and `tinyml-compile`. Here are verbs and options; the work is in
`work`, imported when a verb runs, so that --help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import __version__
from .compile import add_compile_verb
from .options import given_dims, verb
from .screen import Screen
from .spec import add_spec_verbs

_FOLDER = click.Path(path_type=Path)
_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_HELP)
@click.version_option(__version__, prog_name="tinyml")
def main() -> None:
    """From a trained network to exact, static C for microcontrollers.

    Exit codes: 0 done; 1 the model, data or target can't be served; 2 usage; 70 our own fault.
    """


add_compile_verb(main)


@verb(main, "verify")
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option(
    "--target",
    default="host",
    metavar="NAME|FILE.toml",
    show_default=True,
    help="Cross-compiled and emulated there.",
)
def verify_verb(screen: Screen, folder: Path, target: str) -> dict[str, Any]:
    """Build the self-test of DIR for a target, run it there and compare every byte.

    Emulated cores give instructions, modelled cycles, stack and code size, noted in DIR's reports.
    """
    from .work import verify_folder

    return verify_folder(screen, folder, target)


@verb(main, "profile")
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option(
    "--target",
    metavar="NAME|FILE.toml",
    help="An emulated core; default: the one DIR was compiled for.",
)
def profile_verb(screen: Screen, folder: Path, target: str | None) -> dict[str, Any]:
    """Count instructions, modelled cycles and stack of each node of DIR on an emulated core.

    The outputs are verified there, too. All figures are noted in DIR's reports.
    """
    from .profile import profile_folder

    return profile_folder(screen, folder, target)


@verb(main, "run")
@click.argument("folder", type=_FOLDER, metavar="DIR")
@click.option(
    "-i",
    "--input",
    "source",
    required=True,
    type=_FOLDER,
    metavar="X.npz",
    help="Arrays [N, ...] by input.",
)
@click.option(
    "-o",
    "--output",
    "result",
    required=True,
    type=_FOLDER,
    metavar="Y.npz",
    help="Gets arrays [N, ...] by output.",
)
def run_verb(screen: Screen, folder: Path, source: Path, result: Path) -> dict[str, Any]:
    """Run the C of DIR on this machine: floats in give floats, raw integers give raw integers."""
    from .work import run_folder

    return run_folder(screen, folder, source, result)


@verb(main, "inspect")
@click.argument("path", type=_FOLDER, metavar="MODEL|DIR")
@click.option(
    "--target",
    default="host",
    metavar="NAME|FILE.toml",
    show_default=True,
    help="For a MODEL: chooses kernels.",
)
@click.option(
    "--dim",
    "dims",
    multiple=True,
    metavar="NAME=SIZE",
    help="Binds a symbolic dimension. Repeatable.",
)
def inspect_verb(screen: Screen, path: Path, target: str, dims: tuple[str, ...]) -> dict[str, Any]:
    """Show ops, shapes, MACs and memory of a model, or of a folder that was written."""
    from .inspect import inspect_path

    return inspect_path(screen, path, target, given_dims(dims))


@verb(main, "targets")
def targets_verb(screen: Screen) -> dict[str, Any]:
    """List the targets and whether their tools are installed."""
    from .lists import list_all_targets

    return list_all_targets(screen)


@verb(main, "ops")
@click.option(
    "--markdown", is_flag=True, help="The page docs/operators.md: all that can be called."
)
def ops_verb(screen: Screen, markdown: bool) -> dict[str, Any]:
    """List the ONNX operators that are supported."""
    from .lists import list_ops, print_reference

    return print_reference(screen) if markdown else list_ops(screen)


@verb(main, "lsp")
def lsp_verb(screen: Screen) -> dict[str, Any]:
    """Serve editors, over standard input and output: the language server of specs."""
    from .lsp import run_server

    return run_server(screen)


add_spec_verbs(main)
compile_main = main.commands["compile"]
