"""Any function of one int8 value: a table of 256 entries, table[q + 128].

x: i8 of any shape, table: i8[256]. Made by the integer lowering, never read from a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs, Tensor
from ..ir.types import TensorType
from ..numerics.quantization import dequantize, quantize
from .base import PLANAR, Arrays, Kernel, Nest, Op, Overlap, Site
from .channels import channelwise
from .indexing import nested, read_tensor
from .intervals import Interval
from .lowering import Lowering
from .rows import pixelwise


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    if types[0].dtype.bits != 8 or types[1].shape != (256,):
        raise ModelError(
            f"lut takes 8-bit values and a table of 256, got {types[0]} and {types[1]}"
        )
    return (TensorType(types[0].shape, types[1].dtype),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    x, table = arrays
    return (table[x.astype(np.int64) + 128],)


def table_of(
    x: TensorType, y: TensorType, function: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """function over all 256 values of x, as integers of y. Values that are no number become 0."""
    real = dequantize(np.arange(-128, 128), x)
    result = np.nan_to_num(np.asarray(function(real), np.float64), posinf=3e38, neginf=-3e38)
    return quantize(result.astype(np.float32), y)


def emit_lut(low: Lowering, x: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> None:
    low.emit("lut", [x.name, low.constant("table", table_of(x.type, low.y, function))], {})


def rescaled(low: Lowering, index: int) -> str:
    """Operand `index` with the quantisation of the result: as it is, through a table, or a constant."""
    if low.is_constant(index):
        return low.constant("constant", quantize(low.real(index), low.y), low.y_quant)
    x = low.activation(index)
    if x.type.quant == low.y_quant:
        return x.name
    table = low.constant("rescale", table_of(x.type, low.y, lambda real: real))
    return low.emit("lut", [x.name, table], {}, low.y.with_shape(x.shape))


def _interval(site: Site, operands: Sequence[Interval]) -> tuple[Interval, ...]:
    x, table = operands[0], site.const(1).astype(np.int64)
    q = np.arange(-128, 128)
    reached = (x.low[:, None] <= q) & (q <= x.high[:, None])
    low, high = site.y.dtype.range
    return (
        Interval(
            np.where(reached, table, high).min(axis=1), np.where(reached, table, low).max(axis=1)
        ),
    )


def _nest(site: Site) -> Nest:
    body = (f"y0[i] = {read_tensor(site.inputs[1], 'x1', '(uint8_t)(x0[i] + 128)')};",)
    return Nest(nested(("i",), (site.x.size,), body), in_place=(0,), cycles=10.0 * site.x.size)


def _refusal(site: Site) -> str | None:
    if site.x.dtype.name == "i8" and site.y.dtype.name == "i8" and not site.inputs[0].is_constant:
        return None
    return f"takes run-time i8 and gives i8, got {site.x} and {site.y}"


def _planar_refusal(site: Site) -> str | None:
    return _refusal(site) or (None if site.y.rank == 4 else f"takes images, got {site.y}")


_PLAIN = Kernel(
    "tml_lut_i8",
    "lut",
    accepts=_refusal,
    params=lambda site: {"n": site.x.size},
    arrays=lambda site: (("table", site.const(1).view(np.uint8)),),
    cycles=lambda site: 20.0 + 4.5 * site.x.size,
    overlaps=lambda site: (Overlap(),),
    per_image=False,
)
KERNELS = (
    _PLAIN,
    replace(_PLAIN, accepts=_planar_refusal, x_format=PLANAR, y_format=PLANAR),
)


OP = Op(
    "lut",
    infer,
    integer=integer,
    interval=_interval,
    channels=channelwise(0),
    kernels=KERNELS,
    nest=_nest,
    rows=pixelwise,
    elementwise=True,
    transposed=lambda site, permutation: {},
    summary="Table of 256 entries: any function of one int8 value",
)
