"""Targets: every shipped file loads, and a wrong one is told by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinycc_ml.backend.target import FEATURES, list_targets, load_target
from tinycc_ml.errors import TargetError

NAMES = (
    "atmega328p",
    "cortex-m0plus",
    "cortex-m3",
    "cortex-m33",
    "cortex-m4",
    "cortex-m55",
    "cortex-m7",
    "host",
    "rv32imc",
)


def _edited(folder: Path, old: str, new: str, name: str = "cortex-m4") -> Path:
    """A copy of a shipped target file with one edit."""
    text = load_target(name).path.read_text(encoding="utf-8")
    assert old in text
    path = folder / "own.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_all_targets_are_listed() -> None:
    assert tuple(target.name for target in list_targets()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_target_is_found_by_name_and_by_path(name: str) -> None:
    target = load_target(name)
    assert target.name == name == target.path.stem
    assert target.features <= FEATURES.keys()
    assert load_target(target.path) == load_target(str(target.path)) == target
    assert hash(load_target(target.path)) == hash(target)


def test_features_follow_the_core() -> None:
    assert load_target("cortex-m4").has("dsp", "long_multiply")
    assert not load_target("cortex-m3").has("dsp")
    assert load_target("cortex-m55").has("mve")
    assert not load_target("cortex-m0plus").has("long_multiply")


def test_the_avr_has_progmem_and_real_limits() -> None:
    target = load_target("atmega328p")
    assert target.constants == "progmem"
    assert (target.int_bits, target.pointer_bits) == (16, 16)
    assert dict(target.memories) == {"flash": 32768, "ram": 2048}


def test_generic_cores_have_unlimited_memories() -> None:
    assert dict(load_target("cortex-m4").memories) == {"flash": None, "ram": None}


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(TargetError, match=r"unknown target 'cortex-m44'.*cortex-m4"):
        load_target("cortex-m44")
    with pytest.raises(TargetError, match=r"known: .*atmega328p.*rv32imc"):
        load_target("z80")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('core = "cortex-m4"', "core = 4", r"'core' must be a string, got 4"),
        ("pointer_bits = 32", "pointer_bits = 31", r"'pointer_bits' must be 16, 32 or 64, got 31"),
        ("int_bits = 32", "", r"missing key 'int_bits'"),
        ('prefix = "', 'prefiks = "', r"unknown key 'toolchain.prefiks'.*did you mean prefix"),
        ('"dsp"', '"dps"', r"unknown feature 'dps'.*dsp"),
        ('kind = "qemu"', 'kind = "qume"', r"'emulator.kind' must be"),
        ('flash = "unlimited"', "flash = -1", r"'memories' must be"),
        ("bytes = 0x400000", 'bytes = "4M"', r"'emulator.regions' must be"),
        ('program = "qemu-system-arm"', "", r"'emulator' must be given program and regions"),
        ("[packages]", "[packages", r"not a TOML file"),
    ],
)
def test_a_wrong_file_is_told_by_file_and_key(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = _edited(tmp_path, old, new)
    with pytest.raises(TargetError, match=message) as caught:
        load_target(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"can't read target file .*none\.toml"):
        load_target(tmp_path / "none.toml")


def test_an_own_target_needs_no_edit_elsewhere(tmp_path: Path) -> None:
    path = _edited(tmp_path, 'name = "cortex-m4"', 'name = "our-board"')
    assert load_target(path).name == "our-board"
