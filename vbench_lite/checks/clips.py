"""Finds equal clips that should differ: equal bytes, or equal scores to the last digit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from vbench_lite.analysis.commands import again_command
from vbench_lite.checks.findings import Finding
from vbench_lite.records import ClipKey, ClipRecord
from vbench_lite.run.clips import ClipGrid
from vbench_lite.run.view import Run
from vbench_lite.running.equal_clips import equal_clips

EXAMPLES = 3
"""Maximum number of clips that a sentence names."""
UNTIED = ("temporal_flickering", "warp_error", "motion", "detail")
"""Scores that differ in the last digits between two different clips. Three of them are needed."""
_REMEDY = "Correct the generator, or the service behind it, then make the clips again:"
Identify = Callable[[ClipGrid, int, int], str]


def _by_bytes(grid: ClipGrid, row: int, index: int) -> str:
    return str(grid.text("sha256")[row, index])


def _by_scores(grid: ClipGrid, row: int, index: int) -> str:
    """Equal for the same frames in different files, such as containers with a date; "" for still clips."""
    known = [name for name in UNTIED if grid.has(name)]
    if len(known) < 3 or grid.values("motion")[row, index] == 0:
        return ""
    values = [str(grid.text(name)[row, index]) for name in known]
    return "|".join(values) if all(values) else ""


WAYS: tuple[tuple[str, Identify], ...] = (("the same file", _by_bytes), ("the same scores", _by_scores))


def _clips(run: Run, generator: str, identify: Identify) -> Iterator[tuple[ClipKey, str]]:
    """Every generated clip with its identity."""
    grid = run.grids[generator]
    for row, prompt in enumerate(grid.prompts):
        for index in range(grid.made.shape[1]):
            if grid.made[row, index]:
                yield ClipKey(generator, prompt, index), identify(grid, row, index)


def seeds_without_effect(run: Run, generator: str) -> Iterator[Finding]:
    """Finds the same clip for different seeds of one prompt."""
    route = run.manifest.generators[generator].route
    for _, identify in WAYS:
        found = equal_clips(
            generator,
            (ClipRecord(generator, route, key.prompt_id, key.index, None, "ok", sha256=id_)
             for key, id_ in _clips(run, generator, identify)),
        )  # fmt: skip
        if found:
            yield Finding(
                code="seed-without-effect", generator=generator, prompts=found.prompts,
                sentence=f"{found.sentence()}. {_REMEDY}", command=again_command(run, generator),
            )  # fmt: skip
            return


def copied_clips(run: Run) -> Iterator[Finding]:
    """Finds the same clip for several prompts, or for several generators."""
    for what, identify in WAYS:
        places = defaultdict[str, list[ClipKey]](list)
        for generator in run.generators:
            for key, id_ in _clips(run, generator, identify):
                if id_:
                    places[id_].append(key)
        copied = [keys for keys in places.values() if len({(key.generator, key.prompt_id) for key in keys}) > 1]
        yield from _by_generators(run, copied, what)
        if copied:
            return


def _by_generators(run: Run, copied: list[list[ClipKey]], what: str) -> Iterator[Finding]:
    for who in sorted({tuple(sorted({key.generator for key in keys})) for keys in copied}):
        groups = [keys for keys in copied if {key.generator for key in keys} == set(who)]
        clips = [key for keys in groups for key in keys]
        total = sum(int(run.grids[name].made.sum()) for name in who)
        named = ", ".join(f"{key.generator} {key.prompt_id} #{key.index}" for key in groups[0][:EXAMPLES])
        over = "generators" if len(who) > 1 else "prompts"
        yield Finding(
            code="copied-clips", generator=who[0] if len(who) == 1 else "", command=again_command(run, *who),
            sentence=f"{len(clips)} of {total} clips are copies ({what} for several {over}), e.g. {named}. {_REMEDY}",
            prompts=tuple(dict.fromkeys(key.prompt_id for key in clips)),
        )  # fmt: skip
