"""The clips of a report: by prompt and generator, worst first, and the best and the worst of each generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vbench_lite import formatting as words
from vbench_lite.analysis.answers.unevenness import only_here
from vbench_lite.analysis.people.by_clip import ClipVotes, votes_by_clip
from vbench_lite.records import MetricInfo, Prompt, ReasonCode
from vbench_lite.report import glossary
from vbench_lite.report.answers.unevenness_and_work import is_close
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.formats.media import Media, clip_id
from vbench_lite.report.links import clip_address
from vbench_lite.run.summary import Floor
from vbench_lite.run.view import Run
from vbench_lite.stats import Array


@dataclass(frozen=True)
class ClipCard:
    """One clip on the page."""

    id: str
    entry: GeneratorResult
    prompt: str
    row: int
    """Row of its prompt in the generator's grids."""
    index: int
    status: str
    """"ok", "failed" or "missing"."""
    usable: bool | None
    """Whether it is usable; None if usability is not evaluated."""
    codes: Sequence[str]
    """Why it is not usable, as in `unusable_codes`: "frozen", "below_threshold:detail"."""
    because: Sequence[str]
    """The same reasons for people, each as "<metric>: <words>"."""
    reason: str
    """The reason why there is no clip."""
    source: str
    """Address of the clip, if it is not embedded in the page."""
    prompt_id: str = ""
    votes: ClipVotes | None = None
    """Votes on the clip; None if there are none."""

    @property
    def seed(self) -> str:
        """Identifies the clip among the clips of its prompt: its seed, or "clip-2" if the seed is not unique."""
        seeds = self.entry.grid.text("seed")[self.row].tolist()
        mine = seeds[self.index]
        return str(mine) if mine and seeds.count(mine) == 1 else f"clip-{self.index + 1}"

    @property
    def link(self) -> str:
        """Identifies the clip in the address of the page, the same in every report with it."""
        return clip_address(self.entry.run.manifest.suite.name, self.entry.label, self.prompt_id, self.seed)

    @property
    def made(self) -> bool:
        return self.status == "ok"

    @property
    def kinds(self) -> list[str]:
        """Why it is not usable: names of metrics, and codes that belong to no metric."""
        return [token.partition(":")[2] or token for token in self.codes]

    def title_of(self, kind: str) -> str:
        """The title of a metric or a code."""
        return glossary.title(kind, self.entry.run.metrics)

    @property
    def state(self) -> str:
        if not self.made:
            return self.status
        if self.usable is None:
            return "unjudged"
        return "usable" if self.usable else "close" if is_close(self.codes) else "unusable"

    @property
    def says(self) -> str:
        """Why it is not usable, in words."""
        if not self.made:
            return f"{self.status}: {self.reason}" if self.reason else self.status
        if self.usable is None:
            return "not judged"
        return "usable" if self.usable else "; ".join(_reworded(text, self.entry.run.metrics) for text in self.because)

    @property
    def brief(self) -> str:
        """The reasons in short: one reason with its figures, or the names of several."""
        if len(self.codes) < 2 or not self.made:
            return self.says
        return ", ".join(glossary.inline(self.title_of(kind)) for kind in self.kinds)


def _reworded(because: str, metrics: Mapping[str, MetricInfo]) -> str:
    name, _, rest = because.partition(": ")
    title = glossary.inline(glossary.title(name, metrics))
    return f"{title} {rest.replace(' is below ', ' < ').replace(' is above ', ' > ')}"


@dataclass(frozen=True)
class PromptRow:
    """One prompt with the clips of all generators."""

    prompt: Prompt
    cards: Sequence[ClipCard]
    """The clips of all generators, one generator after the other."""
    worst: float
    """Sort key: the worst first, by usable clips, then by mean rank."""
    apart: float
    """Sort key: prompts with the largest differences between generators first."""


