"""Records of the gate's verdict and its evidence. This module computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Outcome = Literal["pass", "fail", "undecided", "skipped"]
Decision = Literal["pass", "fail", "undecided"]


class Needed(NamedTuple):
    """What would decide a check, if what was seen is the truth, with a probability of 80 %."""

    prompts: int | None
    """In all, with as many clips of each as now; None where no number up to 10,000 would."""
    clips_per_prompt: int | None
    """In all, with the prompts as they are; None where no number up to 64 would."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The figures of one check. Differences are candidate minus baseline, in the metric's unit."""

    why_none: str | None = None
    """Why there are no figures."""
    unmeasured: bool = False
    """There are none because the baseline has no such figure, or devices or prices differ."""
    p_pass: float | None = None
    """p value: the probability that a release on the limit looks at least this good."""
    p_fail: float | None = None
    """p value: the probability that a release on the limit looks at least this bad."""
    holds: bool | None = None
    """A point rule's answer; None for an interval rule."""
    baseline: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    """With `high`: the interval whose either side is wrong with the policy's level."""
    high: float | None = None
    limit: float | None = None
    """The limit of the difference (for min and max, of the value)."""
    prompts: int = 0
    clips: int = 0
    filled: tuple[int, int] = (0, 0)
    """Clips of (baseline, candidate) without a value, counted as the worst seen."""
    distance_to_limit: float = 0.0
    """Mean distance from the limit, positive on the good side."""
    deviation: float = 0.0
    """Of that distance, between prompts."""
    within: float | None = None
    """Its variance between clips of a prompt."""
    margin: float | None = None
    """How much worse is tolerated, in the metric's unit."""
    words: str = ""
    """What was seen, where numbers alone are not enough."""


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check of one generator."""

    id: str
    """generator, rule, metric, statistic, category: stays the same from run to run."""
    generator: str
    rule: str
    metric: str
    statistic: str
    category: str
    demand: str
    outcome: Outcome
    guard: bool
    """It stops a release only when it is shown to be broken."""
    reason: str
    """Why this outcome, in a sentence."""
    unit: str
    evidence: Evidence
    change: str = ""
    """What `analysis.family` says about this figure of the two generators: "better", "worse", "no difference shown"
    and so on; "" for a figure that it does not compare, and for categories and tails."""
    p_fail_holm: float | None = None
    """The evidence's p_fail, adjusted for all checks."""
    needed: Needed | None = None
    against: str = "baseline"
    """"baseline", "history", or "anchor": the first promoted baseline."""


@dataclass(frozen=True)
class Finding:
    """Something about the runs as a whole, beside the checks."""

    kind: str
    """no-clips, frozen, black, copies, own-clips, anchor-drift, incomplete, identical, drift, seeds, policy, votes."""
    generator: str
    message: str
    outcome: Literal["fail", "undecided", "note"]


class Remedy(NamedTuple):
    """How an undecided gate could be decided."""

    sentence: str
    command: str
    clips: int
    """Of the candidate, in all: a run of another plan is another run."""
    usd: float | None
    """What those would cost at the candidate's own mean; None where its cost is not known."""
    device_s: float | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The gate's decision with all of its evidence."""

    outcome: Decision
    exit_code: int
    headline: str
    baseline: str
    candidate: str
    policy: dict[str, str | float]
    """title, path, origin, digest, and who changed it last, when and why."""
    checks: tuple[CheckResult, ...]
    findings: tuple[Finding, ...]
    remedies: tuple[Remedy, ...]

    def of(self, *outcomes: str) -> list[CheckResult]:
        """Checks with one of these outcomes: guards last, and the surest failure first."""
        chosen = [check for check in self.checks if check.outcome in outcomes]
        return sorted(chosen, key=lambda c: (c.guard, -1.0 if c.evidence.p_fail is None else c.evidence.p_fail))
