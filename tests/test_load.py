"""load(): arrays of every kind, and what does not fit."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinycc_ml
from tinycc_ml.api import Model
from tinycc_ml.errors import DataError, ModelError

from .small_nets import CLASSES, INPUTS, dense_samples, write_dense, write_samples, write_two_ends


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny, int8."""
    work = tmp_path_factory.mktemp("load")
    model = write_dense(work)
    tinycc_ml.compile(model, work / "out", calibrate=write_samples(work), verify=False)
    return work / "out"


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return tinycc_ml.load(folder)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Two inputs, two outputs, float32."""
    work = tmp_path_factory.mktemp("two")
    tinycc_ml.compile(write_two_ends(work), work / "out", verify=False)
    return tinycc_ml.load(work / "out")


def test_floats_in_give_floats_out_near_the_float_model(model: Model) -> None:
    x = dense_samples()[0]
    y = model(x)
    assert (y.dtype, y.shape) == (np.float32, (CLASSES,))
    assert np.any(y != 0)


def test_the_leading_one_is_given_back_as_it_came(model: Model) -> None:
    x = dense_samples()[:1]
    assert model(x).shape == (1, CLASSES)
    assert np.array_equal(model(x)[0], model(x[0]))


def test_integers_are_raw_and_agree_with_floats(model: Model) -> None:
    port, out = model.inputs[0], model.outputs[0]
    q = np.arange(INPUTS, dtype=np.int8) * 20 - 60
    real = port.scale * (q.astype(np.float32) - port.zero_point)
    raw = model(q)
    assert raw.dtype == np.int8
    assert np.allclose(model(real), out.scale * (raw.astype(np.float32) - out.zero_point))


def test_plain_lists_of_integers_are_raw(model: Model) -> None:
    assert np.array_equal(model([1, 2, 3, 4, 5, 6]), model(np.arange(1, 7, dtype=np.int8)))


def test_one_output_is_an_array_and_several_a_dict(model: Model, two: Model) -> None:
    a, b = np.float32([1, 2, 3, 4, 5, 6]), np.full(6, 0.5, np.float32)
    assert isinstance(model(dense_samples()[0]), np.ndarray)
    made = two(a, b)
    assert np.array_equal(made["sum"], a + b)
    assert np.array_equal(made["difference"], a - b)


def test_inputs_go_by_order_by_keyword_or_by_mapping(two: Model) -> None:
    a, b = np.ones(6, np.float32), np.zeros(6, np.float32)
    for made in (two(a, b), two(b=b, a=a), two(a, b=b), two({"a": a, "b": b})):
        assert np.array_equal(made["difference"], a)


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        ((np.zeros(5, np.float32),), {}, r"'x' wants i8\[1,6\], got float32\[5\]"),
        ((np.zeros((2, 6), np.float32),), {}, r"got float32\[2, 6\]"),
        ((np.zeros(6, np.uint8),), {}, r"wants int8 \(-128..127\) or floats, got uint8"),
        ((np.full(6, 200),), {}, r"got int64"),
        ((np.full(6, np.nan),), {}, r"holds a value that is no number"),
        ((np.array(list("abcdef")),), {}, r"wants numbers"),
        ((), {}, r"input 'x' is missing"),
        ((), {"z": 1}, r"'z' is no input; the inputs are x"),
        ((np.zeros(6), np.zeros(6)), {}, r"wanted 1 arrays \(x\), got 2"),
        ((np.zeros(6),), {"x": np.zeros(6)}, r"'x' is given twice"),
    ],
)
def test_what_does_not_fit_is_a_data_error(
    model: Model, arguments: tuple, named: dict, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        model(*arguments, **named)


def test_saturation_is_that_of_the_header(model: Model) -> None:
    assert np.array_equal(model(np.full(6, np.inf)), model(np.full(6, 1e30)))


def test_samples_run_in_one_go(model: Model) -> None:
    x = dense_samples(5)
    made = model.run_all({"x": x})["y"]
    assert np.array_equal(made, np.stack([model(row) for row in x]))
    with pytest.raises(DataError, match="same number of samples"):
        model.run_all({"x": np.zeros((0, 6))})


def test_the_library_follows_the_files(folder: Path, tmp_path: Path, model: Model) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(folder, changed)
    source = changed / "tiny.c"
    source.write_text(source.read_text().rstrip().removesuffix("}") + "    y[0] = 42;\n}\n")
    x = np.full(6, 100, np.int8)
    before = model(x)
    assert tinycc_ml.load(changed)(x)[0] == 42
    assert np.array_equal(tinycc_ml.load(folder)(x), before)
    assert before[0] != 42


@pytest.mark.parametrize("io", ["caller", "arena"])
@pytest.mark.parametrize("io_type", ["quantized", "uint8", "float"])
def test_every_kind_of_interface_can_be_called(
    io: str, io_type: str, tmp_path: Path, model: Model
) -> None:
    tinycc_ml.compile(
        write_dense(tmp_path),
        tmp_path / "out",
        calibrate={"x": dense_samples()},
        io=io,
        io_type=io_type,
    )
    made = tinycc_ml.load(tmp_path / "out")
    x = dense_samples()[3]
    assert made(x).dtype == np.float32
    assert np.allclose(made(x), model(x), atol=1e-6)
    if io_type == "uint8":
        assert made(np.zeros(6, np.uint8)).dtype == np.uint8


def test_a_single_file_can_be_called(tmp_path: Path, model: Model) -> None:
    calibrate = write_samples(tmp_path)
    tinycc_ml.compile(
        write_dense(tmp_path), tmp_path / "out", calibrate=calibrate, single_file=True
    )
    x = dense_samples()[3]
    assert np.array_equal(tinycc_ml.load(tmp_path / "out")(x), model(x))


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        tinycc_ml.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"holds no report\.json"):
        tinycc_ml.load(tmp_path)
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(ModelError, match="can't read"):
        tinycc_ml.load(tmp_path)
    (tmp_path / "report.json").write_text('{"schema": 99}')
    with pytest.raises(ModelError, match="no report of this version"):
        tinycc_ml.load(tmp_path)


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'onnx', 'jinja2', 'rich', 'cffi', 'click'}"
    code = f"import sys, tinycc_ml; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
