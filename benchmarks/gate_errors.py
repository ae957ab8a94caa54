"""How often the gate errs: simulated releases in worlds where the truth is known, decided by the gate's own code.

    python benchmarks/gate_errors.py --releases 1000            the tables of docs/gate.md, in about 8 minutes
    python benchmarks/gate_errors.py --power                    how often a release of a given quality passes

Each release is a baseline and a candidate with three scores in five categories, judged by the default policy. Where a
world is "shifted", the first score is worse by exactly the margin (half the standard deviation between the baseline's
clips); the rest is equal. A false pass is a pass of such a release; a false fail is a fail of an equal one.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from vbench_lite.clip_table import ClipGrid
from vbench_lite.comparable import RunView
from vbench_lite.gate import choose_policy, decide
from vbench_lite.store import RunFolder

METRICS = ("fidelity", "steadiness", "sharpness")
MARGIN_SD = 0.5
Array = np.ndarray


class Release(NamedTuple):
    """Values of a baseline and a candidate, shape (metrics, prompts, clips), and who failed, (prompts, clips)."""

    old: Array
    new: Array
    old_failed: Array
    new_failed: Array


def draw(rng: np.random.Generator, prompts: int, clips: int, shared: float = 0.35, chance: float = 0.35,
         here: float = 0.25, noise: Callable[..., Array] | None = None) -> Release:  # fmt: skip
    """Two equal generators: prompts differ by 0.8, a generator's luck with a prompt by `here`, clips by the rest."""
    shape = (len(METRICS), prompts, clips)
    noise = noise or rng.standard_normal
    hard = 0.8 * rng.standard_normal((len(METRICS), prompts, 1)) + shared * noise(size=shape)
    sides = [
        hard + here * rng.standard_normal((len(METRICS), prompts, 1)) + chance * noise(size=shape) for _ in range(2)
    ]
    none = np.zeros(shape[1:], bool)
    return Release(*sides, none, none.copy())


def margin_of(release: Release) -> float:
    """The default margin in this release's own unit, failures filled in as the gate does."""
    return MARGIN_SD * float(release.old[0][~release.old_failed].std(ddof=1))


def shifted(release: Release, margins: float = 1.0) -> Release:
    release.new[0] -= margins * margin_of(release)
    return release


def with_failures(rng: np.random.Generator, release: Release, share: float, extra: float = 0.0) -> Release:
    old, new = (rng.random(release.old_failed.shape) < rate for rate in (share, share + extra))
    return release._replace(old_failed=old, new_failed=new)


def tied(rng: np.random.Generator, release: Release, margins: float) -> Release:
    """Scores in steps of 0.5; the candidate loses a step often enough to lose the margin on average."""
    old, new = np.round(release.old * 2) / 2, np.round(release.new * 2) / 2
    lost = margins * MARGIN_SD * old[0].std(ddof=1) / 0.5
    new[0] -= 0.5 * (rng.random(new[0].shape) < lost)
    return Release(old, new, release.old_failed, release.new_failed)


def lost_to_failures(rng: np.random.Generator, release: Release) -> Release:
    """The margin is lost by new failures alone: rare, and total where they strike."""
    gap = float(release.old[0].mean() - min(release.old[0].min(), release.new[0].min()))
    return with_failures(rng, release, 0.0, min(1.0, margin_of(release) / gap))


def spoilt_category(release: Release) -> Release:
    """One category of five loses two standard deviations, the others gain enough for an equal mean."""
    place = np.arange(release.new.shape[1]) % 5
    release.new[0][place == 0] -= 2.0
    release.new[0][place != 0] += 0.5
    return release


def fallen_tail(rng: np.random.Generator, release: Release) -> Release:
    """A tenth of the clips collapses by three standard deviations, the rest gains enough for an equal mean."""
    release.new[0][:] += 0.33
    release.new[0][rng.random(release.new[0].shape) < 0.1] -= 3.3
    return release


