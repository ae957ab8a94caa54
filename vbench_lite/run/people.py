"""The part "people" of summary.json: the results of people's votes."""

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
        pitfalls="It is valid for these raters and their idea of usable. See their agreement.",
    ),
    "human_preference": MetricInfo(
        "human_preference", "fraction", True, "1", None, "clip", title="Preferred by people", range=(0.0, 1.0),
        question="people", rank=11,
        description="Share of the comparisons of two clips of one prompt that a generator's clips win; no difference "
        "counts as half. Intervals are over prompts and raters.",
        pitfalls="It depends on the opponents: 0.5 means as good as they are, not good.",
    ),
}  # fmt: skip
"""The metrics from votes. They are in summary.json and clips.csv if there are votes."""


SIMULATED = "votes of simulated raters: a program gave them, not people"
"""The note next to their results in tables, comparisons and verdicts."""


def human_metric(name: str, simulated: bool) -> MetricInfo:
    """A metric from votes. With simulated raters, its title and description name them instead of people.

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
"""The reason why a vote does not count."""


@dataclass(frozen=True, kw_only=True)
class RaterSummary:
    """One rater."""

    name: str
    votes: int
    minutes: float | None = None
    same_again: float | None = None
    """Fraction of the repeated questions with the same answer."""
    repeated: int = 0
    agreement: float | None = None
    """Covariance with the other raters' answers; None without shared questions."""
    left: float | None = None
    """Fraction of the votes for one of two clips that are for the left clip."""
    prefers_side: Literal["left", "right"] | None = None
    """The side that the rater chooses too often. These votes count, because sides are balanced."""
    careless: tuple[CarelessSign, ...] = ()
    """Signs of careless answers. The votes of a careless rater are stored, but no result uses them."""
    simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class PairPreference:
    """The preference between two generators."""

    a: str
    b: str
    share: Estimate
    """Fraction of the votes for a; no difference counts as half."""
    decided: int = 0
    """Number of votes for one of the two."""


@dataclass(frozen=True, kw_only=True)
class Preference:
    """The preferences of people between generators, for one question."""

    votes: int
    same: float
    """Fraction of votes without a difference, including "both unusable"."""
    both_unusable: float
    strengths: Mapping[str, Estimate]
    """Generator > strength in the Bradley-Terry model with ties (Davidson): log odds with sum 0."""
    pairs: tuple[PairPreference, ...]
    left: Estimate
    """Fraction of decided votes for the left clip; 0.5 is no bias."""


@dataclass(frozen=True, kw_only=True)
class MetricAgreement:
    """Agreement of a metric with people."""

    pair_accuracy: Estimate
    """Fraction of decided votes in which the preferred clip has the better value; equal values count as half."""
    precision: Estimate
    """Fraction of the clips within the threshold that people keep."""
    recall: Estimate
    """Fraction of the clips kept by people that are within the threshold."""


@dataclass(frozen=True, kw_only=True)
class FittedLimit:
    """One fitted threshold. Each limit may be None."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, kw_only=True)
class FittedThresholds:
    """Thresholds of usable clips, fitted to the clips that people keep."""

    thresholds: Mapping[str, FittedLimit]
    clips: int
    kept: int
    error: Estimate
    """Cross-validated error: fraction of clips of held-out prompts on which thresholds and people disagree."""
    plain_error: float
    """The error of keeping all clips or rejecting all clips, the smaller of the two."""
    reason: str = ""
    """The reason why there are no thresholds."""


@dataclass(frozen=True, kw_only=True)
class VotesNeeded:
    """Votes that a stated precision still needs, if further prompts and raters are like those so far."""

    figure: str
    half_width: float
    """The wanted precision: half the width of the 95 % interval."""
    now: float | None
    """The present precision."""
    votes: int | None
    """Number of votes still needed; None if it is not known."""


@dataclass(frozen=True, kw_only=True)
class NextPair:
    """Two generators whose comparison needs further votes."""

    a: str
    b: str
    share: float
    """Fraction of the next votes."""


@dataclass(frozen=True, kw_only=True)
class People:
    """The results of people's votes."""

    votes: int
    """Number of votes that count."""
    raters: tuple[RaterSummary, ...]
    """All raters, including careless ones."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason > number of votes that do not count."""
    simulated: bool = False
    """Whether a program gave at least one of the answers."""
    preference: Mapping[str, Preference] = field(default_factory=dict)
    """Question > result."""
    alpha: Mapping[str, Estimate] = field(default_factory=dict)
    """Question > Krippendorff's alpha between raters."""
    self_agreement: Mapping[str, Estimate] = field(default_factory=dict)
    """Question > fraction of repeated questions with the same answer."""
    agreement: Mapping[str, MetricAgreement] = field(default_factory=dict)
    """Metric, or "usable" > agreement with people."""
    seconds_per_clip: Estimate | None = None
    """Review time per clip."""
    usd_per_hour: float | None = None
    """Rate of a reviewer from `--prices`."""
    fitted: FittedThresholds | None = None
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Generator > reason > number of rejected clips."""
    needed: tuple[VotesNeeded, ...] = ()
    next_pairs: tuple[NextPair, ...] = ()
