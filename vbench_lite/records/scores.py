"""Descriptions of metrics, scores of clips, and estimates over many clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from vbench_lite.records.clips import ClipKey
from vbench_lite.records.reasons import ReasonCode

QUESTIONS = {
    "coherence": "Coherence", "detail": "Detail", "prompt": "Following the prompt", "set": "The set as a whole",
}
"""Questions under which a report groups the metrics: key > title, in the order of the report."""

Origin = Literal["", "program", "imported"]
"""What computed a metric's values: this package (""), a program of the user, or another tool (an imported table)."""


@dataclass(frozen=True)
class MetricInfo:
    """Name, unit and meaning of a metric, and the facts that make two of its values comparable."""

    name: str
    unit: str
    higher_is_better: bool | None
    """None: reported only, never ranked."""
    version: str
    """Increased by every change of the code that changes a value."""
    backbone: str | None
    """Name and digest of the network that computes it, e.g. "builtin/clip@1a2b3c4d". None: no network."""
    per: Literal["clip", "set"]
    title: str = ""
    range: tuple[float | None, float | None] = (None, None)
    """Smallest and largest possible value; None where there is no limit."""
    question: str = ""
    """Key of `QUESTIONS` under which a report shows the metric; "" for none."""
    rank: int = 10
    """Order within the question."""
    description: str = ""
    pitfalls: str = ""
    source: str = ""
    origin: Origin = ""
    """Values of different origins are never compared."""


class Score(NamedTuple):
    """One clip's value of one metric in the metric's unit, or the reason why there is none.

    Example:
        >>> Score(None, "it has a single frame", ReasonCode.ONE_FRAME).reason_code.value
        'one_frame'
    """

    value: float | None
    reason: str | None = None
    reason_code: ReasonCode | None = None


@dataclass(frozen=True)
class Estimate:
    """A value over many clips, with its 95 % interval over prompts.

    Pitfalls: `value`, `low` and `high` may each be None. `reason` then states the cause.

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
    """Number of clips (for costs: prompts) from which the value is computed."""
    unscored: int = 0
    """Number of clips that belong to the set but could not be scored."""
    reason: str | None = None
    """Why the value or its interval is None, as a sentence."""
    reason_code: ReasonCode | None = None
    """The same reason as a code."""


@dataclass(frozen=True)
class Scored:
    """All scores of a run. The summary is computed from them."""

    metrics: Mapping[str, MetricInfo]
    clips: Mapping[ClipKey, Mapping[str, Score]]
    sets: Mapping[str, Mapping[str, Estimate]]
    """generator > set metric > estimate."""
    reference: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    """metric > scores of the reference clips, in the same order for every metric. Thresholds are derived from them."""
    features: Mapping[str, bytes] = field(default_factory=dict)
    """generator > the features that the set metrics use, as `distances.stored` writes them."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Further facts about the scores, such as protocols and anchor drift."""
