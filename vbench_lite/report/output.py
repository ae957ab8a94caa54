"""Where a report goes: a file, standard output, or a folder beside it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vbench_lite.errors import UsageError
from vbench_lite.files import write_whole

Clips = Literal["auto", "embed", "folder", "none"]
STDOUT = Path("-")


@dataclass(frozen=True)
class Output:
    """What every report format writes to."""

    path: Path
    """A file or a folder, or "-" for standard output."""
    clips: Clips = "auto"
    """For the page: "embed" the clips in it, put them in a "folder" beside it, leave them out ("none"), or "auto":
    embed what fits into 30 MB."""

    def text(self, content: str) -> None:
        """Writes a report that is one text."""
        if self.path == STDOUT:
            sys.stdout.write(content)
        else:
            write_whole(self.path, content)

    @property
    def place(self) -> Path:
        """The path, for a report that is no text.

        Raises:
            UsageError: The report was asked for on standard output.
        """
        if self.path == STDOUT:
            raise UsageError("this format cannot go to standard output. Name a file with -o FILE.")
        return self.path
