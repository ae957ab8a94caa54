"""The comparison table on the terminal: what a run prints when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from vbench_lite.report import glossary as words

Summary = Mapping[str, Any]
COLOURS = {"transformer": "blue", "diffusion": "dark_orange3", "hybrid": "green4", "undisclosed": "magenta"}


def terminal_table(summary: Summary) -> Table:
    """A table of every figure by generator, with 95 % intervals over prompts.

    Bold and a star mark a figure that is better than every other generator's with intervals apart: a
    stricter reading than the paired comparison of the report, which finds smaller differences.

    Args:
        summary: As in summary.json.
    """
    generators = summary["generators"]
    table = Table(
        title=_title(summary), caption=_caption(summary), box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False,
        title_justify="left", caption_justify="left", title_style="bold", header_style="", padding=(0, 2, 0, 0),
    )  # fmt: skip
    table.add_column("", no_wrap=True)
    for name, generator in generators.items():
        head = Text(name, style=f"bold {COLOURS.get(generator['route'], '')}")
        head.append(f"\n{generator['route']}", style="dim not bold")
        table.add_column(head, justify="left", overflow="fold")
    for heading, rows in _sections(summary):
        table.add_row(Text(heading, style="bold"))
        for label, cells in rows:
            table.add_row(Text(f"  {label}"), *cells)
        table.add_section()
    return table


def _title(summary: Summary) -> str:
    suite = summary["suite"]
    title = f" · {suite['title']}" if suite.get("title") else ""
    clips = words.several(suite["clips_per_prompt"], "clip")
    return f"{suite['name']}{title} · {words.several(suite['prompts'], 'prompt')} {words.TIMES} {clips}\n"


def _caption(summary: Summary) -> str:
    lines = ["95 % intervals over prompts, of time and money over measured batches.", "↑ higher is better, ↓ lower."]
    if len(summary["generators"]) > 1:
        lines[1] += " ★ ahead of all others, intervals apart."
    share = summary.get("usable", {}).get("reference_share")
    if share is not None:
        lines.append(f"Of the real reference clips, {words.percent(share)} would be usable by the same thresholds.")
    networks = sorted({m["backbone"] for m in summary["metrics"].values() if m["backbone"]})
    if networks:
        lines.append(f"Networks behind the scores: {', '.join(networks)}.")
    return "\n" + "\n".join(lines)


def _sections(summary: Summary) -> list[tuple[str, list[tuple[str, list[Text]]]]]:
    metrics = summary["metrics"]
    asked = [(q.title, [m for m in q.metrics if m in metrics]) for q in (*words.QUESTIONS, words.SET_METRICS)]
    named = {m for _, names in asked for m in names}
    asked.append(("Other", [m for m in metrics if m not in named]))
    sections = [(heading, [_score_row(summary, m) for m in names]) for heading, names in asked if names]
    scale = words.money_scale(g["cost"]["usd_per_clip"] for g in summary["generators"].values())
    costs = [_usable_row(summary)]
    costs += [_cost_row(summary, name, scale) for name in words.COSTS if _known(summary, name)]
    return [*sections, ("Use and cost" + (", money per 1,000 clips" if scale > 1 else ""), costs)]


def _known(summary: Summary, cost: str) -> bool:
    every = [g["cost"] for g in summary["generators"].values()]
    costs = [known.get(cost, {"value": None}) for known in every]
    if cost == "peak_memory_mb" and all(words.in_main_memory(known) for known in every):
        return False
    return cost in words.COSTS[:4] or any(c["value"] is not None for c in costs)


def _score_row(summary: Summary, metric: str) -> tuple[str, list[Text]]:
    better = summary["metrics"][metric]["higher_is_better"]
    arrow = {True: " ↑", False: " ↓", None: ""}[better]
    estimates = [g["scores"][metric] for g in summary["generators"].values()]
    return metric + arrow, _cells([words.write(e) for e in estimates], _ahead(estimates, better))


def _cost_row(summary: Summary, cost: str, scale: float) -> tuple[str, list[Text]]:
    estimates = [g["cost"][cost] for g in summary["generators"].values()]
    return f"{words.title(cost).lower()} ↓", _cells(
        [words.cost_text(cost, e, scale) for e in estimates], _ahead(estimates, False)
    )


def _usable_row(summary: Summary) -> tuple[str, list[Text]]:
    cells = []
    for generator in summary["generators"].values():
        cell = Text(f"{generator['usable']} of {generator['clips']}")
        cell.append(f"  {words.percent(generator['usable'] / generator['clips'])}", style="dim")
        if generator["failed"]:
            cell.append(f"  {generator['failed']} failed", style="red")
        cells.append(cell)
    return "usable clips ↑", cells


def _ahead(estimates: list[Mapping[str, Any]], higher_is_better: bool | None) -> int | None:
    """Which estimate's interval lies wholly on the better side of all the others, if any."""
    if higher_is_better is None or len(estimates) < 2 or any(e["low"] is None or e["high"] is None for e in estimates):
        return None
    for i, mine in enumerate(estimates):
        others = [e for j, e in enumerate(estimates) if j != i]
        if higher_is_better and all(mine["low"] > e["high"] for e in others):
            return i
        if not higher_is_better and all(mine["high"] < e["low"] for e in others):
            return i
    return None


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
