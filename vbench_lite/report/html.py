"""The report as one page: opens offline, asks nothing of any network, and holds untrusted text inert.

Jinja escapes every name, prompt and reason; data for the player sits in JSON blocks in which no tag can close;
the content security policy admits this page's own style and script by their digests and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from vbench_lite import __version__
from vbench_lite.report import method, words
from vbench_lite.report.answers import Answer, Strip, answers, headline
from vbench_lite.report.clips import Board, gaps
from vbench_lite.report.colours import css
from vbench_lite.report.data import Entry, Report, Scenario
from vbench_lite.report.findings import Lead, leads
from vbench_lite.report.media import Media, Mode, collect
from vbench_lite.report.plots import figures, usable_estimate
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
        "answers": [_answer(a) for a in answers(report)], "groups": _groups(scenario), "figures": drawn, "gaps": missing,
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


def standfirst(scenario: Scenario) -> str:
    """What was asked, of whom, on what, when."""
    manifest = scenario.newest.manifest
    clips = manifest["plan"]["clips_per_prompt"]
    total = sum(e.grid.clips for e in scenario.entries)
    device = (manifest.get("device") or {}).get("name") or "an unnamed device"
    return (
        f"{words.several(len(scenario.prompts), 'prompt')} {words.TIMES} {words.several(clips, 'clip')} {words.TIMES} "
        f"{words.several(len(scenario.entries), 'generator')}: {words.several(total, 'clip')}, made on {device}, "
        f"{scenario.newest.created[:10]}. Intervals are 95 %, over prompts."
    )


def _sections(drawn: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    short = {"plane": "Cost", "distributions": "Spread", "best-of-k": "Retrying", "stages": "Time", "history": "History"}
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


def _groups(scenario: Scenario) -> list[dict[str, Any]]:
    """The table: scores by question, then use and cost."""
    found = leads(scenario)
    asked = [(q.title, [m for m in q.metrics if m in scenario.metrics]) for q in (*words.QUESTIONS, words.SET_METRICS)]
    named = {m for _, names in asked for m in names}
    asked.append(("Besides", [m for m in scenario.metrics if m not in named]))
    groups = [
        {"title": title, "rows": [_score_row(scenario, m, found.get(m)) for m in names]} for title, names in asked if names
    ]
    scale = scenario.money_scale
    costs = [_usable_row(scenario, found.get("usable"))]
    known = [c for c in words.COSTS if c in words.COSTS[:4] or any(e.cost(c)["value"] is not None for e in scenario.entries)]
    for cost in known:
        cells = [
            (e, words.cost_text(cost, e.cost(cost), scale), _unscored(e.cost(cost), e, "clip", "measured"))
            for e in scenario.entries
        ]
        costs.append(_row(cost, False, cells, found.get(cost)))
    groups.append({"title": "Use and cost" + (", money per 1,000 clips" if scale > 1 else ""), "rows": costs})
    return groups


def _score_row(scenario: Scenario, metric: str, lead: Lead | None) -> dict[str, Any]:
    cells = [
        (e, words.write(e.score(metric)), _unscored(e.score(metric), e, "clip", "scored")) for e in scenario.entries
    ]
    return _row(metric, scenario.metrics[metric]["higher_is_better"], cells, lead)


def _usable_row(scenario: Scenario, lead: Lead | None) -> dict[str, Any]:
    cells = []
    for e in scenario.entries:
        share = usable_estimate(e)
        interval = f"{words.percent(share['low'])} {words.DASH} {words.percent(share['high'])}" if share["low"] is not None else ""
        value = f"{words.percent(share['value'])}, {e.figures['usable']} of {e.figures['clips']}"
        failed = f"{e.figures['failed']} failed" if e.figures["failed"] else ""
        cells.append((e, words.Written(value, interval), failed))
    return _row("usable", True, cells, lead)


def _unscored(estimate: Mapping[str, Any], entry: Entry, noun: str, done: str) -> str:
    count = estimate.get("unscored") or 0
    return f"{words.several(count, noun)} not {done}" if count and estimate["value"] is not None else ""


def _row(
    name: str, higher: bool | None, cells: Sequence[tuple[Entry, words.Written, str]], lead: Lead | None
) -> dict[str, Any]:
    arrow, direction = {True: ("↑", "higher is better"), False: ("↓", "lower is better"), None: ("", "")}[higher]
    first = lead.first if lead is not None and lead.real else None
    return {
        "name": name, "arrow": arrow, "direction": direction,
        "cells": [{"written": w, "lead": e is first, "unscored": text} for e, w, text in cells],
    }  # fmt: skip


def _defined(scenario: Scenario) -> list[str]:
    return [name for name in words.MEANINGS if name in scenario.metrics or name in ("usable", *words.COSTS)]


def _versions(scenario: Scenario) -> dict[str, str]:
    return {
        name: f"Version {info['version']}" + (f", on {info['backbone']}" if info["backbone"] else "") + "."
        for name, info in scenario.metrics.items()
    }
