"""How often the intervals of people's judgements cover the truth, and whether rankings and unsuitable raters are found.

    python benchmarks/review_coverage.py --worlds 1000 --log coverage.jsonl

Raters, prompts and clips are drawn anew in every world. The truth is that of the process: the probability for a new
prompt, clip and attentive rater. Prints the figures of docs/review.md. A cell misses 0.93 to 0.97 only if its 99 %
Monte Carlo interval lies wholly outside. That interval is over worlds, because the three generators of a world share
its draws.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from vbench_lite.analysis.people.crossed import by_clip_weights, fraction
from vbench_lite.analysis.people.preference import fit, strength
from vbench_lite.analysis.people.raters import attentive, rater_summaries
from vbench_lite.analysis.people.tables import pair_table, usable_table
from vbench_lite.review.material import Entry, Material, Slot
from vbench_lite.review.questions import Asking
from vbench_lite.review.simulated import SimulatedRater, simulate
from vbench_lite.run.votes import ClipRef, Mode, Vote, Votes

TRUE = {"a": 0.6, "b": 0.0, "c": -0.6}
"""Generator > mean quality of its clips."""
PROMPT_SD, CLIP_SD = 0.5, 0.6


@dataclass(frozen=True)
class World:
    """What is drawn: so many raters and prompts, and how raters differ."""

    name: str
    raters: int
    prompts: int
    bar_sd: float = 0.3
    """Between raters: the quality from which they keep a clip."""
    side: float = 0.0
    """Added to what is seen of the left clip; 0.4 chooses it in 75 % of the decided votes on equal clips."""
    sided: int | None = None
    """So many raters have the side effect, the last ones; None for all."""
    tie: float = 0.2
    careless: int = 0
    """This many answer without looking."""
    drawn: bool = False
    """Their number is drawn anew, as if each rater answered without looking with probability careless / raters."""


WORLDS = (
    World("1 rater", 1, 24), World("3 raters", 3, 24), World("5 raters", 5, 24), World("5 raters, 60 prompts", 5, 60),
    World("5 raters, side bias 0.4", 5, 24, side=0.4), World("5 raters, many ties", 5, 24, tie=0.8),
    World("8 raters with different thresholds", 8, 24, bar_sd=0.8), World("6 raters, 1 careless", 6, 40, careless=1),
    World("6 raters, each careless with probability 1/6", 6, 40, careless=1, drawn=True),
    World("6 raters, 2 careless", 6, 40, careless=2),
    World("5 raters, 1 with side bias 0.4", 5, 24, side=0.4, sided=1),
    World("5 raters, 60 prompts, 1 with side bias 0.4", 5, 60, side=0.4, sided=1),
)

LARGE = 1000
"""Prompts from which the true strengths are worked out."""


def draw(world: World, rng: np.random.Generator, mode: Mode, bars: np.ndarray | None = None) -> list[Vote]:
    """All votes of one world."""
    entries = tuple(Entry("r", name) for name in TRUE)
    clips = {
        Slot(f"p{n:03d}", 0): {e: ClipRef("r", e.generator, 0, f"{e.generator}{n}") for e in entries}
        for n in range(world.prompts)
    }
    texts = {slot.prompt_id: "" for slot in clips}
    quality = {}
    for made in clips.values():
        hard = PROMPT_SD * rng.normal()
        for clip in made.values():
            quality[clip] = TRUE[clip.generator] + hard + CLIP_SD * rng.normal()
    material = Material(Path(), "r", "r", texts, clips, {}, entries=entries)
    votes = []
    for nth in range(world.raters):
        bar = float(world.bar_sd * rng.normal()) if bars is None else float(bars[nth])
        side = world.side if world.sided is None or nth >= world.raters - world.sided else 0.0
        rater = SimulatedRater(f"r{nth}", side=side, tie=world.tie, bar=bar, careless=nth < world.careless)
        votes += simulate(material, quality, rater, Asking(mode, rater.name, int(rng.integers(2**31))))
    return votes


def kept_truth(world: World, generator: str) -> float:
    """The probability that a new rater keeps a new clip; with fewer than 3 raters, of a rater with the bar 0."""
    spread = (PROMPT_SD**2 + CLIP_SD**2 + 0.5**2 + (world.bar_sd**2 if world.raters >= 3 else 0.0)) ** 0.5
    return float(stats.norm.cdf(TRUE[generator] / spread))


@lru_cache
def strengths_truth(side: float, sided: int | None, tie: float, raters: int) -> dict[str, float]:
    """The strengths that the model converges to, of attentive raters."""
    large = World("truth", raters if sided else 4, LARGE, 0.0, side, sided, tie)
    found = fit(pair_table(draw(large, np.random.default_rng(1), "pairs"), "quality", "r"))
    assert found is not None
    return dict(zip(found.entries, found.strengths.tolist(), strict=True))


def with_careless(world: World, rng: np.random.Generator) -> World:
    return replace(world, careless=int(rng.binomial(world.raters, world.careless / world.raters)))


def hits_usable(world: World, rng: np.random.Generator) -> Iterator[bool]:
    votes_of = with_careless(world, rng) if world.drawn else world
    bars = np.zeros(world.raters) if world.raters < 3 else None
    table = usable_table(attentive(Votes(tuple(draw(votes_of, rng, "usable", bars)))))
    for generator in TRUE:
        mine = table.of_generator("r", generator)
        clusters = table.clusters.only(mine)
        clips = np.unique(table.clip[mine], return_inverse=True)[1]
        found = fraction(table.keep[mine], clusters, by_clip_weights(clusters.prompts, clips))
        assert found.low is not None
        assert found.high is not None
        yield found.low <= kept_truth(world, generator) <= found.high


class Seen(NamedTuple):
    """What one world of pairs shows."""

    hits: list[bool]
    """Whether each strength's interval covers the truth."""
    ranked: bool
    careless_found: float | None
    """Share of the careless raters who are found; None where no rater is careless."""
    wrongly_careless: float | None
    """Share of the attentive raters who are taken for careless."""
    side_found: float | None
    wrongly_sided: float | None


