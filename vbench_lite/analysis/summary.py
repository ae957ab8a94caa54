"""clips.csv and summary.json: the scores and the cost of a run in one record.

Both are computed from the stored records and scores alone and hold no time of day, so that the same
records and scores give the same bytes. Every requested clip is a row: one that failed says why, one that
was never made is there as failed too, and both stay in every denominator.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vbench_lite.analysis import economics, usable
from vbench_lite.files import write_whole
from vbench_lite.records import FORMAT, ClipKey, ClipRecord, Estimate, MetricInfo, Score, Scored, Threshold
from vbench_lite.run.folder import RunFolder

MEASURED = ("wall_s", "device_s", "gpu_busy_s", "peak_memory_mb", "peak_reserved_mb", "peak_rss_mb", "energy_j")
COLUMNS = (
    "generator", "route", "prompt_id", "category", "index", "seed", "status", "reason", "path", "sha256", "frames",
    "height", "width", "fps", *MEASURED, "energy_method", "cost_usd", "usable", "unusable_because",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One requested clip with all that is known of it."""

    key: ClipKey
    route: str
    category: str
    record: ClipRecord | None
    scores: Mapping[str, Score]
    cost_usd: float | None
    unusable_because: tuple[str, ...]

    @property
    def made(self) -> bool:
        return self.record is not None and self.record.status == "ok"

    @property
    def usable(self) -> bool:
        return not self.unusable_because

    def measured(self, name: str) -> float | None:
        value: float | None = getattr(self.record.measurement, name) if self.record else None
        return value


def summarise(folder: RunFolder, scored: Scored) -> dict[str, Any]:
    """Writes clips.csv and summary.json of a run and returns the summary.

    Args:
        folder: A run with its manifest and whatever records there are.
        scored: What scoring found.

    Raises:
        StoreError: The run cannot be read or written.
    """
    manifest = folder.manifest()
    stated = {name: Threshold(**sides) for name, sides in manifest["suite"].get("usable", {}).items()}
    floors = usable.thresholds(scored, stated)
    rows = list(_rows(folder, manifest, scored, floors))
    summary = {
        "format": FORMAT,
        "suite": _suite(manifest),
        "metrics": {name: _metric(info) for name, info in scored.metrics.items()},
        "usable": {
            "thresholds": {name: _floor(floor) for name, floor in floors.items()},
            "reference_share": usable.reference_share(scored, floors),
            "ignored": sorted(set(stated) - set(floors)),
        },
        "generators": {
            name: _generator(name, [r for r in rows if r.key.generator == name], manifest, scored)
            for name in manifest["generators"]
        },
        "notes": dict(scored.notes) | {"features": _write_features(folder, scored)},
    }
    write_whole(folder.table_path, _table(rows, scored.metrics))
    folder.write_summary(summary)
    return summary


def _write_features(folder: RunFolder, scored: Scored) -> dict[str, str]:
    """Generator > sha256 of its file of features."""
    for name, content in scored.features.items():
        write_whole(folder.features_path(name), content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in scored.features.items()}


def _rows(
    folder: RunFolder, manifest: Mapping[str, Any], scored: Scored, floors: Mapping[str, usable.Floor]
) -> Iterator[Row]:
    """Every requested clip: by generator, by prompt as asked, by index."""
    records = {record.key: record for record in folder.records()}
    categories = {prompt["id"]: prompt.get("category", "") for prompt in manifest["suite"]["prompts"]}
    plan = manifest["plan"]
    for generator, definition in manifest["generators"].items():
        price = manifest.get("prices", {}).get(generator, {})
        for prompt_id in plan["prompts"]:
            for index in range(plan["clips_per_prompt"]):
                key = ClipKey(generator, prompt_id, index)
                record, scores = records.get(key), scored.clips.get(key, {})
                yield Row(
                    key, definition["route"], categories.get(prompt_id, ""), record, scores,
                    economics.clip_cost_usd(record, price) if record else None,
                    tuple(usable.reasons(record, scores, floors)),
                )  # fmt: skip


def _suite(manifest: Mapping[str, Any]) -> dict[str, Any]:
    suite, plan = manifest["suite"], manifest["plan"]
    return {
        "name": suite["name"], "title": suite.get("title", ""), "digest": suite.get("digest", ""),
        "prompts": len(plan["prompts"]), "clips_per_prompt": plan["clips_per_prompt"],
    }  # fmt: skip


def _metric(info: MetricInfo) -> dict[str, Any]:
    fields = ("unit", "higher_is_better", "version", "backbone", "per")
    return {name: getattr(info, name) for name in fields}


def _floor(floor: usable.Floor) -> dict[str, Any]:
    return {"min": floor.threshold.min, "max": floor.threshold.max, "source": floor.source}


