"""Thresholds of usable clips, fitted to the clips that people keep, with their cross-validated error."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.cost.economics import share_of
from vbench_lite.records import Estimate, MetricInfo, ReasonCode
from vbench_lite.run.people import FittedLimit, FittedThresholds
from vbench_lite.stats import Array

MOST = 3
"""Maximum number of metrics with a threshold. More would overfit."""
MIN_CLIPS, MIN_PROMPTS = 20, 6
FOLDS = 10
CANDIDATES = 40
"""Number of candidate thresholds per metric."""
MIN_GAIN = 0.01
"""Minimum decrease of the share of errors for a further threshold."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Clips that people judged, with their scores."""

    metrics: tuple[str, ...]
    values: Array
    """Higher is better; NaN where a clip has no score; shape (clips, metrics)."""
    kept: NDArray[np.bool_]
    """Whether at least half of the raters keep the clip."""
    prompts: Sequence[str]

    def only(self, rows: NDArray[np.bool_]) -> Labelled:
        prompts = [prompt for prompt, kept in zip(self.prompts, rows.tolist(), strict=True) if kept]
        return Labelled(self.metrics, self.values[rows], self.kept[rows], prompts)


Rule = Mapping[int, float]
"""Metric > its threshold (minimum)."""


def fit_rule(data: Labelled) -> dict[int, float]:
    """Add thresholds one by one: each time the one that lowers the error most, if by `MIN_GAIN` or more."""
    rule: dict[int, float] = {}
    passed = np.ones(len(data.kept), bool)
    error = float((~data.kept).mean())
    while len(rule) < MOST:
        found = [(*_best(data, nth, passed), nth) for nth in range(len(data.metrics)) if nth not in rule]
        best = min(found, default=(1.0, 0.0, 0))
        if best[0] > error - MIN_GAIN:
            break
        error, rule[best[2]] = best[0], best[1]
        passed = passes(rule, data.values)
    return rule


def _best(data: Labelled, metric: int, passed: NDArray[np.bool_]) -> tuple[float, float]:
    """(share of errors, threshold) of the best threshold of one metric, added to the existing ones."""
    values = np.where(np.isnan(data.values[:, metric]), -np.inf, data.values[:, metric])
    known = np.unique(values[np.isfinite(values)])
    if len(known) < 2:
        return 1.0, 0.0
    middles = (known[1:] + known[:-1]) / 2
    if len(middles) > CANDIDATES:
        middles = np.quantile(middles, np.linspace(0, 1, CANDIDATES))
    says = (values[None, :] >= middles[:, None]) & passed[None, :]
    errors = (says != data.kept[None, :]).mean(1)
    first = int(errors.argmin())
    return float(errors[first]), float(middles[first])


def passes(rule: Rule, values: Array) -> NDArray[np.bool_]:
    """Which clips meet all thresholds. A clip without a score does not."""
    found = np.ones(len(values), bool)
    for metric, least in rule.items():
        found &= np.nan_to_num(values[:, metric], nan=-np.inf) >= least
    return found


def fit_thresholds(data: Labelled, infos: Mapping[str, MetricInfo]) -> FittedThresholds:
    """Fit thresholds and measure their error by cross-validation over prompts.

    For each tenth of the prompts, thresholds are fitted to the other prompts and applied to these. The choice of
    metrics is part of each fit, so the error is that of the whole procedure.
    """
    clips, kept = len(data.kept), int(data.kept.sum())
    plain = min(kept, clips - kept) / clips if clips else 0.0
    prompts = len(set(data.prompts))
    none = Estimate(None, n=clips, reason="no thresholds", reason_code=ReasonCode.TOO_FEW)
    if clips < MIN_CLIPS or prompts < MIN_PROMPTS:
        why = f"{clips} judged clips of {prompts} prompts are too few: {MIN_CLIPS} of {MIN_PROMPTS} are needed"
        return FittedThresholds(thresholds={}, clips=clips, kept=kept, error=none, plain_error=plain, reason=why)
    wrong = np.zeros(clips, bool)
    folds = np.array([_fold(prompt) for prompt in data.prompts])
    for fold in np.unique(folds):
        here = folds == fold
        if here.all():
            continue
        wrong[here] = passes(fit_rule(data.only(~here)), data.values[here]) != data.kept[here]
    share = share_of(wrong.tolist(), list(data.prompts))
    error = Estimate(share.value, share.low, share.high, clips)
    rule = fit_rule(data)
    limits = {data.metrics[nth]: _limit(infos[data.metrics[nth]], least) for nth, least in sorted(rule.items())}
    why = "" if rule else "no threshold of any metric separates kept from rejected clips"
    return FittedThresholds(thresholds=limits, clips=clips, kept=kept, error=error, plain_error=plain, reason=why)


def _limit(info: MetricInfo, least: float) -> FittedLimit:
    return FittedLimit(max=-least) if info.higher_is_better is False else FittedLimit(min=least)


def _fold(prompt: str) -> int:
    return hashlib.sha256(prompt.encode()).digest()[0] % FOLDS


def thresholds_toml(found: FittedThresholds, simulated: bool = False) -> str:
    """The thresholds as the text of a file for `--thresholds`. It states whether the raters were simulated."""
    whose = "votes of simulated raters" if simulated else "people's votes"
    error = found.error
    between = f" [{error.low:.3f}, {error.high:.3f}]" if error.low is not None and error.high is not None else ""
    lines = [
        f"# Fitted to {whose} on {found.clips} clips, of which they keep {found.kept}.",
        f"# Cross-validated error: {error.value or 0:.3f}{between} of the clips. One answer for all clips: "
        f"{found.plain_error:.3f}.",
        "[usable]",
    ]  # fmt: skip
    for metric, limit in found.thresholds.items():
        sides = [f"{side} = {value!r}" for side, value in (("min", limit.min), ("max", limit.max)) if value is not None]
        lines.append(f"{metric} = {{ {', '.join(sides)} }}")
    return "\n".join(lines) + "\n"
