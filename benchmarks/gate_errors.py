"""How often the gate errs: simulated releases in worlds where the truth is known, under the default policy.

    python benchmarks/gate_errors.py                the error table of docs/explanation/gate-errors.md
    python benchmarks/gate_errors.py --power        how often a release of a given quality passes
    python benchmarks/gate_errors.py --own          the same where the baseline's clips collapse too
    python benchmarks/gate_errors.py --ratchet      how often small losses accumulate past the first baseline
    python benchmarks/gate_errors.py --plot FILE    the power curves as SVG

The worlds are those of gate_worlds.py. A false pass is a pass of a release that lost the margin; a false fail is a fail
of an equal one.

A thousand releases are judged at once, by the gate's own tests on arrays; tests/gate/test_gate_errors.py holds that
`decide`, one release at a time, comes to the same outcomes.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gate_worlds import CATEGORIES, MARGIN_SD, SCORES, Array, Draw, Releases, collapsing, fallen_tail, shifted, worlds

from vbench_lite.gate.decide import ANCHOR_SCALE, GUARD_WEIGHT
from vbench_lite.gate.evidence.categories import FULL, borrowed
from vbench_lite.gate.evidence.scores import CHANCE, COLLAPSE_SD
from vbench_lite.gate.looks.boundaries import EARLY_GUARD, ONCE, Look
from vbench_lite.gate.policy import CAUTION
from vbench_lite.stats import MIN_PROMPTS, mean_test, prompts_to_see, sign_test

LEVEL, GUARD_SD, MIN_POLICY_PROMPTS, RARE, COUNT_MARGIN = 0.05, 1.0, 10, 0.1, 0.03
STRICT = CAUTION * LEVEL
SIZES = ["10x1", "10x8", "20x2", "40x2", "100x1", "200x1", "200x4"]
LOSSES = (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


OWN_RATES = (0.0, 0.01, 0.03, 0.05)
"""Fractions of clips that collapse in both runs."""


def own_table(sizes: list[tuple[int, int]], releases: int) -> Iterator[str]:
    """Where clips of both runs collapse: equal releases, and those in which a further tenth collapses."""
    yield "| collapse in both runs | release | error | " + " | ".join(f"{p} x {c}" for p, c in sizes) + " |"
    yield "|---|---|---|" + "---|" * len(sizes)
    for place, own in enumerate(OWN_RATES):
        for name, error in (("equal", "fail"), ("a further tenth collapsed, same mean", "pass")):
            cells = []
            for prompts, clips in sizes:
                rng = np.random.default_rng([place, prompts, clips, error == "pass"])
                found = collapsing(rng, Draw(releases, prompts, clips)(rng), own)
                passed, failed, _ = shares(judge(fallen_tail(rng, found) if error == "pass" else found))
                wrong, right = (passed, failed) if error == "pass" else (failed, passed)
                cells.append(f"**{100 * wrong:.1f}** ({100 * right:.0f})")
            yield f"| {own:.0%} | {name} | {error} | {' | '.join(cells)} |"


def judge(found: Releases, look: Look = ONCE, spread: Array | None = None) -> Array:
    """The outcome of each release under the default policy: "pass", "fail" or "undecided".

    Args:
        found: The releases, with the prompts that are there at the look.
        look: Of a run that stops when it is decided; the only one by default.
        spread: Between the baseline's clips, by release and score, as margins were fixed from it; None for that of
            these prompts.
    """
    pairs = Pairs.of(found)
    spread = pairs.spread if spread is None else spread
    means_and_counts = _combine(_means(pairs, spread, look), _collapsed(found, spread, look))
    holds, p_fail = _combine(means_and_counts, _categories(pairs, spread, look))
    worse, signs = _counted(found.old_failed, found.new_failed, found.old_failed[0].size, look)
    p_fail.append(signs)
    weights = np.array([1.0] * SCORES + [GUARD_WEIGHT] * (len(p_fail) - SCORES - 1) + [1.0])
    scaled = np.min(look.repeated(np.array(p_fail)) / weights[:, None], 0) * weights.sum()
    fails = scaled <= STRICT  # Holm's first step decides whether any check fails
    return np.where(fails, "fail", np.where(np.all([*holds, ~worse], 0), "pass", "undecided"))


def _counted(old: Array, new: Array, clips: Array | int, look: Look) -> tuple[Array, Array]:
    """Bad clips, shape (..., prompts, clips): whether they stand in the way, and the p value of the sign test."""
    change = new.sum(-1) * 1 - old.sum(-1)
    too_many = change.sum(-1) > np.maximum(COUNT_MARGIN * clips, CHANCE * np.sqrt((change**2).sum(-1)))
    signs = np.vectorize(sign_test)((change > 0).sum(-1), (change < 0).sum(-1))
    in_the_way = too_many if look.is_last else look.rare(change.sum(-1), clips, RARE) > STRICT
    return in_the_way, np.where(too_many, signs, 1.0)


def _collapsed(found: Releases, spread: Array, look: Look) -> CheckResults:
    """Clips far below the other run's mean of their prompt, by release and score."""
    old, new = (
        np.where(np.broadcast_to(bad[:, None], side.shape), np.nan, side)
        for bad, side in ((found.old_failed, found.old), (found.new_failed, found.new))
    )
    drop = COLLAPSE_SD * spread[:, :, None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # prompts without a clip
        new = new - np.nanmedian(np.nanmean(new, 3) - np.nanmean(old, 3), 2)[:, :, None, None]
        bad = [mine < np.nanmean(other, 3, keepdims=True) - drop for mine, other in ((old, new), (new, old))]
    too_many, signs = _counted(bad[0], bad[1], np.isfinite(new).sum((2, 3)), look)
    return list((~too_many).T), list(signs.T)


CheckResults = tuple[list[Array], list[Array]]
"""Of each check, by release: whether it holds (a guard: nothing speaks against it), and the p value of its failure."""


def _combine(first: CheckResults, second: CheckResults) -> CheckResults:
    return first[0] + second[0], first[1] + second[1]


@dataclass
class Pairs:
    """Releases with every clip filled in: the gate's view of them. Shape (releases, scores, prompts, clips)."""

    old: Array
    new: Array
    spread: Array
    """Between the baseline's clips, by release and score."""

    @classmethod
    def of(cls, found: Releases) -> Pairs:
        old, new = (
            np.where(np.broadcast_to(bad[:, None], side.shape), np.nan, side)
            for bad, side in ((found.old_failed, found.old), (found.new_failed, found.new))
        )
        worst = np.fmin(np.nanmin(old, (2, 3)), np.nanmin(new, (2, 3)))
        spread = np.nanstd(old, (2, 3), ddof=1)
        old, new = (np.where(np.isnan(side), worst[:, :, None, None], side) for side in (old, new))
        return cls(old, new, spread)


def _means(pairs: Pairs, spread: Array, look: Look) -> CheckResults:
    (prompts, clips), margin = pairs.old.shape[2:], MARGIN_SD * spread
    test = mean_test((pairs.new - pairs.old).mean(3) + margin[:, :, None])
    enough = prompts * clips >= prompts_to_see(RARE, LEVEL) and prompts >= MIN_POLICY_PROMPTS
    return list(((look.repeated(test.above) <= STRICT) & enough).T), list(test.below.T)


def _categories(pairs: Pairs, spread: Array, look: Look) -> CheckResults:
    """Every category as a guard; a small one with the spread of all, and a wider margin."""
    gains = (pairs.new - pairs.old).mean(3)
    names = np.array([str(n % CATEGORIES) for n in range(gains.shape[2])])
    holds, p_fail = [], []
    for kind in np.unique(names):
        own = gains[:, :, names == kind]
        slack = GUARD_SD * max(1.0, (FULL / own.shape[2]) ** 0.5) * spread
        inside, lent = own.mean(2) + slack >= 0, borrowed(gains, names, kind)
        alone = mean_test(own + slack[:, :, None]) if own.shape[2] >= MIN_PROMPTS else None
        broken = lent.test(own.mean(2) + slack) if lent is not None else alone
        if broken is not None:
            p_fail += list(broken.below.T)
        if not look.is_last:
            shown = alone or broken
            inside = inside & (shown.above <= EARLY_GUARD) if shown else np.zeros_like(inside)
        holds += list(inside.T)
    return holds, p_fail


def shares(outcomes: Array) -> list[float]:
    return [float((outcomes == outcome).mean()) for outcome in ("pass", "fail", "undecided")]


def error_table(sizes: list[tuple[int, int]], releases: int) -> Iterator[str]:
    yield "| world | error | " + " | ".join(f"{p} x {c}" for p, c in sizes) + " |"
    yield "|---|---|" + "---|" * len(sizes)
    names = worlds(np.random.default_rng(0), 1, 6, 1)
    for nth, (name, (error, _)) in enumerate(names.items()):
        cells = []
        for prompts, clips in sizes:
            rng = np.random.default_rng([nth, prompts, clips])
            outcomes = judge(worlds(rng, releases, prompts, clips)[name][1]())
            passed, failed, _ = shares(outcomes)
            wrong = passed if error == "pass" else failed
            cells.append(f"**{100 * wrong:.1f}** ({100 * (failed if error == 'pass' else passed):.0f})")
        yield f"| {name} | {error} | {' | '.join(cells)} |"


def power(sizes: list[tuple[int, int]], releases: int) -> dict[tuple[int, int], list[list[float]]]:
    """Size > loss > shares of pass, fail and undecided, with new seeds."""
    found = {}
    for prompts, clips in sizes:
        rng = np.random.default_rng([prompts, clips])
        draw = Draw(releases, prompts, clips, shared=0.0, chance=0.5)
        found[prompts, clips] = [shares(judge(shifted(draw(rng), loss))) for loss in LOSSES]
    return found


def power_table(sizes: list[tuple[int, int]], releases: int) -> Iterator[str]:
    found = power(sizes, releases)
    yield "| true loss, in margins | " + " | ".join(f"{p} x {c}" for p, c in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    for nth, loss in enumerate(LOSSES):
        cells = [" / ".join(f"{100 * share:.0f}" for share in found[size][nth]) for size in sizes]
        yield f"| {loss:g} | {' | '.join(cells)} |"


def plot(path: Path, sizes: list[tuple[int, int]], releases: int) -> None:
    """Power curves: how often a release passes (solid) and fails (dashed), by how much it is worse."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "gate", "svg.fonttype": "none"})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    colours = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#444444")
    for colour, (size, rows) in zip(colours, power(sizes, releases).items(), strict=False):
        axes.plot(LOSSES, [row[0] for row in rows], color=colour, label=f"{size[0]} prompts x {size[1]}")
        axes.plot(LOSSES, [row[1] for row in rows], color=colour, linestyle="--")
    axes.axvline(1, color="#888888", linewidth=0.8)
    axes.axhline(LEVEL, color="#888888", linewidth=0.8)
    axes.set(xlabel="true loss of one score, in margins", ylabel="share of releases", ylim=(-0.02, 1.02))
    axes.legend(title="pass solid, fail dashed", frameon=False)
    figure.savefig(path, metadata={"Date": None})


def ratchet(releases: int, prompts: int, clips: int, rng: np.random.Generator) -> float:
    """How often ten releases, each a third of the margin worse than the last promoted one, lose 1.5 margins in all."""
    hard = 0.8 * rng.standard_normal((releases, prompts, 1))

    def draw() -> Array:
        own = 0.25 * rng.standard_normal((releases, prompts, 1))
        return hard + own + 0.5 * rng.standard_normal((releases, prompts, clips))

    def inside(new: Array, old: Array, margin: Array) -> Array:
        return mean_test((new - old).mean(2) + margin[:, None]).above <= STRICT

    first = last = draw()
    margin = fixed = MARGIN_SD * first.std((1, 2), ddof=1)
    lost = np.zeros(releases)
    for _ in range(10):
        loss = lost + 1 / 3
        new = draw() - (loss * fixed)[:, None, None]
        promoted = inside(new, last, margin) & inside(new, first, ANCHOR_SCALE * fixed)
        last = np.where(promoted[:, None, None], new, last)
        margin = np.where(promoted, MARGIN_SD * new.std((1, 2), ddof=1), margin)
        lost = np.where(promoted, loss, lost)
    return float((lost >= 1.5 - 1e-9).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=int, default=1000)
    parser.add_argument("--sizes", nargs="*", default=SIZES, help="prompts x clips, e.g. 40x2")
    parser.add_argument("--power", action="store_true")
    parser.add_argument("--own", action="store_true")
    parser.add_argument("--ratchet", action="store_true")
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    sizes = [(int(p), int(c)) for p, c in (size.split("x") for size in given.sizes)]
    begun = time.process_time()
    if given.plot:
        plot(given.plot, sizes, given.releases)
    elif given.ratchet:
        for size in sizes:
            share = ratchet(given.releases, *size, np.random.default_rng(size))
            print(f"{size[0]} x {size[1]}: {100 * share:.1f} % lose 1.5 margins or more")
    else:
        table = power_table if given.power else own_table if given.own else error_table
        for line in table(sizes, given.releases):
            print(line, flush=True)
    print(f"\n{given.releases} releases a cell, {time.process_time() - begun:.0f} s of processor time.")


if __name__ == "__main__":
    main()
