"""Every form of a verdict: complete, within its limits, and inert whatever a name holds."""

import dataclasses
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.gate.deciding import loses
from tests.gate.releases import write
from vbench_lite.escaping import markdown
from vbench_lite.gate import Verdict, choose_policy, decide
from vbench_lite.gate.shown import render
from vbench_lite.gate.verdict import Finding
from vbench_lite.run.view import open_run

EVIL = '<script>alert(1)</script>|`x`\n::error::boo'


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    folder = tmp_path_factory.mktemp("runs")
    old = write(folder / "old", prompts=40)
    new = write(folder / "new", weights="b", worsen=loses("clip_text", 2), failed=lambda p, c: p < 12, reason=EVIL)
    return decide(open_run(new), open_run(old), choose_policy(None, None))


def test_json_holds_every_check_and_no_nan(verdict: Verdict) -> None:
    def refuse(word: str) -> Any:
        raise AssertionError(word)

    found = json.loads(render.as_json(verdict), parse_constant=refuse)
    assert found["outcome"] == "fail"
    assert len(found["checks"]) == len(verdict.checks)
    assert found["policy"]["digest"] == verdict.policy["digest"]
    assert {"id", "p_fail_holm", "limit", "reason", "needed"} <= set(found["checks"][0])


def test_junit_has_a_case_a_check_with_the_text_in_its_body(verdict: Verdict) -> None:
    root = ElementTree.fromstring(render.as_junit(verdict))
    [suite] = root.findall("testsuite")
    assert int(suite.attrib["tests"]) == len(suite.findall("testcase")) == len(verdict.checks)
    failures = suite.findall("testcase/failure")
    assert int(suite.attrib["failures"]) == len(failures) == len(verdict.of("fail"))
    assert all("Required: " in (failure.text or "") for failure in failures)


def test_junit_survives_characters_that_xml_has_not(verdict: Verdict) -> None:
    bad = verdict.checks[0].__class__(**{**verdict.checks[0].__dict__, "outcome": "fail", "reason": "a\x00b\x1b[31m"})
    text = render.as_junit(verdict.__class__(**{**verdict.__dict__, "checks": (bad,)}))
    assert r"A\x00b\x1b[31m" in text
    ElementTree.fromstring(text)


def test_markdown_shows_untrusted_text_without_letting_it_act(verdict: Verdict) -> None:
    text = render.as_markdown(verdict)
    assert "<script>" not in text
    assert "\n::error::" not in text
    assert "&lt;script&gt;" in text
    assert text.startswith("## FAIL")
    with_finding = dataclasses.replace(verdict, findings=(Finding("frozen", "model", EVIL, "fail"),))
    assert f"\n- **frozen** (model): {markdown(EVIL)}\n" in render.as_markdown(with_finding)


def test_markdown_fits_a_comment_however_many_checks_there_are(verdict: Verdict) -> None:
    many = verdict.__class__(**{**verdict.__dict__, "checks": verdict.checks * 60})
    text = render.as_markdown(many)
    assert len(text.encode()) < 65_536
    assert "more lines are left out" in text


def test_annotations_are_ten_at_most_worst_first_and_one_line_each(verdict: Verdict) -> None:
    lines = render.github_annotations(verdict)
    assert len(lines) == 10
    assert all(line.startswith(("::error title=", "::warning title=")) and "\n" not in line for line in lines)
    assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
    assert "more; see the summary" in lines[-1]


def test_a_passing_release_is_not_annotated(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "a"))
    assert render.github_annotations(decide(run, run, choose_policy(None, None))) == []


def test_flat_metrics_are_numbers_on_one_level(verdict: Verdict) -> None:
    flat = json.loads(render.flat_metrics(verdict))
    assert flat["gate/fail"] == 1
    assert flat["model/clip_text/non-inferior"] == pytest.approx(0.2, abs=0.05)
    assert all(isinstance(value, int | float) for value in flat.values())


def test_the_badge_says_the_outcome_in_words(verdict: Verdict) -> None:
    root = ElementTree.fromstring(render.badge(verdict))
    assert root.attrib["aria-label"] == "video gate: fail"


def test_junit_keeps_to_what_gitlab_reads_and_no_two_cases_share_a_name(verdict: Verdict) -> None:
    twice = verdict.__class__(**{**verdict.__dict__, "checks": verdict.checks * 2})
    root = ElementTree.fromstring(render.as_junit(twice))
    known = {
        "testsuites": {"name"}, "testsuite": {"name", "tests", "failures", "errors", "skipped"},
        "testcase": {"classname", "name", "time"}, "failure": {"message", "type"}, "error": {"message", "type"},
        "skipped": {"message", "type"},
    }  # fmt: skip
    assert all(set(element.attrib) <= known[element.tag] for element in root.iter())
    names = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(names) == len(set(names)) == 2 * len(verdict.checks)
