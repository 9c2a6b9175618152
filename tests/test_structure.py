"""The house as a whole: imports go one way, ops are named in their room only, files stay small and free."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinycc_ml.ops import table

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tinycc_ml"

# A room may import itself and rooms of smaller number. Rooms of one number don't know each other,
# except that quant runs passes and references.
ORDER = {
    "errors": 0,
    "resources": 0,
    "ir": 1,
    "numerics": 2,
    "ops": 3,
    "frontends": 4,
    "passes": 4,
    "reference": 4,
    "quant": 5,
    "pruning": 6,
    "options": 6,
    "backend": 6,
    "integers": 7,
    "compiler": 8,
    "toolchain": 9,
    "report": 10,
    "tuning": 11,
    "api": 12,
    "onnx_backend": 12,
    "lsp": 12,
    "cli": 13,
}
# Files that belong to the package as a whole
FREE = {"__init__", "__main__"}

# Ops that are named outside ops/, and why
NAMED = {
    "passes/signed_activations.py": "it signs what quantize and requantize make",
    "passes/absorb_qdq.py": "it works on quantize and dequantize, and moves them past transposes",
    "passes/affine.py": "it changes the constants of add and mul",
    "passes/channels_last.py": "it moves transposes and reshapes",
    "passes/fold_affine.py": "it folds add, sub and mul",
    "passes/fuse_chains.py": "it makes chains",
    "passes/fuse_clips.py": "it fuses clip",
    "passes/integer_ends.py": "it drops quantize and dequantize, and copies by identity",
    "passes/io_layout.py": "it inserts transposes",
    "passes/permute_dense.py": "it permutes the weights of dense behind a transpose",
    "passes/row_bands.py": "it takes images apart by slices and puts them together by concat",
    "passes/remove_no_ops.py": "it removes reshapes, transposes and requantizes that do nothing",
    "passes/trivial_transposes.py": "it makes reshapes of transposes",
    "passes/widen_halves.py": "it removes casts",
    "quant/quantize.py": "it marks tensors with quantize and dequantize",
    "frontends/onnx/control_flow.py": "it stacks what iterations give, after a reshape",
    "frontends/onnx/load.py": "it copies inputs that are outputs by identity",
    "frontends/spec/writing/friendly.py": "it names the prelude's blocks, of which some are called as ops",
    "frontends/spec/writing/layers.py": "it names the prelude's blocks, too",
    "frontends/spec/recipe.py": "its calls are named after options of the command line",
}
# The room of ops, and rooms whose words are options of the command line ("quantize")
OPTIONS_AND_OPS = {"ops", "toolchain", "report", "api", "cli"}
# Op names that are words of other things, too: "add" of a set, "pad", "round", "slice" ...
COMMON_WORDS = {
    "abs",
    "exp",
    "log",
    "sqrt",
    "round",
    "floor",
    "ceil",
    "sin",
    "cos",
    "pow",
    "slice",
    "neg",
}


def _sources(folder: Path = PACKAGE) -> list[Path]:
    return sorted(p for p in folder.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def _imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    """Rooms of the package that a file imports, with the line."""
    package = ("tinycc_ml", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = (*base, *(node.module or "").split(".")) if node.module else base
            names = [full] if len(full) > 1 else [(*full, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        yield from (
            (name[1], node.lineno) for name in names if name[0] == "tinycc_ml" and len(name) > 1
        )


@pytest.mark.parametrize("path", _sources(), ids=_name)
def test_imports_go_one_way(path: Path) -> None:
    room = _room(path)
    if room in FREE:
        return
    for target, line in _imported_rooms(path):
        if target == room or target.startswith("__"):
            continue
        assert ORDER[target] < ORDER[room], f"{path.name}:{line}: {room} imports {target}"


def test_the_order_knows_every_room() -> None:
    rooms = {_room(path) for path in _sources()} - FREE
    assert rooms <= set(ORDER), f"say where {sorted(rooms - set(ORDER))} stand"


def _op_names(path: Path) -> set[str]:
    """String constants of a file that are names of ops; docstrings are no code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bodies = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {
        id(n.body[0].value)
        for n in ast.walk(tree)
        if isinstance(n, bodies) and n.body and isinstance(n.body[0], ast.Expr)
    }
    strings = {
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs
    }
    return strings & (set(table()) - COMMON_WORDS)


@pytest.mark.parametrize(
    "path", [p for p in _sources() if _room(p) not in OPTIONS_AND_OPS], ids=_name
)
def test_ops_are_named_in_their_room_only(path: Path) -> None:
    found = _op_names(path)
    assert not found or _name(path) in NAMED, f"{_name(path)} names {sorted(found)}"


def test_the_list_of_exceptions_is_not_longer_than_needed() -> None:
    assert {
        name for name in NAMED if not (PACKAGE / name).exists() or not _op_names(PACKAGE / name)
    } == set()


@pytest.mark.parametrize("path", _sources(), ids=_name)
def test_files_stay_under_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", _sources(), ids=_name)
def test_every_module_says_what_belongs_in_it(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree), f"{_name(path)} has no docstring"


def _runtime_files() -> list[Path]:
    return sorted(p for p in (ROOT / "runtime_c").rglob("*") if p.suffix in (".c", ".h"))


@pytest.mark.parametrize("path", _runtime_files(), ids=lambda p: p.name)
def test_runtime_files_are_free_to_use(path: Path) -> None:
    assert "SPDX-License-Identifier: 0BSD" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", _runtime_files(), ids=lambda p: p.name)
def test_runtime_files_are_guarded_by_their_own_name(path: Path) -> None:
    text, guard = path.read_text(encoding="utf-8"), f"{path.stem.upper()}_H"
    assert f"#ifndef {guard}\n#define {guard}\n" in text


def _templates() -> list[Path]:
    return sorted((ROOT / "templates").iterdir())


@pytest.mark.parametrize("path", _templates(), ids=lambda p: p.name)
def test_templates_hold_no_paths_and_no_dates(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w*/.:])/(home|usr|tmp|root|work|Users)\b|\b[A-Z]:\\", text)
    assert not re.search(r"\b(19|20)\d\d-\d\d|\bnow\(|strftime|\b(today|hostname|getuser)\b", text)


def test_generated_files_are_free_to_use() -> None:
    """Every template that prints a C file prints the licence line, by the shared banner or itself."""
    for path in _templates():
        if re.search(r"\.(c|h)\.j2$", path.name):
            assert re.search(r"common\.banner|SPDX-License-Identifier: 0BSD", path.read_text()), (
                path.name
            )
    assert "SPDX-License-Identifier: 0BSD" in (ROOT / "templates" / "_common.j2").read_text()


def test_the_same_name_in_every_room() -> None:
    """Folders of runtime_c are named after an op, but for what they share: common code and techniques."""
    shared = {"common", "ab", "packed", "recurrent", "wide", "winograd"}
    folders = {p.name for p in (ROOT / "runtime_c").iterdir() if p.is_dir()} - shared
    assert folders <= set(table())
