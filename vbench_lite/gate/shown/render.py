"""A verdict as JSON, JUnit, Markdown, annotations, flat metrics and a badge. These functions write no files."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from vbench_lite import escaping
from vbench_lite.escaping import code_span, markdown
from vbench_lite.files import to_json
from vbench_lite.gate.shown.formatting import MARK, figures, interval, policy_line, sentence, title
from vbench_lite.gate.verdict import CheckResult, Verdict
from vbench_lite.records import FORMAT

MOST_ANNOTATIONS = 10
"""GitHub shows ten annotations per kind and step, and drops the others without a message."""

MOST_MARKDOWN = 60_000
"""Limit in characters. A comment may have 65,536. A step summary larger than 1 MiB is dropped."""


def as_json(verdict: Verdict) -> str:
    """A JSON document with every check, finding and remedy."""
    plain = dataclasses.asdict(verdict)
    plain["checks"] = [_flat(check) for check in verdict.checks]
    plain["remedies"] = [remedy._asdict() for remedy in verdict.remedies]
    return to_json({"format": FORMAT, **plain})


def _flat(check: CheckResult) -> dict[str, Any]:
    """A check with its figures on one level."""
    plain = dataclasses.asdict(check)
    seen = plain.pop("evidence")
    filled = dict(zip(("filled_baseline", "filled_candidate"), seen.pop("filled"), strict=True))
    return plain | seen | filled | {"needed": check.needed and check.needed._asdict()}


def as_junit(verdict: Verdict) -> str:
    """JUnit XML with one test case per check. The body also contains the text, because GitLab shows only the body."""
    root = ElementTree.Element("testsuites", name="vbench gate")
    for generator in dict.fromkeys([c.generator for c in verdict.checks] + [f.generator for f in verdict.findings]):
        checks = [check for check in verdict.checks if check.generator == generator]
        findings = [f for f in verdict.findings if f.generator == generator and f.outcome != "note"]
        outcomes = [check.outcome for check in checks] + [finding.outcome for finding in findings]
        counts = {"tests": len(outcomes), "failures": outcomes.count("fail"), "errors": outcomes.count("undecided"),
                  "skipped": outcomes.count("skipped")}  # fmt: skip
        named = {"name": escaping.xml(f"vbench gate: {generator}"), **{key: str(n) for key, n in counts.items()}}
        suite = ElementTree.SubElement(root, "testsuite", named)
        for finding in findings:
            _case(suite, generator, finding.kind, finding.outcome, finding.message)
        for name, check in zip(_unique([title(check) for check in checks]), checks, strict=True):
            _case(suite, generator, name, check.outcome, sentence(check))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _unique(names: Sequence[str]) -> Iterator[str]:
    """Number equal names, because GitLab shows only the first of several cases with one name."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield f"{name} ({seen[name]})" if seen[name] > 1 else name


def _case(suite: ElementTree.Element, generator: str, name: str, outcome: str, text: str) -> None:
    clean = escaping.xml(text)
    named = {"classname": f"vbench.gate.{escaping.xml(generator)}", "name": escaping.xml(name), "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", named)
    element = {"fail": "failure", "undecided": "error", "skipped": "skipped"}.get(outcome)
    if element:
        child = ElementTree.SubElement(case, element, message=clean[:200], type=outcome)
        child.text = clean


def as_markdown(verdict: Verdict) -> str:
    """Markdown for a pull request comment: the verdict, failed and undecided checks; the others are collapsed."""
    sides = f"{code_span(verdict.candidate)} against {code_span(verdict.baseline)}  "
    lines = [f"## {markdown(verdict.headline)}", "", sides]
    lines += [markdown(policy_line(verdict)), ""]
    lines += [f"- **{f.kind}** ({markdown(f.generator)}): {markdown(f.message)}" for f in verdict.findings]
    open_ones = verdict.of("fail") + verdict.of("undecided")
    if open_ones:
        lines += ["", *_table(open_ones)]
    for remedy in verdict.remedies:
        lines += ["", markdown(remedy.sentence), *([f"```\n{remedy.command}\n```"] if remedy.command else [])]
    rest = verdict.of("pass", "skipped")
    if rest:
        fold = f"<details><summary>{len(rest)} checks passed or were skipped</summary>"
        lines += ["", fold, "", *_table(rest), "", "</details>"]
    return _capped(lines)


def _capped(lines: list[str]) -> str:
    """The first lines up to the size limit, and the number of the others."""
    kept, size = [], 0
    for nth, line in enumerate(lines):
        size += len(line) + 1
        if size > MOST_MARKDOWN - 200:
            kept += ["", f"{len(lines) - nth} more lines are left out here; --json has everything."]
            break
        kept.append(line)
    return "\n".join(kept) + "\n"


def _table(checks: list[CheckResult]) -> Iterator[str]:
    yield "| outcome | generator | check | baseline | candidate | difference | why |"
    yield "|---|---|---|---|---|---|---|"
    for check in checks:
        text = figures(check)
        cells = (MARK[check.outcome], check.generator, title(check), text.baseline, text.candidate, interval(check),
                 check.reason)  # fmt: skip
        yield f"| {' | '.join(markdown(cell) for cell in cells)} |"


def github_annotations(verdict: Verdict) -> list[str]:
    """At most ten GitHub workflow commands; failures first."""
    said = [("error" if f.outcome == "fail" else "warning", f.kind, f"{f.generator}: {f.message}")
            for f in verdict.findings if f.outcome != "note"]  # fmt: skip
    said += [("error", title(check), sentence(check)) for check in verdict.of("fail")]
    said += [("warning", title(check), sentence(check)) for check in verdict.of("undecided")]
    said.sort(key=lambda item: item[0])
    if len(said) > MOST_ANNOTATIONS:
        level, left = said[MOST_ANNOTATIONS - 1][0], len(said) - MOST_ANNOTATIONS + 1
        said = [*said[: MOST_ANNOTATIONS - 1], (level, "and more", f"{left} more; see the summary")]
    return [
        f"::{level} title={escaping.annotation(f'vbench gate: {name}', of_property=True)}::{escaping.annotation(text)}"
        for level, name, text in said
    ]


def flat_metrics(verdict: Verdict) -> str:
    """One level of numbers for DVC and MLflow: the outcome of the gate and each checked figure."""
    flat: dict[str, Any] = {f"gate/{name}": int(verdict.outcome == name) for name in ("pass", "fail", "undecided")}
    for check in verdict.checks:
        if check.evidence.candidate is not None:
            flat[check.id] = check.evidence.candidate
            if check.evidence.difference is not None:
                flat[f"{check.id}/difference"] = check.evidence.difference
    return to_json(flat)


def badge(verdict: Verdict) -> str:
    """A small SVG with the verdict."""
    colour = {"pass": "#2e7d32", "fail": "#c62828", "undecided": "#8a6d00"}[verdict.outcome]
    left, right = 78, 8 * len(verdict.outcome) + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="video gate: {verdict.outcome}"><title>video gate: {verdict.outcome}</title>'
        f'<rect width="{left}" height="20" fill="#444"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">video gate</text><text x="{left + right / 2}" y="14">{verdict.outcome}</text>'
        f"</g></svg>\n"
    )
