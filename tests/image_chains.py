"""Random chains of image nodes, int8, for tests of what works on rows."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tinycc_ml.ir.graph import Graph

from .integer_nets import Net

Window = dict[str, tuple[int, ...]]


class _Chain:
    """A net whose last tensor is `x`; `others` may be read as second operands."""

    def __init__(self, draw: st.DrawFn, height: int, width: int, channels: int):
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 99)))
        self.net = Net((1, height, width, channels), zero=draw(st.sampled_from([0, -128, 3])))
        self.x = self.net.x

    @property
    def shape(self) -> tuple[int, ...]:
        return self.net.types[self.x]

    def _weights(self, *shape: int) -> np.ndarray:
        return self.rng.integers(-127, 128, shape)

    def _window(self, kernel: tuple[int, int]) -> Window | None:
        """None where none fits; pads less than what the kernel spans, as row bands want it."""
        strides = (self.draw(st.integers(1, 3)), self.draw(st.integers(1, 2)))
        dilations = (self.draw(st.integers(1, 2)), 1)
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
        pads = tuple(self.draw(st.integers(0, spans[k % 2] - 1)) for k in range(4))
        sizes = self.shape[1] + pads[0] + pads[2], self.shape[2] + pads[1] + pads[3]
        fits = all(size >= span for size, span in zip(sizes, spans, strict=True))
        return {"strides": strides, "dilations": dilations, "pads": pads} if fits else None

    def conv(self) -> None:
        kernel = (self.draw(st.integers(1, 4)), self.draw(st.integers(1, 3)))
        count, window = self.draw(st.integers(1, 6)), self._window(kernel)
        if window is not None:
            weights = self._weights(count, *kernel, self.shape[3])
            self.x = self.net.conv(self.x, weights, self._weights(count), **window)

    def depthwise(self) -> None:
        kernel = (self.draw(st.integers(1, 5)), self.draw(st.integers(1, 3)))
        count, window = self.shape[3], self._window(kernel)
        if window is not None:
            weights = self._weights(*kernel, count)
            self.x = self.net.depthwise(self.x, weights, self._weights(count), **window)

    def pool(self) -> None:
        kernel = (self.draw(st.integers(1, 3)), self.draw(st.integers(1, 3)))
        op, window = (
            self.draw(st.sampled_from(["max_pool2d", "average_pool2d"])),
            self._window(kernel),
        )
        if window is not None:
            self.x = self.net.pool(op, self.x, kernel, self.net.zeros[self.x], **window)

    def table(self) -> None:
        self.x = self.net.lut(self.x, self.rng.integers(-128, 128, 256).astype(np.int8))

    def residual(self) -> None:
        """The sum of x and a 1x1 convolution of it: both read rows of one tensor."""
        count = self.shape[3]
        side = self.net.conv(self.x, self._weights(count, 1, 1, count), self._weights(count))
        self.x = self.net.add(side, self.x)


@st.composite
def image_chains(draw: st.DrawFn, longest: int = 5) -> Graph:
    """An image of up to 17 rows through some nodes."""
    chain = _Chain(draw, draw(st.integers(2, 17)), draw(st.integers(1, 6)), draw(st.integers(1, 5)))
    steps = (
        chain.conv,
        chain.conv,
        chain.depthwise,
        chain.depthwise,
        chain.pool,
        chain.table,
        chain.residual,
    )
    chain.table()
    for _ in range(draw(st.integers(2, longest))):
        draw(st.sampled_from(steps))()
    chain.table()
    return chain.net.graph(chain.x)
