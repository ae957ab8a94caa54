"""A run as a result file of VBench: {dimension: [aggregate, [{"video_path", "video_results"}, ...]]}.

Only metrics that are computed as VBench computes them are written under its names: `temporal_flickering`,
and `clip_frames` is its background_consistency when it stands on the ViT-B/32 that
VBench uses. Everything else has no place in such a file. VBench asks each dimension of its own
prompts only: where a suite names them (imported from VBench's file, its prompts are tagged with their
dimensions), so does this; other suites answer with all their prompts. Clips that are missing or could
not be scored are counted under "vbench_lite": the file then holds a partial result, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from vbench_lite.errors import NotComparable
from vbench_lite.records import ClipKey
from vbench_lite.report.data import GeneratorResult, Report
from vbench_lite.report.output import Output

DIMENSIONS = {"temporal_flickering": "temporal_flickering", "clip_frames": "background_consistency"}
SAME_NETWORK = "openai"
"""What the name of a backbone holds when its image network is the one that VBench takes."""


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
    for metric, dimension in DIMENSIONS.items():
        info = report.main.metrics.get(metric)
        if info and (info.backbone is None or SAME_NETWORK in info.backbone):
            asked = [p.id for p in report.main.suite.prompts if dimension in p.tags]
            clips, unscored[dimension] = _clips(entries[0], metric, asked or entries[0].grid.prompts)
            if clips:
                document[dimension] = [float(np.mean([clip["video_results"] for clip in clips])), clips]
    document["vbench_lite"] = {
        "generator": entries[0].name, "suite": report.main.suite.name, "asked": entries[0].figures.clips,
        "unscored": unscored, "partial": any(unscored.values()),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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
