"""The console that tables are printed on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from vbench_lite.escaping import vbench_command

if TYPE_CHECKING:
    from rich.console import Console

PIPED = 100
"""Width of output into a file or a pipe."""


def stdout_console() -> Console:
    """Standard output, as wide as the terminal; 100 columns if it is not a terminal and COLUMNS is not set."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=PIPED)


def same_command(*options: str) -> str:
    """The current command, without --fresh, with these options added once."""
    words = [word for word in sys.argv[1:] if word != "--fresh"]
    return vbench_command(*words, *(option for option in options if option not in words))
