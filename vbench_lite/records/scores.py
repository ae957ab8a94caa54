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
"""Groups of metrics in a report: key > title, in the order of the report."""

Origin = Literal["", "program", "imported"]
"""Source of a metric's values: this package (""), a program of the user, or another tool (an imported table)."""


@dataclass(frozen=True)
class MetricInfo:
    """Name, unit and meaning of a metric, and the facts that decide whether two of its values are comparable."""

    name: str
    unit: str
    higher_is_better: bool | None
    """None: reported only, never ranked."""
    version: str
    """Increased whenever a change of the code changes a value."""
    backbone: str | None
    """Name and digest of its network, e.g. "builtin/clip@1a2b3c4d". None: no network."""
    per: Literal["clip", "set"]
    title: str = ""
    range: tuple[float | None, float | None] = (None, None)
    """Smallest and largest possible value; None: no limit."""
    question: str = ""
    """The group of the metric in a report: a key of `QUESTIONS`; "" for none."""
    rank: int = 10
    """Order within the group."""
    description: str = ""
    pitfalls: str = ""
    source: str = ""
    origin: Origin = ""
    """Values of different origins are never compared."""


class Score(NamedTuple):
    """The value of one metric for one clip in the metric's unit, or the reason why there is none.

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
    """Number of clips (for costs: of prompts) in the value."""
    unscored: int = 0
    """Number of clips of the set that could not be scored."""
    reason: str | None = None
    """The reason why the value or its interval is None, as a sentence."""
    reason_code: ReasonCode | None = None
    """The reason as a code."""


@dataclass(frozen=True)
class Scored:
    """All scores of a run. The summary is computed from them."""

    metrics: Mapping[str, MetricInfo]
    clips: Mapping[ClipKey, Mapping[str, Score]]
    sets: Mapping[str, Mapping[str, Estimate]]
    """generator > set metric > estimate."""
    reference: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    """metric > scores of the reference clips, in the same order for every metric. They determine thresholds."""
    features: Mapping[str, bytes] = field(default_factory=dict)
    """generator > the features for set metrics, as written by `distances.stored`."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Further facts about the scores, such as protocols and anchor drift."""
