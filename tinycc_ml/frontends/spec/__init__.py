"""The spec language (docs/language.md): a model and its recipe, declared in one file."""

from .parse import parse
from .problems import Problem, SpecError
from .read import Spec, read_spec
from .syntax import Source

__all__ = ["Problem", "Source", "Spec", "SpecError", "parse", "read_spec"]
