"""history.json of a baseline: every promotion, oldest first, with its figures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vbench_lite.errors import StoreError
from vbench_lite.files import to_json, write_whole
from vbench_lite.records import FORMAT, DeviceFacts
from vbench_lite.run import format1
from vbench_lite.run.manifest import GitState
from vbench_lite.run.reading import read_json, typed

Figures = Mapping[str, Mapping[str, float]]
"""Generator > name of a quantity > its figure."""


@dataclass(frozen=True, kw_only=True)
class SuiteName:
    """Name and digest of a suite."""

    name: str
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One promotion."""

    date: str
    """ISO 8601, UTC."""
    by: str
    reason: str
    run: str
    """Name of the promoted run's folder."""
    suite: SuiteName
    created: str | None = None
    """Time of the run."""
    git: GitState | None = None
    device: DeviceFacts | None = None
    means: Figures = field(default_factory=dict)
    medians: Figures = field(default_factory=dict)
    new_anchor: str = ""
    """Why the run replaced the first baseline; "" if it did not."""

    def figures(self, statistic: str) -> Figures:
        """The medians for "median", else the means."""
        return self.medians if statistic == "median" else self.means


@dataclass(frozen=True, kw_only=True)
class History:
    """history.json."""

    format: int = FORMAT
    promotions: tuple[HistoryEntry, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """File of the baseline > its sha256 after the last promotion. Empty in files of earlier versions."""


def history_path(folder: Path) -> Path:
    """The path of history.json in a baseline's folder."""
    return folder / "history.json"


def read_history(folder: Path) -> tuple[HistoryEntry, ...]:
    """Every promotion into a folder, oldest first; () if there was none.

    Raises:
        StoreError: The file exists and is not valid. The message names file and key.
    """
    return _read(folder).promotions


def _read(folder: Path) -> History:
    path = history_path(folder)
    if not path.exists():
        return History()
    try:
        value = read_json(path, "there was no promotion yet.")
        return typed(format1.history(value) if value["format"] == 1 else value, History, path)
    except StoreError as error:
        raise StoreError(f"{error} Restore it from version control.") from None


def write_history(folder: Path, entries: tuple[HistoryEntry, ...]) -> None:
    """Write the history with the digests of the baseline's files. This is the last step of a promotion."""
    files = {name: _digest(folder / name) for name in GUARDED if (folder / name).exists()}
    write_whole(history_path(folder), to_json(History(promotions=entries, files=files)))


GUARDED = ("run.json", "clips.csv", "summary.json")
"""Files of the promoted run. policy.toml and margins.json may be edited after the promotion."""


def require_whole(folder: Path) -> None:
    """Check that the baseline's files are those of its last promotion.

    Raises:
        StoreError: A promotion was interrupted, or a file was changed by hand.
    """
    for name, expected in _read(folder).files.items():
        path = folder / name
        if not path.exists() or _digest(path) != expected:
            raise StoreError(
                f"{path} is not the file of the last promotion: a promotion was interrupted, or the file was changed. "
                f"Restore {folder} from version control, or promote a run into it again."
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
