"""How well the gate knows the error of a difference of two corrected FVDs, where their true difference is known.

    python benchmarks/fvd_difference.py             docs/explanation/gate-errors.md has its figures; two minutes

A baseline and a candidate answer the same prompts and are held against the same real clips: Gaussian features, of which
half of the variance is the prompt's. "missed" is how often a one-sided 5 % limit lies on the wrong side of the truth.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import special

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.paired import error_of_difference

WIDTH, SHARED = 64, 0.7
SPECTRUM = 1 / np.arange(1, WIDTH + 1)
SIGNS = np.where(np.arange(WIDTH) % 2, 1, -1)
WORLDS = {
    "equal": ((0.3, 0.8), (0.3, 0.8)),
    "candidate worse": ((0.3, 0.8), (0.36, 0.75)),
    "candidate collapsed": ((0.3, 0.8), (0.2, 0.4)),
}
"""(shift of the mean, share of the real variance) of the baseline and of the candidate."""


def drawn(rng: np.random.Generator, prompt: np.ndarray, clips: int, shift: float, scale: float) -> np.ndarray:
    own = rng.standard_normal((len(prompt), clips, WIDTH))
    mixed = SHARED * prompt + (1 - SHARED**2) ** 0.5 * own
    return (np.sqrt(SPECTRUM) * (np.sqrt(scale) * mixed + shift * SIGNS)).reshape(-1, WIDTH)


def truth(shift: float, scale: float) -> float:
    return float((SPECTRUM * (shift**2 + (scale**0.5 - 1) ** 2)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--prompts", type=int, default=40)
    parser.add_argument("--clips", type=int, default=2)
    given = parser.parse_args()
    names = [f"p{n}" for n in range(given.prompts) for _ in range(given.clips)]
    quantile = special.stdtrit(given.prompts - 1, 0.95)
    for world, (old, new) in WORLDS.items():
        true, seen = truth(*new) - truth(*old), []
        for nth in range(given.times):
            rng = np.random.default_rng([nth, given.prompts])
            prompt = rng.standard_normal((given.prompts, 1, WIDTH))
            real, *sides = (drawn(rng, prompt, given.clips, *how) for how in ((0.0, 1.0), old, new))
            found = [corrected_interval(side, real, names, names) for side in sides]
            assert all(each.parts is not None and each.low is not None for each in found)
            error = error_of_difference(found[1].parts, found[0].parts)
            alone = np.hypot(*((each.high - each.low) / 3.92 for each in found))
            seen.append((found[1].value - found[0].value, error, alone))
        difference, error, alone = np.array(seen).T
        half = quantile * error
        missed = [100 * np.mean(side) for side in (difference - half > true, difference + half < true)]
        print(
            f"{world}: true {true:.3f}, mean {difference.mean():.3f}, spread {difference.std():.3f}, estimated error "
            f"{error.mean():.3f} (as if independent {alone.mean():.3f}), missed {missed[0]:.0f} and {missed[1]:.0f} %"
        )


if __name__ == "__main__":
    main()
