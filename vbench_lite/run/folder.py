"""The layout of a run folder, and the files in it.

    <run>/run.json                                   the manifest: plan, generators and device
          clips/<generator>/<prompt id>/<k>.mp4      one clip
          clips/<generator>/<prompt id>/<k>.json     its record, written last: a clip counts only with its record
          images/<digest>.<suffix>                   the images of prompts
          features/<generator>.npz                   the features for set metrics (FVD)
          judges/<name>/*.jsonl                      answers of programs that score clips
          imports/<name>.json                        imported scores of other tools
          clips.csv, summary.json                    written by scoring, which can be repeated

Every file is written under a temporary name and then renamed, so it is complete or absent.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vbench_lite.errors import StoreError, system_reason
from vbench_lite.escaping import vbench_command
from vbench_lite.files import to_json, write_whole
from vbench_lite.records import FORMAT, ClipKey, ClipRecord
from vbench_lite.run import format1
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.reading import read_json, typed
from vbench_lite.run.summary import Summary, summary_from
from vbench_lite.tomlfile import digest

CONTENTS = (
    "clips", "images", "clips.csv", "summary.json", "timings", "state", "logs", "cache", "features", "judges",
    "imports", "looks.json",
)  # fmt: skip
"""Files and folders that `clear` deletes before run.json."""


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
        """The features of a generator for set metrics."""
        return self.path / "features" / f"{generator}.npz"

    def exists(self) -> bool:
        return self.manifest_path.exists()

    def timings_paths(self, generator: str) -> list[Path]:
        """Files with the phases of a generator's processes: of the whole run, and of each shard."""
        folder = self.path / "timings"
        return [folder / f"{generator}.json", *sorted(folder.glob(f"{generator}.*of*.json"))]

    def keeps_clips(self) -> bool:
        """Whether the run has clips to score; a baseline has none."""
        return (self.path / "clips").is_dir()

    @property
    def remedy(self) -> str:
        """How to restore a missing or damaged file of scores, as a sentence without a full stop."""
        if self.keeps_clips():
            return f"Score the run with: {vbench_command('score', self.path)}"
        return "The folder has no clips to score, like a baseline: restore the file from version control"

    def manifest(self) -> Manifest:
        """run.json.

        Raises:
            StoreError: There is no run here, or run.json is not valid.
        """
        value = read_json(self.manifest_path, "the folder is not a run. Make one with: vbench run --suite ads")
        return typed(format1.manifest(value) if value["format"] == 1 else value, Manifest, self.manifest_path)

    def summary(self) -> Summary:
        """summary.json.

        Raises:
            StoreError: The run is not scored yet, or summary.json is not valid.
        """
        hint = f"the run is not scored. {self.remedy}"
        return summary_from(read_json(self.summary_path, hint), self.summary_path)

    def write_manifest(self, manifest: Manifest) -> None:
        write_whole(self.manifest_path, to_json(dataclasses.replace(manifest, format=FORMAT)))

    def write_summary(self, summary: Summary) -> None:
        write_whole(self.summary_path, to_json(summary.as_json()))

    def record_path(self, key: ClipKey) -> Path:
        return self.path / "clips" / key.generator / key.prompt_id / f"{key.index}.json"

    def clip_path(self, record: ClipRecord) -> Path | None:
        return self.path / record.path if record.path else None

    def write_clip(self, record: ClipRecord, clip: bytes | None, suffix: str = ".mp4") -> ClipRecord:
        """Stores one clip and then its record, which contains the path and digest of the clip."""
        path = self.record_path(record.key)
        if clip is not None:
            clip_path = path.with_suffix(suffix)
            write_whole(clip_path, clip)
            record = dataclasses.replace(
                record, path=str(clip_path.relative_to(self.path)), sha256=hashlib.sha256(clip).hexdigest()
            )
        self.write_record(record)
        return record

    def write_record(self, record: ClipRecord) -> None:
        """Stores a record, and replaces an earlier record of the clip."""
        value: dict[str, Any] = json.loads(to_json({"format": FORMAT} | vars(record)))
        lines = [  # one line per field: readable, and fast to write
            f"  {json.dumps(name)}: {json.dumps(field, ensure_ascii=False)}"
            for name, field in (value | {"check": digest(value)}).items()
        ]
        write_whole(self.record_path(record.key), "{\n" + ",\n".join(lines) + "\n}\n")

    def read_record(self, path: Path) -> ClipRecord:
        """Reads one record.

        Raises:
            StoreError: It is incomplete, edited by hand, or has another format.
        """
        value = read_json(path, "the clip is not generated yet.")
        if value.pop("check", None) != digest(value):
            raise StoreError(
                f"{path} was changed after it was written. Delete it, and repeat the command of the run."
            )
        record = typed(value, ClipRecord, path)
        if record.path and not self._inside(record.path):
            raise StoreError(f"{path} names a clip outside the run: {record.path}. Delete it and run again.")
        return record

    def find_record(self, key: ClipKey) -> ClipRecord | None:
        """The record of a clip; None if it was never generated.

        Raises:
            StoreError: It is incomplete, edited by hand, or has another format.
        """
        path = self.record_path(key)
        return self.read_record(path) if path.exists() else None

    def _inside(self, path: str) -> bool:
        return (self.path / path).resolve().is_relative_to(self.path.resolve())

    def record_paths(self) -> Iterator[Path]:
        return iter(sorted((self.path / "clips").glob("*/*/[0-9]*.json")))

    def clear(self) -> None:
        """Deletes the run. run.json is deleted last, so that clips never exist without it.

        Raises:
            StoreError: A file cannot be deleted.
        """
        for name in CONTENTS:
            path = self.path / name
            try:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
            except OSError as error:
                reason = f"cannot delete {path}: {system_reason(error)}. Choose another folder with --out DIR."
                raise StoreError(reason) from error
        self.manifest_path.unlink(missing_ok=True)

    def records(self) -> list[ClipRecord]:
        """Every stored record, in a fixed order."""
        return sorted((self.read_record(path) for path in self.record_paths()), key=lambda r: r.key)
