"""The clips of one or more runs for a review, by prompt, index and generator."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vbench_lite.errors import StoreError
from vbench_lite.run.view import Run
from vbench_lite.run.votes import ClipRef

REASONS = (
    "distorted shapes", "flicker or jumps", "blurred or noisy", "wrong or missing motion", "not what the prompt says",
    "wrong text or logo",
)  # fmt: skip
"""Default reasons for rejecting a clip, for suites without their own list."""


class Entry(NamedTuple):
    """One generator of one run."""

    run: str
    generator: str


class Slot(NamedTuple):
    """The k-th clip of a prompt, over all generators."""

    prompt_id: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which is not needed here


@dataclass(frozen=True)
class Material:
    """All clips and prompts of a review."""

    folder: Path
    """The folder of the first run, which stores the votes."""
    name: str
    title: str
    texts: Mapping[str, str]
    """Prompt id > the text that the generators were given."""
    clips: Mapping[Slot, Mapping[Entry, ClipRef]]
    paths: Mapping[ClipRef, Path]
    reasons: tuple[str, ...] = REASONS
    several_runs: bool = False
    entries: tuple[Entry, ...] = field(default=())

    def pairs(self) -> list[tuple[Entry, Entry]]:
        """The pairs to compare: all pairs of one run, or the generators of the same name of two runs."""
        found = list(itertools.combinations(self.entries, 2))
        if not self.several_runs:
            return found
        across = [(a, b) for a, b in found if a.run != b.run]
        return [(a, b) for a, b in across if a.generator == b.generator] or across

    def pair_items(self, pair: tuple[Entry, Entry]) -> Iterator[tuple[str, tuple[ClipRef, ClipRef]]]:
        """(prompt, both clips) for each slot in which both made a clip and the files differ."""
        for slot, made in self.clips.items():
            if pair[0] in made and pair[1] in made and made[pair[0]].sha256 != made[pair[1]].sha256:
                yield slot.prompt_id, (made[pair[0]], made[pair[1]])

    def single_items(self) -> Iterator[tuple[str, ClipRef]]:
        """(prompt, clip) of every clip."""
        for slot, made in self.clips.items():
            for clip in made.values():
                yield slot.prompt_id, clip


def gather(runs: Sequence[Run]) -> Material:
    """Collects the clips of some runs; of several runs only the prompts that all have with the same text.

    Args:
        runs: Opened runs, or single generators of them. They need not be scored.

    Raises:
        StoreError: A run has no clips, two runs have the same name, or there is nothing to show.
    """
    paths: dict[str, Path] = {}
    for run in runs:
        if not run.folder.keeps_clips():
            raise StoreError(f"{run.path} has no clips to show. Name the run in which they were generated.")
        if paths.setdefault(run.name, run.path.resolve()) != run.path.resolve():
            raise StoreError(f'two runs are called "{run.name}", but votes name a run by its folder. Rename one.')
    texts = _shared_texts(runs)
    clips: dict[Slot, dict[Entry, ClipRef]] = {}
    places: dict[ClipRef, Path] = {}
    entries = tuple(dict.fromkeys(Entry(run.name, name) for run in runs for name in run.generators))
    for run in {str(run.path.resolve()): run for run in runs}.values():
        for record in run.folder.records():
            path, entry = run.folder.clip_path(record), Entry(run.name, record.generator)
            if entry not in entries or record.prompt_id not in texts or record.sha256 is None:
                continue
            if record.status == "ok" and path is not None and path.is_file():
                ref = ClipRef(run.name, record.generator, record.index, record.sha256)
                clips.setdefault(Slot(record.prompt_id, record.index), {})[entry] = ref
                places[ref] = path
    if not clips:
        raise StoreError(f"{runs[0].path} has no clip to show. Generate some with: vbench run")
    suite = runs[0].manifest.suite
    return Material(
        folder=runs[0].path, name=runs[0].name, title=suite.title or suite.name, texts=texts,
        clips=dict(sorted(clips.items())), paths=places, reasons=suite.reasons or REASONS,
        several_runs=len(paths) > 1, entries=entries,
    )


def _shared_texts(runs: Sequence[Run]) -> dict[str, str]:
    asked = [{p.id: p.text for p in run.manifest.prompts} for run in runs]
    shared = {id_: text for id_, text in asked[0].items() if all(other.get(id_) == text for other in asked)}
    if not shared:
        raise StoreError(f'"{runs[0].path}" and "{runs[1].path}" share no prompt, so no pair can be shown.')
    return shared
