"""How often the gate errs when it looks at a growing run, and how many clips that saves.

    python benchmarks/sequential_gate.py                 the table of docs/explanation/gate-errors.md
    python benchmarks/sequential_gate.py --sizes 40x2 --looks 0.5 0.75 1

The worlds are those of gate_worlds.py, the judgement is that of gate_errors.py. Each simulated release is judged twice:
once with all prompts by the fixed gate, and at the planned looks, where it stops at the first pass or fail.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
from gate_errors import Pairs, judge
from gate_worlds import Array, Draw, Releases, failing, shifted, worlds

from vbench_lite.gate.looks.boundaries import FRACTIONS, Look, prompts_at


def all_scores_lower(found: Releases, margins: float) -> Releases:
    """Every score loses the same number of margins of the first."""
    found.new -= margins * found.margin()[:, None, None, None]
    return found


def more_worlds(rng: np.random.Generator, *size: int) -> dict[str, tuple[str, Callable[[], Releases]]]:
    """Losses whose early detection is asked for."""
    fresh = Draw(*size, shared=0.0, chance=0.5)
    return {
        "two margins lost in one score, new seeds": ("pass", lambda: shifted(fresh(rng), 2.0)),
        "two margins lost in all scores, new seeds": ("pass", lambda: all_scores_lower(fresh(rng), 2.0)),
        "half of the clips fail": ("pass", lambda: failing(rng, fresh(rng), 0.0, 0.5)),
    }


def first_prompts(found: Releases, prompts: int) -> Releases:
    """The prompts of an early look. Prompts are drawn in random order, their categories in turn."""
    return Releases(
        found.old[:, :, :prompts], found.new[:, :, :prompts], found.old_failed[:, :prompts],
        found.new_failed[:, :prompts],
    )  # fmt: skip


def judge_in_turn(found: Releases, fractions: tuple[float, ...]) -> tuple[Array, Array]:
    """The outcome of each release, and the fraction of the prompts at which it was there."""
    prompts = found.old.shape[2]
    spread = Pairs.of(found).spread
    outcomes, used = np.full(len(found.old), "undecided"), np.ones(len(found.old))
    still = np.arange(len(found.old))
    for number, count in enumerate(prompts_at(fractions, prompts), 1):
        part = first_prompts(found, count)
        part = Releases(part.old[still], part.new[still], part.old_failed[still], part.new_failed[still])
        verdicts = judge(part, Look(number, fractions), spread[still])
        decided = verdicts != "undecided"
        outcomes[still[decided]], used[still[decided]] = verdicts[decided], count / prompts
        still = still[~decided]
        if not len(still):
            break
    return outcomes, used


def rows(sizes: list[tuple[int, int]], releases: int, fractions: tuple[float, ...]) -> Iterator[str]:
    yield "| world | size | fixed: pass / fail | at the looks: pass / fail | clips used |"
    yield "|---|---|---|---|---|"
    names = [*worlds(np.random.default_rng(0), 1, 6, 1), *more_worlds(np.random.default_rng(0), 1, 6, 1)]
    for nth, name in enumerate(names):
        for prompts, clips in sizes:
            rng = np.random.default_rng([7, nth, prompts, clips])
            known = worlds(rng, releases, prompts, clips) | more_worlds(rng, releases, prompts, clips)
            found = known[name][1]()
            fixed = judge(found)
            outcomes, used = judge_in_turn(found, fractions)
            cells = [
                " / ".join(f"{100 * (each == outcome).mean():.1f}" for outcome in ("pass", "fail"))
                for each in (fixed, outcomes)
            ]
            yield f"| {name} | {prompts} x {clips} | {cells[0]} | {cells[1]} | {100 * used.mean():.0f} % |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=int, default=1000)
    parser.add_argument("--sizes", nargs="*", default=["40x2", "100x2"], help="prompts x clips, e.g. 40x2")
    parser.add_argument("--looks", nargs="*", type=float, default=list(FRACTIONS), help="fractions of the prompts")
    given = parser.parse_args()
    sizes = [(int(p), int(c)) for p, c in (size.split("x") for size in given.sizes)]
    begun = time.process_time()
    for line in rows(sizes, given.releases, tuple(given.looks)):
        print(line, flush=True)
    print(f"\n{given.releases} releases a cell, {time.process_time() - begun:.0f} s of processor time.")


if __name__ == "__main__":
    main()
