"""The answers for the page: names in their colours, figures on strips, links to clips."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from vbench_lite import formatting as words
from vbench_lite.records import Estimate
from vbench_lite.report import glossary
from vbench_lite.report.answers.all import answers
from vbench_lite.report.answers.strips import IntervalStrip
from vbench_lite.report.data import GeneratorResult, Report
from vbench_lite.report.links import clips_address

NARROWEST = 0.02
"""Minimum range of a strip relative to its figures, so that a difference in the fourth digit does not fill it."""

WIDE = 20.0
"""With a larger factor between figures, the scale is logarithmic, so that small figures do not coincide."""
SORTED = 3
"""With more generators, a strip lists the best first; else it has the order of the page."""


def placed_answers(report: Report) -> list[dict[str, Any]]:
    """The six answers, with a position from 0 to 100 for every figure of their strips."""
    return [{**vars(a), "strips": [_strip(report, strip) for strip in a.strips]} for a in answers(report)]


def _strip(report: Report, strip: IntervalStrip) -> dict[str, Any]:
    ends = [end for _, e, _ in strip.rows for end in (e.value, e.low, e.high) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = max(NARROWEST * max(abs(low), abs(high)) - (high - low), 0.0) or (0.0 if high > low else 1.0)
    low, high = low - room / 2, high + room / 2
    logarithmic = low > 0 and high > WIDE * low
    scale = math.log if logarithmic else float

    def place(value: float | None) -> str | None:
        return None if value is None else f"{4 + 92 * (scale(value) - scale(low)) / (scale(high) - scale(low)):.2f}"

    by = strip.name if strip.name in report.main.per_clip else "cost" if strip.name in glossary.COSTS else "rank"
    rows = [
        {
            "entry": entry, "written": written, "at": place(e.value), "low": place(e.low), "high": place(e.high),
            "address": clips_address(generator=entry.label, by=by),
        }
        for entry, e, written in _best_first(report, strip)
    ]  # fmt: skip
    ends_written = [strip.write(end) for end in (low, high)] if ends else []
    return {**vars(strip), "rows": rows, "scale": ends_written, "logarithmic": logarithmic}


def _best_first(report: Report, strip: IntervalStrip) -> list[tuple[GeneratorResult, Estimate, words.Written]]:
    """Rows sorted by their figure, unknown figures last, if there are many generators."""
    if len(strip.rows) <= SORTED:
        return list(strip.rows)
    higher = strip.name not in glossary.COSTS and report.main.higher_is_better(strip.name)
    sign = -1 if higher else 1
    return sorted(strip.rows, key=lambda row: math.inf if row[1].value is None else sign * row[1].value)


def named(text: str, entries: Sequence[GeneratorResult]) -> Any:
    """Escapes a sentence, prevents line breaks in names and before percent signs, and colours names."""
    from markupsafe import Markup, escape

    colours = {entry.label: entry.colour for entry in entries}
    pattern = "|".join(re.escape(label) for label in sorted(colours, key=len, reverse=True))
    parts = re.split(f"({pattern})", text.replace(" %", "\N{NO-BREAK SPACE}%"))
    return Markup("").join(
        Markup('<bdi class="name c-{}">{}</bdi>').format(colours[part], part) if part in colours else escape(part)
        for part in parts
    )
