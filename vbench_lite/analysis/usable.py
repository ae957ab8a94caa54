"""Which clips could be used as they are, and why the others could not.

A clip is usable when it was made, conforms to what was asked, and each of its scores meets the threshold that
the suite states for that metric, or is at least as good as the worst 5 % of the reference clips. Unscored clips
count as not usable. Without any threshold, usability is not evaluated.

The 5 % are per metric. With five metrics at 5 % each, up to a quarter of the real clips would fall too:
`reference_share` is the share of real clips that pass, and a generator's share is to be read against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from vbench_lite.records import ClipRecord, MetricInfo, ReasonCode, Score, Scored, Threshold

CONFORMANCE = "conformance"
WORST_SHARE = 0.05


class Floor(NamedTuple):
    """What a usable clip needs of one metric, and who says so."""

    threshold: Threshold
    source: str
    """"suite", or "reference": the worst 5 % of its clips lie beyond it."""


def thresholds(scored: Scored, suite_usable: Mapping[str, Threshold]) -> dict[str, Floor]:
    """The threshold of every per-clip metric that has one, in the order of the metrics.

    The suite's word goes before the reference's, metric by metric. Metrics that are reported only, and
    metrics of which neither suite nor reference says anything, judge nobody.
    """
    floors = {}
    for name, info in scored.metrics.items():
        if info.per != "clip" or name == CONFORMANCE:
            continue
        if name in suite_usable:
            floors[name] = Floor(suite_usable[name], "suite")
        elif info.higher_is_better is not None and scored.reference.get(name):
            floors[name] = Floor(_worst(scored.reference[name], info), "reference")
    return floors


def _worst(values: tuple[float, ...], info: MetricInfo) -> Threshold:
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
        yield Shortcoming(code, "", _one_line(record.reason or "no reason given"))
        return
    conformance = scores.get(CONFORMANCE)
    if conformance is not None and not conformance.value:
        code = conformance.reason_code or ReasonCode.WRONG_FORM
        yield Shortcoming(code, CONFORMANCE, _one_line(conformance.reason or "not as asked"))
    for name, floor in floors.items():
        score = scores.get(name, Score(None, "no score"))
        if score.value is None:
            text = f"not scored, {_one_line(score.reason or 'no reason given')}"
            yield Shortcoming(ReasonCode.NOT_SCORED, name, text)
        elif found := missed(score.value, floor.threshold):
            yield Shortcoming(found[0], name, found[1])


def _one_line(text: str) -> str:
    """Reasons are joined by "; " in a table, so they must not hold one."""
    return " ".join(text.replace(";", ",").split())[:300]


def reference_share(scored: Scored, floors: Mapping[str, Floor]) -> float | None:
    """The share of the reference clips that would themselves be usable, 0 to 1; None without a reference.

    Also None when the reference clips could not all be scored by every metric, because then it is not
    known which values belong to one clip.
    """
    columns = [np.asarray(scored.reference.get(name, ()), float) for name in floors]
    if not columns or len({len(c) for c in columns}) != 1 or not len(columns[0]):
        return None
    passes = np.ones(len(columns[0]), bool)
    for column, floor in zip(columns, floors.values(), strict=True):
        if floor.threshold.min is not None:
            passes &= column >= floor.threshold.min
        if floor.threshold.max is not None:
            passes &= column <= floor.threshold.max
    return float(passes.mean())
