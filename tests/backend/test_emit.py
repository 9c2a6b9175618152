"""What is printed: values that read back the same, lines that fit, files that are the same each time."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinycc_ml.backend.emit import format_values, runtime_files, write_files
from tinycc_ml.compiler import Options, compile
from tinycc_ml.errors import TinymlError
from tinycc_ml.ops.indexing import c_float

from ..models import NETS, model, node, weights

WIDTH = 100


def _net(folder: Path, name: str = "residual") -> Path:
    path = folder / f"{name}.onnx"
    onnx.save(NETS[name](), path)
    return path


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_in_c_reads_back_as_the_same_float32(value: float) -> None:
    text = c_float(value)
    assert re.fullmatch(r"-?\d+(\.\d*)?(e[-+]?\d+)?F", text) and ("." in text or "e" in text)
    assert np.float32(text[:-1]) == np.float32(value)


@given(
    hnp.arrays(
        np.float32,
        st.integers(1, 40),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_float_arrays_read_back_and_fit_the_lines(values: np.ndarray) -> None:
    text = format_values(values)
    np.testing.assert_array_equal(np.float32([t.strip()[:-1] for t in text.split(",")]), values)
    assert max(map(len, text.splitlines())) <= WIDTH


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32])
def test_integer_arrays_read_back_and_fit_the_lines(dtype: type) -> None:
    ends = np.iinfo(dtype)
    values = np.concatenate([[ends.min, ends.max], np.arange(60)]).astype(dtype)
    text = format_values(values)
    assert [int(eval(t.strip().rstrip("U"))) for t in text.split(",")] == values.tolist()
    assert max(map(len, text.splitlines())) <= WIDTH
    assert ("U" in text) == (dtype is np.uint32)


def test_the_smallest_int32_has_no_literal_of_its_own() -> None:
    assert format_values(np.array([-(2**31)], np.int32)).strip() == "(-2147483647 - 1)"


@pytest.mark.parametrize(
    ("value", "name"),
    [(np.nan, "TML_NAN_F32"), (np.inf, "TML_INFINITY_F32"), (-np.inf, "-TML_INFINITY_F32")],
)
def test_what_is_no_number_goes_by_its_name(value: float, name: str) -> None:
    assert format_values(np.float32([1, value])).strip() == f"1.0F, {name}"


@pytest.mark.parametrize("name", NETS)
def test_lines_fit_and_end_cleanly(name: str, tmp_path: Path) -> None:
    made = compile(_net(tmp_path, name), options=Options(name="net"))
    for path, text in made.files.items():
        if path.startswith("runtime/"):
            continue
        assert text.endswith("\n") and not text.endswith("\n\n"), path
        for number, line in enumerate(text.splitlines(), start=1):
            assert len(line) <= WIDTH and line == line.rstrip(), f"{path}:{number}: {line}"


def _digest(files: dict[str, str]) -> str:
    return hashlib.sha256("\0".join(f"{k}\0{files[k]}" for k in files).encode()).hexdigest()


def test_another_process_and_folder_give_the_same_bytes(tmp_path: Path) -> None:
    """Another hash seed, working folder and locale; the files name neither day nor place."""
    here = dict(compile(_net(tmp_path, "branches")).files)
    (tmp_path / "elsewhere").mkdir()
    path = _net(tmp_path / "elsewhere", "branches")
    script = (
        "import hashlib, sys; from pathlib import Path; from tinycc_ml.compiler import compile;"
        f"f = dict(compile(Path({str(path)!r})).files);"
        "print(hashlib.sha256('\\0'.join(f'{k}\\0{f[k]}' for k in f).encode()).hexdigest())"
    )
    root = str(Path(__file__).resolve().parents[2])
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "77",
        "LC_ALL": "C",
        "TZ": "Asia/Tokyo",
        "PYTHONPATH": root,
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert done.stdout.strip() == _digest(here), done.stderr
    assert not any(str(tmp_path) in text or str(Path.home()) in text for text in here.values())


def test_a_single_file_holds_weights_and_runtime(tmp_path: Path) -> None:
    path = _net(tmp_path)
    whole, parts = compile(path, options=Options(single_file=True)), compile(path)
    sources = {p for p in whole.files if p.endswith((".c", ".h"))}
    assert sources == {
        "residual.h",
        "residual.c",
        "residual_test_vectors.h",
        "residual_selftest.c",
        "runtime/common/tml_port.h",
    }
    text = whole.files["residual.c"]
    assert re.findall(r'^#include "(.*)"', text, re.MULTILINE) == ["residual.h"]
    for p in parts.files:
        if p.startswith("runtime/") and p.endswith(".h"):
            guard = f"#define {Path(p).stem.upper()}_H"
            assert text.count(guard) == 1, p
    assert whole.files["residual.h"] == parts.files["residual.h"]


def test_runtime_files_come_with_what_they_include() -> None:
    found = runtime_files(["conv2d/tml_conv2d_i8.h"])
    assert list(found) == sorted(found)
    for path, text in found.items():
        for include in re.findall(r'^#include "([^"]+)"', text, re.MULTILINE):
            target = os.path.normpath(os.path.join(os.path.dirname(path), include))
            assert target in found


NASTY = (
    "*/ int evil(void); /*",
    "line\nbreak",
    "back\\slash\\",
    "tri??/graph",
    "größe",
    "a.b",
    "a_b",
    "int",
    "*\\",
    '"quote"',
)


def test_names_of_a_model_cannot_break_the_c(tmp_path: Path) -> None:
    """Tensors named by someone who means ill, or just by an exporter: still C without a warning."""
    chain = ["x", *NASTY]
    nodes = [
        onnx.helper.make_node("Sigmoid", [a], [b], name=b)
        for a, b in zip(chain, chain[1:], strict=False)
    ]
    nodes.append(onnx.helper.make_node("Gemm", [chain[-1], "w */"], ["class"], name="*/"))
    proto = model(
        nodes,
        {"x": (1, 4)},
        ["class", "a.b", "a_b", "*/ int evil(void); /*"],
        {"w */": weights(1, 4, 3)},
    )
    onnx.save(proto, tmp_path / "net.onnx")
    made = compile(tmp_path / "net.onnx", options=Options(name="2nd */ net"))
    folder = tmp_path / "out"
    write_files(made.files, folder)
    assert made.program.name == "t2nd_net"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    for source in folder.glob("*.c"):
        command = [
            compiler,
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-DTML_TRACE",
            f"-I{folder}",
            "-fsyntax-only",
            str(source),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_files_of_others_stay_and_nothing_is_left_over(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "main.c").write_text("mine")
    (folder / "net.c").write_text("old")
    write_files({"net.c": "new", "runtime/a.h": "header"}, folder)
    assert (folder / "main.c").read_text() == "mine"
    assert (folder / "net.c").read_text() == "new"
    assert (folder / "runtime" / "a.h").read_text() == "header"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(TinymlError, match="can't write"):
        write_files({"net.c": "x"}, blocked / "out")


def test_node_names_do_not_reach_the_files(tmp_path: Path) -> None:
    """The same tensors made by nodes of other names are the same model."""
    texts = []
    for name in ("first", "second"):
        proto = model([node("Neg", "x", "y")], {"x": (1, 3)}, ["y"])
        proto.graph.node[0].name = name
        onnx.save(proto, tmp_path / "net.onnx")
        texts.append(dict(compile(tmp_path / "net.onnx").files))
    assert texts[0] == texts[1]
