"""From the votes of a run to summary.json and clips.csv: the one place where results of people enter a run's files."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.people.agreement import metric_agreement
from vbench_lite.analysis.people.cost import with_review
from vbench_lite.analysis.people.crossed import by_clip_weights, estimate, fraction
from vbench_lite.analysis.people.needed import next_pairs, votes_needed
from vbench_lite.analysis.people.preference import fit, strength
from vbench_lite.analysis.people.raters import FIRST, alpha_estimate, attentive, rater_summaries, self_agreement
from vbench_lite.analysis.people.sides import left_share
from vbench_lite.analysis.people.tables import ClipKey, PairTable, UsableTable, clip_key, pair_table, usable_table
from vbench_lite.analysis.people.thresholds import Labelled, fit_thresholds
from vbench_lite.errors import StoreError
from vbench_lite.escaping import vbench_command
from vbench_lite.files import write_whole
from vbench_lite.records import Estimate, MetricInfo, ReasonCode
from vbench_lite.run.folder import RunFolder
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
    human_metric,
)
from vbench_lite.run.summary import GeneratorSummary, Summary
from vbench_lite.run.votes import QUESTIONS, Mode, Vote, Votes, read_rate, read_votes, votes_path

WITH_REVIEW = "usd_per_usable_clip_with_review"
Row = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Judged:
    """A run with its votes."""

    folder: RunFolder
    summary: Summary
    rows: Mapping[str, Sequence[Row]]
    """Run > rows of its clips.csv: this run, and others that votes name and that lie beside it."""
    votes: Votes

    @property
    def home(self) -> str:
        return self.folder.name

    @cached_property
    def counted(self) -> tuple[Vote, ...]:
        """The votes that results rest on: those of attentive raters."""
        return attentive(self.votes)

    @cached_property
    def usable(self) -> UsableTable:
        return usable_table(self.counted)

    @cached_property
    def pairs(self) -> dict[str, PairTable]:
        """Question > its votes, for questions that have any."""
        made = {q: pair_table(self.counted, q, self.home) for q in QUESTIONS["pairs"]}
        return {question: table for question, table in made.items() if len(table.points)}

    def values(self, column: str) -> dict[ClipKey, float]:
        """Clip > its number in a column of clips.csv; flags are 1 and 0."""
        words = {"true": 1.0, "false": 0.0}
        found = {}
        for run, rows in self.rows.items():
            for row in rows:
                text = row.get(column, "")
                if text and row["status"] == "ok":
                    key = run, row["generator"], row["prompt_id"], int(row["index"])
                    found[key] = words[text] if text in words else float(text)
        return found

    @property
    def judging(self) -> dict[str, MetricInfo]:
        """Metrics of single clips that have a direction."""
        return {
            name: info for name, info in self.summary.metrics.items()
            if info.per == "clip" and info.higher_is_better is not None and name not in (*HUMAN_METRICS, "conformance")
        }  # fmt: skip


def refresh(folder: RunFolder) -> Summary:
    """Writes what people's votes show into clips.csv and summary.json of a scored run.

    Without votes, results of earlier votes are taken out again.

    Raises:
        StoreError: The run is not scored, or cannot be written.
    """
    summary = _without_people(folder.summary())
    if not any(votes_path(folder.path).glob("*/*.json")):
        if summary != folder.summary():
            _write_table(folder, _read_rows(folder.table_path), {})
            folder.write_summary(summary)
        return summary
    judged = read_judged(folder, summary)
    columns = {"human_usable": _kept_shares(judged.usable), "human_preference": _points(judged)}
    columns = {name: values for name, values in columns.items() if values}
    _write_table(folder, judged.rows[judged.home], {n: _own(judged, values) for n, values in columns.items()})
    found = _with_people(judged, list(columns))
    folder.write_summary(found)
    return found


def read_judged(folder: RunFolder, summary: Summary) -> Judged:
    """The votes of a run with the tables that they are about."""
    tables = {folder.name: _read_rows(folder.table_path)}
    everything = read_votes(folder.path, {}, ())
    others = {clip.run for vote in everything.counted for clip in vote.clips} - {folder.name}
    for name in sorted(others):
        other = RunFolder(folder.path.resolve().parent / name)
        if other.exists() and other.table_path.exists() and _alike(other.summary(), summary):
            tables[name] = _read_rows(other.table_path)
    present = {
        (run, row["generator"], row["prompt_id"], int(row["index"])): row["sha256"]
        for run, rows in tables.items() for row in rows if row["status"] == "ok"
    }  # fmt: skip
    made = {record.sha256 for record in folder.records()}
    return Judged(folder, summary, tables, read_votes(folder.path, present, tables, folder.name, made))


def _alike(one: Summary, other: Summary) -> bool:
    """The same metrics: values of the two runs mean the same."""
    known = [{n: (i.version, i.backbone) for n, i in s.metrics.items() if n not in HUMAN_METRICS} for s in (one, other)]
    return known[0] == known[1]


def _read_rows(path: Path) -> list[Row]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        again = f"Score it with: {vbench_command('score', path.parent)}"
        raise StoreError(f"{path} cannot be read: the run is not scored. {again}") from error


_Columns = Mapping[str, Mapping[tuple[str, str, int], float]]


def _write_table(folder: RunFolder, rows: Sequence[Row], columns: _Columns) -> None:
    """clips.csv with the columns of people at its end, in place of older ones."""
    if not rows:
        return
    kept = [name for name in rows[0] if name not in HUMAN_METRICS]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*kept, *columns])
    for row in rows:
        key = row["generator"], row["prompt_id"], int(row["index"])
        found = [values.get(key) for values in columns.values()]
        writer.writerow([*(row[name] for name in kept), *("" if v is None else repr(v) for v in found)])
    write_whole(folder.table_path, text.getvalue())


def _own(judged: Judged, values: Mapping[ClipKey, float]) -> dict[tuple[str, str, int], float]:
    return {key[1:]: value for key, value in values.items() if key[0] == judged.home}


def _kept_shares(table: UsableTable) -> dict[ClipKey, float]:
    """Clip > share of its raters who keep it."""
    if not len(table.keep):
        return {}
    shares = np.bincount(table.clip, table.keep) / np.bincount(table.clip)
    return dict(zip(table.clips, shares.tolist(), strict=True))


def _points(judged: Judged) -> dict[ClipKey, float]:
    """Clip > mean of what it got in its comparisons."""
    table = judged.pairs.get(FIRST["pairs"])
    got: dict[ClipKey, list[float]] = defaultdict(list)
    for (left, right), points in zip(table.pair, table.points.tolist(), strict=True) if table else ():
        got[left].append(points)
        got[right].append(1 - points)
    return {key: float(np.mean(values)) for key, values in got.items()}


def _without_people(summary: Summary) -> Summary:
    generators = {
        name: dataclasses.replace(
            found, scores={n: e for n, e in found.scores.items() if n not in HUMAN_METRICS},
            cost={n: e for n, e in found.cost.items() if n != WITH_REVIEW},
        )
        for name, found in summary.generators.items()
    }  # fmt: skip
    metrics = {name: info for name, info in summary.metrics.items() if name not in HUMAN_METRICS}
    return dataclasses.replace(summary, metrics=metrics, generators=generators, people=None)


def _with_people(judged: Judged, names: Sequence[str]) -> Summary:
    stated = read_rate(judged.folder.path)
    summary, rate = judged.summary, stated.usd_per_hour if stated else None
    generators = {name: _generator(judged, name, names, rate) for name in summary.generators}
    people = _people(judged, rate, {name: found.scores for name, found in generators.items()})
    metrics = {**summary.metrics, **{name: human_metric(name, people.simulated) for name in names}}
    return dataclasses.replace(summary, metrics=metrics, generators=generators, people=people)


def _generator(judged: Judged, name: str, names: Sequence[str], rate: float | None) -> GeneratorSummary:
    found, scores, cost = judged.summary[name], {}, {}
    if "human_usable" in names:
        mine = judged.usable.of_generator(judged.home, name)
        table = judged.usable
        scores["human_usable"] = _kept(table, mine)
        rows = [row for row in judged.rows[judged.home] if row["generator"] == name]
        cost[WITH_REVIEW] = with_review(table, mine, rows, rate)
    if "human_preference" in names:
        scores["human_preference"] = _won(judged.pairs[FIRST["pairs"]], name)
    return dataclasses.replace(found, scores={**found.scores, **scores}, cost={**found.cost, **cost})


def _kept(table: UsableTable, mine: NDArray[np.bool_]) -> Estimate:
    """The share that people keep: the mean over prompts, their clips, and the votes on each."""
    if not mine.any():
        return Estimate(None, reason="no votes on its clips", reason_code=ReasonCode.NOT_SCORED)
    clusters, clips = table.clusters.only(mine), np.unique(table.clip[mine], return_inverse=True)[1]
    return fraction(table.keep[mine], clusters, by_clip_weights(clusters.prompts, clips))


def _won(table: PairTable, name: str) -> Estimate:
    """The share of its comparisons that a generator's clips win."""
    if name not in table.entries:
        return Estimate(None, reason="no votes on its clips", reason_code=ReasonCode.NOT_SCORED)
    entry = table.entries.index(name)
    on_left = table.left == entry
    keep = on_left | (table.right == entry)
    points = np.where(on_left, table.points, 1 - table.points)[keep]
    keys = [both[0] if left else both[1] for both, left in zip(table.pair, on_left.tolist(), strict=True)]
    mine = [key for key, kept in zip(keys, keep.tolist(), strict=True) if kept]
    clusters = table.clusters.only(keep)
    place = {key: nth for nth, key in enumerate(sorted(set(mine)))}
    return fraction(points, clusters, by_clip_weights(clusters.prompts, np.array([place[k] for k in mine], np.intp)))


def _people(judged: Judged, rate: float | None, scores: Mapping[str, Mapping[str, Estimate]]) -> People:
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
    """ "usable" and every metric: on the question of the prompt where it is about that and was asked."""
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
    """Thresholds that agree best with what people keep; None without such votes."""
    shares = _kept_shares(judged.usable)
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
