"""The run card as Markdown or JSON: everything that is needed to reproduce the numbers of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from vbench_lite.analysis.card import CARD_FORMAT, RunCard, run_card
from vbench_lite.escaping import code_span, markdown
from vbench_lite.files import to_json
from vbench_lite.report.data import Report
from vbench_lite.report.output import Output

NOT_STATED = "not stated"


def write(report: Report, output: Output) -> None:
    runs = {entry.run.path: entry.run for scenario in report.scenarios for entry in scenario.entries}
    cards = [run_card(run) for run in runs.values()]
    if output.path.suffix.lower() == ".json":
        output.text(to_json({"format": CARD_FORMAT, "cards": [dataclasses.asdict(card) for card in cards]}))
    else:
        output.text("\n".join(map(render, cards)))


def render(card: RunCard) -> str:
    """One card as Markdown; the same run gives the same text."""
    scoring = {
        "set of networks": card.backbones, "video distances": card.protocol, **{
            f"real clips of {name}": text for name, text in card.reference.items()
        }, **{f"usable: {name}": text for name, text in card.thresholds.items()},
    }  # fmt: skip
    parts = [
        f"# Run card: {markdown(card.name)}",
        _facts({"made": card.created, "hardware": card.hardware, "commit": card.commit}),
        "## What was asked", _facts(dataclasses.asdict(card.suite)),
        *(
            part for name, generator in card.generators.items()
            for part in (f"## Generator {markdown(name)}", _facts(dataclasses.asdict(generator)))
        ),
        "## How it was scored", _facts(scoring), _scorers(card),
        "## Software", _facts(card.software),
        "## Commands", "\n".join(f"    {line}" for line in card.commands),
        "## Prompts",
        _rows(
            ("id", "sha256 of the text", "sha256 of the text that was sent", "sha256 of the image"),
            ((p.id, p.text_sha256, "the text" if p.sent_sha256 == p.text_sha256 else p.sent_sha256, p.image_sha256)
             for p in card.prompts),
        ),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(values: Mapping[str, Any]) -> str:
    return _rows(("entry", "value"), ((name.replace("_", " "), _text(value)) for name, value in values.items()))


def _scorers(card: RunCard) -> str:
    origins = {"": "this package", "program": "a program", "imported": "an imported table"}
    better = {True: "higher", False: "lower", None: "not ranked"}
    return _rows(
        ("metric", "version", "computed by", "network", "unit", "better", "source"),
        ((name, s.version, origins[s.origin], _text(s.backbone), s.unit, better[s.higher_is_better], s.source)
         for name, s in card.scorers.items()),
    )  # fmt: skip


def _text(value: Any) -> str:
    if value in (None, "", (), [], {}):
        return NOT_STATED
    if isinstance(value, Mapping):
        return "; ".join(f"{key} = {_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _rows(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; "" without rows. Cells are code spans, so that no markup in them is active."""
    lines = ["| " + " | ".join(code_span(cell) if cell else "" for cell in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(header)} |", "|" + "---|" * len(header), *lines])
