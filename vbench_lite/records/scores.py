"""What clips are worth: descriptions of metrics, scores, and estimates over many clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from vbench_lite.records.clips import ClipKey
from vbench_lite.records.reasons import ReasonCode

QUESTIONS = {
    "coherence": "Coherence", "detail": "Detail", "prompt": "Following the prompt", "set": "The set as a whole",
}
"""What people ask of clips: the key that a metric names > the title in reports, in their order."""

Origin = Literal["", "program", "imported"]
"""Who computed a metric's values: this package, a program of the user, or another tool whose table was imported."""


@dataclass(frozen=True)
class MetricInfo:
    """What a number is called, and what makes two such numbers comparable."""

    name: str
    unit: str
    higher_is_better: bool | None
    """None: reported only, never ranked."""
    version: str
    """Raised by every change that moves a value."""
    backbone: str | None
    """Name and digest of the network that computes it, e.g. "builtin/clip@1a2b3c4d"."""
    per: Literal["clip", "set"]
    title: str = ""
    range: tuple[float | None, float | None] = (None, None)
    """Smallest and largest possible value; None where there is no limit."""
    question: str = ""
    """Which question of a report it answers; "" for none."""
    rank: int = 10
    """Order within the question."""
    description: str = ""
    pitfalls: str = ""
    source: str = ""
    origin: Origin = ""
    """Values of different origins are never compared."""


class Score(NamedTuple):
    """One clip's value of one metric, or why there is none.

    Example:
        >>> Score(None, "it has a single frame", ReasonCode.ONE_FRAME).reason_code.value
        'one_frame'
    """

    value: float | None
    reason: str | None = None
    reason_code: ReasonCode | None = None


@dataclass(frozen=True)
class Estimate:
    """A figure over many clips, with its 95 % interval over prompts.

    Pitfalls: `value` and both sides of the interval may be None, each on its own. `reason` then says why.

    Example:
        >>> Estimate(0.91, low=0.88, high=0.94, n=80).value
        0.91
        >>> Estimate(None, reason="no price is known", reason_code=ReasonCode.NO_PRICE).reason
        'no price is known'
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Clips (or prompts, for costs) that it rests on."""
    unscored: int = 0
    """Clips that should have counted and could not be scored."""
    reason: str | None = None
    """Why value (or its interval) is None, for people."""
    reason_code: ReasonCode | None = None
    """The same for code."""


@dataclass(frozen=True)
class Scored:
    """All scores of a run: what scoring hands to the summary."""

    metrics: Mapping[str, MetricInfo]
    clips: Mapping[ClipKey, Mapping[str, Score]]
    sets: Mapping[str, Mapping[str, Estimate]]
    """generator > set metric > estimate."""
    reference: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    """Scores of the reference clips by metric, the same clips in the same order for each: where thresholds come from.
    """
    features: Mapping[str, bytes] = field(default_factory=dict)
    """generator > what set metrics were computed from, as `analysis.set_features` writes it."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Protocols, anchor drift and whatever else belongs beside the numbers."""
