"""How often intervals hold the truth, by simulation: the tables of docs/explanation/distances.md.

    python benchmarks/interval_coverage.py                                     all tables
    python benchmarks/interval_coverage.py --table fvd --clips 64 --runs 400   one of them, other numbers
    python benchmarks/interval_coverage.py --log FILE                          what is in FILE is not simulated again

Features are drawn from distributions whose distance is known, scores from distributions whose mean is.
"Interval" is how far it reaches down and up on average, "covered" the share of 95 % intervals that hold the truth, with
the ends of its 99 % Monte Carlo interval. All intervals count, and "with a reason" is the share of those that state an
assumption. A row is marked where the Monte Carlo interval lies wholly outside .93 to .97.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
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
from scipy import stats

from vbench_lite.analysis.cost.economics import share_of
from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.frechet import frechet_distance
from vbench_lite.distances.intervals import DistanceInterval
from vbench_lite.distances.kernel import kernel_interval
from vbench_lite.stats import Interval, clustered_mean

RUNS = 1000
"""Of a cell, where --runs does not say."""
KINDS = ("heavy", "skewed", "cut off", "clusters")
ASKED = (0.93, 0.97)


class Size(NamedTuple):
    clips: int
    values: int
    runs: int


class Cell(NamedTuple):
    """One row of a table: intervals of draws from one pair of distributions."""

    name: str
    truth: float
    interval: Callable[[int], DistanceInterval | Interval]
    """Of the draw with this number."""


class Found(NamedTuple):
    """What simulated intervals came to."""

    truth: float
    values: Array
    low: Array
    high: Array
    with_reason: Array

    @classmethod
    def of(cls, cell: Cell, runs: int) -> Found:
        found = [cell.interval(run) for run in range(runs)]
        ends = np.array([(np.nan if f.low is None else f.low, np.nan if f.high is None else f.high) for f in found])
        reasons = np.array([getattr(f, "reason", None) is not None for f in found])
        return cls(cell.truth, np.array([f.value for f in found]), *ends.T, reasons)

    def cells(self) -> str:
        holds = (self.low <= self.truth) & (self.truth <= self.high)
        down, up = np.nanmean(self.low - self.values), np.nanmean(self.high - self.values)
        least, most = monte_carlo(int(holds.sum()), len(holds))
        missed = " **low**" if most < ASKED[0] else " **high**" if least > ASKED[1] else ""
        return (
            f"{self.truth:.3f} | {self.values.mean():.3f} | {self.values.std():.3f} | {down:+.3f} {up:+.3f} | "
            f"{holds.mean():.3f} ({least:.3f} to {most:.3f}){missed} | {self.with_reason.mean():.2f}"
        )


def monte_carlo(hits: int, runs: int) -> tuple[float, float]:
    """The 99 % interval of a share that was simulated (Clopper and Pearson)."""
    found = stats.binomtest(hits, runs).proportion_ci(0.99)
    return float(found.low), float(found.high)


class Log:
    """Finished cells as JSON lines, so that a simulation that was stopped goes on."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        lines = path.read_text("utf-8").splitlines() if path and path.exists() else []
        self.known = {entry.pop("cell"): entry for entry in map(json.loads, lines)}

    def found(self, key: str, cell: Cell, runs: int) -> Found:
        key = f"{key}, {runs} runs: {cell.name}"
        if key in self.known:
            return Found(*(np.array(part) for part in self.known[key].values()))
        found = Found.of(cell, runs)
        if self.path:
            parts = {name: np.asarray(part).tolist() for name, part in found._asdict().items()}
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"cell": key, **parts}) + "\n")
        return found


def generator(seed: int, *place: int) -> np.random.Generator:
    return np.random.default_rng([seed, *place])


def drawn(case: Case, clips: int, kind: str, rng: np.random.Generator) -> tuple[Array, Array]:
    values = len(case.shift)
    one, two = (noise(kind, clips, values, rng) for _ in range(2))
    return spread(one, case.first), spread(two, case.second) + case.shift


def fvd_cells(size: Size, seed: int) -> Iterator[Cell]:
    for place, case in enumerate(cases(size.values)):

        def interval(run: int, place: int = place, case: Case = case) -> DistanceInterval:
            return corrected_interval(*drawn(case, size.clips, "normal", generator(seed, size.clips, run, place)))

        yield Cell(case.name + (" (not developed on)" if case.unseen else ""), frechet_truth(case), interval)


def collapsed_cells(size: Size, seed: int) -> Iterator[Cell]:
    """A share of the generated clips is one and the same."""
    for row, name in enumerate(("the same distribution, 1/i", "twice the variance, 1/i")):
        case = next(c for c in cases(size.values) if c.name == name)
        for place, share in enumerate((0.05, 0.1, 0.25)):

            def interval(
                run: int, places: tuple[int, int] = (row, place), case: Case = case, share: float = share
            ) -> DistanceInterval:
                rng = generator(seed, size.clips, run, *places)
                x, y = drawn(case, size.clips, "normal", rng)
                return corrected_interval(collapsed(x, share, rng), y)

            yield Cell(f"{share:.0%} of the clips are one; {name}", collapsed_truth(case, share), interval)


def sizes_cells(size: Size, seed: int) -> Iterator[Cell]:
    """Prompts with 1 to 6 clips, on both sides or on their own; half of the variance lies between them."""
    groups = np.repeat(np.arange(size.clips), np.resize([1, 1, 2, 3, 6], size.clips))[: size.clips]
    for row, name in enumerate(("equal, 1/i", "twice the variance, 1/i", "turned at random, 1/i")):
        case = next(c for c in cases(size.values) if c.name == name)
        yield from _by_prompts(case, groups, size, (seed, row), "prompts of 1 to 6 clips; ")


