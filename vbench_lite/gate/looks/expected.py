"""Predict the number of clips of a run at planned looks from the baseline's variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from vbench_lite.analysis.comparable import GeneratorPair
from vbench_lite.analysis.quantities import Quantity, clip_values
from vbench_lite.gate.baselines.margins import fix_margins
from vbench_lite.gate.decide import GUARD_WEIGHT
from vbench_lite.gate.looks.boundaries import Look, boundaries, prompts_at
from vbench_lite.gate.looks.record import PlannedLooks
from vbench_lite.gate.planned import check_id, expand
from vbench_lite.gate.policy import Policy
from vbench_lite.run.view import Run, Side
from vbench_lite.stats import MIN_PROMPTS, Array, power


@dataclass(frozen=True, kw_only=True)
class ExpectedLooks:
    """Predicted fractions of all clips that are generated before the gate decides."""

    equal: float | None
    """For a release that equals the baseline and has new seeds."""
    loss: float | None
    """For a release that lost two margins in one score, for the score that takes longest."""
    by_look: tuple[float, ...] = ()
    """Probability that an equal release has passed at each look."""
    reason: str = ""
    """Why there is no prediction."""


def expected_looks(baseline: Run, policy: Policy, planned: PlannedLooks, clips_per_prompt: int) -> ExpectedLooks:
    """Predict from the power of each check on a mean.

    The difference of two releases of one model has, per prompt, twice the variance between clips of one prompt, divided
    by their number. Checks are assumed to be independent. Guards, counts of failures and set metrics are not predicted,
    except for the rare losses that a look must exclude. A retrained model also differs by prompt, which the baseline
    does not show, so it needs more clips than predicted (docs/iteration.md has the deviation).

    Args:
        baseline: The baseline.
        policy: The policy.
        planned: The planned looks.
        clips_per_prompt: Number of clips per prompt of the candidate.
    """
    checks, total_weight = _checks(baseline, policy)
    if not checks:
        reason = "the baseline has fewer than two clips per prompt, or no check on a mean has a margin"
        return ExpectedLooks(equal=None, loss=None, reason=reason)
    counts = prompts_at(planned.fractions, len(planned.order))
    passed, failed = [], []
    for number, prompts in enumerate(counts, 1):
        look = Look(number, planned.fractions)
        nominal = _nominal(policy.strict, look)
        sure = [_power(margin, (2 * within / clips_per_prompt) ** 0.5, prompts, nominal) for margin, within in checks]
        enough = prompts >= policy.min_prompts and prompts * clips_per_prompt >= policy.min_clips
        if not look.is_last and policy.rare_losses:
            enough &= float(look.rare(0, prompts * clips_per_prompt, policy.rare_losses)) <= policy.strict
        passed.append(float(np.prod(sure)) if enough else 0.0)
        strict = _nominal(policy.strict / total_weight, look)
        failed.append(min(_power(m, (2 * w / clips_per_prompt) ** 0.5, prompts, strict) for m, w in checks))
    return ExpectedLooks(
        equal=_mean_fraction(passed, counts), loss=_mean_fraction(failed, counts),
        by_look=tuple(np.maximum.accumulate(passed).tolist()),
    )  # fmt: skip


def _checks(baseline: Run, policy: Policy) -> tuple[list[tuple[float, float]], float]:
    """(margin, variance between clips of a prompt) of each check on a mean, and the total weight in Holm's method."""
    margins, found, weight = fix_margins(baseline, policy), [], 0.0
    for generator in baseline.generators:
        sides = GeneratorPair(Side(baseline, generator), Side(baseline, generator))
        for check in policy.checks:
            for quantity, category in expand(check, sides, policy):
                weight += GUARD_WEIGHT if check.is_guard or check.statistic == "collapsed" else 1.0
                plain = check.rule == "non-inferior" and check.statistic == "mean" and not check.is_guard
                size = margins.of(check_id(check, quantity, generator, category)).size
                if plain and size and quantity and quantity.kind in ("score", "share"):
                    within = _within(quantity, sides)
                    found += [(size, within)] if within is not None else []
    return found, weight


def _within(quantity: Quantity, sides: GeneratorPair) -> float | None:
    """Mean variance between the clips of a prompt; None if no prompt has two clips."""
    values = clip_values(quantity, sides.old)
    several = np.isfinite(values).sum(1) > 1
    return float(np.nanvar(values[several], axis=1, ddof=1).mean()) if several.any() else None


def _nominal(level: float, look: Look) -> float:
    """The level of a single test at a look."""
    return float(special.ndtr(-boundaries(level, look.fractions[: look.number])[-1]))


def _power(distance: float, spread: float, prompts: int, level: float) -> float:
    if prompts < MIN_PROMPTS:
        return 0.0
    return 1.0 if spread <= 1e-9 * distance else power(distance, spread, prompts, level)


def _mean_fraction(reached: Sequence[float], counts: Sequence[int]) -> float:
    """The mean fraction of the prompts at the decision. Undecided releases use all."""
    decided: Array = np.maximum.accumulate(np.asarray(reached))
    decided[-1] = 1.0
    steps = np.diff(decided, prepend=0.0)
    return float(steps @ np.asarray(counts) / counts[-1])