def see_pairs(world: World, rng: np.random.Generator) -> Seen:
    """Draws one world of pairs."""
    truth = strengths_truth(world.side, world.sided, world.tie, world.raters if world.sided else 0)
    votes_of = with_careless(world, rng) if world.drawn else world
    votes = tuple(draw(votes_of, rng, "pairs"))
    raters = rater_summaries(votes, [])
    careless = {rater.name for rater in raters if rater.careless}
    table = pair_table([vote for vote in votes if vote.rater not in careless], "quality", "r")
    found = fit(table)
    assert found is not None
    known = {name: strength(found, table, nth) for nth, name in enumerate(found.entries)}
    hits = [bool(e.low <= truth[n] <= e.high) for n, e in known.items() if e.low is not None and e.high is not None]
    order = [found.entries[n] for n in np.argsort(-found.strengths)] == list(TRUE)
    flags, sides = [bool(rater.careless) for rater in raters], [rater.prefers_side == "left" for rater in raters]
    count = votes_of.careless
    start = len(raters) - (world.sided or len(raters)) if world.side else len(raters)
    return Seen(
        hits, order, mean_of(flags[:count]), mean_of(flags[count:]), mean_of(sides[start:]),
        mean_of([rater.prefers_side is not None for rater in raters[count:start]]),
    )


def mean_of(flags: list[bool]) -> float | None:
    return float(np.mean(flags)) if flags else None


def share(found: Iterable[float | None]) -> str:
    known = [each for each in found if each is not None]
    return f"{np.mean(known):.3f}" if known else "-"


def cell(hits: list[list[bool]]) -> str:
    """A coverage with its 99 % Monte Carlo interval over worlds; marked where that lies wholly outside 0.93 to 0.97."""
    shares = np.array([np.mean(world) for world in hits if world])
    half = stats.t.ppf(0.995, len(shares) - 1) * shares.std(ddof=1) / len(shares) ** 0.5
    mean = shares.mean()
    return f"{mean:.3f} ± {half:.3f}" + ("" if mean - half <= 0.97 and mean + half >= 0.93 else " (misses)")


def seen_worlds(world: World, count: int, log: Path | None) -> list[dict[str, Any]]:
    """What each of `count` drawn worlds shows: from the log as far as it goes, the rest drawn and added to it."""
    lines = log.read_text().splitlines() if log and log.exists() else []
    found = [row for row in map(json.loads, lines) if row["world"] == world.name][:count]
    for nth in range(len(found), count):
        rng = np.random.default_rng([7, WORLDS.index(world), nth])
        found.append({"world": world.name, "usable": list(map(bool, hits_usable(world, rng)))})
        found[-1] |= see_pairs(world, rng)._asdict()
        if log:
            with log.open("a") as file:
                file.write(json.dumps(found[-1]) + "\n")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=400)
    parser.add_argument("--only", default="", help="worlds whose name contains this text")
    parser.add_argument("--log", type=Path, help="what was drawn, one line a world; the next call goes on from there")
    given = parser.parse_args()
    print("| world | usable by simulated raters | strength | true ranking | careless found | falsely careless "
          "| side bias found | falsely named |\n|---|---|---|---|---|---|---|---|")
    for world in (world for world in WORLDS if given.only in world.name):
        seen = seen_worlds(world, given.worlds, given.log)
        shares = [share(each[name] for each in seen) for name in Seen._fields[1:]]
        cells = [cell([each[name] for each in seen]) for name in ("usable", "hits")]
        print(f"| {world.name} | {' | '.join([*cells, *shares])} |", flush=True)


if __name__ == "__main__":
    main()