def worlds(rng: np.random.Generator, prompts: int, clips: int) -> dict[str, tuple[str, Callable[[], Release]]]:
    """Name > (what would be an error there, how a release is drawn)."""

    def heavy(size: tuple[int, ...]) -> Array:
        return rng.standard_t(3, size) / 3**0.5

    def equal(**how: object) -> Release:
        return draw(rng, prompts, clips, **how)  # type: ignore[arg-type]

    fresh = {"shared": 0.0, "chance": 0.5}
    alike = {"shared": 0.0, "chance": 0.05, "here": 0.5}
    return {
        "equal, same seeds": ("fail", equal),
        "equal, new seeds": ("fail", lambda: equal(**fresh)),
        "equal, heavy tails": ("fail", lambda: equal(noise=heavy)),
        "equal, 5 % of clips fail in both": ("fail", lambda: with_failures(rng, equal(), 0.05)),
        "equal, ties": ("fail", lambda: tied(rng, equal(), 0.0)),
        "equal, clips of a prompt alike": ("fail", lambda: equal(**alike)),
        "shifted by the margin": ("pass", lambda: shifted(equal())),
        "shifted, new seeds": ("pass", lambda: shifted(equal(**fresh))),
        "shifted, heavy tails": ("pass", lambda: shifted(equal(noise=heavy))),
        "shifted, 5 % of clips fail in both": ("pass", lambda: shifted(with_failures(rng, equal(), 0.05))),
        "shifted, ties": ("pass", lambda: tied(rng, equal(), 1.0)),
        "shifted, clips of a prompt alike": ("pass", lambda: shifted(equal(**alike))),
        "margin lost to new failures": ("pass", lambda: lost_to_failures(rng, equal())),
        "shifted by twice the margin": ("pass", lambda: shifted(equal(), 2.0)),
        "one category spoilt, same mean": ("pass", lambda: spoilt_category(equal())),
        "a tenth of clips collapsed, same mean": ("pass", lambda: fallen_tail(rng, equal())),
    }


def as_run(label: str, values: Array, failed: Array) -> RunView:
    """A run that was never on disk."""
    _, prompts, clips = values.shape
    ids = tuple(f"p{n:03d}" for n in range(prompts))
    categories = tuple("abcde"[n % 5] for n in range(prompts))
    blank = np.full((prompts, clips), "", dtype="<U1")
    cells = {"status": np.where(failed, "failed", "ok"), "reason": blank, "sha256": blank, "unusable_because": blank}
    grid = ClipGrid("model", ids, categories, cells | dict(zip(METRICS, values, strict=True)))
    manifest = {
        "suite": {"name": "simulated", "digest": "0", "prompts": [{"id": i} for i in ids]},
        "plan": {"prompts": list(ids), "clips_per_prompt": clips, "seed": 0, "backbones": "builtin"},
        "generators": {"model": {"clip": {}, "weights_digest": label}}, "device": {}, "prices": {},
    }  # fmt: skip
    info = {"unit": "", "higher_is_better": True, "version": "1", "backbone": None, "per": "clip"}
    summary = {"metrics": dict.fromkeys(METRICS, info), "generators": {"model": {"scores": {}}}}
    return RunView(label, RunFolder(label), manifest, summary, {"model": grid}, None)


def outcomes(world: Callable[[], Release], releases: int) -> Counter[str]:
    policy = choose_policy(None, None)
    found: Counter[str] = Counter()
    for _ in range(releases):
        release = world()
        candidate = as_run("candidate", release.new, release.new_failed)
        found[decide(candidate, as_run("baseline", release.old, release.old_failed), policy).outcome] += 1
    return found


def worse_by(margins: float, rng: np.random.Generator, prompts: int, clips: int) -> Release:
    """The first score is worse by so many margins; the seeds are new."""
    return shifted(draw(rng, prompts, clips, shared=0.0, chance=0.5), margins)


def error_table(sizes: list[tuple[int, int]], releases: int) -> Iterator[str]:
    yield f"| world ({releases} releases each) | error | " + " | ".join(f"{p} x {c}" for p, c in sizes) + " |"
    yield "|---|---|" + "---|" * len(sizes)
    for name, (error, _) in worlds(np.random.default_rng(0), 6, 1).items():
        cells = []
        for prompts, clips in sizes:
            rng = np.random.default_rng([prompts, clips, len(name)])
            found = outcomes(worlds(rng, prompts, clips)[name][1], releases)
            shares = [found[outcome] / releases for outcome in ("pass", "fail", "undecided")]
            cells.append(f"**{found[error] / releases:.3f}** ({' / '.join(f'{share:.2f}' for share in shares)})")
        yield f"| {name} | false {error} | {' | '.join(cells)} |"


def power_table(sizes: list[tuple[int, int]], releases: int) -> Iterator[str]:
    yield "| true loss, in margins | " + " | ".join(f"{p} x {c}" for p, c in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for loss in (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0):
        cells = []
        for prompts, clips in sizes:
            rng = np.random.default_rng([prompts, clips, 7])
            found = outcomes(partial(worse_by, loss, rng, prompts, clips), releases)
            cells.append(" / ".join(f"{found[outcome] / releases:.2f}" for outcome in ("pass", "fail", "undecided")))
        yield f"| {loss:g} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=int, default=1000)
    parser.add_argument("--sizes", nargs="*", default=["10x4", "20x2", "40x2", "100x1", "200x1"])
    parser.add_argument("--power", action="store_true")
    given = parser.parse_args()
    sizes = [(int(p), int(c)) for p, c in (size.split("x") for size in given.sizes)]
    begun = time.perf_counter()
    for line in (power_table if given.power else error_table)(sizes, given.releases):
        print(line, flush=True)
    print(f"\nPrompts x clips; in brackets pass / fail / undecided. {time.perf_counter() - begun:.0f} s.")


if __name__ == "__main__":
    main()
