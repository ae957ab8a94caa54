"""The section of clips, once for all scenarios: filters and orders, which the script of the page fills."""

from __future__ import annotations

from collections.abc import Sequence

from vbench_lite.report.data import Report
from vbench_lite.report.page.section import Scene, Section

LEDE = "Click on a clip to open it large, or to compare it with another. Every clip, filter and order has a link."


def section(report: Report, scenes: Sequence[Scene]) -> Section:
    """The section. `clip_data` has the data of the clips."""
    rows = [row for scene in scenes for row in scene.board.rows]
    titles = {metric: s.title_of(metric) for s in reversed(report.scenarios) for metric in s.per_clip}
    kinds = {kind: card.title_of(kind) for row in rows for card in row.cards for kind in card.kinds}
    data = {
        "entries": report.entries, "metrics": list(titles.items()), "kinds": sorted(kinds.items()),
        "media_note": scenes[0].media.note,
        "priced": any(e.cost("usd_per_clip").value is not None for s in report.scenarios for e in s.entries),
        "suites": list(dict.fromkeys(s.suite.name for s in report.scenarios)),
        "categories": list(dict.fromkeys(row.prompt.category for row in rows if row.prompt.category)),
    }  # fmt: skip
    return Section("clips", "Clips", "clips.html", LEDE, "Clips", data=data)
