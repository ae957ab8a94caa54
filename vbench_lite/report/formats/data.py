"""The report as plain data: one JSON document, one CSV of all clips, metrics for trackers."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from typing import Any

from vbench_lite import environment
from vbench_lite.analysis.answers.unevenness import best_of_curve, spread, worst_tenth
from vbench_lite.escaping import spreadsheet
from vbench_lite.files import to_json, write_whole
from vbench_lite.records import FORMAT, Estimate
from vbench_lite.report.answers.all import answers, headline
from vbench_lite.report.answers.leads import leads
from vbench_lite.report.answers.scenario_and_release import by_category
from vbench_lite.report.answers.unevenness_and_work import triage
from vbench_lite.report.data import GeneratorResult, Report, SuiteResult
from vbench_lite.report.figures.best_of_k import best_scores
from vbench_lite.report.formats.clip_board import gaps
from vbench_lite.report.output import Output
from vbench_lite.report.tables import usable_estimate
from vbench_lite.run.summary import GeneratorSummary


def write_json(report: Report, output: Output) -> None:
    output.text(render_json(report))


def render_json(report: Report) -> str:
    """The content of the page as one JSON document."""
    scenarios = [_scenario(scenario) for scenario in report.scenarios]
    found = [{"question": a.question, "answer": a.headline, "sentences": list(a.sentences)} for a in answers(report)]
    return to_json({"format": FORMAT, "headline": headline(report), "answers": found, "scenarios": scenarios})


def _scenario(scenario: SuiteResult) -> dict[str, Any]:
    return {
        "suite": {key: getattr(scenario.suite, key) for key in ("name", "title", "digest", "licence")},
        "metrics": {name: dataclasses.asdict(info) for name, info in scenario.metrics.items()},
        "thresholds": {name: dataclasses.asdict(floor) for name, floor in scenario.thresholds.items()},
        "generators": {entry.label: _entry(scenario, entry) for entry in scenario.entries},
        "family": scenario.family.statement(),
        "leads": {
            name: {
                "first": lead.first.label, "second": lead.second.label if lead.second else None,
                "gain": lead.gain._asdict() if lead.gain else None, "p": lead.p, "verdict": lead.verdict,
            }
            for name, lead in leads(scenario).items()
        },
        "usable_by_category": {
            category: dict(zip([e.label for e in scenario.entries], shares, strict=True))
            for category, shares in by_category(scenario).items()
        },
        "only_others_make": [
            {"generator": g.entry.label, "other": g.others, "prompts": [prompt.id for prompt in g.prompts]}
            for g in gaps(scenario)
        ],
        "history": [
            {"generator": e.name, "run": e.run.name, "created": e.run.created, **_plain(e.figures)}
            for e in (*scenario.past, *scenario.entries)
        ],
    }  # fmt: skip


def _entry(scenario: SuiteResult, entry: GeneratorResult) -> dict[str, Any]:
    kinds = triage(entry)
    unevenness = {}
    for metric in scenario.per_clip:
        higher = scenario.higher_is_better(metric)
        parts = spread(entry.scores(metric), [e.scores(metric) for e in scenario.entries if e is not entry])
        unevenness[metric] = {
            "worst_tenth": _plain(worst_tenth(entry.scores(metric), higher)),
            "variance": dataclasses.asdict(parts) if parts else None,
            "best_of_k": [_plain(e) for e in best_scores(scenario, entry, metric)],
        }
    return {
        **_plain(entry.figures), "run": entry.run.name, "usable_share": _plain(usable_estimate(entry)),
        "close_calls": kinds.close, "rejected": kinds.rejected,
        "usable_of_k": [_plain(e) for e in best_of_curve(entry.usable)], "unevenness": unevenness,
    }  # fmt: skip


def _plain(record: Estimate | GeneratorSummary) -> dict[str, Any]:
    return dataclasses.asdict(record)


def write_csv(report: Report, output: Output) -> None:
    output.text(render_csv(report))


def render_csv(report: Report) -> str:
    """The clips of all runs in one table with a column for the run. Columns that a run lacks are empty."""
    tables = []
    for run in report.runs:
        with run.folder.table_path.open(newline="", encoding="utf-8") as file:
            tables.append((run.name, list(csv.DictReader(file))))
    columns = list(dict.fromkeys(name for _, rows in tables for name in (rows[0] if rows else ())))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["run", *columns], restval="", lineterminator="\n")
    writer.writeheader()
    for name, rows in tables:
        writer.writerows({"run": name, **row} for row in rows)
    return text.getvalue()


def write_spreadsheet(report: Report, output: Output) -> None:
    """Writes the clips for spreadsheets: no cell is a formula. For programs, use the plain CSV."""
    rows = csv.reader(io.StringIO(render_csv(report)))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([spreadsheet(cell) for cell in row] for row in rows)
    output.text(text.getvalue())


def write_parquet(report: Report, output: Output) -> None:
    """Writes the clips as a Parquet file with typed columns.

    Raises:
        LibraryError: pyarrow is not installed. The extra `parquet` installs it.
    """
    import pandas

    with environment.extra("parquet"):
        import pyarrow  # noqa: F401, pandas writes Parquet with it

    table = pandas.read_csv(io.StringIO(render_csv(report)))
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    write_whole(output.place, content.getvalue())


def write_metrics(report: Report, output: Output) -> None:
    output.text(render_metrics(report))


def render_metrics(report: Report) -> str:
    """One flat object of numbers for DVC and MLflow: "<generator>.<figure>". Unknown figures are left out.

    Figures of further suites are called "<suite>/<generator>.<figure>". Names have only characters that MLflow accepts.
    """
    flat: dict[str, float] = {}
    entries = [("", e) for e in report.main.entries]
    entries += [(f"{s.suite.name}/", e) for s in report.scenarios[1:] for e in s.entries]
    for suite, entry in entries:
        known = entry.figures
        figures = {name: estimate.value for name, estimate in {**known.scores, **known.cost}.items()}
        figures |= {
            "usable_share": entry.usable_share, "failed": known.failed, "missing": known.missing, "clips": known.clips,
        }  # fmt: skip
        who = _ACCEPTED.sub("_", f"{suite}{entry.label}")
        flat |= {f"{who}.{name}": value for name, value in figures.items() if value is not None}
    return json.dumps(flat, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_ACCEPTED = re.compile(r"[^A-Za-z0-9_\-. /]")
"""Characters that are not allowed in the name of a metric in MLflow."""