def _generator(name: str, rows: list[Row], manifest: Mapping[str, Any], scored: Scored) -> dict[str, Any]:
    made = sum(row.made for row in rows)
    return {
        "route": manifest["generators"][name]["route"],
        "clips": len(rows),
        "failed": len(rows) - made,
        "usable": sum(row.usable for row in rows),
        "scores": {
            metric: _plain(_score(metric, rows) if info.per == "clip" else _set_score(scored, name, metric))
            for metric, info in scored.metrics.items()
        },
        "cost": {cost: _plain(estimate) for cost, estimate in _costs(name, rows, manifest).items()},
    }


def _score(metric: str, rows: list[Row]) -> Estimate:
    scores = [row.scores.get(metric, Score(None, _why_no_score(row))) for row in rows]
    why = Counter(score.reason or "no reason given" for score in scores if score.value is None).most_common(1)
    reason = f"no clip has this score: {why[0][0]}" if why else "no clips"
    return economics.mean([score.value for score in scores], [row.key.prompt_id for row in rows], reason)


def _why_no_score(row: Row) -> str:
    if row.made:
        return "not scored"
    return (row.record.reason if row.record else None) or usable.MISSING


def _set_score(scored: Scored, generator: str, metric: str) -> Estimate:
    return scored.sets.get(generator, {}).get(metric, Estimate(None, reason="not computed for this generator"))


def _costs(name: str, rows: list[Row], manifest: Mapping[str, Any]) -> dict[str, Estimate]:
    prompts = [row.key.prompt_id for row in rows]
    flags = [row.usable for row in rows]
    money = [row.cost_usd for row in rows]
    price = manifest.get("prices", {}).get(name, {})
    no_price = price.get("reason") or "no clip's cost is known"
    device = manifest.get("device") or {}
    on_cpu = device.get("kind") == "cpu"
    no_energy = "no energy counter on this machine" if on_cpu else "the device gave no energy reading"
    no_memory = "a CPU has no device memory; see peak_rss_mb" if on_cpu else "the device gave no memory reading"

    def column(measure: str) -> list[float | None]:
        return [row.measured(measure) for row in rows]

    energy, walls = [None if e is None else e / 3600 for e in column("energy_j")], column("wall_s")
    return {
        "device_s_per_clip": economics.measured_mean(column("device_s"), prompts, walls, "no clip was timed"),
        "usd_per_clip": economics.measured_mean(money, prompts, walls, no_price),
        "usd_per_usable_clip": economics.cost_per_usable(money, flags, prompts, no_price, walls),
        "attempts_per_usable_clip": economics.attempts_per_usable(flags, prompts),
        "energy_wh_per_clip": economics.measured_mean(energy, prompts, walls, no_energy, power=True),
        "peak_memory_mb": economics.highest(column("peak_memory_mb"), no_memory),
        "peak_rss_mb": economics.highest(column("peak_rss_mb"), "the process's memory was not read"),
    }


def _plain(estimate: Estimate) -> dict[str, Any]:
    """As JSON: `reason` only where something is None."""
    fields = {name: getattr(estimate, name) for name in ("value", "low", "high", "n", "unscored")}
    return fields | ({"reason": estimate.reason} if estimate.reason else {})


def _table(rows: list[Row], metrics: Mapping[str, MetricInfo]) -> str:
    """clips.csv as text: None is an empty cell, flags are true and false, numbers keep all their digits."""
    per_clip = [name for name, info in metrics.items() if info.per == "clip"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *per_clip])
    for row in rows:
        cells = [cell(row) for cell in _CELLS.values()]
        scores = [row.scores.get(name, Score(None)).value for name in per_clip]
        writer.writerow([_text(value) for value in (*cells, *scores)])
    return text.getvalue()


def _of_record(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.record, name) if row.record else None


def _of_measurement(name: str) -> Callable[[Row], Any]:
    return lambda row: row.measured(name)


_CELLS: dict[str, Callable[[Row], Any]] = {
    "generator": lambda row: row.key.generator,
    "route": lambda row: row.route,
    "prompt_id": lambda row: row.key.prompt_id,
    "category": lambda row: row.category,
    "index": lambda row: row.key.index,
    "seed": _of_record("seed"),
    "status": lambda row: "ok" if row.made else "failed",
    "reason": lambda row: row.record.reason if row.record else usable.MISSING,
    **{name: _of_record(name) for name in ("path", "sha256", "frames", "height", "width", "fps")},
    **{name: _of_measurement(name) for name in (*MEASURED, "energy_method")},
    "cost_usd": lambda row: row.cost_usd,
    "usable": lambda row: row.usable,
    "unusable_because": lambda row: "; ".join(row.unusable_because) or None,
}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))
    return " ".join(value.split()) if isinstance(value, str) else str(value)
