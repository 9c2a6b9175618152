"""Cross compilation: C for a target plus the emulation harness becomes an image with its sizes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..backend.target import Region, Target
from ..errors import TargetError, ToolError
from ..resources import template_dir
from .host import find_compiler
from .sections import Sizes, Symbol, read_sizes, read_symbols
from .tools import find_tool, first_lines, run_tool, try_tool

HARNESS = Path(__file__).resolve().parent / "harness"
_ALWAYS = ("-g", "-ffunction-sections", "-fdata-sections", "-Wall", "-ffp-contract=off")
_STACK_BYTES = 65536


@dataclass(frozen=True)
class Image:
    """A linked program.

    sizes: what the program adds to an empty one with the same start-up; None for the host.
    warnings: what the compiler said about the user's sources.
    stack_bytes: room kept for the stack on emulated boards.
    """

    elf: Path
    target: Target
    sizes: Sizes | None
    warnings: str
    symbols: tuple[Symbol, ...]
    stack_bytes: int

    def symbol(self, name: str) -> Symbol | None:
        """The symbol of that name, if the program has it."""
        return next((symbol for symbol in self.symbols if symbol.name == name), None)


def build_image(
    target: Target,
    sources: Sequence[Path],
    *,
    include_dirs: Iterable[Path] = (),
    defines: Iterable[str] = (),
    opt: str = "-O2",
    cflags: Iterable[str] = (),
    workdir: Path,
    stack_bytes: int | None = None,
) -> Image:
    """Compiles and links sources (.c, .S, .o, .a) that define tml_bench_run (harness/tml_bench.h).

    Sources are C99 unless `cflags` says otherwise. TargetError when the program exceeds a memory
    of the target, ToolError when a tool is missing or the C does not compile.
    """
    build = _Build(target, workdir, _stack_bytes(target) if stack_bytes is None else stack_bytes)
    workdir.mkdir(parents=True, exist_ok=True)
    includes = tuple(f"-I{folder}" for folder in include_dirs)
    macros = tuple(f"-D{define}" for define in defines)
    options = ("-Wextra", "-std=c99", opt, *cflags, *includes, *macros)
    compiled = [build.compile(path, options, f"user{i}") for i, path in enumerate(sources)]
    harness = build.harness()
    elf = build.link([path for path, _ in compiled] + harness, "program")
    warnings = "".join(text for _, text in compiled)
    if target.emulator.kind == "host":
        return Image(elf, target, None, warnings, (), 0)
    total = read_sizes(target, elf)
    _check_fit(target, total)
    sizes = total.minus(read_sizes(target, build.link([build.empty(), *harness], "empty")))
    return Image(elf, target, sizes, warnings, read_symbols(target, elf), build.stack_bytes)


def object_sizes(
    target: Target,
    sources: Sequence[Path],
    *,
    include_dirs: Iterable[Path] = (),
    opt: str = "-O2",
    workdir: Path,
) -> Sizes:
    """What the objects of `sources` take, before the linker drops what nothing calls."""
    objects = _objects(target, sources, include_dirs, opt, workdir)
    return sum((read_sizes(target, path) for path in objects), Sizes())


def object_symbols(
    target: Target,
    source: Path,
    *,
    include_dirs: Iterable[Path] = (),
    opt: str = "-O2",
    workdir: Path,
) -> tuple[Symbol, ...]:
    """The functions and data of one source as it is compiled, before it is linked."""
    return read_symbols(target, _objects(target, [source], include_dirs, opt, workdir)[0])


def _objects(
    target: Target, sources: Sequence[Path], include_dirs: Iterable[Path], opt: str, workdir: Path
) -> list[Path]:
    workdir.mkdir(parents=True, exist_ok=True)
    includes = (f"-I{folder}" for folder in include_dirs)
    # unwind tables are for debuggers on the host; no firmware keeps them
    options = ("-std=c99", opt, "-fno-asynchronous-unwind-tables", *includes)
    build = _Build(target, workdir, 0)
    return [build.compile(path, options, f"object{i}")[0] for i, path in enumerate(sources)]


@dataclass(frozen=True)
class _Build:
    """What the steps of one build share."""

    target: Target
    workdir: Path
    stack_bytes: int

    def compiler(self) -> tuple[str, ...]:
        if self.target.emulator.kind == "host":
            return find_compiler().command
        name = self.target.toolchain.prefix + "gcc"
        return (find_tool(name, package=self.target.packages.compiler),)

    def compile(self, source: Path, options: Sequence[str], tag: str) -> tuple[Path, str]:
        """The object file of a source, and the compiler's warnings."""
        if source.suffix in (".o", ".a"):
            return source, ""
        output = self.workdir / f"{tag}_{source.stem}.o"
        toolchain = self.target.toolchain
        macros = (f"-D{define}" for define in toolchain.defines)
        command = (*self.compiler(), *toolchain.cflags, *_ALWAYS, *macros, *options)
        files = (f"-I{HARNESS}", "-c", str(source), "-o", str(output))
        result = try_tool((*command, *files))
        if result.returncode != 0:
            raise self.compile_error(source, result.stderr)
        return output, result.stderr

    def compile_error(self, source: Path, stderr: str) -> ToolError:
        library = self.target.packages.library
        headers = re.search(r"specs|fatal error: (std\w+|string|math|avr/\w+)\.h", stderr)
        return ToolError(
            f"could not compile {source.name} for {self.target.name}:\n{first_lines(stderr)}",
            hint=f"is the Debian package {library} installed?" if headers and library else None,
        )

    def harness(self) -> list[Path]:
        """The objects of the harness, always -O2 so that `opt` changes the user's code only."""
        emulator = self.target.emulator
        options = ("-O2", "-std=gnu99", *(f"-D{define}" for define in emulator.defines))
        names = ("output.c", *emulator.startup)
        return [self.compile(self.startup_file(name), options, "harness")[0] for name in names]

    def startup_file(self, name: str) -> Path:
        own = self.target.path.parent / name
        path = own if own.is_file() else HARNESS / name
        if not path.is_file():
            raise TargetError(f"target {self.target.name}: no start-up file {name!r}")
        return path

    def empty(self) -> Path:
        source = self.workdir / "empty.c"
        source.write_text('#include "tml_bench.h"\nvoid tml_bench_run(void) {}\n', encoding="utf-8")
        return self.compile(source, ("-O2",), "empty")[0]

    def link(self, objects: Sequence[Path], name: str) -> Path:
        elf = self.workdir / f"{name}.elf"
        toolchain = self.target.toolchain
        command = [*self.compiler(), *toolchain.cflags, *toolchain.ldflags, *map(str, objects)]
        if self.target.emulator.kind == "host":
            run_tool([*command, "-lm", "-o", str(elf)], doing=f"link {name}")
            return elf
        if self.target.emulator.regions:
            command += ["-T", str(_write_link_script(self))]
        libraries = ("-Wl,--start-group", "-lm", "-lc", "-lgcc", "-Wl,--end-group")
        result = try_tool([*command, "-Wl,--gc-sections", *libraries, "-o", str(elf)])
        if result.returncode != 0:
            raise self.link_error(result.stderr)
        return elf

    def link_error(self, stderr: str) -> TargetError | ToolError:
        over = re.findall(r"region [`'](\w+)' overflowed by (\d+) bytes", stderr)
        if not over:
            return ToolError(f"could not link for {self.target.name}:\n{first_lines(stderr)}")
        # a region is repeated for each section that exceeds it: the last sum is the whole
        excess = {name: int(count) for name, count in over}
        return _overflow(self.target, excess, self.stack_bytes)


