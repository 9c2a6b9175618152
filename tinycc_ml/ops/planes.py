"""The geometry of planes: what depthwise convolution on planar storage copies, and the scratch it takes."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Site
from .strip_kernels import window_of

_BLOCK_PITCH = 16  # bytes of a row of a block; windows reach 2 beyond its results
PIECE = 5  # taps of a row of a window that are summed at once


@dataclass(frozen=True)
class Plane:
    """The geometry of a node's planes. An image of one column is turned: it lies like one of one row."""

    x: tuple[int, int]
    y: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int]  # above, to the left

    @staticmethod
    def of(site: Site) -> Plane:
        window = window_of(site)
        columns = site.x.shape[2] == site.y.shape[2] == window.kernel[1] == 1 and not window.pads[1]
        x, y, kernel, strides, pads = (
            (pair[1], pair[0]) if columns else (pair[0], pair[1])
            for pair in (
                site.x.shape[1:3], site.y.shape[1:3], window.kernel, window.strides, window.pads,
            )
        )  # fmt: skip
        return Plane(x, y, kernel, strides, pads)

    @property
    def rows(self) -> int:
        """Of the bordered plane, as far as windows reach."""
        return (self.y[0] - 1) * self.strides[0] + self.kernel[0]

    @property
    def pitch(self) -> int:
        return -(-((self.y[1] - 1) * self.strides[1] + self.kernel[1]) // 4) * 4

    @property
    def pieces(self) -> int:
        """Of a row of a window."""
        return -(-self.kernel[1] // PIECE)

    @property
    def begun(self) -> int:
        """Quads of outputs in a row, the last one partly beside it."""
        return -(-self.y[1] // 4)

    @property
    def blocks(self) -> int:
        """Of about as many columns of results."""
        return -(-self.y[1] // (_BLOCK_PITCH - 2))

    @property
    def block_w(self) -> int:
        """Columns of results in a block: whole words where that makes no more blocks."""
        columns = -(-self.y[1] // self.blocks)
        words = -(-columns // 4) * 4
        return words if words <= _BLOCK_PITCH - 2 else -(-columns // 2) * 2

    @property
    def chunks(self) -> int:
        """Of four taps of an image of one row."""
        return max(2, -(-self.kernel[1] // 4))

    @property
    def padded(self) -> bool:
        """Whether an image of one row has padding at either end."""
        return self.pads[1] > 0 or self.x[1] < self.y[1] + self.kernel[1] - 1

    def image(self) -> dict[str, int | float]:
        (xh, xw), (yh, yw), (top, left) = self.x, self.y, self.pads
        return {"x_h": xh, "x_w": xw, "y_h": yh, "y_w": yw, "pad_top": top, "pad_left": left}

    def params(self) -> dict[str, int | float]:
        sizes = {"rows": self.rows, "pitch": self.pitch}
        window = {"kernel_h": self.kernel[0], "stride_h": self.strides[0], "pieces": self.pieces}
        return {**self.image(), **sizes, **window}

    def line_params(self) -> dict[str, int | float]:
        kept = {k: v for k, v in self.image().items() if k in ("x_w", "y_w", "pad_left")}
        return {**kept, "kernel_w": self.kernel[1], "chunks": self.chunks}

    def block_params(self) -> dict[str, int | float]:
        return {**self.image(), "block_w": self.block_w}


def line_bytes(plane: Plane) -> int:
    """Of a row as far as it is read, and of its results."""
    return 8 * plane.begun + 4 * plane.chunks


def blocks_bytes(plane: Plane) -> int:
    return plane.blocks * plane.rows * _BLOCK_PITCH


def plane_bytes(plane: Plane) -> int:
    return plane.rows * plane.pitch


def summed_bytes(plane: Plane) -> int:
    """With the sums of a row, and as far as the last piece of the last row reads."""
    several = plane.kernel[0] * plane.pieces > 1
    reach = 4 * plane.begun + PIECE * plane.pieces - 1
    sums = 16 * plane.begun if several else 0
    return plane_bytes(plane) + max(sums, -(-(reach - plane.pitch) // 4) * 4)
