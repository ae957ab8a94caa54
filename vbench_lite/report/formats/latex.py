"""The table of a report for a paper: LaTeX with booktabs, one row per generator."""

from __future__ import annotations

from vbench_lite import formatting as words
from vbench_lite.escaping import latex
from vbench_lite.report import glossary
from vbench_lite.report.data import Report, SuiteResult
from vbench_lite.report.output import Output
from vbench_lite.report.tables import Row, groups


def write(report: Report, output: Output) -> None:
    output.text(render(report))


def render(report: Report) -> str:
    """One table per suite; it needs \\usepackage{booktabs}."""
    return "\n".join(_table(scenario) for scenario in report.scenarios)


def _table(scenario: SuiteResult) -> str:
    rows = [row for group in groups(scenario) for row in group.rows]
    lines = [
        r"\begin{table}", r"\centering", rf"\caption{{{latex(_caption(scenario))}}}",
        rf"\begin{{tabular}}{{l{'r' * len(rows)}}}", r"\toprule",
        " & ".join(["Generator", *map(_heading, rows)]) + r" \\", r"\midrule",
    ]  # fmt: skip
    for nth, entry in enumerate(scenario.entries):
        lines.append(" & ".join([latex(entry.label), *(_cell(row, nth) for row in rows)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _caption(scenario: SuiteResult) -> str:
    prompts = words.several(len(scenario.prompts), "prompt")
    return f"{scenario.title}, {prompts}. Means with 95 % intervals over prompts. Bold: {glossary.AHEAD}."


def _heading(row: Row) -> str:
    arrow = {"↑": r" $\uparrow$", "↓": r" $\downarrow$"}.get(row.arrow, "")
    return latex(row.title) + arrow


def _cell(row: Row, nth: int) -> str:
    cell = row.cells[nth]
    value = _figure(cell.written.value)
    text = rf"\textbf{{{value}}}" if cell.lead else value
    return rf"{text} {{\scriptsize[{_figure(cell.written.interval)}]}}" if cell.written.interval else text


def _figure(text: str) -> str:
    """A figure with minus signs and dashes in LaTeX."""
    signs = {words.MINUS: "$-$", words.DASH: "--", words.NONE: "---", words.TIMES: r"$\times$"}
    text = latex(text)
    for sign, command in signs.items():
        text = text.replace(sign, command)
    return text
