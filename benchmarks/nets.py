"""The networks the benchmarks run on: our own, and the MLPerf Tiny ones with their data where they lie beside the project."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DIGITS = ROOT / "examples" / "digits"
SHARED = ROOT.parent / "shared"
MODELS = SHARED / "models"
DATA = SHARED / "data"
BENCH = SHARED / "bench" / "measure.py"

OWN = ("digits_mlp", "digits_cnn")
# Also in examples/digits, with data of ../shared
OWN_WITH_SHARED_DATA = ("mnist_cnn",)
INT8 = ("ad01_int8qdq", "kws_int8qdq", "vww_int8qdq", "resnet8_int8qdq", "strww_int8qdq")


@dataclass(frozen=True)
class Net:
    """`calibrate` makes a float model int8. family: its name among the peers and goals."""

    name: str
    path: Path
    family: str
    calibrate: Path | None = None


def own_nets() -> tuple[Net, ...]:
    """Small ones of the repository, always here; int8."""
    samples = DIGITS / "digits_calibration.npz"
    return tuple(Net(name, DIGITS / f"{name}.onnx", name, samples) for name in OWN)


def shared_nets(names: tuple[str, ...] = INT8) -> tuple[Net, ...]:
    """Those of ../shared/models that are here."""
    paths = (MODELS / f"{name}.onnx" for name in names)
    return tuple(Net(p.stem, p, family(p.stem)) for p in paths if p.is_file())


def nets_called(names: tuple[str, ...]) -> tuple[Net, ...]:
    """By name; leaves with a clear line when one is not here."""
    known = {net.name: net for net in (*own_nets(), *shared_nets(names))}
    absent = [name for name in names if name not in known]
    if absent:
        sys.exit(f"no net {absent[0]!r} in {DIGITS.relative_to(ROOT)} or ../shared/models")
    return tuple(known[name] for name in names)


@dataclass(frozen=True)
class Dataset:
    """`file` of data/, the factor from its numbers to the net's real inputs, and the size of the first
    part, which calibrates. last: only so many of the samples count; the net was trained on those before."""

    file: str
    factor: float = 1.0
    first: int | None = None
    last: int = 0


DATASETS: Mapping[str, Dataset] = {
    "ad01": Dataset("ad01_synthetic_295"),
    "digits": Dataset("digits_8x8", 1 / 16),
    "kws": Dataset("kws_mfcc_1000", first=100),
    "mnist": Dataset("mnist_1k", 1 / 255, first=100, last=250),
    "resnet8": Dataset("photos_32x32x3"),
    "strww": Dataset("strww_logmel_45"),
    "vww": Dataset("photos_96x96x3", 1 / 255),
}


def path_of(net: str) -> Path:
    """A float net by its short name: one of our own, or of ../shared/models."""
    own = (*OWN, *OWN_WITH_SHARED_DATA)
    return DIGITS / f"{net}.onnx" if net in own else MODELS / f"{net}_float.onnx"


def has_data(net: str) -> bool:
    """The net and its data are here."""
    return path_of(net).is_file() and (DATA / f"{DATASETS[family(net)].file}.npz").is_file()


def need_shared() -> None:
    """Leave with a clear line where the networks are absent."""
    if not MODELS.is_dir():
        print("skipped: the networks of ../shared/models are not here")
        sys.exit(0)


def family(model: str) -> str:
    return model.split("_")[0] if not model.startswith("hello") else "hello_world"


def real_inputs(model: str) -> tuple[np.ndarray, np.ndarray | None]:
    """All inputs of a net that count, as real numbers [N, ...], and the labels, if there are any."""
    last = DATASETS[family(model)].last if family(model) in DATASETS else 0
    inputs, labels = known_inputs(model)
    return inputs[-last:], None if labels is None else labels[-last:]


def known_inputs(model: str) -> tuple[np.ndarray, np.ndarray | None]:
    """As `real_inputs`, with those that the net was trained on."""
    name = family(model)
    if name == "hello_world":
        return np.linspace(0, 2 * np.pi, 256, dtype=np.float32).reshape(256, 1), None
    dataset = DATASETS[name]
    with np.load(DATA / f"{dataset.file}.npz") as file:
        inputs = file["inputs"].astype(np.float32)
        if "scale" in file:
            inputs = (inputs - float(file["zero_point"])) * np.float32(file["scale"])
        labels = file["labels"].ravel() if "labels" in file else None
    return inputs * np.float32(dataset.factor), labels


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a header, columns aligned."""
    cells = [header, *(tuple(str(c) for c in row) for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(header))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
