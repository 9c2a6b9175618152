"""Any function of one value: of int8 a table of 256 entries, table[q + 128]; of int16 straight lines between the
257 entries of a table (numerics.md §8).

x: i8 or i16 of any shape, table: i8 or i16 [256] or i16[257]. Made by the integer lowering, never read from a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from ..ir.graph import Attrs, Tensor
from ..ir.types import BOOL, Quant, TensorType
from ..numerics.fixedpoint import rounding_shift
from ..numerics.quantization import dequantize, quantize
from .base import PLANAR, Arrays, Kernel, Nest, Op, Overlap, Site
from .channels import channelwise
from .indexing import nested, read_tensor
from .intervals import Interval, all_values
from .lowering import Lowering
from .rows import pixelwise


def infer(types: Sequence[TensorType], attrs: Attrs) -> tuple[TensorType, ...]:
    entries = {8: 256, 16: 257}.get(types[0].dtype.bits)
    if types[1].shape != (entries,):
        raise ModelError(
            f"lut takes 8-bit values and a table of 256, or 16-bit ones and a table of 257, got {types[0]} and {types[1]}"
        )
    return (TensorType(types[0].shape, types[1].dtype),)


def integer(site: Site, arrays: Arrays) -> tuple[np.ndarray, ...]:
    x, table = arrays
    if len(table) == 256:
        return (table[x.astype(np.int64) + 128],)
    return (between(table, x).astype(table.dtype),)


def between(table: np.ndarray, x: np.ndarray) -> np.ndarray:
    """int16 x on straight lines between the 257 entries of a table."""
    at, wide = x.astype(np.int64) + 32768, table.astype(np.int64)
    low = wide[at >> 8]
    return low + rounding_shift((wide[(at >> 8) + 1] - low) * (at & 255), 8)


def table_of(
    x: TensorType, y: TensorType, function: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """function over all 256 values of x, or at every 256th of the int16 ones and behind the last, as integers of
    y. Values that are no number become 0."""
    step = 1 if x.dtype.bits == 8 else 256
    real = dequantize(np.arange(-128, 128 + (step > 1)) * step, x)
    result = np.nan_to_num(np.asarray(function(real), np.float64), posinf=3e38, neginf=-3e38)
    return quantize(result.astype(np.float32), y)


def emit_lut(
    low: Lowering,
    x: Tensor,
    function: Callable[[np.ndarray], np.ndarray],
    type_: TensorType | None = None,
) -> str:
    """The table's node; `type_` as in Lowering.emit. From int16 to int8 there is an int16 of the finer scale between."""
    y = type_ or low.y
    if x.type.dtype.bits == 16 and y.dtype.bits == 8:
        quant = low.y_quant
        top = max(abs(end - quant.zero) for end in y.dtype.range) * quant.scale0
        fine = replace(y, dtype=x.type.dtype, quant=Quant.per_tensor(top / 32767))
        between = emit_lut(low, x, function, fine)
        return emit_rescaled(low, low.draft.tensors[between], type_)
    table = low.constant("table", table_of(x.type, y, function))
    return low.emit("lut", [x.name, table], {}, type_)


def emit_rescaled(low: Lowering, x: Tensor, type_: TensorType | None = None) -> str:
    """x with the quantisation of the result: a table; where x is int16 the product with a constant 1."""
    if x.type.dtype.bits == 8:
        return emit_lut(low, x, lambda real: real, type_)
    scale = np.asarray([x.type.quant.scale0 / low.y_quant.scale0])  # type: ignore[union-attr]
    multiplier = low.multiplier(scale, 65535)
    shape = (1,) * x.type.rank
    factor = low.constant("rescale", multiplier.value.reshape(shape))
    first, last = low.y.dtype.range
    attrs = {"pre_shift": multiplier.pre_shift, "q_min": first, "q_max": last}
    return low.emit("mul", [x.name, factor], attrs, type_)


def rescaled(low: Lowering, index: int) -> str:
    """Operand `index` with the quantisation of the result: as it is, through a table, or a constant."""
    if low.is_constant(index):
        return low.constant("constant", quantize(low.real(index), low.y), low.y_quant)
    x = low.activation(index)
    if (x.type.dtype, x.type.quant) == (low.y.dtype, low.y_quant):
        return x.name
    return emit_rescaled(low, x, low.y.with_shape(x.shape))


def _interval(site: Site, operands: Sequence[Interval]) -> tuple[Interval, ...]:
    x, table = operands[0], site.const(1).astype(np.int64)
    if len(table) > 256 or site.y.dtype == BOOL:
        return (all_values(site.y),)
    q = np.arange(-128, 128)
    reached = (x.low[:, None] <= q) & (q <= x.high[:, None])
    low, high = site.y.dtype.range
    return (
        Interval(
            np.where(reached, table, high).min(axis=1), np.where(reached, table, low).max(axis=1)
        ),
    )


def _nest(site: Site) -> Nest:
    if site.x.dtype.bits == 16:
        return _lines_nest(site)
    body = (f"y0[i] = {read_tensor(site.inputs[1], 'x1', '(uint8_t)(x0[i] + 128)')};",)
    in_place = (0,) if site.x.dtype.bytes == site.y.dtype.bytes else ()
    return Nest(nested(("i",), (site.x.size,), body), in_place=in_place, cycles=10.0 * site.x.size)


def _lines_nest(site: Site) -> Nest:
    body = (f"y0[i] = ({site.y.dtype.c})tml_recurrent_table_i16(x1, x0[i]);",)
    return Nest(
        nested(("i",), (site.x.size,), body),
        includes=("recurrent/tml_recurrent_table_i16.h",),
        in_place=(0,),
        cycles=20.0 * site.x.size,
    )


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
    summary="Any function of one value: a table, of int16 with straight lines between its entries",
)
