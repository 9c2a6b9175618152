"""Builds the kernels into a plain shared library and calls them with NumPy arrays."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import pytest

HERE = Path(__file__).parent
RUNTIME = HERE.parents[1] / "runtime_c"

# The two builds together run every line: cores with a long multiply, many
# registers and four bytes at once, and those without.
BUILDS = {
    "large_core": ["-DTML_INLINE_KERNELS=1", "-DTML_PACKED=1"],
    "small_core": [
        "-DTML_HAVE_LONG_MULTIPLY=0",
        "-DTML_HAVE_FEW_REGISTERS=1",
        "-DTML_INLINE_KERNELS=0",
    ],
}
CANARY = 77


class Kernels:
    """A library of kernels: `call(name, params, *arrays and numbers)`."""

    def __init__(self, library: Path) -> None:
        self._ffi = cffi.FFI()
        self._ffi.cdef(declarations())
        self._lib = self._ffi.dlopen(str(library))

    def call(self, name: str, params: dict[str, Any] | None, *args: Any) -> None:
        """Runs kernel `name`; arrays are passed by address, params as the struct of its first argument."""
        function = getattr(self._lib, f"test_{name}")
        types = self._ffi.typeof(function).args
        values = [
            self._value(a, t) for a, t in zip(args, types[len(types) - len(args) :], strict=True)
        ]
        if params is None:
            function(*values)
            return
        fields = {name for name, _ in types[0].item.fields}
        assert fields == set(params), f"{name} takes {sorted(fields)}"
        function(self._ffi.new(types[0], params), *values)

    def _value(self, value: Any, ctype: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        assert value.flags.c_contiguous
        item = ctype.item
        anything = item.kind == "void"
        assert anything or value.dtype.itemsize == self._ffi.sizeof(item), (
            f"{value.dtype} passed as {item.cname}"
        )
        return self._ffi.cast(ctype, value.ctypes.data)


def declarations() -> str:
    """The params structs of all headers and the functions of kernels.c, as cffi wants them."""
    structs = []
    for header in sorted(RUNTIME.rglob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
        structs += re.findall(r"^struct \w+_params \{.*?^\};", text, flags=re.DOTALL | re.MULTILINE)
    wrapper = (HERE / "kernels.c").read_text()
    exposed = re.findall(r"^EXPOSE\((\w+),\s*\((.*?)\)", wrapper, flags=re.DOTALL | re.MULTILINE)
    functions = [f"void test_{name}({parameters});" for name, parameters in exposed]
    plain = re.findall(r"^void test_\w+\([^)]*\);", wrapper, flags=re.MULTILINE)
    return "\n".join([*structs, *functions, *plain])


@pytest.fixture(scope="session", params=BUILDS)
def kernels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kernels:
    """All kernels, in each of BUILDS. TML_TEST_CFLAGS adds flags, such as a sanitizer."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the host")
    library = tmp_path_factory.mktemp(request.param) / "kernels.so"
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
    extra = os.environ.get("TML_TEST_CFLAGS", "").split()
    subprocess.run(
        [
            compiler,
            "-std=c99",
            "-O1",
            "-ffp-contract=off",
            "-shared",
            "-fPIC",
            *warnings,
            *BUILDS[request.param],
            *extra,
            "-I",
            str(RUNTIME),
            str(HERE / "kernels.c"),
            "-o",
            str(library),
            "-lm",
        ],
        check=True,
    )
    return Kernels(library)


@pytest.fixture
def guarded() -> Callable[..., np.ndarray]:
    """Makes output arrays filled with a canary, so that values written outside the shape show."""

    def make(h: int, pitch: int, dtype: str = "i1") -> np.ndarray:
        return np.full((h + 1, pitch), CANARY, dtype)

    return make
