"""Results of the votes of a run: preference, agreement with scores, thresholds, time, and further votes needed."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from vbench_lite.analysis.people.agreement import metric_agreement
from vbench_lite.analysis.people.crossed import estimate, fraction
from vbench_lite.analysis.people.judged import Judged
from vbench_lite.analysis.people.needed import next_pairs, votes_needed
from vbench_lite.analysis.people.preference import fit, strength
from vbench_lite.analysis.people.raters import FIRST, alpha_estimate, rater_summaries, self_agreement
from vbench_lite.analysis.people.sides import left_share
from vbench_lite.analysis.people.tables import PairTable, UsableTable, clip_key
from vbench_lite.analysis.people.thresholds import Labelled, fit_thresholds
from vbench_lite.records import Estimate
from vbench_lite.run.people import (
    CARELESS,
    HUMAN_METRICS,
    FittedLimit,
    FittedThresholds,
    MetricAgreement,
    PairPreference,
    People,
    Preference,
    VotesNeeded,
)
from vbench_lite.run.votes import QUESTIONS, Mode, Vote


def people_of(judged: Judged, rate: float | None, scores: Mapping[str, Mapping[str, Estimate]]) -> People:
    """The key "people" of summary.json.

    Args:
        judged: The run with its votes.
        rate: Hourly cost of a rater in US dollars; None if not stated.
        scores: Generator > its scores by people.
    """
    votes = judged.counted
    preference = {question: _preference(table, votes, question) for question, table in judged.pairs.items()}
    asked: dict[str, Mode] = {q: mode for mode, questions in QUESTIONS.items() for q in questions}
    asked = {q: mode for q, mode in asked.items() if any(q in vote.answers for vote in votes)}
    seconds = judged.usable.seconds[np.isfinite(judged.usable.seconds)]
    needed = [
        votes_needed(f"{metric} of {name}", found[metric])
        for name, found in scores.items() for metric in HUMAN_METRICS if metric in found
    ]  # fmt: skip
    table = judged.pairs.get(FIRST["pairs"])
    fitted = fit(table) if table else None
    couples = sorted({tuple(sorted(c)) for c in zip(table.left, table.right, strict=True)}) if table else []
    return People(
        votes=len(votes), raters=tuple(rater_summaries(judged.votes.counted, judged.votes.warm_ups)),
        dropped=_dropped(judged), simulated=any(v.simulated for v in judged.votes.counted), preference=preference,
        alpha={q: alpha_estimate(_of(votes, mode), q) for q, mode in asked.items()},
        self_agreement={q: self_agreement(_of(votes, mode), q) for q, mode in asked.items()},
        agreement=_agreement(judged), usd_per_hour=rate, fitted=_fitted(judged),
        seconds_per_clip=_seconds(judged.usable) if len(seconds) else None, reasons=_reasons(judged),
        needed=tuple(_most_first(needed)),
        next_pairs=next_pairs(fitted, table, [(int(a), int(b)) for a, b in couples]) if fitted and table else (),
    )  # fmt: skip


def _dropped(judged: Judged) -> dict[str, int]:
    careless = len(judged.votes.counted) - len(judged.counted)
    return judged.votes.drop_counts | ({CARELESS: careless} if careless else {})


def _of(votes: Sequence[Vote], mode: Mode) -> list[Vote]:
    return [vote for vote in votes if vote.mode == mode]


def _most_first(needed: Sequence[VotesNeeded]) -> list[VotesNeeded]:
    return sorted(needed, key=lambda each: -(each.votes or 0))


def _preference(table: PairTable, votes: Sequence[Vote], question: str) -> Preference:
    found = fit(table)
    assert found is not None
    pairs = []
    for a, b in itertools.combinations(range(len(table.entries)), 2):
        forward, back = (table.left == a) & (table.right == b), (table.left == b) & (table.right == a)
        keep = forward | back
        if keep.any():
            points = np.where(forward, table.points, 1 - table.points)[keep]
            share = fraction(points, table.clusters.only(keep))
            decided = int((keep & table.decided).sum())
            pairs.append(PairPreference(a=table.entries[a], b=table.entries[b], share=share, decided=decided))
    return Preference(
        votes=len(table.points), same=float(1 - table.decided.mean()), both_unusable=float(table.both.mean()),
        strengths={name: strength(found, table, nth) for nth, name in enumerate(table.entries)}, pairs=tuple(pairs),
        left=left_share(votes, question),
    )  # fmt: skip


def _agreement(judged: Judged) -> dict[str, MetricAgreement]:
    """The agreement of "usable" and of every metric, on the question about the prompt if both are about the prompt."""
    known = judged.summary.usable.thresholds
    limits = {name: FittedLimit(min=floor.min, max=floor.max) for name, floor in known.items()}
    first = judged.pairs.get(FIRST["pairs"])
    found = {}
    if any(row.get("usable") for row in judged.rows[judged.home]):
        found["usable"] = metric_agreement(judged.values("usable"), None, FittedLimit(min=0.5), first, judged.usable)
    for name, info in judged.judging.items():
        pairs = judged.pairs.get("prompt", first) if info.question == "prompt" else first
        found[name] = metric_agreement(judged.values(name), info, limits.get(name), pairs, judged.usable)
    return found


def _fitted(judged: Judged) -> FittedThresholds | None:
    """Thresholds that agree best with the clips that people keep; None without such votes."""
    shares = judged.kept_shares
    if not shares:
        return None
    infos = judged.judging
    clips = list(shares)
    columns = []
    for name, info in infos.items():
        values = judged.values(name)
        sign = -1.0 if info.higher_is_better is False else 1.0
        columns.append([sign * values[clip] if clip in values else np.nan for clip in clips])
    kept = np.array([shares[clip] >= 0.5 for clip in clips], bool)
    scores = np.array(columns, float).T.reshape(len(clips), len(infos))
    return fit_thresholds(Labelled(tuple(infos), scores, kept, [clip[2] for clip in clips]), infos)


def _seconds(table: UsableTable) -> Estimate:
    known = np.isfinite(table.seconds)
    values = table.seconds[known]
    found = estimate(float(values.mean()), values - values.mean(), table.clusters.only(known))
    return dataclasses.replace(found, low=None if found.low is None else max(0.0, found.low))


def _reasons(judged: Judged) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for vote in judged.counted:
        if vote.mode == "usable" and not vote.repeat and vote.clips[0].run == judged.home:
            counts[clip_key(vote, vote.clips[0])[1]].update(vote.reasons)
    return {name: dict(counter.most_common()) for name, counter in sorted(counts.items()) if counter}
