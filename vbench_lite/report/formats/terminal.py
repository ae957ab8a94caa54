"""The comparison table on the terminal, which a run prints at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vbench_lite import formatting as words
from vbench_lite.analysis.answers.leads import find_leads
from vbench_lite.analysis.cost.machines import machine_warnings
from vbench_lite.analysis.family import Family, family_of_run
from vbench_lite.escaping import one_line
from vbench_lite.records import Estimate
from vbench_lite.report import glossary
from vbench_lite.report.formats.layout import Board, Cell, Head, Line, Section
from vbench_lite.report.method import computed_elsewhere, shared_clips, strict_thresholds
from vbench_lite.run.people import SIMULATED
from vbench_lite.run.summary import Summary
from vbench_lite.run.view import ABSENT, Run, Side

COLOURS = {"transformer": "blue", "diffusion": "dark_orange3", "hybrid": "green4", "undisclosed": "magenta"}


def terminal_table(run: Run) -> Board:
    """Every figure by generator, with 95 % intervals over prompts, as a rich renderable.

    Bold and a star mark a figure that is significantly better than that of every other generator, by the rule of
    `analysis.family`, which the page and `vbench compare` also use.

    Args:
        run: A scored run.
    """
    summary, family = run.summary, family_of_run(run)
    leads = find_leads([Side(run, name) for name in summary.generators], family)
    names = list(summary.generators)
    ahead = {m: names.index(lead.first.generator) for m, lead in leads.items() if lead.verdict == "ahead"}
    heads = [Head(one_line(name), g.route, COLOURS.get(g.route, "")) for name, g in summary.generators.items()]
    warned = [f"Warning: {text}." for text in machine_warnings([Side(run, name) for name in summary.generators])]
    return Board(_title(summary), heads, _sections(summary, ahead), [*_notes(summary, family), *warned])


def _title(summary: Summary) -> str:
    suite = summary.suite
    title = f" · {one_line(suite.title)}" if suite.title else ""
    clips = words.several(suite.clips_per_prompt, "clip")
    return f"{one_line(suite.name)}{title} · {words.several(suite.prompts, 'prompt')} {words.TIMES} {clips}"


def _notes(summary: Summary, family: Family) -> list[str]:
    lines = ["95 % intervals over prompts, of time and money over measured batches.", "↑ higher is better, ↓ lower."]
    if len(summary) > 1:
        lines[1] += f" ★ {glossary.AHEAD}. {family.statement()}."
    share = summary.usable.reference_share
    if share is not None:
        lines.append(f"Of the real reference clips, {words.percent(share)} would be usable by the same thresholds.")
    for name, generator in summary.items():
        lines += [f"Warning: {one_line(text)}" for text in shared_clips(name, generator.scores)]
    if summary.usable.too_strict:
        lines.append(f"Warning: {strict_thresholds(summary.usable)}")
    networks = sorted({m.backbone for m in summary.metrics.values() if m.backbone})
    if networks:
        lines.append(f"Networks behind the scores: {', '.join(networks)}.")
    if summary.people and summary.people.simulated:
        lines.append(f"Human metrics: {SIMULATED}.")
    if elsewhere := computed_elsewhere(summary.metrics):
        lines.append(one_line(f"Computed elsewhere: {'; '.join(elsewhere)}."))
    return lines


def _sections(summary: Summary, ahead: Mapping[str, int]) -> list[Section]:
    sections = [
        Section(glossary.HEADINGS[question], [_score_row(summary, metric, ahead) for metric in names])
        for question, names in glossary.by_question(summary.metrics).items()
    ]
    scale = words.money_scale(_costs(summary, "usd_per_clip"))
    shown = glossary.costs_shown([generator.cost for generator in summary.values()])
    costs = [_usable_row(summary, ahead)]
    costs += [_cost_row(summary, name, scale, ahead) for name in shown]
    return [*sections, Section("Use and cost", costs)]


def _costs(summary: Summary, name: str) -> list[Estimate]:
    return [generator.cost.get(name, ABSENT) for generator in summary.values()]


def _score_row(summary: Summary, metric: str, ahead: Mapping[str, int]) -> Line:
    arrow = {True: " ↑", False: " ↓", None: ""}[summary.metrics[metric].higher_is_better]
    estimates = [generator.scores.get(metric, ABSENT) for generator in summary.values()]
    return Line(metric + arrow, _cells([words.write(e) for e in estimates], ahead.get(metric)))


def _cost_row(summary: Summary, cost: str, scale: float, ahead: Mapping[str, int]) -> Line:
    written = [words.cost_text(cost, e, scale) for e in _costs(summary, cost)]
    return Line(f"{glossary.inline(glossary.cost_title(cost, scale))} ↓", _cells(written, ahead.get(cost)))


def _usable_row(summary: Summary, ahead: Mapping[str, int]) -> Line:
    cells = []
    for nth, generator in enumerate(summary.values()):
        if generator.usable is None:
            cells.append(Cell("not evaluated", style="dim"))
            continue
        share = generator.usable / generator.tried if generator.tried else None
        counts = ((generator.failed, "failed"), (generator.missing, "missing"))
        absent = ", ".join(f"{count} {state}" for count, state in counts if count)
        value = f"{generator.usable} of {generator.tried}, {words.percent(share)}"
        cells.append(Cell(value, absent, star=ahead.get("usable") == nth))
    return Line("usable clips ↑", cells)


def _cells(written: Sequence[words.Written], ahead: int | None) -> list[Cell]:
    return [Cell(figure.value, figure.interval, star=nth == ahead) for nth, figure in enumerate(written)]
