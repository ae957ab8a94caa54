"""Decides which scores of a run equal VBench's, and computes the totals of its benchmarks.

A score has the name of a dimension if its network equals VBench's, by digest and preprocessing, or if it was imported
from a result file of VBench. VBench evaluates each dimension on its own prompts only. If a suite tags its prompts with
dimensions, as an import of VBench's file does, the same prompts are used; other suites use all their prompts. Every
mean is over clips.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vbench_lite.analysis.answers.vbench_totals import FAMILIES, Family, Totals, family_of, totals
from vbench_lite.inputs.score_table import RENAMED
from vbench_lite.records import ClipKey, MetricInfo
from vbench_lite.report.data import GeneratorResult

OWN = {
    "temporal_flickering": ("temporal_flickering", None),
    "background_consistency": ("background_consistency", re.compile(r".*@40d36571")),
    "clip_frames": ("background_consistency", re.compile(r".*@40d36571")),
    "subject_consistency": ("subject_consistency", re.compile(r"vbench/dino@[0-9a-f]{8}")),
    "dynamic_degree": ("dynamic_degree", re.compile(r".*@22a6c225")),
    "aesthetic_quality": ("aesthetic_quality", re.compile(r"vbench/.*@b8cca3fd\+head@[0-9a-f]{8}")),
    "imaging_quality": ("imaging_quality", re.compile(r".*@358bb6af")),
}
"""Metric > its dimension, and the name of VBench's network; None if it needs none. Names end with digests of weights.
A longer name states another preprocessing. The digests of DINO's file and of LAION's head are not published: these
networks must come from the shipped set "vbench"."""
DIMENSIONS = frozenset(name for family in FAMILIES for name in family.dimensions)


@dataclass(frozen=True)
class Dimension:
    """The clips of one generator in one dimension."""

    name: str
    clips: tuple[tuple[Path, float], ...]
    """Path and value of every scored clip of the prompts of the dimension."""
    unscored: int
    source: str
    """The network, or the file of the imported scores."""

    @property
    def mean(self) -> float | None:
        return float(np.mean([value for _, value in self.clips])) if self.clips else None


@dataclass(frozen=True)
class VbenchView:
    """VBench's scores of one generator of a run."""

    entry: GeneratorResult
    dimensions: tuple[Dimension, ...]
    not_of_vbench: Mapping[str, str]
    """Metric with the name of a dimension > its network, which is not VBench's."""

    @classmethod
    def of(cls, entry: GeneratorResult) -> VbenchView:
        found: dict[str, Dimension] = {}
        others: dict[str, str] = {}
        metrics = entry.run.summary.metrics
        for metric, info in sorted(metrics.items(), key=lambda item: (item[1].origin == "imported", item[0])):
            name = dimension_of(metric, info)
            if name is None:
                if metric in DIMENSIONS and info.backbone:
                    others[metric] = info.backbone
            elif name not in found:
                found[name] = _dimension(entry, name, metric, info)
        return cls(entry, tuple(found.values()), others)

    @cached_property
    def family(self) -> Family:
        """The benchmark of the suite, else of the scores."""
        return family_of(self._tagged or {dimension.name for dimension in self.dimensions})

    @cached_property
    def _tagged(self) -> set[str]:
        return {tag for prompt in self.entry.run.manifest.suite.prompts for tag in prompt.tags} & DIMENSIONS

    @property
    def lacking(self) -> tuple[str, ...]:
        """Dimensions of the suite, else of the benchmark, that have no score."""
        scored = {dimension.name for dimension in self.dimensions if dimension.clips}
        return tuple(sorted((self._tagged or set(self.family.dimensions)) - scored))

    @property
    def totals(self) -> Totals:
        return totals(self.family, {d.name: d.mean for d in self.dimensions if d.mean is not None})


def dimension_of(metric: str, info: MetricInfo) -> str | None:
    """The dimension of VBench that a metric computes in the same way, or was imported for; None for other metrics."""
    if info.origin == "imported":
        name = metric.removesuffix(RENAMED)
        return name if name in DIMENSIONS and info.version.split(" ")[0] == "VBench" else None
    if metric not in OWN:
        return None
    dimension, network = OWN[metric]
    return dimension if network is None or network.fullmatch(info.backbone or "") else None


def _dimension(entry: GeneratorResult, name: str, metric: str, info: MetricInfo) -> Dimension:
    """The scored clips of the prompts of the dimension."""
    suite = entry.run.manifest.suite
    wanted = {prompt.id for prompt in suite.prompts if name in prompt.tags} or set(entry.grid.prompts)
    paths = {record.key: entry.run.folder.clip_path(record) for record in entry.records}
    clips: list[tuple[Path, float]] = []
    count = 0
    for row, prompt in zip(entry.scores(metric), entry.grid.prompts, strict=True):
        if prompt in wanted:
            count += len(row)
            for index, value in enumerate(row):
                usual = entry.run.folder.path / "clips" / entry.name / prompt / f"{index}.mp4"
                if np.isfinite(value):
                    clips.append((paths.get(ClipKey(entry.name, prompt, index)) or usual, float(value)))
    return Dimension(name, tuple(clips), count - len(clips), info.source if info.origin else info.backbone or "pixels")
