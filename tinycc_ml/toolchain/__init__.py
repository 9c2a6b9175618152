"""Compilers and emulators: builds the C that the compiler writes, runs it, and measures it."""

from __future__ import annotations

from .cross import Image, build_image
from .emulate import Run, run_image
from .host import HostCompiler, build_library, build_program, find_compiler
from .missing import missing_tools
from .sections import Sizes, Symbol
from .tools import find_tool

__all__ = [
    "HostCompiler",
    "Image",
    "Run",
    "Sizes",
    "Symbol",
    "build_image",
    "build_library",
    "build_program",
    "find_compiler",
    "find_tool",
    "missing_tools",
    "run_image",
]
