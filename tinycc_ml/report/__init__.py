"""The report: what was compiled, how, and what verified it; report.json and, from it, report.md."""

from __future__ import annotations

from .build import Source, became, build_report
from .files import report_files, to_json, update_folder
from .nodes import node_rows

__all__ = [
    "Source",
    "became",
    "build_report",
    "node_rows",
    "report_files",
    "to_json",
    "update_folder",
]
