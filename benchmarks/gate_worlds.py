"""Simulated releases in worlds where the truth is known, for the benchmarks and the tests of the gate.

Each release is a baseline and a candidate with three scores in five categories. Where a world is "shifted", the first
score is worse by exactly the margin (.55 of the standard deviation between the baseline's clips) and the rest is equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
SCORES = 3
CATEGORIES = 5
MARGIN_SD = 0.55


@dataclass
class Releases:
    """Many releases: scores, shape (releases, scores, prompts, clips), and failed clips, (releases, prompts, clips)."""

    old: Array
    new: Array
    old_failed: Array
    new_failed: Array

    def margin(self) -> Array:
        """The default margin of the first score, by release."""
        return MARGIN_SD * np.nanstd(np.where(self.old_failed, np.nan, self.old[:, 0]), axis=(1, 2), ddof=1)


@dataclass(frozen=True)
class Draw:
    """How releases are drawn. In units of the spread between prompts, about 0.8."""

    releases: int
    prompts: int
    clips: int
    shared: float = 0.35
    """What a seed does to a clip, whatever the weights: 0 where the seeds are new."""
    chance: float = 0.35
    """What is left to chance in a clip."""
    here: float = 0.25
    """How much a generator is better with one prompt than with another."""
    heavy: bool = False

    def __call__(self, rng: np.random.Generator) -> Releases:
        by_prompt = (self.releases, SCORES, self.prompts, 1)
        by_clip = (*by_prompt[:3], self.clips)

        def noise() -> Array:
            return rng.standard_t(3, by_clip) / 3**0.5 if self.heavy else rng.standard_normal(by_clip)

        hard = 0.8 * rng.standard_normal(by_prompt) + self.shared * noise()
        old, new = (hard + self.here * rng.standard_normal(by_prompt) + self.chance * noise() for _ in range(2))
        none = np.zeros((self.releases, self.prompts, self.clips), bool)
        return Releases(old, new, none, none.copy())


def shifted(found: Releases, margins: float = 1.0) -> Releases:
    found.new[:, 0] -= margins * found.margin()[:, None, None]
    return found


def failing(rng: np.random.Generator, found: Releases, old: Array | float, new: Array | float) -> Releases:
    shape = found.old_failed.shape
    found.old_failed = rng.random(shape) < np.reshape(old, (-1, 1, 1))
    found.new_failed = rng.random(shape) < np.reshape(new, (-1, 1, 1))
    return found


def tied(rng: np.random.Generator, found: Releases, margins: float) -> Releases:
    """Scores in whole steps; the candidate loses a step often enough to lose the margin on average."""
    found.old, found.new = np.round(found.old), np.round(found.new)
    lost = margins * found.margin()
    found.new[:, 0] -= (rng.random(found.new[:, 0].shape) < lost[:, None, None])
    return found


def lost_to_failures(rng: np.random.Generator, found: Releases) -> Releases:
    """The margin is lost by new failures alone: rare, and total where they strike."""
    worst = np.minimum(found.old[:, 0].min((1, 2)), found.new[:, 0].min((1, 2)))
    return failing(rng, found, 0.0, found.margin() / (found.old[:, 0].mean((1, 2)) - worst))


def spoilt_category(found: Releases) -> Releases:
    """One category of five loses two standard deviations, the others gain enough for an equal mean."""
    first = np.arange(found.new.shape[2]) % CATEGORIES == 0
    found.new[:, 0] += np.where(first, -2.0, 0.5)[:, None]
    return found


def noisy_category(rng: np.random.Generator, found: Releases) -> Releases:
    """Another category, in which either side's prompts scatter by themselves: its differences are thrice as wide."""
    second = (np.arange(found.new.shape[2]) % CATEGORIES == 1)[:, None]
    for side in (found.old, found.new):
        side += second * rng.standard_normal((*side.shape[:3], 1))
    return found


def fallen_tail(rng: np.random.Generator, found: Releases) -> Releases:
    """A tenth of the clips loses three standard deviations, the rest gains enough for an equal mean."""
    found.new[:, 0] += 0.33 - 3.3 * (rng.random(found.new[:, 0].shape) < 0.1)
    return found


def collapsing(rng: np.random.Generator, found: Releases, own: float) -> Releases:
    """This fraction of the clips of both sides loses three standard deviations in the first score."""
    for side in (found.old, found.new):
        side[:, 0] -= 3.3 * (rng.random(side[:, 0].shape) < own)
    return found


def worlds(rng: np.random.Generator, *size: int) -> dict[str, tuple[str, Callable[[], Releases]]]:
    """Name > (the outcome that would be an error there, how releases are drawn)."""
    same = Draw(*size)
    fresh = Draw(*size, shared=0.0, chance=0.5)
    heavy = Draw(*size, heavy=True)
    alike = Draw(*size, shared=0.0, chance=0.05, here=0.5)
    return {
        "equal, same seeds": ("fail", lambda: same(rng)),
        "equal, new seeds": ("fail", lambda: fresh(rng)),
        "equal, heavy tails (t with 3 degrees)": ("fail", lambda: heavy(rng)),
        "equal, 5 % of clips fail in both": ("fail", lambda: failing(rng, same(rng), 0.05, 0.05)),
        "equal, ties": ("fail", lambda: tied(rng, same(rng), 0.0)),
        "equal, clips of a prompt alike": ("fail", lambda: alike(rng)),
        "equal, one category thrice as noisy": ("fail", lambda: noisy_category(rng, same(rng))),
        "shifted by the margin": ("pass", lambda: shifted(same(rng))),
        "shifted, new seeds": ("pass", lambda: shifted(fresh(rng))),
        "shifted, heavy tails": ("pass", lambda: shifted(heavy(rng))),
        "shifted, 5 % of clips fail in both": ("pass", lambda: shifted(failing(rng, same(rng), 0.05, 0.05), 1 / 0.95)),
        "shifted, ties": ("pass", lambda: tied(rng, same(rng), 1.0)),
        "shifted, clips of a prompt alike": ("pass", lambda: shifted(alike(rng))),
        "margin lost to new failures alone": ("pass", lambda: lost_to_failures(rng, same(rng))),
        "shifted by twice the margin": ("pass", lambda: shifted(same(rng), 2.0)),
        "one category of five spoilt, same mean": ("pass", lambda: spoilt_category(same(rng))),
        "one category spoilt, another thrice as noisy": (
            "pass", lambda: spoilt_category(noisy_category(rng, same(rng))),
        ),
        "a tenth of clips collapsed, same mean": ("pass", lambda: fallen_tail(rng, same(rng))),
    }
