"""A run as a result file of VBench: {dimension: [aggregate, [{"video_path", "video_results"}, ...]]}.

Only scores that equal VBench's are written under its names, as decided by `vbench_lite.report.vbench_dimensions`.
"vbench_lite" has the totals, the missing dimensions, the sources of the others, and the number of clips that are
missing or not scored. With any of these the result is partial. The value is a list of one object, because VBench's
script for totals reads the first item of every entry.
"""

from __future__ import annotations

import json
from typing import Any

from vbench_lite.errors import NotComparable
from vbench_lite.report.data import Report
from vbench_lite.report.output import Output
from vbench_lite.report.vbench_dimensions import Dimension, VbenchView


def write(report: Report, output: Output) -> None:
    output.text(render(report))


def render(report: Report) -> str:
    """The file of one generator.

    Raises:
        NotComparable: There are several generators; VBench's files have one.
    """
    entries = [entry for scenario in report.scenarios for entry in scenario.entries]
    if len(entries) != 1:
        names = ", ".join(f"{entry.run.path}:{entry.name}" for entry in entries)
        raise NotComparable(f"a VBench result file has one generator. Name one of: {names}")
    view = VbenchView.of(entries[0])
    document: dict[str, Any] = {d.name: [d.mean, _clips(d)] for d in view.dimensions if d.mean is not None}
    totals = view.totals
    unscored = {d.name: d.unscored for d in view.dimensions}
    document["vbench_lite"] = [{
        "generator": view.entry.name, "suite": view.entry.run.manifest.suite.name, "asked": view.entry.figures.clips,
        "unscored": unscored, "lacking": list(view.lacking), "partial": bool(view.lacking) or any(unscored.values()),
        "sources": {d.name: d.source for d in view.dimensions}, "not_of_vbench": dict(view.not_of_vbench),
        "totals": {
            "benchmark": totals.family.title, "total": totals.total, "missing": list(totals.missing),
            "groups": {
                name: {"value": group.value, "missing": list(group.missing)} for name, group in totals.groups.items()
            },
        },
    }]  # fmt: skip
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _clips(dimension: Dimension) -> list[dict[str, Any]]:
    """Values in VBench's form: a flag for dynamic degree, 0 to 100 for imaging quality."""
    name = dimension.name
    return [{"video_path": str(path), "video_results": _written(name, value)} for path, value in dimension.clips]


def _written(dimension: str, value: float) -> float | bool:
    if dimension == "dynamic_degree":
        return bool(value)
    return 100 * value if dimension == "imaging_quality" else value
