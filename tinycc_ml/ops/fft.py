"""The fast Fourier transform as a loop nest of passes (runtime_c/dft), for the lengths that it pays for.

Cooley and Tukey, "An algorithm for the machine calculation of complex Fourier series" (1965), in the self-sorting form
of Stockham: a pass of radix R makes n / R small transforms of R points and leaves them in the order that the next one
wants. Real sequences of even length are half as many complex points. The inverse is the transform with real and
imaginary parts exchanged before and after. numerics.md §18.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from ..ir.types import F32
from .base import Loop, Nest, Site
from .indexing import c_float, nested, read

# With passes written out; other odd radices take the general one
_WRITTEN = (2, 3, 4, 5)
# Modelled cycles of a pass, for each point; of the general one for each point and half its radix; of what is beside
_PASS = {2: 17.0, 3: 20.0, 4: 20.0, 5: 32.0}
_GENERAL, _BESIDE = 30.0, 12.0


def factors(n: int) -> tuple[int, ...]:
    """Radices of the passes in their order: 4 as often as it goes, a 2 ahead of them, odd primes. n: 1.."""
    found: list[int] = []
    while n % 4 == 0:
        found, n = [*found, 4], n // 4
    if n % 2 == 0:
        found, n = [2, *found], n // 2
    for p in range(3, n + 1, 2):
        while n % p == 0:
            found, n = [*found, p], n // p
    return tuple(found)


def roots(n: int, k: np.ndarray) -> np.ndarray:
    """exp(-2 pi j k / n), complex128, exact at quarters of a turn."""
    quarters = np.rint(4 * (k % n) / n).astype(np.int64)
    rest = 2 * np.pi * (4 * (k % n) - quarters * n) / (4 * n)
    return (np.cos(rest) - 1j * np.sin(rest)) * np.array([1, -1j, -1, 1j])[quarters % 4]


def pairs(values: np.ndarray) -> np.ndarray:
    """Complex numbers as float32, real part first."""
    return np.stack([values.real, values.imag], -1).astype(np.float32).ravel() + np.float32(0)


def points_of(length: int, real: bool) -> int:
    """Complex points that stand for a sequence."""
    return length // 2 if real and length % 2 == 0 else length


def cycles(length: int, real: bool) -> float:
    """Modelled cycles of one transform on a Cortex-M4. real: the sequence, or what it is made of."""
    points = points_of(length, real)
    each = (_PASS[r] if r in _WRITTEN else _GENERAL * (r // 2) for r in factors(points))
    return points * sum(each) + _BESIDE * length


@dataclass(frozen=True)
class Line:
    """One sequence of a site: how it is read, transformed and written. real: it, or what its inverse makes, is;
    taps: values of x that it has; bins: values along the axis of the result."""

    site: Site
    taps: int
    bins: int

    @property
    def n(self) -> int:
        return int(self.site.attrs["length"])

    @property
    def inverse(self) -> bool:
        return bool(self.site.attrs["inverse"])

    @property
    def real(self) -> bool:
        return (self.site.y if self.inverse else self.site.x).shape[-1] == 1

    @property
    def halved(self) -> bool:
        return self.real and self.n % 2 == 0

    @property
    def points(self) -> int:
        return points_of(self.n, self.real)

    @property
    def inner(self) -> int:
        """Sequences that lie between each other."""
        return prod(self.site.x.shape[self.site.attrs["axis"] + 1 : -1])

    @property
    def frames(self) -> int:
        return self.site.y.shape[1] if self.site.attrs["step"] else 1

    @property
    def outer(self) -> int:
        return prod(self.site.x.shape[: self.site.attrs["axis"]])

    @property
    def as_it_stands(self) -> bool:
        """The points can be read from x itself."""
        whole = self.inner == 1 and not self.site.attrs["step"] and self.taps == self.n
        return whole and not self.inverse and (self.halved or self.site.x.shape[-1] == 2)

    @property
    def written_last(self) -> bool:
        """The last pass, or the split, leaves the result in y itself."""
        return self.inner == 1 and not self.inverse and (self.halved or self.bins == self.points)

    def value(self, part: int = 0) -> str:
        """Value n of the sequence, within its window."""
        x, attrs = self.site.x, self.site.attrs
        parts, step = x.shape[-1], attrs["step"]
        if part >= parts:
            return "0.0F"
        start = f"(n + {step}U * f)" if step else "n"
        along = x.shape[attrs["axis"]] * self.inner * parts
        at = f"{along}U * o + {self.inner * parts}U * {start} + {parts}U * i"
        return f"x0[{at}{' + 1U' if part else ''}]" + (
            f" * {read(self.site, 1, 'n')}" if step else ""
        )

    def place(self, k: str) -> str:
        """Index of bin k of the result, in pairs where it is complex."""
        whole = self.frames * self.bins * self.inner
        frame = f" + {self.bins * self.inner}U * f" if self.frames > 1 else ""
        return f"{whole}U * o{frame} + {self.inner}U * ({k}) + i"


def fast_nest(line: Line) -> Nest:
    """Of float32."""
    calls, tables, includes = _calls(line)
    places = _places(len(calls), "to" if line.written_last else None)
    x = f"x0 + {line.n * line.site.x.shape[-1]}U * o" if line.as_it_stands else places[0]
    to = f"float *const to = y0 + 2U * ({line.place('0U')});"
    body = (
        *((to,) if line.written_last else ()),
        *(() if line.as_it_stands else _loaded(line, x)),
        *(call.format(x=x, y=y) for call, x, y in zip(calls, [x, *places[1:]], places[1:], strict=False)),
        *_stored(line, places[-1]),
    )  # fmt: skip
    size = 2 * (line.points + line.halved)
    used = [name for name in ("here", "there") if name in (x, *places[1:])]
    return Nest(
        nested(("o", "f", "i"), (line.outer, line.frames, line.inner), body),
        tuple(tables.items()),
        includes=tuple(dict.fromkeys(includes)),
        scratch=tuple((name, F32, size) for name in used),
        cycles=line.outer * line.frames * line.inner * cycles(line.n, line.real),
    )


def _places(calls: int, last: str | None) -> list[str]:
    """Where the points lie before the first call and after each: two places in turn. last: where they have to end."""
    turn = (last, "here") if last else ("here", "there")
    return [turn[(calls - k) % 2] for k in range(calls + 1)]


def _calls(line: Line) -> tuple[list[str], dict[str, np.ndarray], list[str]]:
    """C calls of what reads {x} and writes {y}, the tables that they read and their headers."""
    calls, tables, includes = _passes(line.points)
    if not line.halved:
        return calls, tables, includes
    half = line.points
    tables["split"] = pairs(roots(2 * half, np.arange(half // 2 + 1)))
    includes.append("dft/tml_fft_real_f32.h")
    if line.inverse:
        return [f"tml_fft_join_f32({half}U, {{x}}, split, {{y}});", *calls], tables, includes
    return [*calls, f"tml_fft_split_f32({half}U, {{x}}, split, {{y}});"], tables, includes


def _passes(points: int) -> tuple[list[str], dict[str, np.ndarray], list[str]]:
    done, calls, includes = 1, [], []
    tables, turns = {}, np.zeros(0, np.float32)
    for radix in factors(points):
        run = points // (done * radix)
        at = "NULL" if run == 1 else f"turns + {len(turns)}U" if len(turns) else "turns"
        powers = np.arange(1, run)[:, None] * np.arange(1, radix) * done
        turns = np.append(turns, pairs(roots(points, powers)))
        sizes, name = f"{done}U, {run}U", f"{radix}" if radix in _WRITTEN else "odd"
        if name == "odd":
            tables[f"roots{radix}"] = pairs(roots(radix, np.arange(radix)))
            sizes, at = f"{radix}U, {sizes}", f"roots{radix}, {at}"
            calls.append(f"tml_fft_odd_f32({sizes}, {{x}}, {at}, {{y}});")
        else:
            calls.append(f"tml_fft_{radix}_f32({sizes}, {{x}}, {at}, {{y}});")
        includes.append(f"dft/tml_fft_{name}_f32.h")
        done *= radix
    return calls, {**tables, **({"turns": turns} if len(turns) else {})}, includes


def _loaded(line: Line, to: str) -> Iterator[Loop | str]:
    """The points; for the inverse with real and imaginary parts exchanged, but where they are joined, which does it."""
    if line.halved and not line.inverse:
        yield Loop("n", line.taps, (f"{to}[n] = {line.value()};",))
        yield from _cleared(to, line.taps, line.n)
        return
    first, second = (1, 0) if line.inverse and not line.halved else (0, 1)
    pair = (f"{to}[2U * n] = {line.value(first)};", f"{to}[2U * n + 1U] = {line.value(second)};")
    yield Loop("n", line.taps, pair)
    if not (line.inverse and line.real):
        yield from _cleared(to, 2 * line.taps, 2 * line.n)
        return
    yield from _cleared(to, 2 * line.taps, 2 * (line.n // 2 + 1))
    if not line.halved:
        # the bins above are conjugates of those below; of bin 0 the imaginary part counts as 0
        last = 2 * (line.n - 1)
        yield f"{to}[0] = 0.0F;"
        yield Loop("n", line.n // 2, (
            f"{to}[{last}U - 2U * n] = -{to}[2U * n + 2U];",
            f"{to}[{last + 1}U - 2U * n] = {to}[2U * n + 3U];",
        ))  # fmt: skip


def _cleared(name: str, first: int, after: int) -> Iterator[Loop]:
    if first < after:
        yield Loop("n", after - first, (f"{name}[{first}U + n] = 0.0F;",))


def _stored(line: Line, z: str) -> Iterator[Loop | str]:
    """What the passes have not left in y already, and the other half of a whole spectrum of a real sequence."""
    scale = f" * {c_float(1 / line.n)}" if line.inverse else ""
    at, exchanged = line.place("k"), line.inverse
    if line.real and line.inverse:
        yield Loop(
            "k", line.n, (f"y0[{at}] = {z}[{'k ^ 1U' if line.halved else '2U * k + 1U'}]{scale};",)
        )
        return
    known = min(line.bins, line.points + 1) if line.halved else line.bins
    if not line.written_last:
        re, im = ("2U * k + 1U", "2U * k") if exchanged else ("2U * k", "2U * k + 1U")
        yield Loop("k", known, (
            f"y0[2U * ({at})] = {z}[{re}]{scale};", f"y0[2U * ({at}) + 1U] = {z}[{im}]{scale};",
        ))  # fmt: skip
    if known < line.bins:
        high, low = line.place(f"{line.n - 1}U - k"), line.place("k + 1U")
        yield Loop("k", line.bins - known, (
            f"y0[2U * ({high})] = y0[2U * ({low})];",
            f"y0[2U * ({high}) + 1U] = -y0[2U * ({low}) + 1U];",
        ))  # fmt: skip
