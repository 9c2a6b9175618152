"""The nets that the whole-net tests run on: the project's own, and those of ../shared where present."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tinycc_ml.compiler import Compiled, Options, compile

ROOT = Path(__file__).resolve().parents[2]
OWN = sorted((ROOT / "examples" / "digits").glob("digits_*.onnx"))
SHARED_FOLDER = ROOT.parent / "shared" / "models"
SHARED_NAMES = tuple(
    f"{net}_{kind}"
    for net, kinds in {
        "ad01": ("float", "int8qdq"),
        "hello_world": ("float", "int8qdq"),
        "kws": ("float", "bnfloat", "int8qdq", "ortq"),
        "resnet8": ("float", "bnfloat", "int8qdq"),
        "strww": ("float", "int8qdq"),
        "vww": ("float", "int8qdq"),
    }.items()
    for kind in kinds
)
INTEGER_NAMES = tuple(name for name in SHARED_NAMES if name.endswith(("int8qdq", "ortq")))


def shared(names: tuple[str, ...] = SHARED_NAMES) -> list:
    """Parameters for the nets of ../shared, skipped with the reason where they are absent."""
    absent = pytest.mark.skipif(not SHARED_FOLDER.is_dir(), reason="../shared/models is not here")
    return [
        pytest.param(SHARED_FOLDER / f"{name}.onnx", id=name, marks=[pytest.mark.shared, absent])
        for name in names
    ]


def own() -> list:
    return [pytest.param(path, id=path.stem) for path in OWN]


@cache
def compiled(path: Path, target: str = "host", optimize: str = "balanced") -> Compiled:
    return compile(path, target, options=Options(optimize=optimize))
