"""What can be seen of two runs as a whole: candidates that are no candidates, runs that are the same, gaps, drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vbench_lite.analysis.comparable import Side, finish_command
from vbench_lite.analysis.paired import align
from vbench_lite.gate.policy import Policy
from vbench_lite.gate.verdict import Finding
from vbench_lite.run.clips import ClipGrid

_HALF = 0.5
_COPIES = 0.1
"""A file that stands for more than this share of clips, over several prompts, is not an answer to any."""
_OWN = 0.05
_DEAD = {"frozen": "are frozen: nothing moves in them", "black": "are black", "blank": "are blank"}
_SAME_GENERATOR = ("weights_digest", "adapter", "revision", "settings", "clip")


def find_run_problems(baseline: Side, candidate: Side, policy: Policy) -> Iterator[Finding]:
    """Everything worth saying, or stopping for, before any check."""
    old, new = baseline.grid, align(baseline.grid, candidate.grid)

    def finding(kind: str, message: str, outcome: Any = "fail") -> Finding:
        return Finding(kind, candidate.generator, message, outcome)

    for who, side in (("baseline", baseline), ("candidate", candidate)):
        missing = int(side.grid.missing.sum())
        if missing:
            message = f"the {who} is incomplete: {missing} of {side.grid.clips} clips were never made. Finish it with: "
            yield finding("incomplete", message + finish_command(side.run), "undecided")
    made = int(new.made.sum())
    if not made:
        why = f" ({reason})" if (reason := _first(new.text("reason"))) else ""
        yield finding("no-clips", f"not one of {new.clips} clips was made{why}")
        return
    for kind, told in _DEAD.items():
        share, before = _share(new, kind), _share(old, kind)
        if share >= _HALF and before < _HALF * share:
            yield finding(kind, f"{share:.0%} of its clips {told}; in the baseline {before:.0%}")
    copies = _copies(new)
    if copies:
        yield finding("copies", copies)
    yield from _sameness(baseline, candidate, policy, finding)
    yield from _anchors(baseline, candidate, policy, finding)
    seeds = [side.run.manifest["plan"].get("seed") for side in (baseline, candidate)]
    if seeds[0] != seeds[1]:
        told = f"the runs have other seeds ({seeds[0]} and {seeds[1]}): pairs share their prompt only"
        yield finding("seeds", told, "note")


def _first(texts: np.ndarray[Any, Any]) -> str:
    return next((str(text) for text in texts.flat if text), "")


def _share(grid: ClipGrid, kind: str) -> float:
    """The share of made clips of a fault that `conformance` names, or that shows as motion 0."""
    because = grid.text("unusable_because").ravel().tolist()
    faulty = np.array([kind in text.lower() for text in because]).reshape(grid.made.shape)
    if kind == "frozen":
        faulty = faulty | (grid.values("motion") == 0)
    return float((faulty & grid.made).sum() / max(1, grid.made.sum()))


def _copies(grid: ClipGrid) -> str | None:
    """Whether one clip was handed in for many prompts: by its bytes, or by scores that no two clips share."""
    made = grid.made
    prompts = np.broadcast_to(np.arange(len(grid.prompts))[:, None], made.shape)[made]
    if len(prompts) < 4:
        return None
    marks = [("bytes", grid.text("sha256")[made].tolist(), _COPIES)]
    free = [name for name in ("flicker", "warp_error", "motion", "detail") if grid.has(name)]
    if len(free) >= 3:
        moving = grid.values("motion")[made] != 0
        joined = zip(*(grid.text(name)[made].tolist() for name in free), strict=True)
        marks.append(("scores", ["|".join(cells) if m else "" for cells, m in zip(joined, moving, strict=True)], _HALF))
    for what, values, share in marks:
        [(commonest, count)] = Counter(value for value in values if value).most_common(1) or [("", 0)]
        if count <= max(2, share * len(prompts)):
            continue
        same = np.array([value == commonest for value in values])
        if len(set(prompts[same])) > 1:
            return (
                f"{int(same.sum())} of {len(prompts)} clips are copies of one clip (the same {what}), "
                f"over {len(set(prompts[same]))} prompts"
            )
    return None


def same_generator(baseline: Side, candidate: Side) -> bool:
    """Whether both definitions make the same clips: weights, code path, settings and form of clip."""
    old, new = (side.run.definition(side.generator) for side in (baseline, candidate))
    same_place = bool(old.get("weights_digest")) or old.get("model") == new.get("model")
    return same_place and all(old.get(key) == new.get(key) for key in _SAME_GENERATOR)


def _sameness(baseline: Side, candidate: Side, policy: Policy, finding: Any) -> Iterator[Finding]:
    old, new = baseline.grid, align(baseline.grid, candidate.grid)
    known = old.made & new.made & (old.text("sha256") != "") & (new.text("sha256") != "")
    equal = int((known & (old.text("sha256") == new.text("sha256"))).sum())
    total = int((old.made | new.made).sum())
    if same_generator(baseline, candidate):
        if equal == total:
            yield finding("identical", f"the runs are identical: all {total} clips have the same bytes", "note")
        elif known.any() and _expected_same(baseline, candidate):
            software = _software_differences(baseline, candidate)
            yield finding("drift", _drift(old, new, equal, total, software), "note")
    elif equal > _OWN * total and not policy.allow_same_clips:
        told = (
            f"{equal} of {total} clips are the baseline's own files, though the generators differ. If the change is "
            f"meant to leave clips as they are, say allow_same_clips = true in the policy"
        )
        yield finding("own-clips", told)


def _expected_same(baseline: Side, candidate: Side) -> bool:
    runs = [side.run.manifest for side in (baseline, candidate)]
    devices = [{k: v for k, v in (run.get("device") or {}).items() if k in ("kind", "name", "count")} for run in runs]
    return devices[0] == devices[1] and runs[0]["plan"].get("seed") == runs[1]["plan"].get("seed")


def _software_differences(baseline: Side, candidate: Side) -> list[str]:
    """Recorded versions that differ, such as "av 18.1.0 and 19.0.2": another encoder gives other files."""
    old, new = ((side.run.manifest.get("software") or {}) for side in (baseline, candidate))
    return [
        f"{name} {old.get(name) or 'unknown'} and {new.get(name) or 'unknown'}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _drift(old: ClipGrid, new: ClipGrid, equal: int, total: int, software: Sequence[str]) -> str:
    why = f"what made them differs: {', '.join(software)}" if software else "the recorded versions are the same"
    told = f"same generator, seeds and device, yet {total - equal} of {total} clips differ ({why})"
    moved = []
    for name in ("flicker", "clip_frames", "clip_text", "warp_error", "detail", "motion"):
        change = np.abs(new.values(name) - old.values(name))
        if np.isfinite(change).any() and np.nanmax(change) > 0:
            moved.append(f"{name} by up to {np.nanmax(change):.2g}")
    return f"{told}; {', '.join(moved)}" if moved else f"{told}; no score moved"


def _anchors(baseline: Side, candidate: Side, policy: Policy, finding: Any) -> Iterator[Finding]:
    """Every scoring looks at a few pinned clips too: where those moved between the runs, the ruler did."""
    old, new = (_anchor_drift(side.run.summary) for side in (baseline, candidate))
    moved = {name: abs(new[name] - old[name]) for name in old.keys() & new.keys()}
    worst = max(moved, key=lambda name: moved[name], default="")
    if worst and moved[worst] > policy.anchor_tolerance:
        message = (
            f"the anchor clips do not score alike in the two runs ({worst} by {moved[worst]:.2%}, tolerated "
            f"{policy.anchor_tolerance:.2%}): the measuring changed, not the generator. Score both again with: "
            f"vbench score {baseline.run.folder.path}; vbench score {candidate.run.folder.path}"
        )
        yield finding("anchor-drift", message, "undecided")


def _anchor_drift(summary: Mapping[str, Any]) -> dict[str, float]:
    """Of each metric: how far the pinned clips score from what they should, relative; {} where it is not known."""
    drift = ((summary.get("notes") or {}).get("anchors") or {}).get("drift") or {}
    return {name: float(value) for name, value in drift.items() if value is not None}
