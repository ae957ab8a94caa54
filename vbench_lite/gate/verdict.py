"""Records of the gate's verdict and its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from vbench_lite.formatting import AS_STORED, Shown

Outcome = Literal["pass", "fail", "undecided", "skipped"]
Decision = Literal["pass", "fail", "undecided"]


class Needed(NamedTuple):
    """What would decide a check with a probability of 80 %, if the observed difference is the true one."""

    prompts: int | None
    """Total number of prompts, with the same number of clips per prompt; None if 10,000 are not enough."""
    clips_per_prompt: int | None
    """Total number of clips per prompt, with the same prompts; None if 64 are not enough."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The figures of one check. Differences are candidate minus baseline, in the metric's unit."""

    why_none: str | None = None
    """Why there are no figures."""
    unmeasured: bool = False
    """Whether the reason is that the baseline has no such figure, or that devices or prices differ."""
    p_pass: float | None = None
    """p value of the hypothesis that the release is on the limit or worse."""
    p_fail: float | None = None
    """p value of the hypothesis that the release is on the limit or better."""
    holds: bool | None = None
    """Result of a point rule; None for an interval rule."""
    baseline: float | None = None
    candidate: float | None = None
    difference: float | None = None
    low: float | None = None
    """Lower end of the interval. Each end is wrong with a probability of at most the policy's level."""
    high: float | None = None
    limit: float | None = None
    """The limit of the difference; for min and max, the limit of the value."""
    prompts: int = 0
    clips: int = 0
    filled: tuple[int, int] = (0, 0)
    """Clips of (baseline, candidate) without a value. They count as the worst observed value."""
    distance_to_limit: float = 0.0
    """Mean distance from the limit; positive if inside."""
    deviation: float = 0.0
    """Standard deviation of that distance between prompts."""
    within: float | None = None
    """Variance of that distance between clips of one prompt."""
    margin: float | None = None
    """The tolerated loss, in the unit of the metric."""
    words: str = ""
    """Additional facts as text."""


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check of one generator."""

    id: str
    """generator/metric/rule/statistic/category. It is stable between runs."""
    generator: str
    rule: str
    metric: str
    statistic: str
    category: str
    demand: str
    outcome: Outcome
    guard: bool
    """Whether the check passes without a significant test."""
    reason: str
    """The reason of the outcome, as a sentence."""
    unit: str
    evidence: Evidence
    """Its figures are in `unit`."""
    shown: Shown = AS_STORED
    """How text shows the figures: as the reports of both runs do."""
    change: str = ""
    """The result of `analysis.family` for this figure of the two generators, such as "better"; "" for figures that it
    does not compare, and for categories and tails."""
    p_fail_holm: float | None = None
    """`evidence.p_fail`, adjusted for all checks."""
    needed: Needed | None = None
    against: str = "baseline"
    """"baseline", "history", or "anchor": the first promoted baseline."""


@dataclass(frozen=True)
class Finding:
    """A fact about the runs as a whole, in addition to the checks."""

    kind: str
    """no-clips, frozen, black, copies, own-clips, anchor-drift, incomplete, identical, drift, seeds, policy, votes."""
    generator: str
    message: str
    outcome: Literal["fail", "undecided", "note"]


class Remedy(NamedTuple):
    """A way to decide an undecided gate."""

    sentence: str
    command: str
    clips: int
    """Total number of clips of the candidate."""
    usd: float | None
    """Cost of these clips at the candidate's mean cost; None if unknown."""
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
    """title, path, origin, digest; and who changed the policy last, when and why."""
    checks: tuple[CheckResult, ...]
    findings: tuple[Finding, ...]
    remedies: tuple[Remedy, ...]

    def of(self, *outcomes: str) -> list[CheckResult]:
        """Checks with one of these outcomes. Guards are last; otherwise the smallest p value is first."""
        chosen = [check for check in self.checks if check.outcome in outcomes]
        return sorted(chosen, key=lambda c: (c.guard, -1.0 if c.evidence.p_fail is None else c.evidence.p_fail))
