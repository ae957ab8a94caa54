"""The record of summary.json: scores, usability and cost of every generator of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vbench_lite.records import FORMAT, Estimate, MetricInfo
from vbench_lite.run import format1
from vbench_lite.run.people import People
from vbench_lite.run.reading import typed


@dataclass(frozen=True)
class SuiteHead:
    """The suite of the run, and its requested part."""

    name: str
    title: str = ""
    digest: str = ""
    prompts: int = 0
    """Number of requested prompts."""
    clips_per_prompt: int = 0


@dataclass(frozen=True)
class Floor:
    """The threshold of one metric for usable clips. Each limit may be None."""

    min: float | None = None
    max: float | None = None
    source: str = ""
    """"suite", "file", "labels", or "reference": the worst 5 % of the reference clips are beyond it."""


FAILING_REFERENCE = 0.2
"""Fraction of the reference clips that may fail the thresholds without a warning."""


@dataclass(frozen=True)
class Usability:
    """The thresholds of usable clips. Without thresholds, usability is not evaluated."""

    thresholds: Mapping[str, Floor] = field(default_factory=dict)
    reference_share: float | None = None
    """Fraction of the reference clips that pass all thresholds, 0 to 1."""
    ignored: tuple[str, ...] = ()
    """Metrics with a stated threshold that were not scored."""

    @property
    def too_strict(self) -> bool:
        """Whether more than one in five reference clips fails, so that the thresholds are too strict for real clips."""
        return self.reference_share is not None and 1 - self.reference_share > FAILING_REFERENCE


@dataclass(frozen=True)
class GeneratorSummary:
    """The figures of one generator."""

    route: str
    clips: int
    """Number of requested clips."""
    failed: int
    """Number of clips that were tried and failed."""
    scores: Mapping[str, Estimate]
    cost: Mapping[str, Estimate]
    missing: int = 0
    """Number of clips that were never generated. They have no cost and are counted only here."""
    devices: tuple[str, ...] = ()
    """The devices of its clips, such as "1 x NVIDIA L4"."""
    usable: int | None = None
    """Number of clips that conform and meet every threshold; None if it is not evaluated."""

    @property
    def tried(self) -> int:
        """Number of clips that were generated or failed: the denominator of rates and costs."""
        return self.clips - self.missing


@dataclass(frozen=True)
class Anchors:
    """The scores of the pinned anchor clips in this scoring, compared with their known scores."""

    drift: Mapping[str, float | None] | None = None
    """Metric > largest relative difference; None if this set of backbones has no known scores."""
    tolerance: float | None = None
    """Relative difference above which there is a warning."""
    warning: str | None = None
    reason: str | None = None
    """The reason why there is no drift value."""


@dataclass(frozen=True)
class Notes:
    """Facts about the scores."""

    backbones: str | None = None
    """The set of backbones."""
    protocol: str | None = None
    """The protocol of the features for video distances."""
    anchors: Anchors | None = None
    reference: Mapping[str, str] = field(default_factory=dict)
    """Generator > description of the real clips."""
    features: Mapping[str, str] = field(default_factory=dict)
    """Generator > sha256 of its features file."""
    truncated_prompts: tuple[str, ...] = ()
    """Ids of prompts of which the text network reads only the beginning. The rest does not affect scores."""


@dataclass(frozen=True)
class Summary(Mapping[str, GeneratorSummary]):
    """The content of summary.json, as a mapping from a generator's name to its figures.

    Example:
        >>> none = Summary(FORMAT, SuiteHead("ads"), {}, {"mine": GeneratorSummary("hybrid", 4, 1, {}, {})})
        >>> none["mine"].failed
        1
    """

    format: int
    suite: SuiteHead
    metrics: Mapping[str, MetricInfo]
    generators: Mapping[str, GeneratorSummary]
    usable: Usability = Usability()
    notes: Notes = Notes()
    people: People | None = None
    """The results of people's votes; None without votes."""

    def __getitem__(self, generator: str) -> GeneratorSummary:
        return self.generators[generator]

    def __iter__(self) -> Iterator[str]:
        return iter(self.generators)

    def __len__(self) -> int:
        return len(self.generators)

    def as_json(self) -> dict[str, Any]:
        """The content of the file: a metric's name is its key, and reasons are present only for None."""
        metrics = {name: _without(info, "name") for name, info in self.metrics.items()}
        return _plain(self) | {"format": FORMAT, "metrics": metrics}


def summary_from(value: dict[str, Any], path: Path) -> Summary:
    """Converts a decoded summary.json to a record.

    Raises:
        StoreError: A key is missing or has a wrong type.
    """
    if value["format"] == 1:
        value = format1.summary(value)
    metrics = value.get("metrics")
    if isinstance(metrics, dict):
        value = value | {"metrics": {name: _named(name, info) for name, info in metrics.items()}}
    return typed(value, Summary, path)


def _named(name: str, info: Any) -> Any:
    """A metric with its name. Earlier versions wrote the unit of the squared Fréchet distances as "distance"."""
    if not isinstance(info, dict):
        return info
    old_unit = name in ("fvd", "fvd_corrected") and info.get("unit") == "distance"
    return {"name": name, **info, **({"unit": "squared distance"} if old_unit else {})}


def _without(record: Any, name: str) -> dict[str, Any]:
    return {key: value for key, value in _plain(record).items() if key != name}


def _plain(value: Any) -> Any:
    """Converts dataclasses to objects. An estimate without a reason does not have its keys."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        known = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        absent = ("reason", "reason_code") if isinstance(value, Estimate) else ()
        return {key: item for key, item in known.items() if key not in absent or item is not None}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
