"""The comparison table on the terminal: what a run prints when it is done."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from vbench_lite.analysis.family import Family, family_of_run
from vbench_lite.analysis.leads import find_leads
from vbench_lite.records import Estimate
from vbench_lite.report import glossary as words
from vbench_lite.run.summary import Summary
from vbench_lite.run.view import ABSENT, Run, Side

COLOURS = {"transformer": "blue", "diffusion": "dark_orange3", "hybrid": "green4", "undisclosed": "magenta"}


def terminal_table(run: Run) -> Table:
    """A table of every figure by generator, with 95 % intervals over prompts.

    Bold and a star mark a figure that is shown to be better than every other generator's, by the rule of
    `analysis.family` that the page and `vbench compare` show too.

    Args:
        run: A scored run.
    """
    summary, family = run.summary, family_of_run(run)
    leads = find_leads([Side(run, name) for name in summary.generators], family)
    ahead = {m: list(summary.generators).index(d.first.generator) for m, d in leads.items() if d.verdict == "ahead"}
    table = Table(
        title=_title(summary), caption=_caption(summary, family), box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False,
        title_justify="left", caption_justify="left", title_style="bold", header_style="", padding=(0, 2, 0, 0),
    )  # fmt: skip
    table.add_column("", no_wrap=True)
    for name, generator in summary.generators.items():
        head = Text(name, style=f"bold {COLOURS.get(generator.route, '')}")
        head.append(f"\n{generator.route}", style="dim not bold")
        table.add_column(head, justify="left", overflow="fold")
    for heading, rows in _sections(summary, ahead):
        table.add_row(Text(heading, style="bold"))
        for label, cells in rows:
            table.add_row(Text(f"  {label}"), *cells)
        table.add_section()
    return table


def _title(summary: Summary) -> str:
    suite = summary.suite
    title = f" · {suite.title}" if suite.title else ""
    clips = words.several(suite.clips_per_prompt, "clip")
    return f"{suite.name}{title} · {words.several(suite.prompts, 'prompt')} {words.TIMES} {clips}\n"


def _caption(summary: Summary, family: Family) -> str:
    lines = ["95 % intervals over prompts, of time and money over measured batches.", "↑ higher is better, ↓ lower."]
    if len(summary) > 1:
        lines[1] += f" ★ better than all others. {family.statement()}."
    share = summary.usable.reference_share
    if share is not None:
        lines.append(f"Of the real reference clips, {words.percent(share)} would be usable by the same thresholds.")
    networks = sorted({m.backbone for m in summary.metrics.values() if m.backbone})
    if networks:
        lines.append(f"Networks behind the scores: {', '.join(networks)}.")
    return "\n" + "\n".join(lines)


def _sections(summary: Summary, ahead: Mapping[str, int]) -> list[tuple[str, list[tuple[str, list[Text]]]]]:
    metrics = summary.metrics
    words.remember(metrics)
    asked = [(q.title, list(q.metrics)) for q in words.questions(metrics, sets=True)]
    named = {m for _, names in asked for m in names}
    asked.append(("Other", [m for m in metrics if m not in named]))
    sections = [(heading, [_score_row(summary, m, ahead) for m in names]) for heading, names in asked if names]
    scale = words.money_scale(_costs(summary, "usd_per_clip"))
    costs = [_usable_row(summary, ahead)]
    costs += [_cost_row(summary, name, scale, ahead) for name in words.COSTS if _known(summary, name)]
    return [*sections, ("Use and cost" + (", money per 1,000 clips" if scale > 1 else ""), costs)]


def _known(summary: Summary, cost: str) -> bool:
    if cost == "peak_memory_mb" and all(words.in_main_memory(g.cost) for g in summary.values()):
        return False
    return cost in words.COSTS[:4] or any(estimate.value is not None for estimate in _costs(summary, cost))


def _costs(summary: Summary, name: str) -> list[Estimate]:
    return [generator.cost.get(name, ABSENT) for generator in summary.values()]


def _score_row(summary: Summary, metric: str, ahead: Mapping[str, int]) -> tuple[str, list[Text]]:
    better = summary.metrics[metric].higher_is_better
    arrow = {True: " ↑", False: " ↓", None: ""}[better]
    estimates = [generator.scores.get(metric, ABSENT) for generator in summary.values()]
    return metric + arrow, _cells([words.write(e) for e in estimates], ahead.get(metric))


def _cost_row(summary: Summary, cost: str, scale: float, ahead: Mapping[str, int]) -> tuple[str, list[Text]]:
    estimates = _costs(summary, cost)
    return f"{words.title(cost).lower()} ↓", _cells(
        [words.cost_text(cost, e, scale) for e in estimates], ahead.get(cost)
    )


def _usable_row(summary: Summary, ahead: Mapping[str, int]) -> tuple[str, list[Text]]:
    cells = []
    for nth, generator in enumerate(summary.values()):
        if generator.usable is None:
            cell = Text("not evaluated", style="dim")
        else:
            cell = Text(f"{generator.usable} of {generator.tried}")
            share = generator.usable / generator.tried if generator.tried else None
            cell.append(f"  {words.percent(share)}", style="dim")
        if ahead.get("usable") == nth:
            cell.append(" ★")
        for count, state in ((generator.failed, "failed"), (generator.missing, "missing")):
            if count:
                cell.append(f"  {count} {state}", style="red")
        cells.append(cell)
    return "usable clips ↑", cells


def _cells(written: list[words.Written], ahead: int | None) -> list[Text]:
    cells = []
    for i, figure in enumerate(written):
        cell = Text(figure.value, style="bold" if i == ahead else "")
        if i == ahead:
            cell.append(" ★")
        if figure.interval:
            gap = "  " if len(written) < 3 else "\n"
            cell.append(gap + figure.interval, style="dim not bold")
        cells.append(cell)
    return cells
