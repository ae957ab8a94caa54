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
from vbench_lite.gate.verdict import CheckResult, Evidence, Finding, Needed, Outcome, Remedy
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


# -- a small verdict in full


def check(outcome: Outcome, metric: str, generator: str = "a", category: str = "", **seen: Any) -> CheckResult:
    return CheckResult(
        id=f"{generator}/{metric}", generator=generator, rule="min", metric=metric, statistic="mean",
        category=category, demand=f"{metric} holds", outcome=outcome, guard=False, reason="because | so", unit="m",
        evidence=Evidence(**{"p_fail": 0.5, "filled": (1, 2)} | seen), needed=Needed(12, None),
    )  # fmt: skip


SMALL = Verdict(
    outcome="undecided", exit_code=4, headline="UNDECIDED: detail", baseline="old", candidate="new",
    policy={"origin": "the default", "title": "T", "digest": "0123456789abcdef", "changed_by": "", "changed_on": "",
            "changed_why": ""},
    checks=(
        check("pass", "text", candidate=0.5, difference=0.25, baseline=0.25),
        check("undecided", "detail", candidate=3.0), check("skipped", "cost"),
        check("fail", "text", "b", p_fail=0.01), check("fail", "text", "b", p_fail=0.001),
    ),
    findings=(Finding("seeds", "a", "other seeds", "note"), Finding("black", "b", "all black", "fail"),
              Finding("incomplete", "c", "clips lack", "undecided")),
    remedies=(Remedy("More would do.", "vbench run", 7, 0.5, None), Remedy("Nothing would do.", "", 0, None, None)),
)  # fmt: skip


def test_json_has_the_figures_of_a_check_on_one_level() -> None:
    found = json.loads(render.as_json(SMALL))
    first = found["checks"][0]
    assert found["format"] == 2
    assert [each["outcome"] for each in found["checks"]] == ["pass", "undecided", "skipped", "fail", "fail"]
    assert (first["candidate"], first["filled_baseline"], first["filled_candidate"]) == (0.5, 1, 2)
    assert first["needed"] == {"prompts": 12, "clips_per_prompt": None}
    assert "evidence" not in first
    assert found["remedies"][0] == {
        "sentence": "More would do.", "command": "vbench run", "clips": 7, "usd": 0.5, "device_s": None,
    }  # fmt: skip
    plain = dataclasses.replace(SMALL, checks=(dataclasses.replace(SMALL.checks[0], needed=None),))
    assert json.loads(render.as_json(plain))["checks"][0]["needed"] is None


def test_junit_counts_the_outcomes_of_each_generator() -> None:
    root = ElementTree.fromstring(render.as_junit(SMALL))
    counts = [
        {key: suite.attrib[key] for key in ("name", "tests", "failures", "errors", "skipped")} for suite in root
    ]
    names = ("name", "tests", "failures", "errors", "skipped")
    assert counts == [dict(zip(names, each, strict=True)) for each in (
        ("vbench gate: a", "3", "0", "1", "1"), ("vbench gate: b", "3", "3", "0", "0"),
        ("vbench gate: c", "1", "0", "1", "0"),
    )]  # fmt: skip
    cases = [(case.attrib["name"], [child.tag for child in case]) for case in root.iter("testcase")]
    assert cases == [
        ("text, min", []), ("detail, min", ["error"]), ("cost, min", ["skipped"]), ("black", ["failure"]),
        ("text, min", ["failure"]), ("text, min (2)", ["failure"]), ("incomplete", ["error"]),
    ]  # fmt: skip
    assert {case.attrib["classname"] for case in root.iter("testcase")} == {f"vbench.gate.{each}" for each in "abc"}
    (failure, *_) = root.iter("failure")
    assert (failure.attrib, failure.text) == ({"message": "all black", "type": "fail"}, "all black")
    long = dataclasses.replace(SMALL, findings=(Finding("black", "b", "x" * 201, "fail"),), checks=())
    (failure,) = ElementTree.fromstring(render.as_junit(long)).iter("failure")
    assert (failure.attrib["message"], failure.text) == ("x" * 200, "x" * 201)
    head = '<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="vbench gate">\n  <testsuite name='
    assert render.as_junit(SMALL).startswith(head)


