"""The rows of clips.csv, one per requested clip, and the values that the summary needs of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from vbench_lite.analysis import usable
from vbench_lite.records import ClipKey, ClipRecord, MetricInfo, ReasonCode, Score

MEASURED = ("wall_s", "device_s", "gpu_busy_s", "peak_memory_mb", "peak_reserved_mb", "peak_rss_mb", "energy_j")
MISSING = "this clip was requested and never generated"


@dataclass(frozen=True)
class Row:
    """One requested clip with its record, scores and cost."""

    key: ClipKey
    route: str
    category: str
    record: ClipRecord | None
    """None if the clip was never generated."""
    scores: Mapping[str, Score]
    cost_usd: float | None
    shortcomings: tuple[usable.Shortcoming, ...]
    usable: bool | None
    """None if usability is not evaluated, or if the clip was never generated."""

    @property
    def status(self) -> Literal["ok", "failed", "missing"]:
        return self.record.status if self.record else "missing"

    def measured(self, name: str) -> Any:
        return getattr(self.record.measurement, name) if self.record else None


class Tried(NamedTuple):
    """The values of one attempted clip that the summary needs. Records are larger and are not kept in memory."""

    prompt_id: str
    failed: bool
    usable: bool | None
    cost_usd: float | None
    measured: tuple[float | None, ...]
    """In the order of MEASURED."""
    scores: Mapping[str, Score]
    no_score: Score
    """The value for absent scores."""


@dataclass
class Tally:
    """The values of a generator's rows that are kept while the table is written."""

    clips: int = 0
    tried: list[Tried] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)

    def add(self, row: Row) -> None:
        self.clips += 1
        if not (record := row.record):
            return
        if record.device:
            self.devices.add(str(record.device))
        failed = record.status == "failed"
        no_score = Score(None, record.reason, record.reason_code) if failed else NO_SCORE
        measured = tuple(row.measured(name) for name in MEASURED)
        tried = Tried(row.key.prompt_id, failed, row.usable, row.cost_usd, measured, row.scores, no_score)
        self.tried.append(tried)


NO_SCORE = Score(None, "not scored", ReasonCode.NOT_SCORED)


def table(rows: Iterable[Row], metrics: Mapping[str, MetricInfo], tallies: Mapping[str, Tally]) -> Iterator[str]:
    """The lines of clips.csv. None is an empty cell, flags are true and false, numbers have all digits.

    Each row is added to the tally of its generator.
    """
    per_clip = [name for name, info in metrics.items() if info.per == "clip"]
    yield _line([*_CELLS, *per_clip])
    for row in rows:
        tallies[row.key.generator].add(row)
        scores = (row.scores[name].value if name in row.scores else None for name in per_clip)
        yield _line([_text(value) for value in (*(cell(row) for cell in _CELLS.values()), *scores)])


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _unscored(row: Row) -> str | None:
    """Why a generated clip has no score, as "metric, metric: reason; metric: reason"."""
    by_reason: dict[str, list[str]] = {}
    for name, score in row.scores.items():
        if score.value is None:
            by_reason.setdefault(usable.one_line(score.reason or "no reason given"), []).append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items()) or None


def _of_record(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.record, name) if row.record else None


def _of_measurement(name: str) -> Callable[[Row], Any]:
    return lambda row: row.measured(name)


def _of_load(name: str) -> Callable[[Row], Any]:
    def cell(row: Row) -> Any:
        load = row.record.measurement.load if row.record else None
        return getattr(load, name) if load else None

    return cell


_CELLS: dict[str, Callable[[Row], Any]] = {
    "generator": lambda row: row.key.generator,
    "route": lambda row: row.route,
    "prompt_id": lambda row: row.key.prompt_id,
    "category": lambda row: row.category,
    "index": lambda row: row.key.index,
    "seed": _of_record("seed"),
    "status": lambda row: row.status,
    "reason_code": lambda row: row.record.reason_code if row.record else ReasonCode.MISSING,
    "reason": lambda row: row.record.reason if row.record else MISSING,
    **{name: _of_record(name) for name in ("path", "sha256", "frames", "height", "width", "fps")},
    **{name: _of_measurement(name) for name in (*MEASURED, "energy_method")},
    **{f"load_{name}": _of_load(name) for name in ("average", "other_cpus", "mhz", "throttled")},
    "cost_usd": lambda row: row.cost_usd,
    "usable": lambda row: row.usable,
    "unusable_because": lambda row: "; ".join(map(str, row.shortcomings)) or None,
    "unusable_codes": lambda row: ";".join(each.token for each in row.shortcomings) or None,
    "unscored_because": lambda row: _unscored(row) if row.status == "ok" else None,
}
COLUMNS = tuple(_CELLS)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value))
    return " ".join(value.split()) if isinstance(value, str) else str(value)
