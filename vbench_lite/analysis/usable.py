"""Which clips could be used as they are, and why the others could not.

A clip is usable when it was made, conforms to what was asked, and each of its scores meets the threshold that
the suite states for that metric, or is at least as good as the worst 5 % of the reference clips. Unscored clips
count as not usable. Without any threshold, usability is not evaluated.

The 5 % are per metric. With five metrics at 5 % each, up to a quarter of the real clips would fall too:
`reference_share` is the share of real clips that pass, and a generator's share is to be read against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vbench_lite.records import ClipRecord, MetricInfo, ReasonCode, Score, Scored, Threshold

CONFORMANCE = "conformance"
WORST_SHARE = 0.05


class Floor(NamedTuple):
    """What a usable clip needs of one metric, and who says so."""

    threshold: Threshold
    source: str
    """"suite", "file", or "reference": the worst 5 % of its clips lie beyond it."""


def thresholds(scored: Scored, stated: Mapping[str, Threshold], source: str = "suite") -> dict[str, Floor]:
    """The threshold of every per-clip metric that has one, in the order of the metrics.

    A stated threshold replaces that of the reference, metric by metric. Metrics that are only reported have none
    unless one is stated.

    Args:
        scored: What scoring found, reference clips included.
        stated: The thresholds of the suite or of a file.
        source: Where those come from: "suite" or "file".
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
    """The metric that says so; "" where the clip was not made."""
    text: str

    @property
    def token(self) -> str:
        """What clips.csv holds of it for code, such as "frozen" or "below_threshold:clip_text"."""
        own = self.metric and self.metric != CONFORMANCE
        return f"{self.code}:{self.metric}" if own else str(self.code)

    def __str__(self) -> str:
        return f"{self.metric or 'failed'}: {self.text}"


def missed(value: float, threshold: Threshold) -> tuple[ReasonCode, str] | None:
    """How a value misses a threshold, or None when it does not."""
    if threshold.min is not None and value < threshold.min:
        return ReasonCode.BELOW_THRESHOLD, f"{value:.4g} is below {threshold.min:.4g}"
    if threshold.max is not None and value > threshold.max:
        return ReasonCode.ABOVE_THRESHOLD, f"{value:.4g} is above {threshold.max:.4g}"
    return None


def shortcomings(
    record: ClipRecord, scores: Mapping[str, Score], floors: Mapping[str, Floor]
) -> Iterator[Shortcoming]:
    """Why a clip that was tried is not usable; nothing when it is usable. Unscored clips count as not usable.

    Args:
        record: The clip's record.
        scores: Its scores by metric.
        floors: As `thresholds` gives them.
    """
    if record.status != "ok":
        code = record.reason_code or ReasonCode.FAILED
        yield Shortcoming(code, "", one_line(record.reason or "no reason given"))
        return
    conformance = scores.get(CONFORMANCE)
    if conformance is not None and not conformance.value:
        code = conformance.reason_code or ReasonCode.WRONG_FORM
        yield Shortcoming(code, CONFORMANCE, one_line(conformance.reason or "not as asked"))
    for name, floor in floors.items():
        yield from _below(name, scores.get(name, Score(None, "no score")), floor)


def _below(metric: str, score: Score, floor: Floor) -> Iterator[Shortcoming]:
    """Why a score does not meet its threshold; a metric that does not apply to the prompt has none to meet."""
    if score.reason_code == ReasonCode.NOT_APPLICABLE:
        return
    if score.value is None:
        text = f"not scored, {one_line(score.reason or 'no reason given')}"
        yield Shortcoming(ReasonCode.NOT_SCORED, metric, text)
    elif found := missed(score.value, floor.threshold):
        yield Shortcoming(found[0], metric, found[1])


def one_line(text: str) -> str:
    """Reasons are joined by "; " in a table, so they must not hold one."""
    return " ".join(text.replace(";", ",").split())[:300]


def reference_share(scored: Scored, floors: Mapping[str, Floor]) -> float | None:
    """The share of the reference clips that meet every threshold, 0 to 1; None without thresholds or reference.

    A reference clip is judged as a generated one: a clip that a metric cannot score does not pass.
    """
    clips = max((len(scores) for scores in scored.reference.values()), default=0)
    if not floors or not clips:
        return None
    unscored = (Score(None, "no score"),) * clips
    columns = [(name, scored.reference.get(name, unscored), floor) for name, floor in floors.items()]
    failing = [any(any(_below(name, scores[nth], floor)) for name, scores, floor in columns) for nth in range(clips)]
    return 1 - sum(failing) / clips
