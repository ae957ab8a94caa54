"""How often intervals hold the truth, by simulation: the tables of
docs/explanation/distances.md, each with the time it took.

    python benchmarks/interval_coverage.py                                     all tables
    python benchmarks/interval_coverage.py --table fvd --clips 64 --runs 400   one of them, other numbers

Features are drawn from distributions whose distance is known, scores from distributions whose mean is.
"Interval" is how far it reaches down and up on average, "covered" the share of 95 % intervals that hold the truth,
and below the table stand two standard errors of a share of 0.95 in as many runs. Nothing is left out: intervals
that come with a reason count, and "with a reason" is the share of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import click
import numpy as np
from bootstrap import resampled_distances
from coverage_cases import (
    Array,
    Case,
    cases,
    collapsed,
    collapsed_truth,
    frechet_truth,
    kernel_truth,
    noise,
    spread,
)

from vbench_lite.analysis.cost.economics import share_of
from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.intervals import DistanceInterval
from vbench_lite.distances.kernel import kernel_interval
from vbench_lite.stats import Interval, clustered_mean

RUNS = {24: 80, 64: 80, 80: 80, 256: 24}
"""Of a case with so many clips, where --runs does not say: what a quarter of an hour is enough for."""
KINDS = ("heavy", "skewed", "cut off", "clusters")


class Size(NamedTuple):
    clips: int
    values: int
    runs: int


class Found(NamedTuple):
    """What simulated intervals came to."""

    truth: float
    values: Array
    down: float
    up: float
    covered: float
    with_reason: float

    @classmethod
    def of(cls, truth: float, intervals: list[DistanceInterval] | list[Interval]) -> Found:
        ends = np.array([(f.low if f.low is not None else np.nan, f.high if f.high is not None else np.nan)
                         for f in intervals])  # fmt: skip
        covered = np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 1]))
        with_reason = np.mean([getattr(f, "reason", None) is not None for f in intervals])
        values = np.array([f.value for f in intervals])
        down, up = values - ends[:, 0], ends[:, 1] - values
        return cls(truth, values, float(np.nanmean(down)), float(np.nanmean(up)), float(covered), float(with_reason))

    def cells(self) -> str:
        mean, deviation = self.values.mean(), self.values.std()
        ends = f"{-self.down:+.3f} {self.up:+.3f}"
        return f"{self.truth:.3f} | {mean:.3f} | {deviation:.3f} | {ends} | {self.covered:.3f} | {self.with_reason:.2f}"


def generator(seed: int, *place: int) -> np.random.Generator:
    return np.random.default_rng([seed, *place])


def drawn(case: Case, clips: int, kind: str, rng: np.random.Generator) -> tuple[Array, Array]:
    values = len(case.shift)
    one, two = (noise(kind, clips, values, rng) for _ in range(2))
    return spread(one, case.first), spread(two, case.second) + case.shift


def fvd_rows(size: Size, seed: int) -> Iterator[str]:
    for place, case in enumerate(cases(size.values)):
        plain, found = [], []
        for run in range(size.runs):
            x, y = drawn(case, size.clips, "normal", generator(seed, size.clips, run, place))
            plain.append(frechet_distance(generated=x, reference=y))
            found.append(corrected_interval(x, y))
        name = case.name + (" (not developed on)" if case.unseen else "")
        yield f"{name} | {size.clips} | {np.mean(plain):.2f} | {Found.of(frechet_truth(case), found).cells()}"


def collapsed_rows(size: Size, seed: int) -> Iterator[str]:
    """A share of the generated clips is one and the same."""
    for row, name in enumerate(("the same distribution, 1/i", "twice the variance, 1/i")):
        case = next(c for c in cases(size.values) if c.name == name)
        for place, share in enumerate((0.05, 0.1, 0.25)):
            found = []
            for run in range(size.runs):
                rng = generator(seed, size.clips, run, row, place)
                x, y = drawn(case, size.clips, "normal", rng)
                found.append(corrected_interval(collapsed(x, share, rng), y))
            yield f"{share:.0%}; {name} | {size.clips} | {Found.of(collapsed_truth(case, share), found).cells()}"


def sizes_rows(size: Size, seed: int) -> Iterator[str]:
    """Prompts with 1 to 6 clips, on both sides or on their own; half of the variance lies between them."""
    groups = np.repeat(np.arange(size.clips), np.resize([1, 1, 2, 3, 6], size.clips))[: size.clips]
    prompts = [f"p{group}" for group in groups]
    for row, name in enumerate(("equal, 1/i", "twice the variance, 1/i", "turned at random, 1/i")):
        case = next(c for c in cases(size.values) if c.name == name)
        for both in (False, True):
            found = []
            for run in range(size.runs):
                rng = generator(seed, size.clips, run, row, int(both))
                levels = rng.normal(size=(2, groups[-1] + 1, size.values))
                one, two = (0.5**0.5 * (level[groups] + rng.normal(size=(size.clips, size.values)))
                            for level in (levels[0], levels[0 if both else 1]))  # fmt: skip
                x, y = spread(one, case.first), spread(two, case.second) + case.shift
                found.append(corrected_interval(x, y, prompts, prompts if both else [f"r{g}" for g in groups]))
            title = f"{name}; {'the same' if both else 'other'} prompts"
            yield f"{title} | {size.clips} | {Found.of(frechet_truth(case), found).cells()}"


def bootstrap_rows(size: Size, seed: int) -> Iterator[str]:
    """The percentile interval of the plain distance, which holds nothing, for comparison."""
    case = next(c for c in cases(size.values) if c.name == "equal, 1/i")
    found = []
    for run in range(min(size.runs, 20)):
        x, y = drawn(case, size.clips, "normal", generator(seed, size.clips, run))
        low, high = np.quantile(resampled_distances(x, y, 200, run), [0.025, 0.975])
        found.append(Interval(frechet_distance(generated=x, reference=y), float(low), float(high)))
    yield f"{case.name} | {size.clips} | {Found.of(frechet_truth(case), found).cells()}"


def kinds_rows(size: Size, seed: int) -> Iterator[str]:
    """Features that are not normal."""
    chosen = ("equal, 1/i", "twice the variance, 1/i", "slightly turned, 1/i")
    for row, case in enumerate(c for c in cases(size.values) if c.name in chosen):
        for place, kind in enumerate(KINDS):
            places = ((seed, size.clips, run, row, place) for run in range(size.runs))
            found = [corrected_interval(*drawn(case, size.clips, kind, generator(*place))) for place in places]
            yield f"{kind}; {case.name} | {size.clips} | {Found.of(frechet_truth(case), found).cells()}"


def prompts_rows(size: Size, seed: int) -> Iterator[str]:
    """Two clips a prompt: half of the variance lies between prompts, which both sides share or do not share."""
    case = next(c for c in cases(size.values) if c.name == "equal, 1/i")
    groups = size.clips // 2
    prompts = [f"p{place // 2}" for place in range(size.clips)]
    for both in (False, True):
        found, ignored = [], []
        for run in range(size.runs):
            rng = generator(seed, size.clips, run, int(both))
            one, two = (np.repeat(rng.normal(size=(groups, size.values)), 2, axis=0) for _ in range(2))
            first, second = (0.5**0.5 * (part + rng.normal(size=part.shape)) for part in (one, one if both else two))
            x, y = spread(first, case.first), spread(second, case.second) + case.shift
            of_reference = prompts if both else [f"r{place // 2}" for place in range(size.clips)]
            found.append(corrected_interval(x, y, prompts, of_reference))
            ignored.append(corrected_interval(x, y))
        name = "prompts shared" if both else "prompts of their own"
        yield f"{name} | {size.clips} | {Found.of(frechet_truth(case), found).cells()}"
        yield f"{name}, ignored | {size.clips} | {Found.of(frechet_truth(case), ignored).cells()}"


def shared_rows(size: Size, seed: int) -> Iterator[str]:
    """Two clips a prompt, the same prompts on both sides, half of the variance between them."""
    prompts = [f"p{place // 2}" for place in range(size.clips)]
    for place, case in enumerate(cases(size.values)):
        found = []
        for run in range(size.runs):
            rng = generator(seed, size.clips, run, place)
            level = np.repeat(rng.normal(size=(size.clips // 2, size.values)), 2, axis=0)
            one, two = (0.5**0.5 * (level + rng.normal(size=level.shape)) for _ in range(2))
            x, y = spread(one, case.first), spread(two, case.second) + case.shift
            found.append(corrected_interval(x, y, prompts, prompts))
        yield f"{case.name} | {size.clips} | {Found.of(frechet_truth(case), found).cells()}"


def kvd_rows(size: Size, seed: int) -> Iterator[str]:
    for place, case in enumerate(cases(size.values)):
        found = []
        for run in range(size.runs):
            x, y = drawn(case, size.clips, "normal", generator(seed, size.clips, run, place))
            found.append(kernel_interval(x, y, [""] * size.clips, [""] * size.clips))
        yield f"{case.name} | {size.clips} | {Found.of(1000 * kernel_truth(case), _thousandfold(found)).cells()}"


def _thousandfold(found: list[DistanceInterval]) -> list[Interval]:
    return [Interval(1000 * f.value, 1000 * (f.low or 0), 1000 * (f.high or 0)) for f in found]


def scores(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Array, float]:
    """Scores of (prompts, clips) with half of their variance between prompts, and their mean."""
    prompts, clips = (shape[0], 1), shape
    if kind.startswith("share"):
        mean = float(kind.split()[1])
        level = rng.beta(mean, 1 - mean, size=prompts)
        return (rng.random(clips) < level).astype(float), mean
    if kind == "heavy":
        return rng.standard_t(3, prompts) + rng.standard_t(3, clips), 0.0
    if kind == "skewed":
        return rng.exponential(size=prompts) + rng.exponential(size=clips), 2.0
    if kind == "a few broken":
        return rng.normal(size=clips) - 10.0 * (rng.random(prompts) < 0.05), -0.5
    return rng.normal(size=prompts) + rng.normal(size=clips), 0.0


def means_rows(runs: int, seed: int) -> Iterator[str]:
    """Intervals of all other metrics: prompts are what is drawn."""
    kinds = ("normal", "heavy", "skewed", "a few broken", "share 0.5", "share 0.9", "share 0.99")
    for place, kind in enumerate(kinds):
        for clips in (1, 2, 8):
            held = []
            for prompts in (5, 10, 20, 40, 200):
                rng = generator(seed, place, clips, prompts)
                names = np.repeat(np.arange(prompts), clips).tolist()
                hits = 0
                for _ in range(runs):
                    values, truth = scores(kind, (prompts, clips), rng)
                    flat = values.ravel().tolist()
                    found = share_of([v == 1 for v in flat], names) if "share" in kind else clustered_mean(flat, names)
                    hits += (found.low or 0.0) <= truth <= (found.high or 0.0)
                held.append(f"{hits / runs:.3f}")
            yield f"{kind} | {clips} | {' | '.join(held)}"


SET_HEAD = "clips | truth | estimate | its spread | interval | covered | with a reason"
TABLES: dict[str, tuple[str, Callable[[Size, int], Iterator[str]], tuple[int, ...]]] = {
    "fvd": ("the two distributions | clips | plain | " + SET_HEAD[8:], fvd_rows, (24, 64, 128, 256)),
    "bootstrap": ("plain distance, percentile bootstrap | " + SET_HEAD, bootstrap_rows, (64,)),
    "kinds": ("features that are not normal | " + SET_HEAD, kinds_rows, (64,)),
    "prompts": ("two clips a prompt | " + SET_HEAD, prompts_rows, (64,)),
    "shared": ("the same 40 prompts on both sides | " + SET_HEAD, shared_rows, (80,)),
    "collapsed": ("clips that are one; the distributions | " + SET_HEAD, collapsed_rows, (24, 64)),
    "sizes": ("prompts of 1 to 6 clips | " + SET_HEAD, sizes_rows, (64, 128)),
    "kvd": ("kvd in thousandths | " + SET_HEAD, kvd_rows, (32, 64, 256)),
}


def show(name: str, head: str, runs: int, rows: Iterator[str]) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    click.echo(f"\n| {head} |\n|" + "---|" * (head.count("|") + 1))
    for row in rows:
        click.echo(f"| {row} |")
    click.echo(f"\n{name}: {runs} runs a cell, so that 0.95 is seen as 0.95 ± {2 * (0.95 * 0.05 / runs) ** 0.5:.3f}; "
               f"{time.process_time() - cpu:.0f} CPU s, {time.perf_counter() - start:.0f} s.")  # fmt: skip


@click.command(help=__doc__)
@click.option("--table", "tables", type=click.Choice([*TABLES, "means"]), multiple=True, help="[default: all]")
@click.option("--values", default=400, show_default=True, help="Features a clip.")
@click.option("--clips", type=int, multiple=True, help="[default: by the table]")
@click.option("--runs", type=int, help="[default: by the number of clips]")
@click.option("--seed", default=1, show_default=True)
def main(tables: tuple[str, ...], values: int, clips: tuple[int, ...], runs: int | None, seed: int) -> None:
    for name in tables or (*TABLES, "means"):
        if name == "means":
            head = "scores | clips a prompt | 5 prompts | 10 | 20 | 40 | 200"
            show(name, head, runs or 500, means_rows(runs or 500, seed))
            continue
        head, rows, usual = TABLES[name]
        for number in clips or usual:
            size = Size(number, values, runs or RUNS.get(number, 100))
            show(f"{name}, {values} values, {number} clips", head, size.runs, rows(size, seed))


if __name__ == "__main__":
    main()
