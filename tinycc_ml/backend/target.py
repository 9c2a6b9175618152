"""Targets: what differs between processors, read from targets/*.toml. A new target is a new file there."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ..errors import Location, TargetError

_FOLDER = Path(__file__).resolve().parent / "targets"

FEATURES: Mapping[str, str] = MappingProxyType(
    {
        "divide": "integer division instruction",
        "dsp": "Armv7E-M SIMD and multiply-accumulate: SMLAD, SMMULR, SXTB16",
        "fpu": "single-precision floating point in hardware",
        "fpu_double": "double-precision floating point in hardware",
        "long_multiply": "32 x 32 -> 64 bit multiplication in hardware",
        "low_overhead_loop": "Armv8.1-M loops: WLS, DLS, LE",
        "mve": "Helium integer vectors",
        "mve_float": "Helium floating-point vectors",
        "saturate": "saturation instructions: SSAT, USAT",
        "thumb2": "Thumb-2: 32-bit encodings, IT blocks, MLA",
        "unaligned": "word loads and stores at any address",
    }
)


@dataclass(frozen=True)
class Region:
    """A memory of the emulated board, which may be larger than the target's own."""

    origin: int
    bytes: int


@dataclass(frozen=True)
class Toolchain:
    """How C is compiled: `prefix` is put before gcc, size and nm."""

    prefix: str
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Emulator:
    """How a program is run; `startup` and `defines` concern the emulation harness only.

    startup: C files, looked for beside the target's TOML file, then in toolchain/harness.
    regions: flash and ram, optionally vectors; empty when the linker's own script is used.
    """

    kind: Literal["host", "qemu", "simavr"]
    program: str = ""
    machine: str = ""
    args: tuple[str, ...] = ()
    startup: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    regions: Mapping[str, Region] = field(default_factory=lambda: MappingProxyType({}), hash=False)


@dataclass(frozen=True)
class Packages:
    """The Debian packages that bring the tools."""

    compiler: str
    binutils: str = ""
    library: str = ""
    emulator: str = ""


@dataclass(frozen=True)
class Target:
    """A processor and its tools.

    core: name of the core, which selects its cycle model.
    constants: where `const` data lives: readable like any data ("flash"), or "progmem".
    memories: bytes by name; None is unlimited.
    """

    name: str
    description: str
    core: str
    features: frozenset[str]
    pointer_bits: int
    int_bits: int
    constants: Literal["flash", "progmem"]
    memories: Mapping[str, int | None] = field(hash=False)
    toolchain: Toolchain
    emulator: Emulator
    packages: Packages
    path: Path = field(compare=False, repr=False)

    def has(self, *features: str) -> bool:
        """Whether the target has all of `features`."""
        return self.abilities.issuperset(features)

    @property
    def abilities(self) -> frozenset[str]:
        """What kernels may ask for: the features, and "words" where registers have 32 bits."""
        return self.features | ({"words"} if self.int_bits >= 32 else set())


def load_target(name_or_path: str | Path) -> Target:
    """The target of that name, or the one described by a .toml file of the user's."""
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml"):
        return _read_target(Path(name_or_path))
    path = _known_targets().get(text)
    if path is None:
        raise TargetError(f"unknown target {text!r}", hint=_suggestion(text, _known_targets()))
    return _read_target(path)


def list_targets() -> tuple[Target, ...]:
    """All the targets that come with the compiler, by name."""
    return tuple(_read_target(path) for path in _known_targets().values())


def _known_targets() -> dict[str, Path]:
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def _suggestion(wrong: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(wrong, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(known))}"


