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
from typing import Any

from vbench_lite import __version__
from vbench_lite.records import ReasonCode
from vbench_lite.report import glossary as words
from vbench_lite.report import method
from vbench_lite.report.answers.all import answers, headline
from vbench_lite.report.answers.hero import heroes
from vbench_lite.report.answers.strips import Answer, IntervalStrip
from vbench_lite.report.data import GeneratorResult, Report, SuiteResult, digest
from vbench_lite.report.figures.all import figures
from vbench_lite.report.figures.colours import css, light
from vbench_lite.report.figures.cost_quality import hero_chart
from vbench_lite.report.figures.kit import FigureRenderer
from vbench_lite.report.formats.clip_board import ClipBoard, gaps
from vbench_lite.report.formats.media import Media, collect
from vbench_lite.report.output import Output
from vbench_lite.report.tables import confidence, groups, standfirst

SHAPES = (
    "M-4.6 0A4.6 4.6 0 1 0 4.6 0A4.6 4.6 0 1 0-4.6 0Z", "M-4.2-4.2H4.2V4.2H-4.2Z", "M0-5.2 5 4.2H-5Z",
    "M0-5.6 5.6 0 0 5.6-5.6 0Z", "M0 5.2 5-4.2H-5Z", "M0-5.4 5.1-1.7 3.2 4.4H-3.2L-5.1-1.7Z",
    "M-5.2-1.7H-1.7V-5.2H1.7V-1.7H5.2V1.7H1.7V5.2H-1.7V1.7H-5.2Z", "M-5 -2.9 0-5.8 5-2.9V2.9L0 5.8-5 2.9Z",
)  # fmt: skip
"""Outlines of the markers, by the number of the entry, around the origin."""


def write(report: Report, output: Output) -> None:
    """Writes the page, and a folder of clips beside it where they do not fit."""
    media = collect(report, output.place, output.clips)
    output.text(render(report, media))


