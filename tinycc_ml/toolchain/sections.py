"""What an ELF file holds: section sizes and symbols, as binutils tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ..backend.target import Target
from .tools import find_tool, run_tool

# longest prefix first where one contains another; what is not listed takes no memory of the target
_KIND_OF: Mapping[str, str] = MappingProxyType(
    {
        ".vectors": "text",
        ".text": "text",
        ".init": "text",
        ".fini": "text",
        ".rodata": "rodata",
        ".srodata": "rodata",
        ".progmem": "rodata",
        ".ARM.ex": "rodata",
        ".eh_frame": "rodata",
        ".data": "data",
        ".tdata": "data",
        ".sdata": "data",
        ".bss": "bss",
        ".noinit": "bss",
        ".sbss": "bss",
        ".tbss": "bss",
    }
)


@dataclass(frozen=True)
class Sizes:
    """Bytes by kind of section."""

    text: int = 0
    rodata: int = 0
    data: int = 0
    bss: int = 0

    @property
    def flash(self) -> int:
        """Code, constants and the initial values of data."""
        return self.text + self.rodata + self.data

    @property
    def ram_static(self) -> int:
        """Data and bss, without any stack."""
        return self.data + self.bss

    def __add__(self, other: Sizes) -> Sizes:
        return Sizes(
            self.text + other.text,
            self.rodata + other.rodata,
            self.data + other.data,
            self.bss + other.bss,
        )

    def minus(self, other: Sizes) -> Sizes:
        """What this program has more than the other."""
        return Sizes(
            self.text - other.text,
            self.rodata - other.rodata,
            self.data - other.data,
            self.bss - other.bss,
        )


@dataclass(frozen=True)
class Symbol:
    """kind: nm's letter: T, t code; D, d data; B, b bss; R, r constants; W, w weak."""

    name: str
    address: int
    size: int
    kind: str

    @property
    def is_code(self) -> bool:
        return self.kind in "tTwW"


def read_sizes(target: Target, elf: Path) -> Sizes:
    """The sections of an ELF file, summed up by kind."""
    size = find_tool(target.toolchain.prefix + "size", package=target.packages.binutils)
    text = run_tool((size, "-A", "-d", str(elf)), doing=f"read the sections of {elf.name}").stdout
    totals = {"text": 0, "rodata": 0, "data": 0, "bss": 0}
    for line in text.splitlines():
        name, *numbers = line.split() or [""]
        kind = next((kind for start, kind in _KIND_OF.items() if name.startswith(start)), None)
        if kind and numbers:
            totals[kind] += int(numbers[0])
    return Sizes(**totals)


def read_symbols(target: Target, elf: Path) -> tuple[Symbol, ...]:
    """The defined symbols by address; the Thumb bit of code addresses is cleared."""
    nm = find_tool(target.toolchain.prefix + "nm", package=target.packages.binutils)
    command = (nm, "-n", "-S", "--defined-only", str(elf))
    text = run_tool(command, doing=f"read the symbols of {elf.name}").stdout
    symbols = (_symbol(line.split()) for line in text.splitlines())
    named = (symbol for symbol in symbols if symbol and not symbol.name.startswith(("$", ".L")))
    return tuple(sorted(named, key=lambda symbol: (symbol.address, symbol.name)))


def _symbol(parts: list[str]) -> Symbol | None:
    if len(parts) not in (3, 4):
        return None
    size = int(parts[1], 16) if len(parts) == 4 else 0
    kind, name = parts[-2:]
    address = int(parts[0], 16)
    return Symbol(name, address & ~1 if kind in "tTwW" else address, size, kind)
