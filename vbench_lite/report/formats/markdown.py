"""The report as Markdown for a pull request: verdict, warnings, one table, and collapsed details. Under 60 kB.

Prompts are untrusted. They are in code spans, in which no tag, link or mention is active.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vbench_lite import formatting as words
from vbench_lite.escaping import code_span, markdown
from vbench_lite.report import glossary, method
from vbench_lite.report.answers.all import answers, headline
from vbench_lite.report.answers.scenario_and_release import by_category
from vbench_lite.report.data import Report, SuiteResult
from vbench_lite.report.formats.clip_board import gaps
from vbench_lite.report.leaderboard import leaderboard, order
from vbench_lite.report.output import Output
from vbench_lite.report.tables import Group, confidence, groups, standfirst

LIMIT = 60_000
"""Maximum number of characters, below the limit of a pull request comment."""
SHOWN_PROMPTS = 8


def write(report: Report, output: Output) -> None:
    output.text(render(report))


def render(report: Report) -> str:
    """The report as text; the same runs give the same text."""
    scenario = report.main
    parts = [
        f"## {markdown(scenario.title)}: {markdown(headline(report))}",
        "\n".join(f"> - {markdown(text)}" for text in method.warnings(report)),
        _summary(scenario),
        f"<sub>{' '.join(map(markdown, _under_summary(scenario)))}</sub>",
        _folded("The six answers", _answers(report)),
        _folded("All figures", (_table(scenario, group) for group in groups(scenario))),
        _folded("By category", (*_categories(scenario), *_gaps(scenario))),
        *(_folded(markdown(other.title), _further(other)) for other in report.scenarios[1:]),
        _folded("How it was measured", [_method(scenario)]),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    return text if len(text.encode()) <= LIMIT else _cut(text)


def _under_summary(scenario: SuiteResult) -> list[str]:
    bold = [f"Bold: {glossary.AHEAD}.", confidence(scenario)] if len(scenario.entries) > 1 else []
    return [standfirst(scenario), *bold]


def _folded(title: str, parts: Iterable[str]) -> str:
    """A collapsed part; "" if it is empty."""
    text = "\n\n".join(part for part in parts if part)
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" if text else ""


def _summary(scenario: SuiteResult) -> str:
    """The figures and ranks of the page's table: a row per generator, the best first."""
    columns, several = leaderboard(scenario), len(scenario.entries) > 1
    titles = [f"{markdown(column.title)} {column.arrow}".strip() for column in columns]
    lines = []
    for nth in order(columns, len(scenario.entries)):
        cells = [column.cells[nth] for column in columns]
        values = [f"**{markdown(c.written.value)}**" if c.lead else markdown(c.written.value) for c in cells]
        rank = [cells[0].rank_text] if several and cells else []
        lines.append([*rank, markdown(scenario.entries[nth].label), *values])
    return _rows([*(["Rank"] if several and columns else []), "Generator", *titles], lines)


def _cut(text: str) -> str:
    """Whole lines up to the limit, with every collapsed part closed. The end is cut off."""
    kept = text.encode()[: LIMIT - 200].decode(errors="ignore").rsplit("\n", 1)[0]
    open_parts = kept.count("<details>") - kept.count("</details>")
    return kept + "\n\n</details>" * open_parts + "\n\nThe text ends here; the page contains the rest.\n"


def _answers(report: Report) -> Iterable[str]:
    for nth, answer in enumerate(answers(report), 1):
        items = "\n".join(f"   - {markdown(sentence)}" for sentence in answer.sentences)
        yield f"{nth}. **{markdown(answer.headline)}** {markdown(answer.question)}" + (f"\n{items}" if items else "")


def _rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _table(scenario: SuiteResult, group: Group) -> str:
    rows = []
    for row in group.rows:
        cells = []
        for cell in row.cells:
            text, lacks = markdown(str(cell.written)), f" ({markdown(cell.unscored)})" if cell.unscored else ""
            cells.append((f"**{text}** ahead" if cell.lead else text) + lacks)
        rows.append((f"{markdown(row.title)} {row.arrow}".strip(), *cells))
    return _rows((f"**{markdown(group.title)}**", *(markdown(e.label) for e in scenario.entries)), rows)


def _further(scenario: SuiteResult) -> Iterable[str]:
    """A further suite: its tables, and prompts without a usable clip."""
    yield f"### {markdown(scenario.title)}"
    yield markdown(standfirst(scenario))
    yield from (_table(scenario, group) for group in groups(scenario))
    yield from _categories(scenario)
    yield from _gaps(scenario)


def _categories(scenario: SuiteResult) -> Iterable[str]:
    table = by_category(scenario)
    if len(table) > 1:
        rows = [(markdown(category), *(words.percent(share) for share in shares)) for category, shares in table.items()]
        yield _rows(("**Usable, by category**", *(markdown(e.label) for e in scenario.entries)), rows)


def _gaps(scenario: SuiteResult) -> Iterable[str]:
    for gap in gaps(scenario):
        shown = [code_span(prompt.text) for prompt in gap.prompts[:SHOWN_PROMPTS]]
        more = f" and {gap.count - SHOWN_PROMPTS} more" if gap.count > SHOWN_PROMPTS else ""
        yield (
            f"{markdown(gap.entry.label)} has no usable clip of {words.several(gap.count, 'prompt')} for which "
            f"{markdown(gap.others)} has: {', '.join(shown)}{more}."
        )


def _method(scenario: SuiteResult) -> str:
    facts = [f"{name}: {value}" for name, value in method.facts(scenario)]
    facts += [f"Usable needs {name.lower()} {need} ({says})" for name, need, says in method.thresholds(scenario)]
    facts += [f"Price of {label}: {' '.join(rest).strip()}" for label, *rest in method.prices(scenario)]
    return "\n".join(f"- {markdown(line)}" for line in facts)
