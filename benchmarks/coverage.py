"""How often the intervals of set metrics hold the true distance, by simulation.

    python benchmarks/coverage.py [--values 64] [--clips 32,64,256] [--runs 100] [--metric fvd_corrected]

Sets are drawn from normal distributions whose distance is known. Prints one Markdown row a case and
number of clips: the truth, the mean of the plain and of the reported estimate, its spread, and the
share of 95 % intervals that held the truth. docs/metrics.md shows the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from vbench_lite.metrics.fvd import frechet_distance
from vbench_lite.metrics.fvd_corrected import corrected_interval
from vbench_lite.metrics.kernel import kernel_interval

Array = NDArray[np.float64]


class Case(NamedTuple):
    """Two normal distributions: roots of their covariances (values, values), and the shift of the mean."""

    name: str
    first: Array
    second: Array
    shift: Array


def spectrum(values: int, power: float) -> Array:
    falling = np.arange(1, values + 1) ** -power
    scaled: Array = 10 * falling / falling.sum()
    return scaled


def rotation(values: int, strength: float | None, rng: np.random.Generator) -> Array:
    """A random turn of all directions: complete, or slight (by a Cayley transform of this strength)."""
    if strength is None:
        return np.linalg.qr(rng.normal(size=(values, values)))[0]
    skew = rng.normal(size=(values, values))
    skew = skew - skew.T
    skew *= strength / np.linalg.norm(skew, 2)
    return np.linalg.solve(np.eye(values) + skew, np.eye(values) - skew)


def cases(values: int, rng: np.random.Generator) -> Iterator[Case]:
    """Equal and unequal covariances of several spectra; each has a total variance of 10."""
    steep, middle, flat = (np.diag(spectrum(values, p) ** 0.5) for p in (1.5, 1.0, 0.5))
    shift, none = np.full(values, 0.5 / values**0.5), np.zeros(values)
    jitter = np.diag(np.exp(0.35 * rng.normal(size=values)))
    yield Case("equal, 1/i", middle, middle, shift)
    yield Case("equal, 1/sqrt(i)", flat, flat, shift)
    yield Case("equal, i^-1.5", steep, steep, shift)
    yield Case("the same distribution", middle, middle, none)
    yield Case("1.2 times the variance", middle, 1.2**0.5 * middle, shift)
    yield Case("twice the variance, 1/i", middle, 2**0.5 * middle, shift)
    yield Case("twice the variance, i^-1.5", steep, 2**0.5 * steep, shift)
    yield Case("1/i against i^-1.5", middle, steep, shift)
    yield Case("each variance off by a random factor", middle, middle @ jitter, shift)
    yield Case("slightly turned", middle, middle @ rotation(values, 0.5, rng), shift)
    yield Case("1/sqrt(i) against i^-1.5", flat, steep, shift)
    yield Case("turned at random", middle, middle @ rotation(values, None, rng), shift)


def true_distance(case: Case, metric: str) -> float:
    if metric == "kvd":
        return true_kernel_distance(case)
    overlap = np.linalg.svd(case.first @ case.second.T, compute_uv=False).sum()
    return float(case.shift @ case.shift + np.square(case.first).sum() + np.square(case.second).sum() - 2 * overlap)


def true_kernel_distance(case: Case) -> float:
    """E k over pairs of normal clips, from the first three moments of x.y / values in closed form."""
    values = len(case.shift)
    one, two = case.first.T @ case.first / values, case.second.T @ case.second / values
    shift = case.shift * values**-0.5

    def expected(a: Array, b: Array, ma: Array, mb: Array) -> float:
        first = ma @ mb
        second = first**2 + ma @ b @ ma + mb @ a @ mb + np.trace(a @ b)
        third = (
            first**3 + 3 * first * (ma @ b @ ma + mb @ a @ mb + np.trace(a @ b)) + 6 * ma @ b @ a @ mb
        )
        return float(third + 3 * second + 3 * first + 1)

    none = np.zeros(values)
    return expected(one, one, none, none) + expected(two, two, shift, shift) - 2 * expected(one, two, none, shift)


def simulate(case: Case, clips: int, runs: int, metric: str, rng: np.random.Generator) -> str:
    """One row of the table."""
    truth = true_distance(case, metric)
    plain, found = [], []
    judge = kernel_interval if metric == "kvd" else corrected_interval
    for _ in range(runs):
        x = rng.normal(size=(clips, len(case.shift))) @ case.first
        y = rng.normal(size=(clips, len(case.shift))) @ case.second + case.shift
        plain.append(frechet_distance(generated=x, reference=y))
        found.append(judge(x, y, [""] * clips, [""] * clips))
    values = np.array([f.value for f in found])
    held = np.mean([(f.low or 0) <= truth <= (f.high or 0) for f in found])
    width = np.mean([((f.high or 0) - (f.low or 0)) / 2 for f in found])
    other = "" if metric == "kvd" else f" {np.mean(plain):.2f} |"
    return (
        f"| {case.name} | {clips} | {truth:.3f} |{other} {values.mean():.3f} | {values.std():.3f} | "
        f"±{width:.3f} | {held:.2f} |"
    )


@click.command(help=__doc__)
@click.option("--values", default=64, show_default=True, help="Features a clip.")
@click.option("--clips", default="32,64,256", show_default=True)
@click.option("--runs", default=100, show_default=True)
@click.option("--metric", type=click.Choice(["fvd_corrected", "kvd"]), default="fvd_corrected", show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(values: int, clips: str, runs: int, metric: str, seed: int) -> None:
    plain = "" if metric == "kvd" else " plain |"
    click.echo(f"| case, {values} values | clips | truth |{plain} estimate | its spread | interval | held |")
    click.echo("|" + "---|" * (7 if metric == "kvd" else 8))
    for case in cases(values, np.random.default_rng(seed)):
        for number in map(int, clips.split(",")):
            click.echo(simulate(case, number, runs, metric, np.random.default_rng([seed, number])))


if __name__ == "__main__":
    main()
