"""Converts files of format 1 to format 2 when they are read. Files are not changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RENAMED = {"flicker": "temporal_flickering"}
"""Old name > new name of metrics and columns."""
NEVER_GENERATED = "missing: this clip was asked for and never made"
"""The exact text of the reason of such a clip in format 1."""
ASKED = {
    "clip_frames": ("coherence", 1), "warp_error": ("coherence", 2), "temporal_flickering": ("coherence", 3),
    "detail": ("detail", 1), "clip_text": ("prompt", 1), "fvd_corrected": ("set", 1), "fvd": ("set", 2),
    "kvd": ("set", 3),
}  # fmt: skip
"""Metric > its question and rank, which format 1 did not store."""
UNITS = {"share": "fraction", "squared": "mse", "sides/s": "frame sides/s"}


def column(name: str) -> str:
    """The current name of a column of clips.csv."""
    return RENAMED.get(name, name)


def status(status: NDArray[Any], reason: NDArray[Any]) -> NDArray[Any]:
    """The current status. For clips that were never generated, format 1 wrote "failed" and a reason."""
    never = (status == "failed") & np.char.startswith(reason.astype(str), NEVER_GENERATED)
    return np.where(never, "missing", status)


def unusable_codes(because: NDArray[Any]) -> NDArray[Any]:
    """The current tokens for reasons such as "failed: no frames; flicker: 0.9 is below 0.95".

    Format 1 stored reasons only as text, from which the reason of a conformance failure cannot be read.

    >>> unusable_codes(np.array(["", "conformance: black; flicker: 0.9 is below 0.95"])).tolist()
    ['', 'other;below_threshold:temporal_flickering']
    """
    codes = [";".join(map(_token, filter(None, text.split("; ")))) for text in because.ravel().tolist()]
    return np.array(codes, object).reshape(because.shape)


def _token(because: str) -> str:
    metric, _, text = because.partition(": ")
    if metric in ("failed", "conformance"):
        return {"failed": "failed", "conformance": "other"}[metric]
    if text.startswith("not scored"):
        return f"not_scored:{column(metric)}"
    code = "above_threshold" if " is above " in text else "below_threshold"
    return f"{code}:{column(metric)}"


def manifest(value: dict[str, Any]) -> dict[str, Any]:
    """run.json: thresholds of renamed metrics."""
    suite = value.get("suite")
    if isinstance(suite, dict) and isinstance(suite.get("usable"), dict):
        value = value | {"suite": suite | {"usable": _renamed(suite["usable"])}}
    return value


def summary(value: dict[str, Any]) -> dict[str, Any]:
    """summary.json: renamed metrics and units. Format 1 counted clips that were never generated as failed."""
    metrics, usable, generators = (value.get(key) for key in ("metrics", "usable", "generators"))
    if isinstance(metrics, dict):
        value = value | {"metrics": {n: _asked(n, _unit(n, info)) for n, info in _renamed(metrics).items()}}
    if isinstance(usable, dict) and isinstance(usable.get("thresholds"), dict):
        value = value | {"usable": usable | {"thresholds": _renamed(usable["thresholds"])}}
    if isinstance(generators, dict):
        value = value | {"generators": {name: _scores(each) for name, each in generators.items()}}
    if isinstance(value.get("notes"), dict) and isinstance(anchors := value["notes"].get("anchors"), dict):
        if isinstance(anchors.get("drift"), dict):
            anchors = anchors | {"drift": _renamed(anchors["drift"])}
        value = value | {"notes": value["notes"] | {"anchors": anchors}}
    return value


def _unit(name: str, info: Any) -> Any:
    unit = info.get("unit") if isinstance(info, dict) else None
    if not isinstance(unit, str):
        return info
    return info | {"unit": "squared distance" if name == "kvd" else UNITS.get(unit, unit)}


def _asked(name: str, info: Any) -> Any:
    question, rank = ASKED.get(name, ("", 10))
    return info | {"question": question, "rank": rank} if isinstance(info, dict) else info


def _scores(generator: Any) -> Any:
    if isinstance(generator, dict) and isinstance(generator.get("scores"), dict):
        return generator | {"scores": _renamed(generator["scores"])}
    return generator


def _renamed(table: dict[str, Any]) -> dict[str, Any]:
    return {RENAMED.get(name, name): item for name, item in table.items()}


def history(value: dict[str, Any]) -> dict[str, Any]:
    """history.json of a baseline: renamed metrics."""
    entries = value.get("promotions")
    return value | {"promotions": [_entry(entry) for entry in entries]} if isinstance(entries, list) else value


def _entry(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return entry | {key: _figures(entry[key]) for key in ("means", "medians") if isinstance(entry.get(key), dict)}


def _figures(generators: dict[str, Any]) -> dict[str, Any]:
    return {name: _renamed(each) if isinstance(each, dict) else each for name, each in generators.items()}
