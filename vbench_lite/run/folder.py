"""The only file that knows the layout of a run folder.

    <run>/run.json                                   the manifest: what was asked, of what, on what
          clips/<generator>/<prompt id>/<k>.mp4      one clip
          clips/<generator>/<prompt id>/<k>.json     its record, written last: a clip counts when this is there
          features/<generator>.npz                   what set metrics (FVD) were computed from
          clips.csv, summary.json                    made by scoring; recomputed from the above

Every file is written under another name and then renamed, so that it is there whole or not at all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vbench_lite.errors import StoreError
from vbench_lite.files import to_json, write_whole
from vbench_lite.records import FORMAT, ClipKey, ClipRecord, Measurement
from vbench_lite.tomlfile import digest


class RunSelection(NamedTuple):
    """A run, or one generator of it, as an argument such as "results/ads:tiny-diffusion" names it."""

    folder: RunFolder
    generator: str | None

    @property
    def label(self) -> str:
        return f"{self.folder.path}:{self.generator}" if self.generator else str(self.folder.path)


def select_run(argument: str) -> RunSelection:
    """Resolves a run argument; a bare name is looked for under results/ too.

    Raises:
        StoreError: There is no such run, or no such generator in it.
    """
    path, _, generator = argument.partition(":")
    folder = RunFolder(path)
    if not folder.exists() and (Path("results") / path / "run.json").exists():
        folder = RunFolder(Path("results") / path)
    manifest = folder.manifest()
    if generator and generator not in manifest["generators"]:
        known = ", ".join(manifest["generators"])
        raise StoreError(f'{folder.path} holds no generator "{generator}". It holds: {known}.')
    return RunSelection(folder, generator or None)


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def manifest_path(self) -> Path:
        return self.path / "run.json"

    @property
    def table_path(self) -> Path:
        return self.path / "clips.csv"

    @property
    def summary_path(self) -> Path:
        return self.path / "summary.json"

    def features_path(self, generator: str) -> Path:
        """What the set metrics of a generator were computed from."""
        return self.path / "features" / f"{generator}.npz"

    def exists(self) -> bool:
        return self.manifest_path.exists()

    def keeps_clips(self) -> bool:
        """Whether there are clips to score; a baseline has none."""
        return (self.path / "clips").is_dir()

    def manifest(self) -> dict[str, Any]:
        """run.json.

        Raises:
            StoreError: There is no run here, or it is not readable.
        """
        return self._read_json(self.manifest_path, "it holds no run. Make one with: vbench run --suite ads")

    def summary(self) -> dict[str, Any]:
        """summary.json."""
        return self._read_json(self.summary_path, f"it is not scored yet. Finish it with: vbench score {self.path}")

    def _read_json(self, path: Path, hint: str) -> dict[str, Any]:
        try:
            value = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise StoreError(f"{path} is missing: {hint}") from None
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from None
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise StoreError(f"{path} is not of format {FORMAT}; it was written by another version of vbench-lite.")
        return value

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        write_whole(self.manifest_path, to_json(manifest))

    def write_summary(self, summary: dict[str, Any]) -> None:
        write_whole(self.summary_path, to_json(summary))

    def record_path(self, key: ClipKey) -> Path:
        return self.path / "clips" / key.generator / key.prompt_id / f"{key.index}.json"

    def clip_path(self, record: ClipRecord) -> Path | None:
        return self.path / record.path if record.path else None

    def write_clip(self, record: ClipRecord, clip: bytes | None, suffix: str = ".mp4") -> ClipRecord:
        """Stores one clip and then its record, which names the clip's place and digest."""
        path = self.record_path(record.key)
        if clip is not None:
            clip_path = path.with_suffix(suffix)
            write_whole(clip_path, clip)
            record = dataclasses.replace(
                record, path=str(clip_path.relative_to(self.path)), sha256=hashlib.sha256(clip).hexdigest()
            )
        value = {"format": FORMAT} | vars(record) | {"measurement": vars(record.measurement)}
        lines = [  # one a field: to be read by people, and quickly written
            f"  {json.dumps(name)}: {json.dumps(field, ensure_ascii=False, allow_nan=False)}"
            for name, field in (value | {"check": digest(value)}).items()
        ]
        write_whole(path, "{\n" + ",\n".join(lines) + "\n}\n")
        return record

    def read_record(self, path: Path) -> ClipRecord:
        """One record.

        Raises:
            StoreError: It is torn, edited by hand, or of another format.
        """
        value = self._read_json(path, "the clip is not made yet.")
        if value.pop("check", None) != digest(value):
            raise StoreError(f"{path} was changed after it was written. Make the clip again with: vbench run")
        del value["format"]
        try:
            return ClipRecord(**{**value, "measurement": Measurement(**value["measurement"])})
        except (KeyError, TypeError) as error:
            raise StoreError(f"{path} is not a clip's record: {error}. Delete it and run again.") from None

    def record_paths(self) -> Iterator[Path]:
        return iter(sorted((self.path / "clips").glob("*/*/[0-9]*.json")))

    def records(self) -> list[ClipRecord]:
        """Every stored record, in a fixed order."""
        return sorted((self.read_record(path) for path in self.record_paths()), key=lambda r: r.key)
