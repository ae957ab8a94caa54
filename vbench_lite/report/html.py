"""The report as one page: opens offline, asks nothing of any network, and holds untrusted text inert.

Jinja escapes every name, prompt and reason; data for the player sits in JSON blocks in which no tag can close;
the content security policy admits this page's own style and script by their digests and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from vbench_lite import __version__
from vbench_lite.report import method, words
from vbench_lite.report.answers import Answer, Strip, answers, headline
from vbench_lite.report.clips import Board, gaps
from vbench_lite.report.colours import css
from vbench_lite.report.data import Entry, Report, Scenario
from vbench_lite.report.media import Media, Mode, collect
from vbench_lite.report.plots import figures
from vbench_lite.report.tables import groups, standfirst
from vbench_lite.store import write_whole

SHAPES = (
    "M-4.6 0A4.6 4.6 0 1 0 4.6 0A4.6 4.6 0 1 0-4.6 0Z", "M-4.2-4.2H4.2V4.2H-4.2Z", "M0-5.2 5 4.2H-5Z",
    "M0-5.6 5.6 0 0 5.6-5.6 0Z", "M0 5.2 5-4.2H-5Z", "M0-5.4 5.1-1.7 3.2 4.4H-3.2L-5.1-1.7Z",
    "M-5.2-1.7H-1.7V-5.2H1.7V-1.7H5.2V1.7H1.7V5.2H-1.7V1.7H-5.2Z", "M-5 -2.9 0-5.8 5-2.9V2.9L0 5.8-5 2.9Z",
)  # fmt: skip
"""Outlines of the markers, by the number of the entry, around the origin."""


def write_html(report: Report, path: Path, clips: Mode = "auto") -> Path:
    """Writes the page, and a folder of clips beside it where they do not fit."""
    media = collect(report.main, path, clips)
    write_whole(path, render(report, media))
    return path


def render(report: Report, media: Media) -> str:
    """The page as text; the same report and media give the same text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vbench_lite", "report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["named"] = lambda text: _named(text, report.main.entries)
    return environment.get_template("page.html").render(_context(report, media))


def _context(report: Report, media: Media) -> dict[str, Any]:
    scenario = report.main
    board = Board(scenario, media)
    style, script = css() + _asset("style.css"), _asset("player.js")
    drawn = figures(scenario)
    prompts = board.rows()
    missing = gaps(scenario)
    return {
        "scenario": scenario, "names": words.listed(e.label for e in scenario.entries), "version": __version__,
        "style": style, "script": script, "csp": _policy(style, script, bool(media.linked)), "shapes": SHAPES,
        "headline": headline(report), "standfirst": standfirst(scenario), "warnings": method.warnings(report),
        "sections": _sections([(f.key, f.title) for f in drawn]), "routes": words.ROUTES,
        "answers": [_answer(a) for a in answers(report)], "groups": groups(scenario), "figures": drawn, "gaps": missing,
        "highlights": [{"entry": entry, "clips": pair} for entry, pair in board.highlights()],
        "ranked_by": words.listed(words.title(m).lower() for m in scenario.per_clip), "prompts": prompts,
        "categories": list(dict.fromkeys(p.category for p in prompts if p.category)), "kinds": _kinds(prompts),
        "media_note": media.note, "facts": method.facts(scenario), "thresholds": method.thresholds(scenario),
        "reference_share": method.reference_share(scenario), "prices": method.prices(scenario),
        "definitions": method.definitions(scenario), "meanings": words.MEANINGS, "defined": _defined(scenario),
        "versions": _versions(scenario), "run_list": words.listed(str(r.folder.path.name) for r in report.runs),
        "data": _json(board.facts()), "media": _json(media.embedded),
    }  # fmt: skip


def _named(text: str, entries: Sequence[Entry]) -> Any:
    """Escapes a sentence and keeps the generators' names in it whole and in their colours."""
    from markupsafe import Markup, escape

    colours = {entry.label: entry.colour for entry in entries}
    pattern = "|".join(re.escape(label) for label in sorted(colours, key=len, reverse=True))
    parts = re.split(f"({pattern})", text)
    return Markup("").join(
        Markup('<span class="name c-{}">{}</span>').format(colours[part], part) if part in colours else escape(part)
        for part in parts
    )


def _asset(name: str) -> str:
    return (files("vbench_lite.report") / name).read_text("utf-8")


def _policy(style: str, script: str, linked: bool) -> str:
    """Own style and script by digest, clips from the page itself or from beside it; no request goes elsewhere."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return "; ".join(
        (
            "default-src 'none'", f"style-src {digest(style)}", f"script-src {digest(script)}", "img-src data:",
            "media-src 'self' file: data:" if linked else "media-src data:", "base-uri 'none'", "form-action 'none'",
        )
    )  # fmt: skip


def _json(value: Any) -> str:
    """JSON that no text in it can end: every "<" is written as an escape."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _sections(drawn: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    short = {
        "plane": "Cost", "history": "History", "best-of-k": "Retrying", "distributions": "Spread", "stages": "Time",
    }  # fmt: skip
    middle = [(key, short[key]) for key, _ in drawn if key in short]
    return [("answers", "Answers"), ("numbers", "Numbers"), *middle, ("clips", "Clips"), ("method", "Method")]


def _kinds(prompts: Sequence[Any]) -> list[str]:
    cells = (cell for prompt in prompts for lane in prompt.lanes for cell in lane.cells)
    return sorted({kind for cell in cells for kind in cell.kinds} - {"failed"})


def _answer(answer: Answer) -> dict[str, Any]:
    strips = [_strip(strip) for strip in answer.strips]
    return {**vars(answer), "strips": strips}


def _strip(strip: Strip) -> dict[str, Any]:
    """Places every figure of a strip between 0 and 100."""
    ends = [e[k] for _, e, _ in strip.rows for k in ("value", "low", "high") if e[k] is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)

    def place(value: float | None) -> str | None:
        return None if value is None else f"{4 + 92 * (value - low) / (high - low):.2f}"

    rows = [
        {"entry": entry, "written": written, "at": place(e["value"]), "low": place(e["low"]), "high": place(e["high"])}
        for entry, e, written in strip.rows
    ]
    return {**vars(strip), "rows": rows}


def _defined(scenario: Scenario) -> list[str]:
    return [name for name in words.MEANINGS if name in scenario.metrics or name in ("usable", *words.COSTS)]


def _versions(scenario: Scenario) -> dict[str, str]:
    return {
        name: f"Version {info['version']}" + (f", on {info['backbone']}" if info["backbone"] else "") + "."
        for name, info in scenario.metrics.items()
    }
