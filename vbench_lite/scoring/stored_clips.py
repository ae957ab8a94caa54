"""The stored clips of a run: their files, checked against their records, and their most common form."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from vbench_lite.features.extractor import ClipFeatures, NoFeatures
from vbench_lite.records import ClipKey, ClipRecord, ClipSpec, ReasonCode
from vbench_lite.run.folder import RunFolder


def find_file(folder: RunFolder, key: ClipKey) -> Path | NoFeatures:
    """The file of a clip, or the reason why there is none."""
    record = folder.find_record(key)
    if record is None:
        return NoFeatures("missing", ReasonCode.MISSING)
    path = folder.clip_path(record) if record.status == "ok" else None
    if path is None:
        code = record.reason_code or ReasonCode.FAILED
        return NoFeatures(f"not made: {record.reason or 'no reason given'}", code)
    why = _changed(path, record)
    return NoFeatures(why, ReasonCode.CHANGED) if why else path


def _changed(path: Path, record: ClipRecord) -> str | None:
    """Why a stored file is not the clip of its record; None if it is, or if the file cannot be read."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None  # the reader reports the error
    if record.sha256 in (None, found):
        return None
    return f"{record.path} is not the file that was stored: its sha256 differs"


def common_form(generator: str, clips: Mapping[ClipKey, ClipFeatures | NoFeatures]) -> ClipSpec:
    """The most common form of a generator's clips, for clips without a requested form."""
    forms = Counter(
        ClipSpec(clip.frames, clip.fps or ClipSpec().fps, clip.height, clip.width)
        for key, clip in clips.items() if key.generator == generator and isinstance(clip, ClipFeatures)
    )
    return forms.most_common(1)[0][0] if forms else ClipSpec()
