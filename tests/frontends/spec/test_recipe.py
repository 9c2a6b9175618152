"""Recipes: what they say, and who overrides it."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from pathlib import Path

from click.testing import CliRunner

import tinycc_ml
from tinycc_ml.cli import main
from tinycc_ml.compiler import Options
from tinycc_ml.frontends.spec.recipe import CALLS

from .texts import net, spec

NET = "input x: f32[1, 4]\noutput y = x |> dense(3) |> relu\nweights(random(1))\n"
EVERYTHING = """recipe {
    target("cortex-m4", flash=256K, ram=64K, cycles=1M)
    quantize("int8")
    quantize("int8", node="first")
    quantizer(ranges="entropy", rounding="nearest", bias_correction=false, equalize=true)
    budget(weights=20K, sqnr=25)
    calibrate("samples.npz")
    input_scale(1 / 255, offset=3)
    input_range(-1, 1, input="x")
    prune(0.5, scope="global", method="wanda", pattern="1x4")
    optimize("size")
    io(memory="arena", type="float", layout="nhwc")
    dims(N=2)
    output("out", name="small", single_file=true)
    verify(false)
    allow_float()
    explain_accuracy()
    keep_dead_work()
    dump_passes("passes")
    bind("shape", [1, 2])
}
"""


def test_a_recipe_says_what_the_command_line_can_say() -> None:
    folder = Path("/nowhere")
    assert spec(NET + EVERYTHING).settings == {
        "target": "cortex-m4", "flash": 262144, "ram": 65536, "cycles": 1048576, "quantize": "int8",
        "quantize_nodes": {"first": "int8"}, "ranges": "entropy", "rounding": "nearest", "bias_correction": False,
        "equalize": True, "weights": 20480, "sqnr": 25.0, "calibrate": str(folder / "samples.npz"), "input_scales": {"": (1 / 255, 3)},
        "input_ranges": {"x": {"low": -1.0, "high": 1.0}}, "prune": 0.5,
        "prune_scope": "global", "prune_method": "wanda", "prune_pattern": "1x4", "optimize": "size", "io": "arena", "io_type": "float", "io_layout": "nhwc",
        "dims": {"N": 2}, "out": str(folder / "out"), "name": "small", "single_file": True, "verify": False,
        "allow_float": True, "explain_accuracy": True, "keep_dead_work": True, "dump_passes": folder / "passes",
        "bind": {"shape": (1, 2)},
    }  # fmt: skip


def test_every_setting_is_one_of_the_compiler() -> None:
    known = {f.name for f in fields(Options)} | set(inspect.signature(tinycc_ml.compile).parameters)
    assert set(spec(NET + EVERYTHING).settings) <= known
    own = {
        "tune",
        "self_test",
    }  # said within another call; only the ONNX backend leaves the self-test out
    assert {f.name for f in fields(Options)} - own <= set(spec(NET + EVERYTHING).settings)


def test_a_recipe_may_compute() -> None:
    made = net(
        "output y = x |> relu\nlevels = 256\nrecipe {\n    s = 1 / (levels - 1)\n    input_scale(s)\n}"
    )
    assert made.settings["input_scales"] == {"": (1 / 255, 0)}


def test_every_call_says_what_it_is_for() -> None:
    assert all(row.summary.endswith(".") for row in CALLS.values())


def test_the_caller_overrides_the_file_and_the_report_says_so(tmp_path: Path) -> None:
    path = tmp_path / "net.tml"
    path.write_text(
        NET + 'recipe {\n    target("cortex-m4")\n    optimize("size")\n    verify(false)\n}\n'
    )
    result = tinycc_ml.compile(path, optimize="speed")
    assert result.report["target"]["name"] == "cortex-m4"
    assert result.report["options"]["optimize"] == "speed"
    assert result.report["options"]["recipe"] == ["optimize", "target", "verify"]
    assert result.report["options"]["overridden"] == ["optimize"]
    assert result.report["unverified"] == "not asked for"


def test_the_command_line_takes_a_spec_and_its_output(tmp_path: Path) -> None:
    path = tmp_path / "net.tml"
    path.write_text(
        NET + 'recipe {\n    output("made")\n    verify(false)\n    optimize("size")\n}\n'
    )
    result = CliRunner().invoke(main, ["compile", str(path), "--optimize", "speed"])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "made" / "report.json").read_text())
    assert report["options"]["overridden"] == ["optimize"]
    assert "net.tml" in report["model"]["file"]


def test_a_spec_without_an_output_folder_needs_one(tmp_path: Path) -> None:
    path = tmp_path / "net.tml"
    path.write_text(NET)
    result = CliRunner().invoke(main, ["compile", str(path), "--no-verify"])
    assert result.exit_code == 2
    assert "Missing option '-o' / '--out'" in result.stderr


def test_editors_get_the_mistakes_as_data(tmp_path: Path) -> None:
    path = tmp_path / "net.tml"
    path.write_text("input x: f32[1, 4]\noutput y = x |> rellu\n")
    result = CliRunner().invoke(main, ["compile", str(path), "-o", str(tmp_path / "out"), "--json"])
    (problem,) = json.loads(result.stdout)["error"]["problems"]
    assert (problem["line"], problem["column"], problem["end_column"]) == (2, 17, 22)
