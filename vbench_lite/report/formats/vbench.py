"""A run as a result file of VBench: {dimension: [aggregate, [{"video_path", "video_results"}, ...]]}.

Only metrics that are computed as VBench computes them are written under its names: `temporal_flickering`,
and `clip_frames` is its background_consistency when it stands on the ViT-B/32 that
VBench uses. Everything else has no place in such a file. VBench asks each dimension of its own
prompts only: where a suite names them (imported from VBench's file, its prompts are tagged with their
dimensions), so does this; other suites answer with all their prompts. Under "vbench_lite" stand the dimensions
that are lacking and the number of clips that are missing or not scored. With any of them the result is partial.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from vbench_lite.errors import NotComparable
from vbench_lite.records import ClipKey, MetricInfo
from vbench_lite.report.data import GeneratorResult, Report
from vbench_lite.report.output import Output

DIMENSIONS = {"temporal_flickering": "temporal_flickering", "clip_frames": "background_consistency"}
ALL_DIMENSIONS = {
    "subject_consistency", "background_consistency", "temporal_flickering", "motion_smoothness", "dynamic_degree",
    "aesthetic_quality", "imaging_quality", "object_class", "multiple_objects", "human_action", "color",
    "spatial_relationship", "scene", "temporal_style", "appearance_style", "overall_consistency",
}  # fmt: skip
"""The dimensions of VBench (Huang et al., arXiv:2311.17982)."""
NETWORKS = ("40d36571",)
"""Digests of weights, as they end a backbone's name: OpenAI's ViT-B-32.pt, the image network of VBench. A name that
goes on after the digest states another preprocessing than VBench's."""


def write(report: Report, output: Output) -> None:
    output.text(render(report))


def render(report: Report) -> str:
    """The file of one generator.

    Raises:
        NotComparable: There are several: VBench's files hold one.
    """
    entries = [entry for scenario in report.scenarios for entry in scenario.entries]
    if len(entries) != 1:
        names = ", ".join(f"{entry.run.path}:{entry.name}" for entry in entries)
        raise NotComparable(f"a VBench result file holds one generator. Name one of: {names}")
    document: dict[str, Any] = {}
    unscored = {}
    for metric, info in report.main.metrics.items():
        if dimension := dimension_of(metric, info):
            asked = [p.id for p in report.main.suite.prompts if dimension in p.tags]
            clips, unscored[dimension] = _clips(entries[0], metric, asked or entries[0].grid.prompts)
            if clips:
                document[dimension] = [float(np.mean([clip["video_results"] for clip in clips])), clips]
    tagged = {tag for prompt in report.main.suite.prompts for tag in prompt.tags} & ALL_DIMENSIONS
    lacking = sorted((tagged or ALL_DIMENSIONS) - set(document))
    document["vbench_lite"] = {
        "generator": entries[0].name, "suite": report.main.suite.name, "asked": entries[0].figures.clips,
        "unscored": unscored, "lacking": lacking, "partial": bool(lacking) or any(unscored.values()),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def dimension_of(metric: str, info: MetricInfo) -> str | None:
    """The dimension of VBench that a metric computes as VBench does; None where it does not."""
    same = info.backbone is None or info.backbone.rpartition("@")[2] in NETWORKS
    return DIMENSIONS.get(metric) if same else None


def _clips(entry: GeneratorResult, metric: str, asked: Sequence[str]) -> tuple[list[dict[str, Any]], int]:
    """The scored clips of the asked prompts in VBench's form, and how many are not scored."""
    values, wanted = entry.scores(metric), set(asked)
    paths = {record.key: entry.run.folder.clip_path(record) for record in entry.records}
    clips, count = [], 0
    for row, prompt in zip(values, entry.grid.prompts, strict=True):
        if prompt not in wanted:
            continue
        count += len(row)
        for index, value in enumerate(row):
            path = paths.get(ClipKey(entry.name, prompt, index))
            if np.isfinite(value) and path is not None:
                clips.append({"video_path": str(path), "video_results": float(value)})
    return clips, count - len(clips)
