"""Write the results of votes into summary.json and clips.csv of a run."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vbench_lite.analysis.people.cost import with_review
from vbench_lite.analysis.people.crossed import by_clip_weights, fraction
from vbench_lite.analysis.people.findings import people_of
from vbench_lite.analysis.people.judged import Judged, Row, read_judged, read_rows
from vbench_lite.analysis.people.raters import FIRST
from vbench_lite.analysis.people.tables import ClipKey, PairTable, UsableTable
from vbench_lite.files import write_whole
from vbench_lite.records import Estimate, ReasonCode
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.people import HUMAN_METRICS, human_metric
from vbench_lite.run.summary import GeneratorSummary, Summary
from vbench_lite.run.votes import read_rate, votes_path

WITH_REVIEW = "usd_per_usable_clip_with_review"


def refresh(folder: RunFolder) -> Summary:
    """Write the results of votes into clips.csv and summary.json of a scored run.

    Without votes, earlier results are removed.

    Raises:
        StoreError: The run is not scored, or cannot be written.
    """
    summary = _without_people(folder.summary())
    if not any(votes_path(folder.path).glob("*/*.json")):
        if summary != folder.summary():
            _write_table(folder, read_rows(folder.table_path), {})
            folder.write_summary(summary)
        return summary
    judged = read_judged(folder, summary)
    columns = {"human_usable": judged.kept_shares, "human_preference": _points(judged)}
    columns = {name: values for name, values in columns.items() if values}
    _write_table(folder, judged.rows[judged.home], {n: _own(judged, values) for n, values in columns.items()})
    found = _with_people(judged, list(columns))
    folder.write_summary(found)
    return found


_Columns = Mapping[str, Mapping[tuple[str, str, int], float]]


def _write_table(folder: RunFolder, rows: Sequence[Row], columns: _Columns) -> None:
    """Write clips.csv with the columns of votes at its end, in place of older ones."""
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


def _points(judged: Judged) -> dict[ClipKey, float]:
    """Clip > mean points of its comparisons."""
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
    people = people_of(judged, rate, {name: found.scores for name, found in generators.items()})
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
    """The share of clips that people keep: the mean over prompts, clips and votes."""
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