def test_markdown_has_the_headline_the_open_checks_the_remedies_and_a_fold() -> None:
    assert render.as_markdown(SMALL).splitlines() == [
        "## UNDECIDED: detail", "", "`new` against `old`  ",
        markdown('Policy: the default, "T", digest 0123456789ab, unsigned'), "",
        "- **seeds** (a): other seeds", "- **black** (b): all black", "- **incomplete** (c): clips lack", "",
        "| outcome | generator | check | baseline | candidate | difference | why |", "|---|---|---|---|---|---|---|",
        *[f"| FAIL | b | text, min | - | - |  | {markdown('because | so')} |"] * 2,
        f"| undecided | a | detail, min | - | 3 | 3 | {markdown('because | so')} |", "", "More would do.",
        "```", "vbench run", "```", "", "Nothing would do.", "",
        "<details><summary>2 checks passed or were skipped</summary>", "",
        "| outcome | generator | check | baseline | candidate | difference | why |", "|---|---|---|---|---|---|---|",
        f"| pass | a | text, min | 0.25 | 0.5 | +0.25 | {markdown('because | so')} |",
        f"| skipped | a | cost, min | - | - |  | {markdown('because | so')} |", "", "</details>",
    ]  # fmt: skip
    plain = dataclasses.replace(SMALL, findings=(), remedies=(), checks=())
    assert len(render.as_markdown(plain).splitlines()) == 5


@pytest.mark.parametrize(("size", "fits"), [(59_800, True), (59_801, False)])
def test_markdown_is_cut_at_a_line_and_counts_the_others(size: int, fits: bool) -> None:
    start = render.as_markdown(dataclasses.replace(SMALL, findings=(), remedies=(), checks=()))
    line = size - len(start) - len("- **k** (g): ") - 1
    two = dataclasses.replace(SMALL, findings=(Finding("k", "g", "x" * line, "note"),), remedies=(), checks=())
    text = render.as_markdown(two)
    if fits:
        assert len(text) == size
    else:
        assert text == f"{start}\n1 more lines are left out here; --json has everything.\n"


def test_annotations_name_their_level_and_what_is_left_out() -> None:
    lines = render.github_annotations(SMALL)
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 3 + ["::warning"] * 2
    assert lines[0] == "::error title=vbench gate%3A black::b: all black"
    assert lines[1].startswith("::error title=vbench gate%3A text%2C min::FAIL: b: text, min:")
    assert lines[3] == "::warning title=vbench gate%3A incomplete::c: clips lack"
    assert lines[4].startswith("::warning title=vbench gate%3A detail%2C min::undecided: a: detail, min:")
    findings = tuple(Finding("black", "b", str(nth), "fail") for nth in range(6))
    ten = render.github_annotations(dataclasses.replace(SMALL, findings=findings, checks=SMALL.checks[1:] * 2))
    assert len(ten) == 10
    assert ten[9] == "::error title=vbench gate%3A and more::3 more; see the summary"
    assert ten[8].startswith("::error title=vbench gate%3A text")
    exact = render.github_annotations(dataclasses.replace(SMALL, findings=findings[:4], checks=SMALL.checks[1:] * 2))
    assert len(exact) == 10
    assert "more" not in exact[9]


def test_flat_metrics_have_the_outcome_and_the_figures_that_there_are() -> None:
    assert json.loads(render.flat_metrics(SMALL)) == {
        "gate/pass": 0, "gate/fail": 0, "gate/undecided": 1, "a/text": 0.5, "a/text/difference": 0.25, "a/detail": 3.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "width", "colour", "middle"),
    [("pass", 44, "#2e7d32", 100.0), ("fail", 44, "#c62828", 100.0), ("undecided", 84, "#8a6d00", 120.0)],
)
def test_the_badge_is_as_wide_as_its_word(outcome: Any, width: int, colour: str, middle: float) -> None:
    root = ElementTree.fromstring(render.badge(dataclasses.replace(SMALL, outcome=outcome)))
    space = "{http://www.w3.org/2000/svg}"
    left, right = root.findall(f"{space}rect")
    texts = root.findall(f"{space}g/{space}text")
    assert (root.attrib["width"], root.attrib["height"]) == (str(78 + width), "20")
    assert (left.attrib["width"], right.attrib["x"], right.attrib["width"]) == ("78", "78", str(width))
    assert right.attrib["fill"] == colour
    assert [(each.attrib["x"], each.attrib["y"], each.text) for each in texts] == [
        ("39.0", "14", "video gate"), (str(middle), "14", outcome),
    ]  # fmt: skip
