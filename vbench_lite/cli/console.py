"""The console that tables are printed on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PIPED = 100
"""Columns of output that goes into a file or another program."""


def stdout_console() -> Console:
    """Standard output, as wide as the terminal; 100 columns where it is no terminal and COLUMNS is not set."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=PIPED)
