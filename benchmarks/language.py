"""Processor time that a spec of 2,000 lines takes to be parsed and checked: `python benchmarks/language.py`."""

from __future__ import annotations

import time
from pathlib import Path

from tinycc_ml.frontends.spec import Source, parse, read_spec

LINES = 2000
_ROUND = """
# Round {k}
block stage{k}(x, channels: size, stride: size = 1) {{
    y = x |> dw(3, stride) |> relu
    return y |> conv(channels, 1) |> relu
}}
width{k} = 4 + 2 * ({k} % 3)
a{k} = x |> stage{k}(width{k}, stride=1)
b{k} = a{k} |> conv(width{k}, [3, 1], pad="same", name="round{k}")
for i in range(2) {{
    b{k} = b{k} |> relu6
}}
x = a{k} + b{k} |> relu
"""


def text(lines: int = LINES) -> str:
    """A spec of so many lines: blocks, loops, residuals, 13 lines a round."""
    head = "model big\ninput x: f32[1, 4, 8, 8]\nweights(random(1))\n"
    tail = "output y = x |> global_avg_pool |> flatten |> dense(10) |> softmax\n"
    rounds = (lines - 4) // (_ROUND.count("\n"))
    made = head + "".join(_ROUND.format(k=k) for k in range(rounds))
    return made + "# the end\n" * (lines - made.count("\n") - 1) + tail


def measure(runs: int = 3) -> tuple[float, float]:
    """Processor seconds to parse, and to parse and check; the best of some runs."""
    source = Source("big.tml", text(), Path("big.tml"))
    parse(source)  # builds the parser
    parsed, checked = [], []
    for _ in range(runs):
        start = time.process_time()
        parse(source)
        middle = time.process_time()
        read_spec(source)
        parsed.append(middle - start)
        checked.append(time.process_time() - middle)
    return min(parsed), min(checked)


if __name__ == "__main__":
    parsed, checked = measure()
    print(
        f"{text().count(chr(10))} lines: parsed in {parsed:.2f} s, parsed and checked in {checked:.2f} s"
    )
