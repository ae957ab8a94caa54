"""How often the 95 % intervals of time and cost hold the truth, when clips are measured in batches.

    python benchmarks/cost_intervals.py [RUNS]

Draws runs of 40 prompts x 2 clips whose truth is known: a batch takes its time with so much noise, clips are usable by
prompt and by chance. Prints, by the number of batches a run, the share of intervals that hold the truth: of a mean
time, of the difference between two generators, of a cost a usable clip and of the ratio of two such, and of the mean
time again as if each clip had been timed by itself.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy import special

from vbench_lite.analysis.cost import economics
from vbench_lite.analysis.paired import Paired, scored_pairs
from vbench_lite.analysis.quantities import COSTS, RATIOS
from vbench_lite.run.clips import ClipGrid
from vbench_lite.stats import Array, mean_interval

PROMPTS, CLIPS = 40, 2
NOISES = ("3 %", "10 %", "30 %", "1 of 10 batches twice as slow")
BATCHES = (4, 5, 8, 20)
TIME = next(quantity for quantity in COSTS if quantity.name == "device_s_per_clip")
DEAR = next(quantity for quantity in RATIOS if quantity.name == "usd_per_usable_clip")


def times(noise: str, batches: int, rng: np.random.Generator) -> Array:
    """Seconds of each clip, mean 1."""
    if noise == NOISES[-1]:
        drawn = np.where(rng.random(batches) < 0.1, 2.0, 1.0) / 1.1 * rng.normal(1, 0.03, batches)
    else:
        spread = float(noise.split()[0]) / 100
        drawn = rng.lognormal(-(spread**2) / 2, spread, batches)
    return np.repeat(drawn, PROMPTS * CLIPS // batches).reshape(PROMPTS, CLIPS)


def run(slow: float, noise: str, batches: int, difficulty: Array, rng: np.random.Generator) -> ClipGrid:
    walls = slow * times(noise, batches, rng)
    usable = rng.random(walls.shape) < rng.choice(difficulty, PROMPTS)[:, None]
    cells = {
        "status": np.full(walls.shape, "ok"), "wall_s": walls, "device_s": walls, "cost_usd": walls,
        "usable": usable.astype(float),
    }  # fmt: skip
    return ClipGrid("g", tuple(map(str, range(PROMPTS))), ("",) * PROMPTS, cells)


def holds(low: float | None, high: float | None, truth: float) -> bool:
    return low is not None and low <= truth <= (np.inf if high is None else high)


def coverage(noise: str, batches: int, runs: int) -> list[float]:
    rng = np.random.default_rng(batches)
    difficulty = special.expit(0.8 + 1.2 * rng.normal(size=1_000_000))
    share, of = float(difficulty.mean()), [str(n // CLIPS) for n in range(PROMPTS * CLIPS)]
    found = []
    for _ in range(runs):
        one, two = (run(slow, noise, batches, difficulty, rng) for slow in (1.0, 2.0))
        walls, flags = one.values("wall_s").ravel().tolist(), (one.values("usable").ravel() == 1).tolist()
        mean = economics.measured_mean(walls, of, walls, "")
        dear = economics.cost_per_usable(walls, flags, of, "", walls)
        gaps = [scored_pairs(quantity, one, two) for quantity in (TIME, DEAR)]
        ends = [mean_interval(-gap.gains, 0.95, gap.freedom) for gap in gaps if isinstance(gap, Paired)]
        naive = economics.mean(walls, of, "")
        found.append(
            (holds(mean.low, mean.high, 1.0), holds(ends[0].low, ends[0].high, 1.0),
             holds(dear.low, dear.high, 1 / share), holds(ends[1].low, ends[1].high, float(np.log(2))),
             holds(naive.low, naive.high, 1.0))
        )  # fmt: skip
    return [float(share) for share in np.mean(found, axis=0)]


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("| noise of a batch | batches | time | difference | cost a usable clip | ratio of two | as if timed alone |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for noise in NOISES:
        for batches in BATCHES:
            cells = " | ".join(f"{share:.3f}" for share in coverage(noise, batches, runs))
            print(f"| {noise} | {batches} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
