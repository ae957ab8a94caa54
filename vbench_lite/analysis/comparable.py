"""Whether two runs are comparable, and if not, the differences and the commands that resolve them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.commands import run_command, score_command
from vbench_lite.analysis.cost.machines import load_difference
from vbench_lite.analysis.paired import NoPairs, Paired, Statistic, pair
from vbench_lite.analysis.people.paired import human_pairs
from vbench_lite.analysis.quantities import Quantity
from vbench_lite.errors import NotComparable
from vbench_lite.measuring.rates import describe
from vbench_lite.records import ClipSpec, Price
from vbench_lite.run.clips import ClipGrid
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.people import SIMULATED
from vbench_lite.run.view import Run, Side

_METRIC_FIELDS = ("origin", "version", "backbone", "unit", "per", "higher_is_better")


def shared_prompts(one: Manifest, other: Manifest) -> list[str]:
    """Ids of the prompts that two runs have with the same text, in the order of the first run."""
    texts = {prompt.id: prompt.text for prompt in other.prompts}
    return [prompt.id for prompt in one.prompts if texts.get(prompt.id) == prompt.text]


def align(
    baseline: ClipGrid, candidate: ClipGrid, shared: Collection[str] | None = None
) -> tuple[ClipGrid, ClipGrid]:
    """Both grids, reduced to their common prompts and numbers of clips, in the order of the baseline.

    Args:
        baseline, candidate: The grids.
        shared: Only these prompts; None for all common prompts.
    """
    most = min(baseline.made.shape[1], candidate.made.shape[1])
    whole = shared is None or set(baseline.prompts) <= set(shared)
    if whole and candidate.prompts == baseline.prompts and baseline.made.shape == candidate.made.shape:
        return baseline, candidate
    place = {prompt: nth for nth, prompt in enumerate(candidate.prompts)}
    place = place if shared is None else {prompt: nth for prompt, nth in place.items() if prompt in shared}
    rows = [(nth, place[prompt]) for nth, prompt in enumerate(baseline.prompts) if prompt in place]
    return _chosen(baseline, [old for old, _ in rows], most), _chosen(candidate, [new for _, new in rows], most)


def _chosen(grid: ClipGrid, rows: list[int], clips: int) -> ClipGrid:
    """Some prompts of a grid, with their first clips."""
    return ClipGrid(
        generator=grid.generator, prompts=tuple(grid.prompts[n] for n in rows),
        categories=tuple(grid.categories[n] for n in rows),
        cells={name: cells[rows, :clips] for name, cells in grid.cells.items()},
        clips_of=tuple(min(grid.clips_of[n], clips) for n in rows) if grid.clips_of else (),
    )  # fmt: skip


Overlap = Literal["all", "common", "sample"]
"""Which prompts two runs must share. "all": they must have the same prompts. "common": prompts with the same text in
both are compared. "sample": as "common", and the candidate's prompts are a random sample of the baseline's."""


@dataclass(frozen=True, eq=False)
class GeneratorPair:
    """A generator of the baseline and one of the candidate. This class aligns and pairs their clips once."""

    baseline: Side
    candidate: Side
    prompts: Overlap = "all"
    _pairs: dict[tuple[str, Statistic], Paired | NoPairs] = field(default_factory=dict, repr=False)

    @cached_property
    def _grids(self) -> tuple[ClipGrid, ClipGrid]:
        return align(self.baseline.grid, self.candidate.grid, self._shared)

    @cached_property
    def _shared(self) -> frozenset[str] | None:
        if self.prompts == "all":
            return None
        return frozenset(shared_prompts(*(side.run.manifest for side in self.members)))

    @property
    def same_prompts(self) -> bool:
        """Whether the runs have the same prompts."""
        old, new = (side.run.manifest.plan.prompts for side in self.members)
        return set(old) == set(new) == set(self.old.prompts)

    @property
    def old(self) -> ClipGrid:
        """The baseline's clips, for the common prompts."""
        return self._grids[0]

    @property
    def new(self) -> ClipGrid:
        """The candidate's clips, for the same prompts in the same order."""
        return self._grids[1]

    @property
    def members(self) -> tuple[Side, Side]:
        """Baseline and candidate."""
        return self.baseline, self.candidate

    @property
    def sides(self) -> tuple[tuple[str, Side], tuple[str, Side]]:
        """Both sides, each with its role."""
        return ("baseline", self.baseline), ("candidate", self.candidate)

    @cached_property
    def same_clips(self) -> NDArray[np.bool_]:
        """Which clips have the same bytes in both runs, shape (prompts, clips per prompt)."""
        old, new = (grid.text("sha256") for grid in self._grids)
        return self.old.made & self.new.made & (old != "") & (old == new)

    @property
    def is_identical(self) -> bool:
        """Whether every clip has the same bytes in both runs."""
        made = self.old.made | self.new.made
        return bool(made.any()) and bool(self.same_clips.sum() == made.sum())

    @property
    def seeds_differ(self) -> str:
        """A note if the runs have different seeds, else ""."""
        seeds = [side.run.manifest.plan.seed for _, side in self.sides]
        if seeds[0] == seeds[1]:
            return ""
        return f"the runs have different seeds ({seeds[0]} and {seeds[1]}): pairs share only their prompt"

    @property
    def simulated_votes(self) -> str:
        """A note if one of the runs has votes of simulated raters, else ""."""
        people = [side.run.summary.people for side in self.members]
        return SIMULATED if any(each and each.simulated for each in people) else ""

    def pairs(self, quantity: Quantity, statistic: Statistic = "mean") -> Paired | NoPairs:
        """All pairs of clips of a quantity. A clip without a value counts as the worst observed value."""
        key = quantity.name, statistic
        if key not in self._pairs:
            human = quantity.kind == "human"
            self._pairs[key] = human_pairs(quantity, self) if human else pair(quantity, self.old, self.new, statistic)
        return self._pairs[key]

    def only(self, categories: set[str]) -> tuple[ClipGrid, ClipGrid]:
        """The clips of both sides for prompts of these categories; all prompts for an empty set."""
        if not categories:
            return self.old, self.new
        keep = np.array([name in categories for name in self.old.categories])
        return self.old.only(keep), self.new.only(keep)


