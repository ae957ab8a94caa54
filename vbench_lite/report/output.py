"""The output of a report: a file, standard output, or a folder."""

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
    """The output of a report format."""

    path: Path
    """A file or a folder, or "-" for standard output."""
    clips: Clips = "auto"
    """For the page: "embed" the clips in it, put them in a "folder" beside it, leave them out ("none"), or "auto":
    embed as many as fit into 30 MB."""

    def text(self, content: str) -> None:
        """Writes a report that is one text."""
        if self.path == STDOUT:
            sys.stdout.write(content)
        else:
            write_whole(self.path, content)

    @property
    def place(self) -> Path:
        """The path, for a report that is not a text.

        Raises:
            UsageError: The output is standard output.
        """
        if self.path == STDOUT:
            raise UsageError("this format cannot be written to standard output. Name a file with -o FILE.")
        return self.path