def _read_target(path: Path) -> Target:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TargetError(f"can't read target file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TargetError(f"not a TOML file: {error}", loc=Location(str(path))) from error
    return _Reader(path).target(raw)


@dataclass(frozen=True)
class _Reader:
    """Turns tables of one file into the dataclasses above; knows the file for its errors."""

    path: Path

    def target(self, raw: dict[str, Any]) -> Target:
        target: Target = self.table(Target, raw, "", path=self.path)
        emulator = target.emulator
        if emulator.kind == "qemu" and not (emulator.program and emulator.regions):
            raise self.error("emulator", "given program and regions for QEMU", raw["emulator"])
        return target

    def table(self, kind: type[Any], raw: object, key: str, **given: Path) -> Any:
        """One table as a dataclass: every key known, every value of its type, none missing.

        given: fields that do not come from the file.
        """
        if not isinstance(raw, dict):
            raise self.error(key, "a table", raw)
        known = {item.name: item for item in fields(kind) if item.name not in given}
        for name in sorted(raw.keys() - known.keys()):
            raise TargetError(
                f"unknown key {_join(key, name)!r}",
                loc=Location(str(self.path)),
                hint=_suggestion(name, known),
            )
        for name, item in known.items():
            if name not in raw and item.default is item.default_factory is MISSING:
                raise TargetError(f"missing key {_join(key, name)!r}", loc=Location(str(self.path)))
        return kind(**{name: self.value(_join(key, name), raw[name]) for name in raw}, **given)

    def value(self, key: str, raw: object) -> Any:
        kind, wanted = _KINDS[key]
        try:
            return kind(self, key, raw)
        except (TypeError, ValueError) as error:
            raise self.error(key, wanted, raw) from error

    def error(self, key: str, wanted: str, raw: object) -> TargetError:
        return TargetError(f"{key!r} must be {wanted}, got {raw!r}", loc=Location(str(self.path)))


def _join(table: str, key: str) -> str:
    return f"{table}.{key}" if table else key


def _text(_reader: _Reader, _key: str, raw: object) -> str:
    if not isinstance(raw, str):
        raise TypeError
    return raw


def _texts(reader: _Reader, key: str, raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list):
        raise TypeError
    return tuple(_text(reader, key, item) for item in raw)


def _count(_reader: _Reader, _key: str, raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or raw < 0:
        raise TypeError
    return raw


def _features(reader: _Reader, key: str, raw: object) -> frozenset[str]:
    names = _texts(reader, key, raw)
    for name in names:
        if name not in FEATURES:
            raise TargetError(
                f"unknown feature {name!r}",
                loc=Location(str(reader.path)),
                hint=_suggestion(name, FEATURES),
            )
    return frozenset(names)


def _memories(reader: _Reader, key: str, raw: object) -> Mapping[str, int | None]:
    if not isinstance(raw, dict) or not {"flash", "ram"} <= raw.keys():
        raise TypeError
    return MappingProxyType(
        {
            name: None if size == "unlimited" else _count(reader, key, size)
            for name, size in raw.items()
        }
    )


def _regions(reader: _Reader, key: str, raw: object) -> Mapping[str, Region]:
    if not isinstance(raw, dict) or not {"flash", "ram"} <= raw.keys():
        raise TypeError
    return MappingProxyType(
        {name: _region(reader, f"{key}.{name}", item) for name, item in raw.items()}
    )


def _region(reader: _Reader, key: str, raw: object) -> Region:
    if not isinstance(raw, dict) or raw.keys() != {"origin", "bytes"}:
        raise reader.error(key, "{ origin, bytes }", raw)
    return Region(_count(reader, key, raw["origin"]), _count(reader, key, raw["bytes"]))


def _one_of(*choices: object) -> Callable[[_Reader, str, object], object]:
    def read(_reader: _Reader, _key: str, raw: object) -> object:
        if raw not in choices or isinstance(raw, bool):
            raise ValueError
        return raw

    return read


def _table_of(kind: type[Any]) -> Callable[[_Reader, str, object], object]:
    return lambda reader, key, raw: reader.table(kind, raw, key)


_TEXT = ("name", "description", "core", "toolchain.prefix", "emulator.program", "emulator.machine")
_LISTS = ("toolchain.cflags", "toolchain.ldflags", "toolchain.defines")
_EMULATOR_LISTS = ("emulator.args", "emulator.startup", "emulator.defines")
_KINDS: Mapping[str, tuple[Callable[[_Reader, str, Any], Any], str]] = {
    **dict.fromkeys(_TEXT, (_text, "a string")),
    **{f"packages.{item.name}": (_text, "a string") for item in fields(Packages)},
    **dict.fromkeys((*_LISTS, *_EMULATOR_LISTS), (_texts, "a list of strings")),
    "features": (_features, "a list of strings"),
    "pointer_bits": (_one_of(16, 32, 64), "16, 32 or 64"),
    "int_bits": (_one_of(16, 32), "16 or 32"),
    "constants": (_one_of("flash", "progmem"), '"flash" or "progmem"'),
    "memories": (_memories, 'a table of bytes or "unlimited", with flash and ram'),
    "emulator.kind": (_one_of("host", "qemu", "simavr"), '"host", "qemu" or "simavr"'),
    "emulator.regions": (_regions, "a table of { origin, bytes }, with flash and ram"),
    "toolchain": (_table_of(Toolchain), "a table"),
    "emulator": (_table_of(Emulator), "a table"),
    "packages": (_table_of(Packages), "a table"),
}