def _stack_bytes(target: Target) -> int:
    """A quarter of the memory, at most 64 KB: far more than a net needs."""
    if not target.emulator.regions:
        return 0
    return min(_STACK_BYTES, _limited_regions(target)["ram"].bytes // 4)


def _limited_regions(target: Target) -> dict[str, Region]:
    """The board's memories, cut to the size of the target's own."""
    return {
        name: Region(region.origin, min(region.bytes, target.memories.get(name) or region.bytes))
        for name, region in target.emulator.regions.items()
    }


def _write_link_script(build: _Build) -> Path:
    # Jinja is needed here only, and takes as long to import as the rest together
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(template_dir())
    environment = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    regions = _limited_regions(build.target)
    text = environment.get_template("link.ld.j2").render(
        target=build.target.name,
        regions=[_region_line(name, region) for name, region in regions.items()],
        vectors="vectors" if "vectors" in regions else "flash",
        stack_bytes=build.stack_bytes,
    )
    path = build.workdir / "link.ld"
    path.write_text(text, encoding="utf-8")
    return path


def _region_line(name: str, region: Region) -> dict[str, str]:
    access = "rwx" if name == "ram" else "rx"
    return {
        "name": name,
        "access": access,
        "origin": f"0x{region.origin:08x}",
        "bytes": f"0x{region.bytes:x}",
    }


def _check_fit(target: Target, total: Sizes) -> None:
    """For targets whose linker script has no limits of its own."""
    used = {"flash": total.flash, "ram": total.ram_static}
    over = {
        name: used[name] - limit
        for name, limit in target.memories.items()
        if limit is not None and used.get(name, 0) > limit
    }
    if over:
        raise _overflow(target, over, 0)


def _overflow(target: Target, over: dict[str, int], stack_bytes: int) -> TargetError:
    parts = [f"{name} is exceeded by {excess:,} bytes" for name, excess in over.items()]
    if stack_bytes and "ram" in over:
        parts.append(f"{stack_bytes:,} bytes are kept for the stack")
    return TargetError(f"the program does not fit {target.name}: {', '.join(parts)}")
