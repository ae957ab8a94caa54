"""People's votes on two generators, prompt by prompt, for `compare` and the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vbench_lite.analysis.paired import Counted, NoPairs, Paired
from vbench_lite.analysis.people.crossed import Clusters, by_clip_weights, spread
from vbench_lite.analysis.people.raters import attentive
from vbench_lite.analysis.people.tables import POINTS
from vbench_lite.analysis.quantities import Quantity
from vbench_lite.escaping import vbench_command
from vbench_lite.run.votes import QUESTIONS, Vote, read_votes
from vbench_lite.stats import Array

if TYPE_CHECKING:
    from vbench_lite.analysis.comparable import GeneratorPair
    from vbench_lite.run.view import Side

Content = tuple[str, str, str]
"""(generator, prompt, sha256): identifies a clip in any run, also in a promoted baseline."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """One value per vote."""

    prompts: Sequence[str]
    raters: Sequence[str]
    clips: Sequence[Content]
    values: Array

    @property
    def mean_and_influence(self) -> tuple[float, Array]:
        """The mean over prompts, clips and votes, and the influence of each vote on it."""
        clusters = Clusters.of(self.prompts, self.raters)
        place = {clip: nth for nth, clip in enumerate(sorted(set(self.clips)))}
        weights = by_clip_weights(clusters.prompts, np.array([place[clip] for clip in self.clips], np.intp))
        weights = weights / weights.sum()
        mean = float(weights @ self.values)
        return mean, weights * (self.values - mean)

    def by_prompt(self, prompts: Sequence[str]) -> Array:
        """Per prompt: the mean over clips of the mean of their votes."""
        found = []
        for prompt in prompts:
            here = [nth for nth, each in enumerate(self.prompts) if each == prompt]
            clips = {self.clips[nth] for nth in here}
            means = [np.mean([self.values[nth] for nth in here if self.clips[nth] == clip]) for clip in sorted(clips)]
            found.append(float(np.mean(means)))
        return np.array(found)

    def only(self, prompts: set[str]) -> _Rows:
        keep = [nth for nth, prompt in enumerate(self.prompts) if prompt in prompts]
        return _Rows(
            [self.prompts[n] for n in keep], [self.raters[n] for n in keep], [self.clips[n] for n in keep],
            self.values[keep],
        )  # fmt: skip


def human_pairs(quantity: Quantity, pair: GeneratorPair) -> Paired | NoPairs:
    """People's votes on a candidate and its baseline. Clips without votes are left out and do not count as bad.

    Usability is compared over the prompts that were judged in both runs. Preference uses only votes that showed these
    two side by side. The variance of the gains is that over prompts and raters.
    """
    if quantity.name == "human_preference":
        return _preferred(quantity, pair)
    votes = _votes(pair)
    sides = [_kept(side, votes) for side in pair.members]
    shared = set(sides[0].prompts) & set(sides[1].prompts) & set(pair.old.prompts)
    if not shared:
        return NoPairs(f"no prompt has votes in both runs. {_ask(pair, '--usable')}", unmeasured=True)
    old, new = (rows.only(shared) for rows in sides)
    order = [prompt for prompt in pair.old.prompts if prompt in shared]
    (base, of_old), (other, of_new) = old.mean_and_influence, new.mean_and_influence
    clusters = Clusters.of([*old.prompts, *new.prompts], [*old.raters, *new.raters])
    counted = _counted(
        new.by_prompt(order) - old.by_prompt(order), np.concatenate([-of_old, of_new]), clusters,
    )  # fmt: skip
    return _paired(quantity, pair, counted, order, base, other, len(old.values) + len(new.values))


def _preferred(quantity: Quantity, pair: GeneratorPair) -> Paired | NoPairs:
    votes = _votes(pair)
    old, new = (_contents(side, votes) for side in pair.members)
    rows: list[tuple[str, str, Content, float]] = []
    for vote in votes:
        first = next(iter(QUESTIONS["pairs"]))
        if vote.mode != "pairs" or vote.repeat or first not in vote.answers or vote.prompt_id not in pair.old.prompts:
            continue
        left, right = ((clip.generator, vote.prompt_id, clip.sha256) for clip in vote.clips)
        points = POINTS[vote.answers[first]]
        if left in new and right in old:
            rows.append((vote.prompt_id, vote.rater, left, 2 * points - 1))
        elif left in old and right in new:
            rows.append((vote.prompt_id, vote.rater, right, 1 - 2 * points))
    if not rows:
        return NoPairs(f"there are no votes on pairs of these two. {_ask(pair, '--pairs')}", unmeasured=True)
    prompts, raters, clips, values = zip(*rows, strict=True)
    table = _Rows(prompts, raters, clips, np.array(values))
    order = [prompt for prompt in pair.old.prompts if prompt in set(prompts)]
    gain, influence = table.mean_and_influence
    counted = _counted(table.by_prompt(order), influence, Clusters.of(prompts, raters))
    return _paired(quantity, pair, counted, order, (1 - gain) / 2, (1 + gain) / 2, len(rows))


def _paired(
    quantity: Quantity, pair: GeneratorPair, counted: Counted, order: Sequence[str], base: float, other: float,
    votes: int,
) -> Paired:  # fmt: skip
    judged = set(order)
    return Paired(
        quantity=quantity, baseline=base, candidate=other, gains=counted.values, base=np.full(len(order), base),
        spread=float(np.sqrt(base * (1 - base))), gap=1.0, within=None, clips=votes, filled=(0, 0),
        kept=np.array([prompt in judged for prompt in pair.old.prompts], bool), freedom=counted.freedom,
    )  # fmt: skip


def _counted(values: Array, influence: Array, clusters: Clusters) -> Counted:
    """Values per prompt, scaled so that the variance of their mean is that over prompts and raters."""
    found, plain = spread(len(influence) * influence, clusters), float(values.var(ddof=1)) if len(values) > 1 else 0.0
    if found is None or plain <= 0:
        return Counted(values)
    centre = values.mean()
    wider = max(1.0, found.variance * len(values) / plain)
    return Counted(centre + (values - centre) * wider**0.5, min(found.df, len(values) - 1))


def human_values(quantity: Quantity, side: Side) -> Counted | None:
    """People's votes on one generator per prompt, with the variance over prompts and raters; None without votes."""
    votes = attentive(read_votes(side.run.path, {}, ()))
    rows = _kept(side, votes) if quantity.name == "human_usable" else _points(side, votes)
    if not len(rows.values):
        return None
    order = sorted(set(rows.prompts))
    _, influence = rows.mean_and_influence
    return _counted(rows.by_prompt(order), influence, Clusters.of(rows.prompts, rows.raters))


