"""The profile by node: its parts make the whole, the whole is the plain run, and wrong C is not priced."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

import tinycc_ml
from tinycc_ml.api import Result
from tinycc_ml.backend.target import load_target
from tinycc_ml.cli import main
from tinycc_ml.errors import TargetError, VerificationError
from tinycc_ml.toolchain import build_image, run_image
from tinycc_ml.toolchain.profile import profile_dir
from tinycc_ml.toolchain.verify_dir import verify_dir

from ..small_nets import dense_samples, write_dense
from .programs import require, write

SCHEMA = json.loads((Path(tinycc_ml.__file__).parent / "report/schema.json").read_text())
CORES = ("cortex-m4", "cortex-m0plus", "cortex-m7", "rv32imc", "atmega328p")
# A function that is marked twice; the marking function itself is long
MARKED = """
#include "tml_bench.h"
static volatile uint32_t sink;
__attribute__((noinline)) void mark(void)
{
    for (uint16_t i = 0; i < 1000U; i++) {
        sink = i;
    }
}
static __attribute__((noinline)) void work(uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        sink = i;
    }
}
void tml_bench_run(void)
{
    mark();
    mark();
    work(100U);
    mark();
    work(200U);
    mark();
    sink = 1;
}
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small int8 net."""
    return _compiled(tmp_path_factory.mktemp("profile"))


def _compiled(work: Path) -> Path:
    made: Result = tinycc_ml.compile(
        write_dense(work), work / "out", calibrate={"x": dense_samples()}, verify=False
    )
    assert made.out is not None
    return made.out


@pytest.mark.emulator
@pytest.mark.parametrize("name", CORES)
def test_marks_cut_the_counts_and_are_not_counted(name: str, tmp_path: Path) -> None:
    require(load_target(name))
    image = build_image(
        load_target(name), [write(tmp_path, MARKED)], workdir=tmp_path / "build", opt="-Os"
    )
    run = run_image(image, mark="mark")
    assert run.ok
    assert len(run.marks) == 4
    steps = [
        (b.instructions - a.instructions, b.cycles - a.cycles)
        for a, b in zip(run.marks, run.marks[1:], strict=False)
    ]
    call, first, second = steps
    assert call[0] <= 2 and call[1] <= 8  # the call alone, not the 1000 passes inside
    assert second[0] > first[0] > 100 * 2
    # 100 passes more, all the same; a larger count may take one more instruction to load
    assert (second[0] - first[0] + 1) % 100 <= 2
    assert run.instructions is not None
    assert run.marks[-1].instructions < run.instructions < run.marks[-1].instructions + 12


@pytest.mark.emulator
@pytest.mark.parametrize("name", CORES)
def test_a_run_without_marks_counts_as_before(name: str, tmp_path: Path) -> None:
    require(load_target(name))
    image = build_image(load_target(name), [write(tmp_path, MARKED)], workdir=tmp_path / "build")
    run = run_image(image)
    assert run.marks == ()
    assert run.instructions is not None
    assert run.instructions > 4 * 1000 * 3


@pytest.mark.emulator
@pytest.mark.parametrize("name", CORES)
def test_the_nodes_make_the_plain_run(name: str, out: Path) -> None:
    target = load_target(name)
    require(target)
    profile = profile_dir(out, target)
    _, plain = verify_dir(out, target)
    assert plain.cycles is not None and plain.instructions is not None
    assert [cost.probe for cost in profile.nodes] == list(range(len(profile.nodes)))
    # the marks' own cost is off; what they make the compiler do otherwise is a few instructions each
    slack = 4 * len(profile.nodes) + 8
    assert abs(profile.instructions - plain.instructions) <= slack
    assert abs(profile.cycles - plain.cycles) <= 4 * slack
    rest = profile.cycles - sum(cost.cycles for cost in profile.nodes)
    assert 0 < rest <= 60  # leaving NAME_run
    deepest = max(cost.stack_bytes for cost in profile.nodes)
    assert abs(deepest - (plain.stack_bytes or 0)) <= 32


@pytest.mark.emulator
def test_the_report_gets_the_figures_of_each_node(tmp_path: Path) -> None:
    require(load_target("cortex-m4"))
    folder = _compiled(tmp_path)
    command = ["profile", str(folder), "--target", "cortex-m4"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    head, names, *rows = done.stdout.splitlines()
    assert head == "tiny on cortex-m4, -O2, modelled cycles"
    assert names.split()[:5] == ["step", "op", "kernel", "MACs", "cycles"]
    assert rows[-1].strip().startswith("whole run")
    report = json.loads((folder / "report.json").read_text())
    jsonschema.validate(report, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert report["profiled"]["target"] == "cortex-m4"
    assert all(node["cycles"] > 0 for node in report["nodes"] if node["step"] is not None)
    assert "## Profile on cortex-m4" in (folder / "report.md").read_text()
    # --json says the same, and a second run changes nothing
    again = CliRunner().invoke(main, [*command, "--json"])
    assert json.loads(again.stdout)["nodes"] == report["nodes"]


@pytest.mark.emulator
def test_wrong_c_is_not_priced(tmp_path: Path) -> None:
    require(load_target("cortex-m4"))
    folder = _compiled(tmp_path)
    source = folder / "tiny.c"
    source.write_text(source.read_text().replace("TML_PROBE(0,", "a[0] ^= 0x55U; TML_PROBE(0,", 1))
    with pytest.raises(VerificationError, match="outputs are wrong on cortex-m4"):
        profile_dir(folder, load_target("cortex-m4"))


def test_the_host_is_refused(out: Path) -> None:
    with pytest.raises(TargetError, match="nothing is counted on the host"):
        profile_dir(out, load_target("host"))
    done = CliRunner().invoke(main, ["profile", str(out)])
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        "error: nothing is counted on the host (profile an emulated core: --target cortex-m4)"
    ]