def prompts_cells(size: Size, seed: int) -> Iterator[Cell]:
    """Two clips a prompt: half of the variance lies between prompts, which both sides share or do not share."""
    for row, case in enumerate(cases(size.values)):
        yield from _by_prompts(case, np.arange(size.clips) // 2, size, (seed, row), "2 clips a prompt; ")


def _by_prompts(case: Case, groups: Array, size: Size, seed: tuple[int, int], title: str) -> Iterator[Cell]:
    prompts, others = ([f"{side}{group}" for group in groups] for side in "pr")
    for both in (False, True):

        def interval(run: int, both: bool = both) -> DistanceInterval:
            rng = generator(seed[0], size.clips, run, seed[1], int(both))
            levels = rng.normal(size=(2, groups[-1] + 1, size.values))
            one, two = (0.5**0.5 * (level[groups] + rng.normal(size=(size.clips, size.values)))
                        for level in (levels[0], levels[0 if both else 1]))  # fmt: skip
            x, y = spread(one, case.first), spread(two, case.second) + case.shift
            return corrected_interval(x, y, prompts, prompts if both else others)

        yield Cell(f"{title}{case.name}; {'the same' if both else 'other'} prompts", frechet_truth(case), interval)


def bootstrap_cells(size: Size, seed: int) -> Iterator[Cell]:
    """The percentile interval of the plain distance, which does not hold, for comparison."""
    case = next(c for c in cases(size.values) if c.name == "equal, 1/i")

    def interval(run: int) -> Interval:
        x, y = drawn(case, size.clips, "normal", generator(seed, size.clips, run))
        low, high = np.quantile(resampled_distances(x, y, 200, run), [0.025, 0.975])
        return Interval(frechet_distance(generated=x, reference=y), float(low), float(high))

    yield Cell(case.name, frechet_truth(case), interval)


def kinds_cells(size: Size, seed: int) -> Iterator[Cell]:
    """Features that are not normal."""
    chosen = ("equal, 1/i", "twice the variance, 1/i", "slightly turned, 1/i")
    for row, case in enumerate(c for c in cases(size.values) if c.name in chosen):
        for place, kind in enumerate(KINDS):

            def interval(
                run: int, places: tuple[int, int] = (row, place), case: Case = case, kind: str = kind
            ) -> DistanceInterval:
                return corrected_interval(*drawn(case, size.clips, kind, generator(seed, size.clips, run, *places)))

            yield Cell(f"{kind}; {case.name}", frechet_truth(case), interval)


def kvd_cells(size: Size, seed: int) -> Iterator[Cell]:
    alone = [""] * size.clips
    for place, case in enumerate(cases(size.values)):

        def interval(run: int, place: int = place, case: Case = case) -> Interval:
            x, y = drawn(case, size.clips, "normal", generator(seed, size.clips, run, place))
            found = kernel_interval(x, y, alone, alone)
            return Interval(1000 * found.value, 1000 * (found.low or 0), 1000 * (found.high or 0))

        yield Cell(case.name, 1000 * kernel_truth(case), interval)


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


SET_HEAD = " | truth | estimate | its spread | interval | covered | with a reason"
TABLES: dict[str, tuple[str, Callable[[Size, int], Iterator[Cell]], tuple[int, ...]]] = {
    "fvd": ("the two distributions", fvd_cells, (24, 64, 128, 256)),
    "bootstrap": ("plain distance, percentile bootstrap", bootstrap_cells, (64,)),
    "kinds": ("features that are not normal", kinds_cells, (64,)),
    "prompts": ("two clips a prompt", prompts_cells, (80,)),
    "collapsed": ("clips that are one; the distributions", collapsed_cells, (24, 64)),
    "sizes": ("prompts of 1 to 6 clips", sizes_cells, (64, 128)),
    "kvd": ("kvd in thousandths", kvd_cells, (32, 64, 256)),
}


def show(name: str, head: str, rows: Iterator[str]) -> None:
    cpu = time.process_time()
    click.echo(f"\n| {head} |\n|" + "---|" * (head.count("|") + 1))
    for row in rows:
        click.echo(f"| {row} |")
    click.echo(f"\n{name}, {time.process_time() - cpu:.0f} CPU s.")


@click.command(help=__doc__)
@click.option("--table", "tables", type=click.Choice([*TABLES, "means"]), multiple=True, help="[default: all]")
@click.option("--row", "wanted", multiple=True, help="Only rows whose name holds one of these. [default: all]")
@click.option("--values", default=400, show_default=True, help="Features a clip.")
@click.option("--clips", type=int, multiple=True, help="[default: by the table]")
@click.option("--runs", default=RUNS, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="JSON lines of the finished rows.")
def main(
    tables: tuple[str, ...], wanted: tuple[str, ...], values: int, clips: tuple[int, ...], runs: int, seed: int,
    log: Path | None,
) -> None:  # fmt: skip
    finished = Log(log)
    for name in tables or (*TABLES, "means"):
        if name == "means":
            head = "scores | clips a prompt | 5 prompts | 10 | 20 | 40 | 200"
            show(f"means: {runs} runs a cell", head, means_rows(runs, seed))
            continue
        head, cells, usual = TABLES[name]
        for number in clips or usual:
            key = f"{name}, {values} values, {number} clips, seed {seed}"
            size = Size(number, values, runs)
            rows = (f"{cell.name} | {finished.found(key, cell, runs).cells()}" for cell in cells(size, seed)
                    if not wanted or any(part in cell.name for part in wanted))  # fmt: skip
            show(f"{key}: {runs} runs a row", head + SET_HEAD, rows)


if __name__ == "__main__":
    main()