def render(report: Report, media: Media) -> str:
    """The page as text; the same report and media give the same text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vbench_lite", "report/formats"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["named"] = lambda text: _named(text, report.entries)
    return environment.get_template("page.html").render(_context(report, media))


def _context(report: Report, media: Media) -> dict[str, Any]:
    style, script = css() + _asset("style.css").replace("LIGHT", light()), _asset("player.js")
    scenes, boards = _scenes(report, media)
    asked = [row for board in boards for row in board.rows()]
    prompts = sorted(asked, key=lambda row: row.worst)
    meanings = {name: words.meaning(name, s.metrics) for s in report.scenarios for name in _defined(s)}
    return {
        "scenario": report.main, "names": words.listed(e.label for e in report.entries), "version": __version__,
        "digest": digest(report.runs),
        "style": style, "script": script, "csp": _policy(style, script, bool(media.linked)), "shapes": SHAPES,
        "headline": headline(report), "confidence": confidence(report.main), "heroes": heroes(report.main),
        "hero": hero_chart(report.main, FigureRenderer()),
        "hero_narrow": hero_chart(report.main, FigureRenderer(), narrow=True),
        "standfirst": standfirst(report.main),
        "warnings": method.warnings(report),
        "sections": _sections(scenes), "routes": words.ROUTES, "answers": [_answer(a) for a in answers(report)],
        "scenes": scenes, "entries": report.entries, "prompts": prompts,
        "suites": list(dict.fromkeys(p.suite for p in asked)),
        "categories": list(dict.fromkeys(p.category for p in asked if p.category)), "kinds": _kinds(prompts),
        "media_note": media.note, "meanings": meanings, "defined": list(meanings),
        "versions": {name: text for s in reversed(report.scenarios) for name, text in _versions(s).items()},
        "run_list": words.listed(r.name for r in report.runs),
        "data": _json({"clips": {k: v for board in boards for k, v in board.facts()["clips"].items()}}),
        "media": _json(media.embedded),
    }  # fmt: skip


def _scenes(report: Report, media: Media) -> tuple[list[dict[str, Any]], list[ClipBoard]]:
    """What the page says of every scenario below the first screen, and their clips."""
    scenes, boards, before = [], [], 0
    for nth, scenario in enumerate(report.scenarios):
        board = ClipBoard(scenario, media, before)
        scenes.append(
            {
                "prefix": f"s{nth}-" if nth else "", "scenario": scenario,
                "standfirst": f"{standfirst(scenario)} {confidence(scenario)}".strip(),
                "groups": groups(scenario), "figures": figures(scenario), "gaps": gaps(scenario, before),
                "highlights": [{"entry": entry, "clips": pair} for entry, pair in board.highlights()],
                "ranked_by": words.listed(words.inline(scenario.title_of(m)) for m in scenario.per_clip),
                "facts": method.facts(scenario), "thresholds": method.thresholds(scenario),
                "reference_share": method.reference_share(scenario), "prices": method.prices(scenario),
                "definitions": method.definitions(scenario), "counted": method.counted(scenario),
            }
        )  # fmt: skip
        boards.append(board)
        before += len(scenario.prompts)
    return scenes, boards


def _named(text: str, entries: Sequence[GeneratorResult]) -> Any:
    """Escapes a sentence and keeps figures with their percent sign, and names whole and in their colours."""
    from markupsafe import Markup, escape

    colours = {entry.label: entry.colour for entry in entries}
    pattern = "|".join(re.escape(label) for label in sorted(colours, key=len, reverse=True))
    parts = re.split(f"({pattern})", text.replace(" %", "\N{NO-BREAK SPACE}%"))
    return Markup("").join(
        Markup('<span class="name c-{}">{}</span>').format(colours[part], part) if part in colours else escape(part)
        for part in parts
    )


def _asset(name: str) -> str:
    return (files("vbench_lite.report.formats") / name).read_text("utf-8")


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


def _sections(scenes: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What the page's head leads to: the parts of one scenario, or the scenarios where there are several."""
    short = {
        "sweep": "Sweep", "length": "Length", "plane": "Cost", "history": "History", "best-of-k": "Retrying",
        "distributions": "Spread", "stages": "Time",
    }  # fmt: skip
    middle = [("numbers", "Numbers"), *((f.key, short[f.key]) for f in scenes[0]["figures"] if f.key in short)]
    if len(scenes) > 1:
        middle = [(f"{scene['prefix']}numbers", scene["scenario"].suite.name) for scene in scenes]
    return [("answers", "Answers"), *middle, ("clips", "Clips"), ("method", "Method")]


def _kinds(prompts: Sequence[Any]) -> list[str]:
    cells = (cell for prompt in prompts for lane in prompt.lanes for cell in lane.cells)
    return sorted({kind for cell in cells for kind in cell.kinds} - {ReasonCode.FAILED})


def _answer(answer: Answer) -> dict[str, Any]:
    strips = [_strip(strip) for strip in answer.strips]
    return {**vars(answer), "strips": strips}


def _strip(strip: IntervalStrip) -> dict[str, Any]:
    """Places every figure of a strip between 0 and 100."""
    ends = [end for _, e, _ in strip.rows for end in (e.value, e.low, e.high) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = max(NARROWEST * max(abs(low), abs(high)) - (high - low), 0.0) or (0.0 if high > low else 1.0)
    low, high = low - room / 2, high + room / 2

    def place(value: float | None) -> str | None:
        return None if value is None else f"{4 + 92 * (value - low) / (high - low):.2f}"

    rows = [
        {"entry": entry, "written": written, "at": place(e.value), "low": place(e.low), "high": place(e.high)}
        for entry, e, written in strip.rows
    ]
    ends_written = [strip.write(end) for end in (low, high)] if ends else []
    return {**vars(strip), "rows": rows, "scale": ends_written}


NARROWEST = 0.02
"""Width of a strip relative to its figures, at least: a difference in the fourth digit must not fill it."""


def _defined(scenario: SuiteResult) -> list[str]:
    ordered = [name for names in words.by_question(scenario.metrics).values() for name in names]
    return [*ordered, "usable", *words.COSTS]


def _versions(scenario: SuiteResult) -> dict[str, str]:
    return {
        name: f"Version {info.version}" + (f", on {info.backbone}" if info.backbone else "") + "."
        for name, info in scenario.metrics.items()
    }
