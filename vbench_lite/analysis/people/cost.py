"""Cost per clip that people keep: generation, and the review of every clip."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.people.crossed import by_clip_weights, spread
from vbench_lite.analysis.people.tables import UsableTable
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.stats import Array


def with_review(
    table: UsableTable, mine: NDArray[np.bool_], rows: Sequence[Mapping[str, str]], usd_per_hour: float | None
) -> Estimate:
    """The total cost of generation and of one review per clip, divided by the number of clips that people keep.

    The share of kept clips and the time per review are estimated from the judged clips. The interval is that of the
    logarithm, over prompts and raters.

    Args:
        table: Votes to keep or reject.
        mine: Which votes are on this generator's clips.
        rows: Its rows of clips.csv.
        usd_per_hour: Hourly cost of a reviewer; None if not stated.
    """
    tried = [row for row in rows if row["status"] != "missing"]
    costs = [float(row["cost_usd"]) for row in tried if row.get("cost_usd")]
    seconds = table.seconds[mine]
    if usd_per_hour is None:
        why = 'no hourly rate: state one in a table [review] and name the file to vbench review with --prices'
        return Estimate(None, reason=why, reason_code=ReasonCode.NO_PRICE)
    if not costs:
        return Estimate(None, reason="no clip's cost is known", reason_code=ReasonCode.NO_PRICE)
    if not np.isfinite(seconds).any():
        return Estimate(None, reason="no review time is known", reason_code=ReasonCode.NOT_MEASURED)
    known = [float(row["cost_usd"]) if row.get("cost_usd") else max(costs) for row in tried]
    made = sum(row["status"] == "ok" for row in tried) / len(tried)
    clusters = table.clusters.only(mine)
    weights = by_clip_weights(clusters.prompts, np.unique(table.clip[mine], return_inverse=True)[1])
    weights = weights / weights.sum()
    looks = np.where(np.isfinite(seconds), seconds, np.nanmean(seconds))
    kept, look = float(weights @ table.keep[mine]), float(weights @ looks)
    if not kept:
        return Estimate(None, n=len(looks), reason="people keep no clip", reason_code=ReasonCode.NONE_USABLE)
    a_look = made * usd_per_hour / 3600
    spent = float(np.mean(known)) + a_look * look
    value = spent / (made * kept)
    scale = len(looks) * weights
    influence = scale * (a_look * (looks - look) / spent - (table.keep[mine] - kept) / kept)
    found = spread(influence, clusters)
    if found is None:
        return Estimate(value, n=len(looks), reason="too few prompts for an interval", reason_code=ReasonCode.TOO_FEW)
    variance = found.variance + _cost_variance(np.array(known), [row["prompt_id"] for row in tried]) / spent**2
    half = found._replace(variance=variance).half
    return Estimate(value, value * math.exp(-half), value * math.exp(half), len(looks))


def _cost_variance(costs: Array, prompts: Sequence[str]) -> float:
    """Variance of the mean cost, over prompts."""
    places = np.unique(prompts, return_inverse=True)[1]
    means = np.bincount(places, costs) / np.bincount(places)
    return float(means.var(ddof=1)) / len(means) if len(means) > 1 else 0.0
