"""Run-level problems: incomplete, degenerate (black, frozen, copied) or identical runs, and scorer drift."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.commands import finish_command, score_command
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.cost.machines import machine_warnings
from vbench_lite.analysis.family import Comparison, Outcome
from vbench_lite.analysis.quantities import find_cost
from vbench_lite.gate.policy import Policy
from vbench_lite.gate.verdict import Finding
from vbench_lite.run.clips import ClipGrid
from vbench_lite.run.people import HUMAN_METRICS
from vbench_lite.run.plan import asks_for_stillness
from vbench_lite.run.view import Side

_HALF = 0.5
_COPIES = 0.1
"""Fraction of equal files, over several prompts, above which the clips are copies."""
_OWN = 0.05
_DEAD = {"frozen": "are frozen: nothing moves in them", "black": "are black", "blank": "are blank"}
_FREE = ("temporal_flickering", "clip_frames", "clip_text", "warp_error", "detail", "motion")
"""Scores that change with any change of a clip."""
_UNTIED = ("temporal_flickering", "warp_error", "motion", "detail")
"""Scores that two different clips do not share by chance."""
MakeFinding = Callable[..., Finding]


def find_run_problems(sides: GeneratorPair, policy: Policy) -> Iterator[Finding]:
    """Notes on the runs as a whole, and problems that stop a release before any check."""
    old, new = sides.old, sides.new

    def finding(kind: str, message: str, outcome: Literal["fail", "undecided", "note"] = "fail") -> Finding:
        return Finding(kind, sides.candidate.generator, message, outcome)

    for who, side in sides.sides:
        missing = int(side.grid.missing.sum())
        if missing:
            message = f"the {who} is incomplete: {missing} of {side.grid.clips} clips were never generated"
            yield finding("incomplete", f"{message}. Finish it with: {finish_command(side.run)}", "undecided")
    if not new.made.any():
        if new.tried.any():
            why = f" ({reason})" if (reason := _first(new.text("reason"))) else ""
            yield finding("no-clips", f"none of {int(new.tried.sum())} clips was generated{why}")
        return
    prompts = {prompt.id: prompt for prompt in sides.baseline.run.manifest.prompts}
    still = [asks_for_stillness(prompts[id_]) for id_ in new.prompts]
    for kind, text in _DEAD.items():
        share, before = (_share(grid, kind, np.array(still)) for grid in (new, old))
        if share >= _HALF and before < _HALF * share:
            yield finding(kind, f"{share:.0%} of its clips {text}; in the baseline {before:.0%}")
    copies = _copies(new)
    if copies:
        yield finding("copies", copies)
    yield from _sameness(sides, policy, finding)
    yield from _anchors(sides, policy, finding)
    for sentence in machine_warnings([sides.baseline, sides.candidate]):
        yield finding("machine", sentence, "note")
    if sides.seeds_differ:
        yield finding("seeds", sides.seeds_differ, "note")


def common_prompts(sides: GeneratorPair) -> Iterator[Finding]:
    """A note on the common prompts, if the runs have different prompts and the policy allows this."""
    if sides.prompts != "common" or sides.same_prompts:
        return
    shared = set(sides.old.prompts)
    only = [[id_ for id_ in side.run.manifest.plan.prompts if id_ not in shared] for side in sides.members]
    message = f"compared over the {len(shared)} prompts that both runs have with the same text"
    for who, ids in zip(("baseline", "candidate"), only, strict=True):
        if ids:
            more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
            message += f"; only in the {who}, or with a different text: {ids[0]}{more}"
    yield Finding("common-prompts", sides.candidate.generator, message, "note")


_COSTS = ("usd_per_clip", "device_s_per_clip")


def cost_notes(sides: GeneratorPair, policy: Policy, table: Mapping[str, Comparison]) -> Iterator[Finding]:
    """A note on changed costs, if the policy has no check on cost."""
    if any(find_cost(check.metric) for check in policy.checks):
        return
    changed = []
    for name in _COSTS:
        found = table.get(name)
        if found and found.words in (Outcome.BETTER, Outcome.WORSE):
            text = found.written()
            after = f"{text.candidate} {found.shown.unit}".strip()
            changed.append(f"{name} {text.baseline} became {after} ({found.words})")
    if changed:
        message = f"this policy has no check on cost; {', '.join(changed)}"
        yield Finding("cost", sides.candidate.generator, message, "note")


def vote_notes(sides: GeneratorPair, policy: Policy) -> Iterator[Finding]:
    """A note on simulated votes, if the policy has a check on votes."""
    if sides.simulated_votes and any(check.metric in HUMAN_METRICS for check in policy.checks):
        yield Finding("votes", sides.candidate.generator, sides.simulated_votes, "note")


def _first(texts: np.ndarray[Any, Any]) -> str:
    return next((str(text) for text in texts.flat if text), "")


def _share(grid: ClipGrid, kind: str, still: NDArray[np.bool_]) -> float:
    """The fraction of generated clips with a fault, by the code of `conformance`, or by motion 0 for "frozen".

    Args:
        grid: The clips.
        kind: A code: frozen, black or blank.
        still: Whether each prompt requests a clip without motion, shape (prompts,).
    """
    cells, places = np.unique(grid.text("unusable_codes"), return_inverse=True)
    has_code = np.array([kind in (token.partition(":")[0] for token in cell.split(";")) for cell in cells.tolist()])
    faulty = has_code[places].reshape(grid.made.shape)
    if kind == "frozen":
        faulty = (faulty | (grid.values("motion") == 0)) & ~still[:, None]
    return float((faulty & grid.made).sum() / max(1, grid.made.sum()))


def _copies(grid: ClipGrid) -> str | None:
    """A message if many clips are copies of one clip, by their bytes or by equal scores; else None."""
    made = grid.made
    prompts = np.broadcast_to(np.arange(len(grid.prompts))[:, None], made.shape)[made]
    if len(prompts) < 4:
        return None
    marks = [("bytes", grid.text("sha256")[made].tolist(), _COPIES)]
    free = [name for name in _UNTIED if grid.has(name)]
    if len(free) >= 3:
        moving = grid.values("motion")[made] != 0
        joined = zip(*(grid.text(name)[made].tolist() for name in free), strict=True)
        known = ["|".join(cells) if m and all(cells) else "" for cells, m in zip(joined, moving, strict=True)]
        marks.append(("scores", known, _HALF))
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
    """Whether both definitions have the same weights, adapter, settings and form of clip."""
    old, new = baseline.definition, candidate.definition
    same_place = bool(old.weights_digest) or old.model == new.model
    return same_place and all(
        (old.weights_digest == new.weights_digest, old.adapter == new.adapter, old.revision == new.revision,
         old.settings == new.settings, old.clip == new.clip)
    )  # fmt: skip


def _sameness(sides: GeneratorPair, policy: Policy, finding: MakeFinding) -> Iterator[Finding]:
    old, new = sides.old, sides.new
    known = old.made & new.made & (old.text("sha256") != "") & (new.text("sha256") != "")
    equal = int(sides.same_clips.sum())
    total = int((old.made | new.made).sum())
    if same_generator(sides.baseline, sides.candidate):
        if sides.is_identical:
            yield finding("identical", f"the runs are identical: all {total} clips have the same bytes", "note")
        elif known.any() and _expected_same(sides):
            yield finding("drift", _drift(old, new, equal, total, _software_differences(sides)), "note")
    elif equal > _OWN * total and not policy.allow_same_clips:
        message = (
            f"{equal} of {total} clips are the baseline's own files, although the generators differ. If the change "
            f"is meant to leave the clips as they are, set allow_same_clips = true in the policy"
        )
        yield finding("own-clips", message)


def _expected_same(sides: GeneratorPair) -> bool:
    old, new = (side.run.manifest for _, side in sides.sides)
    devices = [(m.device.kind, m.device.name, m.device.count) for m in (old, new)]
    return devices[0] == devices[1] and old.plan.seed == new.plan.seed


def _software_differences(sides: GeneratorPair) -> list[str]:
    """Recorded versions that differ, such as "av 18.1.0 and 19.0.2". Another encoder gives different files."""
    old, new = (side.run.manifest.software for _, side in sides.sides)
    return [
        f"{name} {old.get(name) or 'unknown'} and {new.get(name) or 'unknown'}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _drift(old: ClipGrid, new: ClipGrid, equal: int, total: int, software: Sequence[str]) -> str:
    why = f"different versions: {', '.join(software)}" if software else "the recorded versions are the same"
    message = f"same generator, seeds and device, but {total - equal} of {total} clips differ ({why})"
    moved = []
    for name in _FREE:
        change = np.abs(new.values(name) - old.values(name))
        if np.isfinite(change).any() and np.nanmax(change) > 0:
            moved.append(f"{name} by up to {np.nanmax(change):.2g}")
    return f"{message}; {', '.join(moved)}" if moved else f"{message}; no score changed"


def _anchors(sides: GeneratorPair, policy: Policy, finding: MakeFinding) -> Iterator[Finding]:
    """A finding if the scores of the anchor clips differ between the runs, because then the scorer has changed."""
    old, new = (_anchor_drift(side) for _, side in sides.sides)
    moved = {name: abs(new[name] - old[name]) for name in old.keys() & new.keys()}
    worst = max(moved, key=lambda name: moved[name], default="")
    if worst and moved[worst] > policy.anchor_tolerance:
        message = (
            f"the scores of the anchor clips differ between the runs ({worst} by {moved[worst]:.2%}, tolerated "
            f"{policy.anchor_tolerance:.2%}): the scorer changed, not the generator. Score both again with: "
            f"{score_command(sides.baseline.run)}; {score_command(sides.candidate.run)}"
        )
        yield finding("anchor-drift", message, "undecided")


def _anchor_drift(side: Side) -> dict[str, float]:
    """Metric > relative difference of the anchor clips' scores from the stored ones; {} if unknown."""
    anchors = side.run.summary.notes.anchors
    drift = (anchors.drift if anchors else None) or {}
    return {name: value for name, value in drift.items() if value is not None}
