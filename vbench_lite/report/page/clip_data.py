"""The data of every clip for the script of the page: plain values, which it shows only as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any

from vbench_lite.analysis.commands import run_command
from vbench_lite.inputs.accepted import gets_image
from vbench_lite.records import Prompt
from vbench_lite.report.data import GeneratorResult, Report, SuiteResult
from vbench_lite.report.figures.colours import SHAPES
from vbench_lite.report.formats.clip_board import ClipCard, PromptRow, clip_facts, needs
from vbench_lite.report.formats.pictures import picture_uri
from vbench_lite.report.page.section import Scene

AGAIN = "results/again"
"""Run folder in the command that generates a clip again."""
DIGITS = 6
"""Significant digits of a score: enough for sorting."""


def clip_data(report: Report, scenes: Sequence[Scene]) -> str:
    """The clips of all scenarios as JSON that cannot close its element: every "<" is escaped."""
    prompts: list[dict[str, Any]] = []
    clips: list[dict[str, Any]] = []
    for nth, scene in enumerate(scenes):
        ranks = scene.board.ranks
        for row in scene.board.rows:
            clips += [_clip(scene, ranks, card, row.prompt, len(prompts)) for card in row.cards]
            prompts.append(_prompt(nth, scene.scenario, row))
    return to_json(
        {
            "generators": [
                {"label": e.label, "number": e.number, "colour": e.colour, "shape": SHAPES[e.number % len(SHAPES)]}
                for e in report.entries
            ],
            "scenes": [_scene(scene.scenario) for scene in scenes], "prompts": prompts, "clips": clips,
        }
    )  # fmt: skip


def to_json(value: Any) -> str:
    """Compact JSON for an element of the page."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _shown(scenario: SuiteResult) -> list[str]:
    return [metric for metric, info in scenario.metrics.items() if info.per == "clip"]


def _scene(scenario: SuiteResult) -> dict[str, Any]:
    signs = {True: 1, False: -1, None: 0}
    return {
        "suite": scenario.suite.name,
        "metrics": [
            {
                "name": metric, "title": scenario.title_of(metric), "needs": needs(scenario.thresholds.get(metric)),
                "better": signs[scenario.metrics[metric].higher_is_better],
            }
            for metric in _shown(scenario)
        ],
    }  # fmt: skip


def _prompt(nth: int, scenario: SuiteResult, row: PromptRow) -> dict[str, Any]:
    commands = {entry.number: _command(entry, row.prompt.id) for entry in scenario.entries}
    return {
        "scene": nth, "id": row.prompt.id, "text": row.prompt.text, "category": row.prompt.category,
        "worst": row.worst, "apart": row.apart, "again": {n: command for n, command in commands.items() if command},
        "image": picture_uri(scenario.newest.path, row.prompt.image),
    }  # fmt: skip


def _command(entry: GeneratorResult, prompt: str) -> str:
    """The command that generates the clips of a prompt, and of the prompts before it, again; "" for imported clips."""
    if entry.definition.adapter == "recorded":
        return ""
    place = [each.id for each in entry.run.manifest.suite.prompts].index(prompt)
    return run_command(entry.run, entry.side, prompts=place + 1, out=AGAIN)


def _clip(scene: Scene, ranks: Sequence[Any], card: ClipCard, prompt: Prompt, nth_prompt: int) -> dict[str, Any]:
    entry = card.entry
    nth = list(scene.scenario.entries).index(entry)
    scores = [float(entry.scores(metric)[card.row, card.index]) for metric in _shown(scene.scenario)]
    cost = float(entry.costs("cost_usd")[card.row, card.index])
    fps = str(entry.grid.text("fps")[card.row, card.index])
    return {
        "id": card.id, "g": entry.number, "p": nth_prompt, "k": card.index + 1, "link": card.link, "state": card.state,
        "made": card.made and scene.media.has(card.id), "source": card.source, "kinds": card.kinds,
        "brief": card.brief, "says": card.says, "rank": round(float(ranks[nth][card.row, card.index]), 4),
        "scores": [_digits(score) for score in scores], "cost": _digits(cost), "fps": float(fps) if fps else None,
        "facts": clip_facts(card), "image": gets_image(entry.definition.inputs, prompt),
    }  # fmt: skip


def _digits(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if isfinite(value) else None