@dataclass(frozen=True)
class ClipBoard:
    """Arranges the clips of a scenario."""

    scenario: SuiteResult
    media: Media

    @cached_property
    def votes(self) -> Mapping[Run, Mapping[tuple[str, str, int], ClipVotes]]:
        """People's votes on the clips of each run."""
        return {run: votes_by_clip(run) for run in {entry.run for entry in self.scenario.entries}}

    @cached_property
    def ranks(self) -> list[Array]:
        """Mean rank of every clip over the metrics, by entry: from 0 (worst) to 1 (best), -1 if there is no clip."""
        entries = self.scenario.entries
        total = [np.zeros(e.usable.shape) for e in entries]
        count = [np.zeros(e.usable.shape) for e in entries]
        for metric in self.scenario.per_clip:
            sign = 1.0 if self.scenario.higher_is_better(metric) else -1.0
            grids = [sign * e.scores(metric) for e in entries]
            pool = np.sort(np.concatenate([g[np.isfinite(g)] for g in grids]))
            for nth, grid in enumerate(grids):
                known = np.isfinite(grid)
                total[nth][known] += np.searchsorted(pool, grid[known], side="right") / max(1, len(pool))
                count[nth] += known
        return [
            np.where(e.grid.made, np.divide(t, c, out=np.zeros_like(t), where=c > 0), -1.0)
            for e, t, c in zip(entries, total, count, strict=True)
        ]

    def card(self, entry: GeneratorResult, row: int, index: int, prompt: str) -> ClipCard:
        grid = entry.grid
        because, codes = (str(grid.text(name)[row, index]) for name in ("unusable_because", "unusable_codes"))
        id_ = clip_id(entry, row, index)
        usable = entry.usable[row, index]
        status = "missing" if grid.missing[row, index] else str(grid.text("status")[row, index])
        return ClipCard(
            id_, entry, prompt, row, index, status, bool(usable) if np.isfinite(usable) else None,
            codes.split(";") if codes else [], because.split("; ") if because else [],
            str(grid.text("reason")[row, index]) if status == ReasonCode.FAILED else "", self.media.source(id_),
            grid.prompts[row], self.votes[entry.run].get((entry.name, grid.prompts[row], index)),
        )  # fmt: skip

    def cards(self, entry: GeneratorResult, row: int, prompt: str) -> list[ClipCard]:
        """The requested clips of one prompt."""
        return [self.card(entry, row, int(k), prompt) for k in np.flatnonzero(entry.grid.asked[row])]

    @cached_property
    def rows(self) -> list[PromptRow]:
        """Every prompt that all entries share, in the order of the suite."""
        places = [{p: i for i, p in enumerate(e.grid.prompts)} for e in self.scenario.entries]
        rows = []
        for prompt in self.scenario.prompts:
            cards, usable, ranks = [], [], []
            for entry, place, rank in zip(self.scenario.entries, places, self.ranks, strict=True):
                row = place[prompt.id]
                cards += self.cards(entry, row, prompt.text)
                usable.append(float(np.nan_to_num(entry.usable[row]).mean()))
                ranks.append(float(rank[row].mean()))
            apart = max(usable) - min(usable) + (max(ranks) - min(ranks)) / 10
            worst = round(min(usable) + float(np.mean(ranks)) / 10, 5)
            rows.append(PromptRow(prompt, cards, worst, round(-apart, 5)))
        return rows

    def highlights(self) -> list[tuple[GeneratorResult, list[tuple[str, ClipCard]]]]:
        """The best and the worst clip of each generator by mean rank. Failed clips have no picture and are left out."""
        text = {p.id: p.text for p in self.scenario.suite.prompts}
        found = []
        for entry, ranks in zip(self.scenario.entries, self.ranks, strict=True):
            if not entry.grid.made.any():
                continue
            pair = []
            for name, extreme in (("best", ranks), ("worst", np.where(ranks < 0, np.inf, ranks))):
                flat = int(np.argmax(extreme) if name == "best" else np.argmin(extreme))
                row, index = divmod(flat, ranks.shape[1])
                pair.append((name, self.card(entry, row, index, text.get(entry.grid.prompts[row], ""))))
            found.append((entry, pair))
        return found


def clip_facts(card: ClipCard) -> list[tuple[str, str]]:
    """Facts about a clip in the viewer, except scores: names and values, without unknown ones."""
    grid, row, index = card.entry.grid, card.row, card.index
    seed, cost, frames, height, width, fps = (
        str(grid.text(name)[row, index]) for name in ("seed", "cost_usd", "frames", "height", "width", "fps")
    )
    size = f"{frames} frames, {width} {words.TIMES} {height}, {float(fps):g} fps" if frames and width and fps else ""
    found = (
        *_vote_facts(card.votes or ClipVotes()),
        ("Prompt", card.prompt_id), ("Seed", seed), ("Cost", f"${words.plain(float(cost))}" if cost else ""),
        ("Clip", size), ("File", str(grid.text("path")[row, index]) if card.made else ""),
    )  # fmt: skip
    return [(name, value) for name, value in found if value]


def _vote_facts(votes: ClipVotes) -> Iterator[tuple[str, str]]:
    """The votes to keep or reject the clip, and the results of its comparisons."""
    people = "simulated raters" if votes.simulated else "people"
    if asked := votes.kept + votes.rejected:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in votes.reasons.most_common())
        yield f"Kept by {people}", f"{votes.kept} of {asked}" + (f"; rejected for: {reasons}" if reasons else "")
    if votes.better + votes.equal + votes.worse:
        yield f"Compared by {people}", f"better in {votes.better}, equal in {votes.equal}, worse in {votes.worse}"


def needs(floor: Floor | None) -> str:
    """A threshold in words."""
    if floor is None:
        return ""
    sides = ((floor.min, "at least"), (floor.max, "at most"))
    return " and ".join(f"{says} {limit:.4g}" for limit, says in sides if limit is not None)


@dataclass(frozen=True)
class Gap:
    """Prompts for which one generator has no usable clip but another has."""

    entry: GeneratorResult
    others: str
    prompts: Sequence[Prompt]

    @property
    def count(self) -> int:
        return len(self.prompts)


def gaps(scenario: SuiteResult) -> list[Gap]:
    """For every ordered pair of generators: the prompts for which only the second has a usable clip."""
    found = []
    ids = [p.id for p in scenario.prompts]
    usable = {}
    for entry in scenario.entries:
        place = {p: i for i, p in enumerate(entry.grid.prompts)}
        usable[entry] = entry.usable[[place[i] for i in ids]] == 1
    for entry in scenario.entries:
        for other in scenario.entries:
            rows = np.flatnonzero(only_here(usable[entry], usable[other])).tolist() if other is not entry else []
            if rows:
                found.append(Gap(entry, other.label, [scenario.prompts[i] for i in rows]))
    return found