def match(baseline: Run, candidate: Run, prompts: Overlap = "all") -> list[GeneratorPair]:
    """Pair the generators of two runs: the selected ones, the only ones, or those of the same name.

    Args:
        baseline, candidate: The runs.
        prompts: Which prompts the runs must share.

    Raises:
        NotComparable: The candidate does not have a generator of the baseline. The user must name one on each side.
    """
    old, new = list(baseline.generators), list(candidate.generators)
    if candidate.selected and not baseline.selected and candidate.selected in old:
        old = [candidate.selected]
    if baseline.selected and not candidate.selected and baseline.selected in new:
        new = [baseline.selected]
    if len(old) == 1 and len(new) == 1:
        return [GeneratorPair(Side(baseline, old[0]), Side(candidate, new[0]), prompts)]
    lacking = [name for name in old if name not in new]
    if lacking:
        example = f"{candidate.path}:{new[0]}"
        raise NotComparable(
            f'"{candidate.label}" has no generator "{lacking[0]}", which "{baseline.label}" has. '
            f"Name one on each side, such as {baseline.path}:{lacking[0]} {example}"
        )
    return [GeneratorPair(Side(baseline, name), Side(candidate, name), prompts) for name in old]


class Difference(NamedTuple):
    """One difference between two runs."""

    what: str
    baseline: str
    candidate: str
    remedy: str

    def sentence(self) -> str:
        """The difference and its remedy."""
        return f"{self.what} differs: {self.baseline} in the baseline, {self.candidate} in the candidate. {self.remedy}"


def require_comparable(pair: GeneratorPair) -> None:
    """Refuse two generators whose scores are not comparable.

    Raises:
        NotComparable: The message has every difference and a command for each.
    """
    found = list(differences(pair))
    if found:
        listed = "\n  ".join(difference.sentence() for difference in found)
        raise NotComparable(f'"{pair.candidate.name}" cannot be compared with "{pair.baseline.name}".\n  {listed}')


def differences(pair: GeneratorPair) -> Iterator[Difference]:
    """All differences that make the scores of two generators not comparable. Costs are not considered."""
    baseline, candidate = pair.baseline, pair.candidate
    old, new = baseline.run.manifest, candidate.run.manifest
    again = f"Run the candidate with the plan of the baseline: {run_command(baseline.run, candidate)}"
    if pair.prompts != "all":
        if not pair.old.prompts:
            yield Difference("every prompt", _suite(old), _suite(new), again)
    elif old.suite.digest != new.suite.digest:
        yield Difference("the suite", _suite(old), _suite(new), f"{_changed_prompts(old, new)}{again}")
    elif set(old.plan.prompts) != set(new.plan.prompts):
        asked, found = (f"{len(m.plan.prompts)} of {len(m.suite.prompts)} prompts" for m in (old, new))
        yield Difference("the choice of prompts", asked, found, again)
    else:
        counts = [{p: m.plan.clips(p) for p in m.plan.prompts} for m in (old, new)]
        if counts[0] != counts[1]:
            asked, found = (_clips(each) for each in counts)
            yield Difference("the number of clips", asked, found, again)
    if old.plan.reference != new.plan.reference and (pair.prompts != "all" or old.suite.digest == new.suite.digest):
        remedy = f"Score one again: {score_command(candidate.run, reference=old.reference)}"
        yield Difference("the reference of real clips", old.reference or "none", new.reference or "none", remedy)
    if old.plan.backbones != new.plan.backbones:
        asked, found = (f'"{m.plan.backbones}"' for m in (old, new))
        remedy = f"Score one again: {score_command(candidate.run, backbones=old.plan.backbones)}"
        yield Difference("the set of backbones", asked, found, remedy)
    asked, found = (_form(side.definition.clip) for side in (baseline, candidate))
    if asked != found:
        remedy = "Give both definitions the same [clip] and run them again."
        yield Difference("the form of clip", asked, found, remedy)
    yield from _metric_differences(baseline.run, candidate.run)


