"""report.json and report.md: valid, true to the compilation, the same each time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import tinycc_ml
from tinycc_ml.api import Result
from tinycc_ml.report import report_files, to_json, update_folder
from tinycc_ml.report.chart import memory_chart
from tinycc_ml.report.files import with_measurement
from tinycc_ml.report.markdown import cell, count
from tinycc_ml.toolchain.shipped import open_folder
from tinycc_ml.toolchain.verified import Measured, Verified

from ..small_nets import dense_samples, write_dense, write_two_ends

SCHEMA = json.loads((Path(tinycc_ml.__file__).parent / "report/schema.json").read_text())


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    work = tmp_path_factory.mktemp("report")
    return tinycc_ml.compile(
        write_dense(work),
        work / "out",
        calibrate={"x": dense_samples()},
        target="cortex-m3",
        verify=False,
    )


@pytest.fixture
def report(result: Result) -> Any:
    return json.loads(result.files["report.json"])


def _check(report: Any) -> None:
    jsonschema.validate(report, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"io": "arena"},
        {"single_file": True},
        {"io_type": "float", "calibrate": {"x": dense_samples()}},
    ],
)
def test_every_report_follows_the_schema(options: dict, tmp_path: Path) -> None:
    _check(
        json.loads(
            tinycc_ml.compile(write_dense(tmp_path), verify=False, **options).files["report.json"]
        )
    )


def test_a_verified_report_with_two_ends_follows_the_schema(tmp_path: Path) -> None:
    _check(json.loads(tinycc_ml.compile(write_two_ends(tmp_path)).files["report.json"]))


def test_what_is_unknown_is_null_and_not_zero(report: Any) -> None:
    _check(report)
    totals = report["totals"]
    assert [totals[key] for key in ("code_bytes", "stack_bytes", "cycles")] == [None] * 3
    assert (report["verified"], report["unverified"]) == ([], "not asked for")


def test_totals_are_the_sums_of_their_parts(report: Any) -> None:
    totals = report["totals"]
    assert totals["macs"] == sum(node["macs"] for node in report["nodes"]) == 72
    assert totals["weights_bytes"] == sum(c["bytes"] for c in report["constants"])
    assert totals["weights_bytes"] <= sum(node["weights_bytes"] for node in report["nodes"])
    assert totals["arena_bytes"] == max(
        b["offset"] + b["bytes"] for b in report["memory"]["blocks"]
    )
    assert report["memory"]["lower_bound_bytes"] <= totals["arena_bytes"]


def test_a_node_says_its_kernel_and_why(report: Any) -> None:
    first = report["nodes"][0]
    assert (first["op"], first["step"], first["probe"], first["kernel"]) == (
        "dense",
        0,
        0,
        "tml_dense_i8",
    )
    assert first["why"]
    assert {"kernel", "reason"} == set(first["refused"][0])
    assert first["accumulator_bound"] > 0
    assert first["view"] == {"buffer": "arena", "offset": 0, "bytes": 8, "format": "plain"}
    assert first["lifetime"] == [0, 1]


def test_tensors_speak_the_models_names_and_have_their_error(report: Any) -> None:
    by_name = {tensor["source_name"]: tensor for tensor in report["tensors"]}
    assert by_name["x"]["kind"] == "input"
    assert by_name["x"]["sqnr_db"] is None
    assert by_name["r"]["quantization"]["zero_point"] == -128
    assert 20 < by_name["r"]["sqnr_db"] < 70
    assert 20 < by_name["y"]["sqnr_db"] < 70


def test_files_are_listed_with_their_hash(result: Result, report: Any) -> None:
    listed = {entry["path"]: entry["sha256"] for entry in report["files"]}
    assert listed == {
        path: hashlib.sha256(text.encode()).hexdigest()
        for path, text in result.files.items()
        if not path.startswith("report.")
    }
    assert result.out is not None
    assert open_folder(result.out).changed_files() == ()


def test_no_place_of_this_machine_is_told(result: Result) -> None:
    for text in (result.files["report.json"], result.files["report.md"]):
        assert str(result.out) not in text
        assert "/tmp" not in text


def test_the_target_that_was_compiled_for_fills_the_totals(report: Any) -> None:
    verified = Verified("cortex-m3", 4, True, "every byte", ("gcc", "qemu"))
    host = Verified("host", 4, True, "every byte", ("gcc",))
    later = with_measurement(report, host, Measured("host", "-O2", 900))
    assert later["totals"] == report["totals"]
    later = with_measurement(later, verified, Measured("cortex-m3", "-O2", 800, 120, 3000, 4000))
    _check(later)
    assert [later["totals"][key] for key in ("code_bytes", "stack_bytes", "cycles")] == [
        800,
        120,
        4000,
    ]
    assert later["unverified"] is None
    assert (
        with_measurement(later, verified, Measured("cortex-m3", "-O2", 800, 120, 3000, 4000))
        == later
    )


def test_an_update_rewrites_both_files(result: Result) -> None:
    assert result.out is not None
    verified = Verified("cortex-m3", 4, True, "every byte", ("gcc", "qemu"))
    made = update_folder(result.out, verified, Measured("cortex-m3", "-O2", 800, 120, 3000, 4000))
    assert json.loads((result.out / "report.json").read_text()) == made
    text = (result.out / "report.md").read_text()
    assert "| cortex-m3 | -O2 | 800 | 120 | 3,000 | 4,000 |" in text
    assert "stack 120 bytes, 4,000 modelled cycles" in text
    for path, text in result.files.items():
        if path.startswith("report."):
            (result.out / path).write_text(text)


def test_markdown_is_made_of_the_same_data(result: Result, report: Any) -> None:
    assert report_files(report) == {
        name: result.files[name] for name in ("report.json", "report.md")
    }
    text = result.files["report.md"]
    assert text.startswith("# tiny: int8 C from tiny.onnx\n")
    assert "- 72 multiply-accumulates a run\n" in text
    assert "**Not verified**: not asked for." in text
    assert "a  at 0, 8 bytes, steps 0..1: r\n" in text


def test_json_text_reads_back_and_keeps_number_lists_on_a_line() -> None:
    data = {"a": [1, 2], "b": [], "c": {}, "d": [{"e": None}, {"f": "ü\n"}], "g": 0.1}
    assert json.loads(to_json(data)) == data
    assert '"a": [1, 2],' in to_json(data)


def test_the_chart_shows_each_block_at_its_place_and_time() -> None:
    blocks = [
        {"name": "first", "offset": 0, "bytes": 96, "first_step": 0, "last_step": 1},
        {"name": "second", "offset": 96, "bytes": 32, "first_step": 1, "last_step": 2},
    ]
    memory = {"arena_bytes": 128, "steps": 3, "peak_step": 1, "blocks": blocks}
    lines = memory_chart(memory)
    assert lines[1:4] == [
        f"   0  {'a' * 48}{'.' * 16}",
        f"   1  {'a' * 48}{'b' * 16}  <- peak",
        f"   2  {'.' * 48}{'b' * 16}",
    ]
    assert lines[-1] == "b  at 96, 32 bytes, steps 1..2: second"


def test_the_chart_of_a_tiny_arena_and_of_none() -> None:
    block = {"name": "x", "offset": 0, "bytes": 1, "first_step": 0, "last_step": 0}
    assert (
        memory_chart({"arena_bytes": 1, "steps": 1, "peak_step": 0, "blocks": [block]})[1]
        == "   0  a  <- peak"
    )
    assert memory_chart({"arena_bytes": 0, "steps": 1, "peak_step": None, "blocks": []}) == []


def test_names_from_the_model_are_safe_in_a_table() -> None:
    assert cell("a|b\n<script>") == "a\\|b?&lt;script>"


def test_numbers_are_grouped_and_the_unknown_is_a_question_mark() -> None:
    assert (count(1234567), count(None), count(0)) == ("1,234,567", "?", "0")


def test_an_error_of_zero_is_a_number_in_json(tmp_path: Path) -> None:
    samples = np.zeros((4, 6), np.float32)
    result = tinycc_ml.compile(
        write_two_ends(tmp_path), calibrate={"a": samples, "b": samples}, verify=False
    )
    report = json.loads(result.files["report.json"])
    _check(report)
    assert set(report["accuracy"]["sqnr_db"].values()) == {999.0}
