"""Turning runs into something to read: on the terminal, as a page, as Markdown, as plain data."""

from __future__ import annotations

from vbench_lite.report.terminal import terminal_table

__all__ = ["terminal_table"]