def _metric_differences(baseline: Run, candidate: Run) -> Iterator[Difference]:
    rescore = f"Score both with one version: {score_command(baseline)}; {score_command(candidate)}"
    for name in [name for name in baseline.metrics if name in candidate.metrics]:
        for key in _METRIC_FIELDS:
            old, new = (getattr(run.metrics[name], key) for run in (baseline, candidate))
            if old != new:
                yield Difference(f'the {key.replace("_", " ")} of the metric "{name}"', f"{old}", f"{new}", rescore)
    old, new = (run.summary.notes.protocol for run in (baseline, candidate))
    if old is not None and new is not None and old != new:
        yield Difference("the scoring protocol", old, new, rescore)


def _suite(manifest: Manifest) -> str:
    return f'"{manifest.suite.name}" {manifest.suite.digest[:8]}'


def _clips(counts: dict[str, int]) -> str:
    least, most = min(counts.values(), default=0), max(counts.values(), default=0)
    return f"{least} per prompt" if least == most else f"{least} to {most} per prompt, {sum(counts.values())} in all"


def _form(clip: ClipSpec | None) -> str:
    if clip is None:
        return "no stated form"
    return f"{clip.frames} frames of {clip.width}x{clip.height} at {clip.fps} per second"


def _changed_prompts(old: Manifest, new: Manifest) -> str:
    before, after = ({p.id: p for p in m.suite.prompts} for m in (old, new))
    changed = sorted(id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_))
    return f'{len(changed)} prompts differ, such as "{changed[0]}". ' if changed else ""


NEEDS_THRESHOLDS = ("usable", "usd_per_usable_clip", "attempts_per_usable_clip")
"""Quantities that depend on the thresholds."""


def _thresholds(run: Run) -> dict[str, tuple[float | None, float | None]]:
    """The stated thresholds. Those from the reference depend on its clips, which the suite's digest covers."""
    stated = run.summary.usable.thresholds.items()
    return {name: (floor.min, floor.max) for name, floor in stated if floor.source != "reference"}


def _thresholds_of(run: Run) -> str:
    """The argument of `--thresholds` for the thresholds of a run."""
    typed = run.manifest.typed
    return typed.thresholds or typed.suite or run.manifest.suite.name


def rate_of(side: Side) -> str:
    """The price of a generator in its run, as text."""
    return describe(side.run.manifest.prices.get(side.generator, Price())) or "no price"


def is_only_reported(quantity: Quantity, pair: GeneratorPair) -> bool:
    """Whether a difference is reported but not judged: no direction, or main memory of two runs.

    Main memory includes the library files that the process reads. Their size differs by hundreds of MiB between
    installations, also for one generator with the same clips.
    """
    old, new = (side.run for side in (pair.baseline, pair.candidate))
    on_cpu = "cpu" in (old.manifest.device.kind, new.manifest.device.kind)
    main_memory = quantity.name == "peak_rss_mb" or (quantity.name == "peak_memory_mb" and on_cpu)
    return quantity.higher_is_better is None or (main_memory and old.path.resolve() != new.path.resolve())


def unlike_for(quantity: Quantity, pair: GeneratorPair) -> str | None:
    """Why a cost or a share is not comparable between the two runs; None if it is. Scores were checked before."""
    baseline, candidate = pair.baseline, pair.candidate
    if quantity.kind == "set" and pair.prompts == "common" and not pair.same_prompts:
        return f'"{quantity.name}" is one value for all prompts of a run, and the runs have different prompts'
    if quantity.name in NEEDS_THRESHOLDS and _thresholds(baseline.run) != _thresholds(candidate.run):
        return (
            "the thresholds of usable clips differ. Score the candidate with those of the baseline: "
            f"{score_command(candidate.run, thresholds=_thresholds_of(baseline.run))}"
        )
    prices = [side.run.manifest.prices.get(side.generator, Price()) for side in (baseline, candidate)]
    hourly = [price.usd_per_device_hour for price in prices]
    bound = quantity.needs_device and (not quantity.needs_price or any(rate is not None for rate in hourly))
    devices = [str(side.run.manifest.device) for side in (baseline, candidate)]
    if bound and devices[0] != devices[1]:
        again = run_command(baseline.run, baseline, out="results/baseline-here")
        return (
            f"the device differs: {devices[0]} in the baseline, {devices[1]} in the candidate. "
            f"Run both on one kind of device, for instance the baseline with: {again}"
        )
    load = load_difference(baseline, candidate) if bound and not quantity.name.startswith("peak_") else None
    if load and load.spoils:
        again = run_command(candidate.run, candidate, out=f"{candidate.run.path}-again")
        return f"{load.sentence}. Run both on a machine without other load, for instance the candidate with: {again}"
    same = baseline.generator == candidate.generator or (hourly[0] is not None and hourly[1] is not None)
    rates = [rate_of(side) for side in (baseline, candidate)]
    if quantity.needs_price and same and rates[0] != rates[1]:
        return (
            f"the price differs: {rates[0]} in the baseline, {rates[1]} in the candidate. "
            f"Use the same --prices FILE for both runs. Time and memory are comparable without it."
        )
    return None
