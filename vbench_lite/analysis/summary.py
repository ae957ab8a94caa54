"""Write clips.csv and summary.json: the scores and costs of a run.

Both are computed only from the stored records and scores and contain no time, so the same records and scores give the
same bytes. Every requested clip has a row with one of three states: `ok`, `failed`, or `missing` (never generated).
Failed clips are in every denominator. Missing clips cost nothing and are in no denominator.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from vbench_lite.analysis import usable
from vbench_lite.analysis.clip_rows import MEASURED, Row, Tally, Tried, table
from vbench_lite.analysis.cost import economics
from vbench_lite.analysis.people.results import refresh
from vbench_lite.files import write_whole
from vbench_lite.measuring.rates import clip_cost_usd
from vbench_lite.records import FORMAT, ClipRecord, Estimate, MetricInfo, Price, ReasonCode, Scored
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.summary import Anchors, Floor, GeneratorSummary, Notes, SuiteHead, Summary, Usability


def summarise(folder: RunFolder, scored: Scored) -> Summary:
    """Write clips.csv and summary.json of a run and return the summary.

    Args:
        folder: A run with its manifest and the existing records.
        scored: The results of scoring.

    Raises:
        StoreError: The run cannot be read or written.
    """
    manifest = folder.manifest()
    floors = usable.thresholds(scored, manifest.thresholds, "suite" if manifest.plan.thresholds is None else "file")
    tallies = {name: Tally() for name in manifest.generators}
    write_whole(folder.table_path, table(_rows(folder, manifest, scored, floors), scored.metrics, tallies))
    summary = Summary(
        format=FORMAT, suite=_suite(manifest), metrics=scored.metrics,
        generators={name: _generator(name, mine, manifest, scored) for name, mine in tallies.items()},
        usable=Usability(
            {name: Floor(floor.threshold.min, floor.threshold.max, floor.source) for name, floor in floors.items()},
            usable.reference_share(scored, floors), tuple(sorted(set(manifest.thresholds) - set(floors))),
        ),
        notes=_notes(scored, _write_features(folder, scored)),
    )  # fmt: skip
    folder.write_summary(summary)
    return refresh(folder)


def _write_features(folder: RunFolder, scored: Scored) -> dict[str, str]:
    """Generator > sha256 of its file of features."""
    for name, content in scored.features.items():
        write_whole(folder.features_path(name), content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in scored.features.items()}


def _notes(scored: Scored, features: Mapping[str, str]) -> Notes:
    known = scored.notes
    anchors = known.get("anchors")
    return Notes(
        known.get("backbones"), known.get("protocol"), Anchors(**anchors) if anchors else None,
        known.get("reference") or {}, features, known.get("truncated_prompts") or (),
    )  # fmt: skip


def _rows(
    folder: RunFolder, manifest: Manifest, scored: Scored, floors: Mapping[str, usable.Floor]
) -> Iterator[Row]:
    """Every requested clip, in the order of the plan. Records are read one by one."""
    categories = {prompt.id: prompt.category for prompt in manifest.suite.prompts}
    for generator, definition in manifest.generators.items():
        price = manifest.prices.get(generator, Price())
        for key in manifest.keys(generator):
            record, scores = folder.find_record(key), scored.clips.get(key, {})
            found = tuple(usable.shortcomings(record, scores, floors)) if record else ()
            yield Row(
                key, definition.route, categories.get(key.prompt_id, ""), record, scores, _cost(record, price), found,
                not found if record and floors else None,
            )  # fmt: skip


def _cost(record: ClipRecord | None, price: Price) -> float | None:
    """The cost by the clip's price. Records of format 1 have no price and use the run's."""
    if record is None:
        return None
    return record.cost_usd if record.price else clip_cost_usd(record, price)


def _suite(manifest: Manifest) -> SuiteHead:
    suite, plan = manifest.suite, manifest.plan
    return SuiteHead(suite.name, suite.title, suite.digest, len(plan.prompts), plan.clips_per_prompt)


def _generator(name: str, tally: Tally, manifest: Manifest, scored: Scored) -> GeneratorSummary:
    tried = tally.tried
    evaluated = any(row.usable is not None for row in tried)
    return GeneratorSummary(
        route=manifest.generators[name].route, clips=tally.clips, missing=tally.clips - len(tried),
        failed=sum(row.failed for row in tried), devices=tuple(sorted(tally.devices)),
        usable=sum(bool(row.usable) for row in tried) if evaluated else None,
        scores={
            metric: _score(metric, info, tried) if info.per == "clip" else _set_score(scored, name, metric)
            for metric, info in scored.metrics.items()
        },
        cost=_costs(name, tried, manifest, evaluated),
    )


def _score(metric: str, info: MetricInfo, rows: Sequence[Tried]) -> Estimate:
    """The mean over the clips that the metric applies to."""
    found = [(row, row.scores.get(metric, row.no_score)) for row in rows]
    applying = [(row, score) for row, score in found if score.reason_code != ReasonCode.NOT_APPLICABLE]
    if found and not applying:
        return Estimate(None, reason=found[0][1].reason, reason_code=ReasonCode.NOT_APPLICABLE)
    why = Counter(score.reason or "no reason given" for _, score in applying if score.value is None).most_common(1)
    reason = f"no clip has this score: {why[0][0]}" if why else "no clips"
    mean = economics.mean([score.value for _, score in applying], [row.prompt_id for row, _ in applying], reason)
    return economics.within(mean, info.range)


def _set_score(scored: Scored, generator: str, metric: str) -> Estimate:
    found = scored.sets.get(generator, {}).get(metric)
    return found or Estimate(None, reason="not computed for this generator", reason_code=ReasonCode.NOT_SCORED)


def _costs(name: str, rows: Sequence[Tried], manifest: Manifest, evaluated: bool) -> dict[str, Estimate]:
    """Costs of the attempted clips."""
    prompts = [row.prompt_id for row in rows]
    money = [row.cost_usd for row in rows]
    no_price = manifest.prices.get(name, Price()).reason or "no clip's cost is known"
    on_cpu = manifest.device.kind == "cpu"
    no_energy = "no energy counter on this machine" if on_cpu else "the device gave no energy reading"
    no_memory = "a CPU has no device memory; see peak_rss_mb" if on_cpu else "the device gave no memory reading"

    def column(measure: str) -> list[float | None]:
        place = MEASURED.index(measure)
        return [row.measured[place] for row in rows]

    energy, walls = [None if e is None else e / 3600 for e in column("energy_j")], column("wall_s")
    return {
        "device_s_per_clip": economics.measured_mean(column("device_s"), prompts, walls, "no clip was timed"),
        "usd_per_clip": economics.measured_mean(money, prompts, walls, no_price),
        **_per_usable(rows, money, walls, no_price, evaluated),
        "energy_wh_per_clip": economics.measured_mean(energy, prompts, walls, no_energy, power=True),
        "peak_memory_mb": economics.highest(column("peak_memory_mb"), no_memory),
        "peak_rss_mb": economics.highest(column("peak_rss_mb"), "the process's memory was not read"),
    }


NOT_EVALUATED = Estimate(None, reason="not evaluated: no thresholds", reason_code=ReasonCode.NOT_EVALUATED)


def _per_usable(
    rows: Sequence[Tried], money: economics.Known, walls: economics.Known, no_price: str, evaluated: bool
) -> dict[str, Estimate]:
    if not evaluated:
        return {"usd_per_usable_clip": NOT_EVALUATED, "attempts_per_usable_clip": NOT_EVALUATED}
    prompts, flags = [row.prompt_id for row in rows], [bool(row.usable) for row in rows]
    return {
        "usd_per_usable_clip": economics.cost_per_usable(money, flags, prompts, no_price, walls),
        "attempts_per_usable_clip": economics.attempts_per_usable(flags, prompts),
    }
