"""Which clips are usable, and why the others are not.

A clip is usable if it was generated, has the requested form, and each of its scores meets its threshold: that of the
suite, or the one that 95 % of the reference clips meet. Unscored clips count as not usable. Without any threshold,
usability is not evaluated.

The 5 % apply per metric. With five metrics, up to a quarter of the real clips can fail: `reference_share` is the share
of real clips that pass. Compare a generator's share with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vbench_lite.records import ClipRecord, MetricInfo, ReasonCode, Score, Scored, Threshold

CONFORMANCE = "conformance"
WORST_SHARE = 0.05


class Floor(NamedTuple):
    """The threshold of one metric, and its source."""

    threshold: Threshold
    source: str
    """"suite", "file" or "reference". The worst 5 % of the reference clips do not meet the threshold."""


def thresholds(scored: Scored, stated: Mapping[str, Threshold], source: str = "suite") -> dict[str, Floor]:
    """The threshold of every per-clip metric that has one, in the order of the metrics.

    A stated threshold replaces that of the reference. Metrics without a direction only have stated thresholds.

    Args:
        scored: The results of scoring, with those of the reference clips.
        stated: The thresholds of the suite or of a file.
        source: The source of the stated thresholds: "suite" or "file".
    """
    floors = {}
    for name, info in scored.metrics.items():
        if info.per != "clip" or name == CONFORMANCE:
            continue
        if name in stated:
            floors[name] = Floor(stated[name], source)
        elif info.higher_is_better is not None and (values := _values(scored.reference.get(name, ()))):
            floors[name] = Floor(_worst(values, info), "reference")
    return floors


def _values(scores: Sequence[Score]) -> list[float]:
    return [score.value for score in scores if score.value is not None]


def _worst(values: Sequence[float], info: MetricInfo) -> Threshold:
    if info.higher_is_better:
        return Threshold(min=float(np.quantile(values, WORST_SHARE)))
    return Threshold(max=float(np.quantile(values, 1 - WORST_SHARE)))


class Shortcoming(NamedTuple):
    """One reason why a clip is not usable."""

    code: ReasonCode
    metric: str
    """The metric with the unmet threshold; "" if the clip was not generated."""
    text: str

    @property
    def token(self) -> str:
        """The text in clips.csv for programs, such as "frozen" or "below_threshold:clip_text"."""
        own = self.metric and self.metric != CONFORMANCE
        return f"{self.code}:{self.metric}" if own else str(self.code)

    def __str__(self) -> str:
        return f"{self.metric or 'failed'}: {self.text}"


def missed(value: float, threshold: Threshold) -> tuple[ReasonCode, str] | None:
    """How a value misses a threshold; None if it meets it."""
    if threshold.min is not None and value < threshold.min:
        return ReasonCode.BELOW_THRESHOLD, f"{value:.4g} is below {threshold.min:.4g}"
    if threshold.max is not None and value > threshold.max:
        return ReasonCode.ABOVE_THRESHOLD, f"{value:.4g} is above {threshold.max:.4g}"
    return None


def shortcomings(
    record: ClipRecord, scores: Mapping[str, Score], floors: Mapping[str, Floor]
) -> Iterator[Shortcoming]:
    """Why an attempted clip is not usable; empty if it is usable. Unscored clips count as not usable.

    Args:
        record: The record of the clip.
        scores: Its scores by metric.
        floors: The result of `thresholds`.
    """
    if record.status != "ok":
        code = record.reason_code or ReasonCode.FAILED
        yield Shortcoming(code, "", one_line(record.reason or "no reason given"))
        return
    conformance = scores.get(CONFORMANCE)
    if conformance is not None and not conformance.value:
        code = conformance.reason_code or ReasonCode.WRONG_FORM
        yield Shortcoming(code, CONFORMANCE, one_line(conformance.reason or "not as requested"))
    for name, floor in floors.items():
        yield from _below(name, scores.get(name, Score(None, "no score")), floor)


def _below(metric: str, score: Score, floor: Floor) -> Iterator[Shortcoming]:
    """Why a score does not meet its threshold. A metric that does not apply to the prompt is skipped."""
    if score.reason_code == ReasonCode.NOT_APPLICABLE:
        return
    if score.value is None:
        text = f"not scored, {one_line(score.reason or 'no reason given')}"
        yield Shortcoming(ReasonCode.NOT_SCORED, metric, text)
    elif found := missed(score.value, floor.threshold):
        yield Shortcoming(found[0], metric, found[1])


def one_line(text: str) -> str:
    """A text without ";", because reasons are joined by "; " in a table."""
    return " ".join(text.replace(";", ",").split())[:300]


def reference_share(scored: Scored, floors: Mapping[str, Floor]) -> float | None:
    """The share of the reference clips that meet every threshold, 0 to 1; None without thresholds or reference.

    Reference clips are judged like generated clips: a clip that a metric cannot score does not pass.
    """
    clips = max((len(scores) for scores in scored.reference.values()), default=0)
    if not floors or not clips:
        return None
    unscored = (Score(None, "no score"),) * clips
    columns = [(name, scored.reference.get(name, unscored), floor) for name, floor in floors.items()]
    failing = [any(any(_below(name, scores[nth], floor)) for name, scores, floor in columns) for nth in range(clips)]
    return 1 - sum(failing) / clips
