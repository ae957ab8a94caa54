"""Reads result files of VBench, VBench-I2V and VBench-2.0, which have one score per clip and dimension.

    {"subject_consistency": [0.953, [{"video_path": "clips/a cat-0.mp4", "video_results": 0.951}, ...]], ...}

VBench-2.0 writes names such as "Multi-View_Consistency". They become `multi_view_consistency`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from vbench_lite.errors import BadFile
from vbench_lite.userfile import parse_json, read_text, shown

OWN_KEY = "vbench_lite"
"""The entry of this package's exports that is not a dimension."""
NOT_JUDGED = -1
"""Value in VBench-2.0's files of a clip that is not part of the mean."""
EXPECTED = 'expected a result file of VBench: {dimension: [score, [{"video_path", "video_results"}]]}'
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


class VbenchScore(NamedTuple):
    """One clip's score in one dimension."""

    file: str
    """`video_path` of the file."""
    dimension: str
    value: float | None
    """Score on the scale of the dimension's mean: flags are 0 or 1, and imaging quality is divided by 100."""
    reason: str
    """Why there is no value; "" if there is one."""


@dataclass(frozen=True)
class VbenchResults:
    """The content of a result file."""

    path: Path
    means: Mapping[str, float]
    """Dimension -> mean in the file, if it has one. Some versions of VBench weight it by frames."""
    scores: tuple[VbenchScore, ...]
    without_clip: Mapping[str, int]
    """Dimension -> number of entries that name no single clip, such as VBench-2.0's diversity."""


def read_vbench_results(path: Path) -> VbenchResults:
    """Read a result file of VBench, VBench-I2V or VBench-2.0, or one that this package wrote.

    Raises:
        BadFile: The file is not a result file. The message names the dimension.
    """
    document = parse_json(path, read_text(path))
    if not isinstance(document, dict) or not set(document) - {OWN_KEY}:
        raise BadFile(path, None, f"{EXPECTED}.")
    means: dict[str, float] = {}
    scores: list[VbenchScore] = []
    without_clip: dict[str, int] = {}
    for written, entry in document.items():
        if written == OWN_KEY:
            continue
        name = dimension_name(written)
        if not _NAME.fullmatch(name) or name in means or name in without_clip:
            raise BadFile(path, None, f"{shown(written)} is not a dimension, or occurs twice: {EXPECTED}.")
        mean, clips = _parts(path, written, entry)
        if mean is not None:
            means[name] = mean
        found = [_score(name, clip) for clip in clips]
        scores += [score for score in found if score]
        without_clip[name] = found.count(None)
    return VbenchResults(path, means, tuple(scores), {name: count for name, count in without_clip.items() if count})


def dimension_name(written: str) -> str:
    """A dimension's name in lower case with underscores.

    >>> dimension_name("Multi-View_Consistency"), dimension_name("subject consistency")
    ('multi_view_consistency', 'subject_consistency')
    """
    return re.sub(r"[-\s]", "_", written.strip().lower())


def _parts(path: Path, written: str, entry: Any) -> tuple[float | None, list[Any]]:
    """The mean of a dimension (None if it is not a number), and its clips."""
    fits = isinstance(entry, list) and 1 <= len(entry) <= 2
    clips = entry[1] if fits and len(entry) == 2 else []
    fits = fits and isinstance(clips, list)
    if not fits or not all(isinstance(clip, dict) and "video_results" in clip for clip in clips):
        raise BadFile(path, None, f"{shown(written)}: {EXPECTED}.")
    return _number(entry[0]), clips


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, bool | int | float) and math.isfinite(value) else None


def _score(dimension: str, clip: Mapping[str, Any]) -> VbenchScore | None:
    """The score of a clip; None if the entry names no single clip."""
    file, result = clip.get("video_path"), clip["video_results"]
    if not isinstance(file, str):
        return None
    value = _number(result)
    if value is None:
        return VbenchScore(file, dimension, None, f"the file has {shown(result)}, which is not a number")
    if result == NOT_JUDGED and not isinstance(result, float):
        return VbenchScore(file, dimension, None, "the file marks the clip as not judged (-1)")
    return VbenchScore(file, dimension, value / (100 if dimension == "imaging_quality" else 1), "")
