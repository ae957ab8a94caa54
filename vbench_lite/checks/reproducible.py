"""Checks whether clips that are generated again with the same seed are the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vbench_lite.analysis.commands import again_command
from vbench_lite.checks.findings import Finding
from vbench_lite.errors import UnreadableClip
from vbench_lite.records import ClipRecord
from vbench_lite.run.plan_changes import same_clips
from vbench_lite.run.view import Run
from vbench_lite.video import read_clip

SAME_TO_THE_EYE = 2.0
"""Two clips count as the same up to this mean difference of their frames, in levels of 255."""
OTHER_CLIP = 10.0
"""A repeated clip with a larger mean difference is a different clip, so it shows nothing about the seeds."""


def compare_again(run: Run, again: Run, generator: str) -> Iterator[Finding]:
    """Compares clips by file, and by frame if the files differ, so that a new encoder version is no finding.

    Args:
        run: The run.
        again: Some of its clips, generated again.
        generator: A generator of both.
    """
    first = {record.key: record for record in run.records(generator) if record.status == "ok"}
    second = [record for record in again.records(generator) if record.status == "ok" and record.key in first]
    command = again_command(run, generator)
    if not second:
        sentence = "No clip could be generated again, so it is not known whether the run can be reproduced."
        yield Finding(
            code="reproducibility-unknown", generator=generator, severity="note", sentence=sentence, command=command
        )
        return
    repeats = {record.prompt_id: _change(run, first[record.key], again, record) for record in second}
    yield from _seeds_to_the_eye(run, generator, list(first.values()), repeats)
    moved = [change for change in repeats.values() if change]
    if not moved:
        return
    changed = not same_clips(run.manifest.generators[generator], again.manifest.generators[generator])
    why = "its definition, code or weights changed since" if changed else "the definition and the seeds are the same"
    yield Finding(
        code="not-reproducible", generator=generator, command=command, prompts=tuple(r.prompt_id for r in second),
        sentence=f"{len(moved)} of {len(second)} clips have different frames when they are generated again "
        f"(mean difference up to {max(moved):.1f} of 255 levels); {why}.",
    )  # fmt: skip


def _seeds_to_the_eye(
    run: Run, generator: str, records: list[ClipRecord], repeats: dict[str, float]
) -> Iterator[Finding]:
    """Finds clips of different seeds that differ no more than the same clip generated twice.

    A generator that ignores its seed can still write different files: non-deterministic kernels, noise or a watermark
    change them.
    """
    worst = 0.0
    for prompt, repeat in repeats.items():
        one, *others = [record for record in records if record.prompt_id == prompt]
        if not others or repeat > OTHER_CLIP:
            return
        change = _change(run, one, run, others[0])
        if change > max(SAME_TO_THE_EYE, repeat):
            return
        worst = max(worst, change)
    sentence = (
        f"Clips of different seeds look the same in all {len(repeats)} prompts that were compared: their frames differ "
        f"by {worst:.1f} of 255 levels at most, on average. Correct the generator, then make the clips again:"
    )
    yield Finding(
        code="seed-without-effect", generator=generator, sentence=sentence, prompts=tuple(repeats),
        command=again_command(run, generator),
    )  # fmt: skip


def _change(run: Run, one: ClipRecord, again: Run, other: ClipRecord) -> float:
    """Mean absolute difference of the frames in levels of 255; 255 if the clip formats differ."""
    if one.sha256 == other.sha256:
        return 0.0
    try:
        paths = [side.folder.clip_path(record) for side, record in ((run, one), (again, other))]
        clips = [read_clip(path)[0] for path in paths if path is not None]
    except UnreadableClip:
        return 255.0
    if len(clips) < 2 or clips[0].shape != clips[1].shape:
        return 255.0
    return float(np.abs(clips[0].astype(np.int16) - clips[1]).mean())
