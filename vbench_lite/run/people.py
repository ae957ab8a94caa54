"""What people's votes show, as the part "people" of summary.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from vbench_lite.records import Estimate, MetricInfo

HUMAN_METRICS: Mapping[str, MetricInfo] = {
    "human_usable": MetricInfo(
        "human_usable", "fraction", True, "1", None, "clip", title="Usable by people", range=(0.0, 1.0),
        question="people",
        description="Share of the clips that people keep. Each clip counts with the share of its raters who keep it. "
        "Intervals are over prompts and raters. Clips without a vote, and failed clips, are left out.",
        pitfalls="It holds for these raters and their idea of usable. See how far they agree.",
    ),
    "human_preference": MetricInfo(
        "human_preference", "fraction", True, "1", None, "clip", title="Preferred by people", range=(0.0, 1.0),
        question="people", rank=11,
        description="Share of the comparisons of two clips of one prompt that a generator's clips win; no difference "
        "counts as half. Intervals are over prompts and raters.",
        pitfalls="It depends on the opponents: 0.5 is as good as they are, not good.",
    ),
}  # fmt: skip
"""The metrics that are votes. They stand in summary.json and clips.csv where there are votes."""


SIMULATED = "votes of simulated raters: a program gave them, not people"
"""The note beside their results in tables, comparisons and verdicts."""


def human_metric(name: str, simulated: bool) -> MetricInfo:
    """A metric of votes. Where raters are simulated, its title and description name them instead of people.

    >>> human_metric("human_usable", simulated=True).title
    'Usable by simulated raters'
    """
    info = HUMAN_METRICS[name]
    if not simulated:
        return info
    pitfalls = f"A program gave these votes, not people. {info.pitfalls}"
    title, description = (text.replace("people", "simulated raters") for text in (info.title, info.description))
    return replace(info, title=title, description=description, pitfalls=pitfalls)


CarelessSign = Literal["failed the warm-up", "one button", "agrees less than others"]
CARELESS = "the rater's answers look careless"
"""Why a vote does not count."""


@dataclass(frozen=True, kw_only=True)
class RaterSummary:
    """One rater."""

    name: str
    votes: int
    minutes: float | None = None
    same_again: float | None = None
    """Share of the repeated questions that got the same answer."""
    repeated: int = 0
    agreement: float | None = None
    """Covariance with the other raters' answers; None without shared questions."""
    left: float | None = None
    """Share of the votes for one of two clips that went to the left one."""
    prefers_side: Literal["left", "right"] | None = None
    """The side that the rater chooses too often. Such votes count, because sides are balanced."""
    careless: tuple[CarelessSign, ...] = ()
    """Why the answers look careless. Such a rater's votes are stored, and no result rests on them."""
    simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class PairPreference:
    """Two generators side by side."""

    a: str
    b: str
    share: Estimate
    """Of the votes, those for a; no difference counts as half."""
    decided: int = 0
    """Votes for one of the two."""


@dataclass(frozen=True, kw_only=True)
class Preference:
    """Which generator people prefer, for one question."""

    votes: int
    same: float
    """Share of votes without a difference, "both unusable" among them."""
    both_unusable: float
    strengths: Mapping[str, Estimate]
    """Generator > strength in the Bradley-Terry model with ties (Davidson): log odds, adding up to 0."""
    pairs: tuple[PairPreference, ...]
    left: Estimate
    """Share of decided votes for the left clip; 0.5 is no bias."""


@dataclass(frozen=True, kw_only=True)
class MetricAgreement:
    """How far a metric agrees with people."""

    pair_accuracy: Estimate
    """Of decided votes, the share in which the preferred clip has the better value; equal values count as half."""
    precision: Estimate
    """Of the clips that meet the threshold, the share that people keep."""
    recall: Estimate
    """Of the clips that people keep, the share that meets the threshold."""


@dataclass(frozen=True, kw_only=True)
class FittedLimit:
    """One fitted threshold; either side may be open."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, kw_only=True)
class FittedThresholds:
    """Thresholds of usable clips, fitted to what people keep."""

    thresholds: Mapping[str, FittedLimit]
    clips: int
    kept: int
    error: Estimate
    """Share of clips of left-out prompts on which thresholds, fitted to the other prompts, and people disagree."""
    plain_error: float
    """The same share where every clip is kept, or every clip rejected, whichever is better."""
    reason: str = ""
    """Why there are no thresholds."""


@dataclass(frozen=True, kw_only=True)
class VotesNeeded:
    """Votes that are missing to a stated precision, if more prompts and raters are like those so far."""

    figure: str
    half_width: float
    """What is asked for: half the width of the 95 % interval."""
    now: float | None
    """What there is."""
    votes: int | None
    """Still needed; None where nothing can be said."""


@dataclass(frozen=True, kw_only=True)
class NextPair:
    """Two generators whose comparison gains by further votes."""

    a: str
    b: str
    share: float
    """Of the next votes."""


@dataclass(frozen=True, kw_only=True)
class People:
    """What people's votes show."""

    votes: int
    """All that count."""
    raters: tuple[RaterSummary, ...]
    """Careless ones among them."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason > votes that do not count."""
    simulated: bool = False
    """A program gave at least one of the answers."""
    preference: Mapping[str, Preference] = field(default_factory=dict)
    """Question > result."""
    alpha: Mapping[str, Estimate] = field(default_factory=dict)
    """Question > Krippendorff's alpha between raters."""
    self_agreement: Mapping[str, Estimate] = field(default_factory=dict)
    """Question > share of repeated questions that got the same answer."""
    agreement: Mapping[str, MetricAgreement] = field(default_factory=dict)
    """Metric, or "usable" > agreement with people."""
    seconds_per_clip: Estimate | None = None
    """Review time of one clip."""
    usd_per_hour: float | None = None
    """Of a reviewer, as `--prices` states it."""
    fitted: FittedThresholds | None = None
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Generator > reason > rejected clips."""
    needed: tuple[VotesNeeded, ...] = ()
    next_pairs: tuple[NextPair, ...] = ()
