"""Every figure of the analysis of some fixed runs: see `tests.analysis.figures`."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analysis.figures import require_expected
from tests.analysis.people.voting import choice, look
from tests.built_runs import Fake, build_run
from tests.gate.releases import Scores, write
from vbench_lite.analysis.answers.leads import find_leads, find_ranks
from vbench_lite.analysis.answers.unevenness import best_of_curve, spread, worst_tenth
from vbench_lite.analysis.card import run_card
from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.compare import compare_runs
from vbench_lite.analysis.cost import economics
from vbench_lite.analysis.family import family_of_run
from vbench_lite.analysis.paired import NoPairs, Paired, pair, ratio_influence, scored_pairs
from vbench_lite.analysis.people.by_clip import votes_by_clip
from vbench_lite.analysis.people.paired import human_values
from vbench_lite.analysis.people.results import refresh
from vbench_lite.analysis.quantities import HUMAN, RATIOS, quantities
from vbench_lite.analysis.releases import release_history
from vbench_lite.analysis.summary import summarise
from vbench_lite.gate.baselines.baseline import Promotion, promote
from vbench_lite.run.view import Run, Side, open_run
from vbench_lite.run.votes import ClipRef, ReviewRate, write_rate, write_vote

FAKES = (
    Fake("a", failed=[(0, 0), (3, 1)], missing=[(1, 0)]), Fake("b", skill=0.6, gpu=True, device_s=36.0),
    Fake("c", "transformer", skill=-0.8, usd_per_device_hour=None, device_s=0.2),
)  # fmt: skip


def scored(folder: Path, prompts: int = 9) -> Run:
    built = build_run(folder / "run", prompts=prompts, generators=FAKES, video=False)
    summarise(built.folder, built.scored)
    return open_run(folder / "run")


def of_summary(folder: Path) -> Any:
    run = scored(folder)
    with run.folder.table_path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["prompt_id"] < "p002"]
    return run.summary, rows


def of_card(folder: Path) -> Any:
    return dataclasses.replace(run_card(scored(folder, 3)), software={}, commands=(), prompts=())


def of_family(folder: Path) -> Any:
    """Three generators of one run: every comparison, who leads, and the ranks."""
    run = scored(folder)
    sides, family = [Side(run, name) for name in run.generators], family_of_run(run)
    leads = {
        name: (lead.first.generator, lead.second and lead.second.generator, lead.verdict, lead.comparison)
        for name, lead in find_leads(sides, family).items() if name in ("usable", "detail", "fvd", "device_s_per_clip")
    }  # fmt: skip
    known = quantities(run.metrics)
    ranks = [
        [(s.generator, rank) for s, rank in find_ranks(known[n], sides, family).items()] for n in ("detail", "fvd")
    ]
    return family.size, [table for table in family.tables if "fvd" in table], leads, ranks


def worse(scores: Scores, categories: np.ndarray) -> None:
    scores["detail"] -= 0.05
    scores["warp_error"][:3] *= 2
    scores["conformance"][5, 1] = 0


def releases(folder: Path, **more: Any) -> GeneratorPair:
    gone = {"failed": lambda prompt, clip: prompt % 7 == clip, "missing": lambda prompt, clip: prompt == 11}
    old = write(folder / "old", failed=lambda prompt, clip: (prompt, clip) == (4, 1), **more)
    new = write(folder / "new", weights="b", seed=1, worsen=worse, device_s=0.6, **gone, **more)
    return GeneratorPair(Side(open_run(old), "model"), Side(open_run(new), "model"))


def of_compare(folder: Path) -> Any:
    both = releases(folder, prompts=20)
    (found,) = compare_runs(both.baseline.run, both.candidate.run)
    run = scored(folder, 7)
    own = [
        {row.metric: (row.difference, row.low, row.high, row.words, row.p_adjusted) for row in pair.comparisons}
        for one, other in ("ab", "ca") for pair in compare_runs(run.selecting(one), run.selecting(other))
    ]  # fmt: skip
    return found, len(found.notes), own


def of_pairs(folder: Path, kinds: tuple[str, ...] = ("score", "cost", "share", "ratio"), **more: Any) -> Any:
    """Every quantity of two releases as it is paired, for the gate and for reading."""
    both, found = releases(folder, **more), {}
    for name, quantity in quantities(both.baseline.run.metrics).items():
        if quantity.kind in kinds and name not in ("clip_frames", "clip_text", "wall_s_per_clip"):
            made = [
                pair(quantity, both.old, both.new), pair(quantity, both.old, both.new, "worst-decile"),
                scored_pairs(quantity, both.old, both.new),
            ]  # fmt: skip
            found[name] = [
                each
                if isinstance(each, NoPairs)
                else dataclasses.asdict(each) | {"quantity": None, "few": each.too_few}
                for each in made
            ]
    return found, [ratio_influence(ratio, grid) for ratio in RATIOS for grid in (both.old, both.new)]


def numbers(found: Paired | NoPairs) -> Any:
    """Pairs without their quantity."""
    if isinstance(found, NoPairs):
        return found
    return dataclasses.asdict(found) | {"quantity": None, "few": found.too_few}


def of_batches(folder: Path) -> Any:
    return [of_pairs(folder / str(batch), ("cost", "ratio"), prompts=24, batch=batch) for batch in (4, 12)]


def of_releases(folder: Path) -> Any:
    write(folder / "v1", prompts=12, manifest={"created": "2026-11-01T10:00:00Z"})
    promote(Promotion(str(folder / "v1"), "first", "Ana", folder / "baseline"))
    prices = {"model": {"usd_per_device_hour": 0.2}}
    later = {"created": "2026-11-02T10:00:00Z", "prices": prices}
    write(folder / "v2", prompts=14, weights="b", manifest=later, metric={"version": "2"}, worsen=worse)
    return release_history(folder)


def of_economics(folder: Path) -> Any:
    rng, found = np.random.default_rng(0), []
    for prompts, clips, batch in ((12, 2, 1), (12, 2, 4), (12, 2, 12), (1, 4, 1), (8, 1, 1)):
        of = [f"p{nth // clips:02d}" for nth in range(prompts * clips)]
        walls = np.repeat(rng.lognormal(size=len(of) // batch), batch).tolist()
        costs: list[float | None] = [0.002 * wall for wall in walls]
        costs[1] = None
        usable = (rng.random(len(of)) < 0.7).tolist()
        none, scores = [False] * len(of), [*rng.normal(size=len(of) - 1).tolist(), None]
        flags = [float(flag) for flag in usable]
        found.append([
            economics.mean(scores, of, "none"), economics.mean(flags, of, "none"),
            economics.measured_mean(costs, of, walls, "none"), economics.measured_mean(walls, of, walls, "none"),
            economics.measured_mean([250 * wall for wall in walls], of, walls, "none", power=True),
            economics.highest(costs, "none"), economics.attempts_per_usable(usable, of),
            economics.attempts_per_usable(none, of), economics.cost_per_usable(costs, usable, of, "none"),
            economics.cost_per_usable(costs, usable, of, "none", walls),
            economics.cost_per_usable(costs, none, of, "none", walls),
            economics.cost_per_usable([0.0] * len(of), usable, of, "none", walls),
            economics.share_of(usable, of, 0.8), economics.share_of_prompts(np.array(flags) / 2, 0.8),
        ])  # fmt: skip
    return found


def of_unevenness(folder: Path) -> Any:
    rng = np.random.default_rng(3)
    mine, other = (rng.normal(size=(12, 3)) + rng.normal(size=(12, 1)) for _ in range(2))
    mine[2, 1] = mine[3] = np.nan
    flags = np.where(np.isnan(mine), np.nan, mine > 0)
    curves = [best_of_curve(mine), best_of_curve(mine, higher_is_better=False), best_of_curve(flags)]
    return worst_tenth(mine, True), worst_tenth(mine, False), spread(mine, [other, -other]), spread(mine), curves


RATERS = ("ann", "bob", "cem", "dee", "lazy")
SKILL = {"a": 0.0, "b": 0.9, "c": -0.7, "d": 0.0}
"""Generator d has no vote."""


def hand_made(folder: Path, names: str, first: int) -> tuple[Run, dict[tuple[str, str, str], str]]:
    """A scored run whose clips have numbers in place of digests: (run, generator, prompt) > digest."""
    fakes = [Fake(name, skill=SKILL[name]) for name in names]
    built, digests = build_run(folder, prompts=14, clips=1, generators=fakes, video=False), {}
    for nth, record in enumerate(list(built.folder.records()), first):
        digests[folder.name, record.generator, record.prompt_id] = f"{nth:064d}"
        built.folder.write_record(dataclasses.replace(record, sha256=f"{nth:064d}"))
    summarise(built.folder, built.scored)
    return open_run(folder), digests


def judged(folder: Path) -> Run:
    """A run that five raters judged beside another one; one of them always takes the left clip."""
    run, digests = hand_made(folder / "r", "abcd", 0)
    digests |= hand_made(folder / "s", "a", 500)[1]
    rng = np.random.default_rng(7)

    def cast(vote: Any, id_: str, **more: Any) -> None:
        clips = tuple(dataclasses.replace(c, sha256=digests[c.run, c.generator, vote.prompt_id]) for c in vote.clips)
        write_vote(run.path, dataclasses.replace(vote, id=f"{vote.prompt_id}{id_}", clips=clips, **more))

    for who in RATERS:
        for prompt in run.manifest.plan.prompts:
            worth = {name: skill + rng.normal() for name, skill in {**SKILL, "s:a": -0.4}.items()}
            for nth, (left, right) in enumerate((("a", "b"), ("c", "b"), ("a", "c"), ("s:a", "a"))):
                gap = worth[left] - worth[right]
                undecided = "same" if nth else "neither"
                answer = "left" if who == "lazy" or gap > 0.3 else "right" if gap < -0.3 else undecided
                vote = choice(prompt, left, right, answer, rater=who, seconds=4.0 + nth)
                also = {"prompt": "left" if gap > 0 else "right"} if nth == 1 else {}
                cast(vote, f"{nth}aa", answers=vote.answers | also)
            for name in "abc":
                keep = worth[name] > -0.5
                vote = look(prompt, keep, rater=who, generator=name, seconds=3.0 + worth[name] if keep else None)
                reasons = () if keep else ("flicker or jumps",)
                cast(vote, f"{name}aa", reasons=reasons)
                if prompt < "p004":
                    cast(vote, f"{name}re", repeat=True, answers={"usable": "reject"}, reasons=("too short",))
            other = look(prompt, who > "bob", rater=who, generator="a")
            cast(dataclasses.replace(other, clips=(ClipRef("s", "a", 0, ""),)), "saa", reasons=("flicker or jumps",))
    write_rate(run.path, ReviewRate(30.0, source="a test"))
    refresh(run.folder)
    return open_run(run.path)


def of_people(folder: Path) -> Any:
    run = judged(folder)
    sides = [Side(run, name) for name in run.generators]
    other = Side(open_run(folder / "s"), "a")
    pairs = [GeneratorPair(*both) for both in (sides[:2], sides[1:3], sides[:2][::-1], (other, sides[0]), sides[2:])]
    human = [numbers(each.pairs(q)) for each in pairs for q in HUMAN]
    table = run.folder.table_path.read_text().splitlines()
    own = {
        name: ([found.scores[q.name] for q in HUMAN], found.cost["usd_per_usable_clip_with_review"])
        for name, found in run.summary.generators.items()
    }  # fmt: skip
    clips = {"-".join(map(str, key)): votes for key, votes in list(votes_by_clip(run).items())[:6]}
    alone = [human_values(quantity, side) for quantity in HUMAN for side in sides]
    return run.summary.people, own, human, alone, clips, [line.split(",")[-2:] for line in table[:4]]


CASES: dict[str, Callable[[Path], Any]] = {
    "summary": of_summary, "card": of_card, "family": of_family, "compare": of_compare,
    "pairs": lambda folder: of_pairs(folder, prompts=30), "batches": of_batches, "releases": of_releases,
    "economics": of_economics, "unevenness": of_unevenness, "people": of_people,
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_figure_is_the_expected_one(name: str, tmp_path: Path) -> None:
    require_expected(name, CASES[name](tmp_path))
