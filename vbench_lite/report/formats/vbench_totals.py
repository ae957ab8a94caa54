"""VBench's totals as Markdown: a column per generator, and the missing dimensions if there is no total."""

from __future__ import annotations

from vbench_lite.analysis.answers.vbench_totals import Family, family_of, totals
from vbench_lite.escaping import markdown
from vbench_lite.inputs.vbench_results import VbenchResults
from vbench_lite.report.data import Report
from vbench_lite.report.output import Output
from vbench_lite.report.vbench_dimensions import VbenchView

NOTE = (
    "Means over clips, of VBench's own prompts where the suite names them. Groups and totals are normalised and "
    "weighted as VBench does it (Vchitect/VBench at 45e79ec), in percent. A group or a total that lacks a dimension "
    "has no value: VBench's script would count 0."
)


def write(report: Report, output: Output) -> None:
    output.text(render(report))


def render(report: Report) -> str:
    """One table per benchmark of the runs."""
    views = [VbenchView.of(entry) for scenario in report.scenarios for entry in scenario.entries]
    families = list({view.family.title: view.family for view in views}.values())
    parts = [part for family in families for part in _of_family(family, [v for v in views if v.family == family])]
    return "\n".join(parts)


def _of_family(family: Family, views: list[VbenchView]) -> list[str]:
    heads = [markdown(view.entry.label) for view in views]
    found = [view.totals for view in views]
    lines = [f"## {family.title}", "", f"| | {' | '.join(heads)} |", f"|---|{'---|' * len(views)}"]
    for name, dimensions in family.groups.items():
        for dimension in dimensions:
            lines.append(_row(f"`{dimension}`", [each.means.get(dimension) for each in found]))
        lines.append(_row(f"**{name}**", [each.groups[name].value for each in found], scale=100))
    lines += [_row("**total**", [each.total for each in found], scale=100), "", NOTE, ""]
    for head, view, each in zip(heads, views, found, strict=True):
        if each.missing:
            lines += [f"{head}: no total, because it lacks {', '.join(f'`{name}`' for name in each.missing)}.", ""]
        partly = {d.name: d.unscored for d in view.dimensions if d.unscored}
        if partly:
            counts = ", ".join(f"{count} of `{name}`" for name, count in partly.items())
            lines += [f"{head}: clips that are not scored: {counts}.", ""]
        for metric, network in view.not_of_vbench.items():
            lines += [f"{head}: `{metric}` is left out, because {markdown(network)} is not VBench's network.", ""]
        sources = ", ".join(f"`{d.name}` {markdown(d.source)}" for d in view.dimensions if d.clips)
        lines += [f"{head}: sources: {sources}.", ""] if sources else []
    return lines


def _row(name: str, values: list[float | None], scale: int = 1) -> str:
    cells = ["-" if value is None else f"{value * scale:.2f}" if scale > 1 else f"{value:.4f}" for value in values]
    return f"| {name} | {' | '.join(cells)} |"


def of_file(results: VbenchResults) -> str:
    """One sentence with the groups and the total of a result file, from its own means."""
    found = totals(family_of(results.means), results.means)
    parts = [f"{name} {100 * group.value:.2f}" for name, group in found.groups.items() if group.value is not None]
    whole = f"no total, because it lacks {', '.join(found.missing)}"
    if found.total is not None:
        whole = f"total {100 * found.total:.2f}"
    return f"{found.family.title} of {results.path.name}: {', '.join([*parts, whole])}"