def _kept(side: Side, votes: Sequence[Vote]) -> _Rows:
    mine = _contents(side, votes)
    rows = [
        (vote.prompt_id, vote.rater, content, float(vote.answers["usable"] == "keep"))
        for vote in votes
        for content in [(vote.clips[0].generator, vote.prompt_id, vote.clips[0].sha256)]
        if vote.mode == "usable" and not vote.repeat and content in mine
    ]
    return _rows(rows)


def _points(side: Side, votes: Sequence[Vote]) -> _Rows:
    mine, first = _contents(side, votes), next(iter(QUESTIONS["pairs"]))
    rows = []
    for vote in (vote for vote in votes if vote.mode == "pairs"):
        for nth, clip in enumerate(vote.clips):
            content = (clip.generator, vote.prompt_id, clip.sha256)
            if not vote.repeat and first in vote.answers and content in mine:
                points = POINTS[vote.answers[first]]
                rows.append((vote.prompt_id, vote.rater, content, points if nth == 0 else 1 - points))
    return _rows(rows)


def _rows(rows: Sequence[tuple[str, str, Content, float]]) -> _Rows:
    prompts, raters, clips, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    return _Rows(prompts, raters, clips, np.array(values))


def _contents(side: Side, votes: Sequence[Vote]) -> set[Content]:
    """The current clips of a generator; empty without votes."""
    if not votes:
        return set()
    digests, made = side.grid.text("sha256"), side.grid.made
    return {
        (side.generator, prompt, str(digests[nth, k]))
        for nth, prompt in enumerate(side.grid.prompts) for k in range(made.shape[1]) if made[nth, k]
    }  # fmt: skip


def _votes(pair: GeneratorPair) -> list[Vote]:
    """The votes of attentive raters of both runs, without duplicates."""
    folders = {str(side.run.path.resolve()): side.run.path for side in pair.members}
    found = {
        (vote.rater, vote.id): vote for path in folders.values() for vote in attentive(read_votes(path, {}, ()))
    }
    return list(found.values())


def _ask(pair: GeneratorPair, mode: str) -> str:
    paths = dict.fromkeys(side.run.path for side in reversed(pair.members))
    return f"Collect votes with: {vbench_command('review', *paths, *mode.split())}"
