"""Nets as users export them: compiled as float and as int8, verified on the host and, where they fit, on a core.

    python benchmarks/exported_nets.py [NET ...] [--core cortex-m4] [--keep DIR]

Fits: at most 256 KB of flash (constants and code) and 128 KB of RAM. Exits with 1 when a net is not exact, when
a float net is not within its bound of ONNX Runtime, or when int8 comes nearer to noise than LEAST_SQNR allows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx
from exported_models import mobilenet_v3, squeezenet, tiny_yolo_v2
from exported_sequences import (
    FEATURES,
    FRAMES,
    LENGTH,
    TOKENS,
    gru_keywords,
    lstm_keywords,
    small_bert,
)
from nets import table
from untuned_models import mobilenet_v2

import tinycc_ml
from tinycc_ml.backend.target import load_target
from tinycc_ml.toolchain.verify import verify_compiled, verify_dir

FLASH, RAM = 256 * 1024, 128 * 1024
# dB, of random weights, the least behind 53 convolutions: nets that were trained come out better
LEAST_SQNR = 9.0
SAMPLES = 24
HEAD = ("net", "type", "ops", "flash", "RAM", "SQNR dB", "host", "core", "compile CPU s")


def images(rng: np.random.Generator, size: int) -> np.ndarray:
    """Neighbouring pixels are alike, as in photos: noise of three widths, over -1..1."""
    whole = np.zeros((SAMPLES, 3, size, size))
    for width in (1, 4, 16):
        noise = rng.normal(size=(SAMPLES, 3, -(-size // width), -(-size // width)))
        whole += noise.repeat(width, 2).repeat(width, 3)[:, :, :size, :size]
    return np.clip(whole / 4, -1, 1).astype(np.float32)


def cepstra(rng: np.random.Generator, *_: int) -> np.ndarray:
    """Slow changes over time, the first coefficient the largest."""
    steps = rng.normal(size=(SAMPLES, FRAMES, FEATURES)) / np.arange(1, FEATURES + 1) ** 0.5
    return (np.cumsum(steps, 1) / np.arange(1, FRAMES + 1)[:, None] ** 0.5).astype(np.float32)


def tokens(rng: np.random.Generator, *_: int) -> np.ndarray:
    """Frequent words and rare ones."""
    return np.minimum(rng.zipf(1.3, (SAMPLES, LENGTH)) - 1, TOKENS - 1).astype(np.int64)


@dataclass(frozen=True)
class Net:
    """`size`: of an image."""

    make: Callable[[], onnx.ModelProto]
    samples: Callable[..., np.ndarray]
    size: int = 0

    def data(self) -> np.ndarray:
        """[SAMPLES, ...] seeded inputs that look like real ones."""
        return self.samples(np.random.default_rng(8), self.size)


NETS: Mapping[str, Net] = MappingProxyType(
    {
        "mobilenet_v2": Net(mobilenet_v2, images, 96),
        "squeezenet": Net(squeezenet, images, 64),
        "tiny_yolo_v2": Net(tiny_yolo_v2, images, 80),
        "mobilenet_v3": Net(mobilenet_v3, images, 64),
        "lstm_keywords": Net(lstm_keywords, cepstra),
        "gru_keywords": Net(gru_keywords, cepstra),
        "small_bert": Net(small_bert, tokens),
    }
)


@dataclass(frozen=True)
class Outcome:
    """of a net as one type. `sqnr_db`: the worst output's, None for a float net; `core`: None where it does not
    fit. A float net is compared on the host with ONNX Runtime, too."""

    ops: int
    flash_bytes: int
    ram_bytes: int
    sqnr_db: float | None
    host: bool
    core: bool | None
    seconds: float

    @property
    def good(self) -> bool:
        near = self.sqnr_db is None or self.sqnr_db >= LEAST_SQNR
        return self.host and self.core is not False and near


def outcome(name: str, quantize: str, core: str, folder: Path) -> Outcome:
    """Compile, verify on the host, and on the core if flash and RAM suffice. TinymlError when that fails."""
    net, path, out = NETS[name], folder / f"{name}.onnx", folder / f"{name}_{quantize}"
    onnx.save(net.make(), path)
    begin = time.process_time()
    data = {"input": net.data()}
    made = tinycc_ml.compile(
        path, out, target=core, calibrate=data, quantize=quantize, verify=False
    )
    seconds = time.process_time() - begin
    report = made.report
    sqnr = min(report["accuracy"]["sqnr_db"].values()) if report["accuracy"] else None
    ram = report["totals"]["arena_bytes"] + sum(port["bytes"] for port in report["io"])
    claims = verify_compiled(made.compiled, path)
    compared = quantize == "int8" or any("onnxruntime" in claim.what for claim in claims)
    host = compared and all(claim.equal for claim in claims)
    code, ran = _on_core(out, core, report["totals"]["weights_bytes"], ram)
    flash = report["totals"]["weights_bytes"] + code
    return Outcome(len(report["nodes"]), flash, ram, sqnr, host, ran, seconds)


def _on_core(folder: Path, core: str, weights: int, ram: int) -> tuple[int, bool | None]:
    """Bytes of code, and whether the self-test passed there; (0, None) where it can't fit."""
    if weights > FLASH or ram > RAM:
        return 0, None
    verified, measured = verify_dir(folder, load_target(core))
    code = measured.code_bytes or 0
    return code, verified.equal if weights + code <= FLASH else None


def row(name: str, quantize: str, found: Outcome) -> tuple[object, ...]:
    sqnr = "-" if found.sqnr_db is None else f"{found.sqnr_db:.1f}"
    exact = {True: "exact" if quantize == "int8" else "in bound", False: "NO", None: "too big"}
    return (
        name, quantize, found.ops, found.flash_bytes, found.ram_bytes, sqnr, exact[found.host],
        exact[found.core], f"{found.seconds:.1f}",
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("net", nargs="*", default=list(NETS), metavar="NET")
    parser.add_argument("--core", default="cortex-m4")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for models and C")
    args = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory(prefix="tinycc_ml_") as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for name in args.net:
            for quantize in ("float32", "int8"):
                found[name, quantize] = outcome(name, quantize, args.core, folder)
    rows = [row(*key, value) for key, value in found.items()]
    table(f"Exported nets, {args.core}; bytes of flash without code where too big", HEAD, rows)
    return 0 if all(value.good for value in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
