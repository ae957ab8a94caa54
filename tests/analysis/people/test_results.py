"""From votes to summary.json, clips.csv, compare and the gate, with simulated raters whose truth is known."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.built_runs import Fake
from tests.review.conftest import build, short_clip
from vbench_lite.analysis.compare import compare_runs
from vbench_lite.analysis.people.raters import rater_summaries
from vbench_lite.analysis.people.results import refresh
from vbench_lite.analysis.people.thresholds import thresholds_toml
from vbench_lite.analysis.summary import summarise
from vbench_lite.gate import decide
from vbench_lite.gate.policy import read_policy
from vbench_lite.inputs.suites import load_thresholds
from vbench_lite.report import write_report
from vbench_lite.report.formats.terminal import terminal_table
from vbench_lite.review.material import gather
from vbench_lite.review.questions import Asking
from vbench_lite.review.simulated import SimulatedRater, simulate
from vbench_lite.run.people import CARELESS, SIMULATED
from vbench_lite.run.schema import json_schema
from vbench_lite.run.view import open_run
from vbench_lite.run.votes import NOT_SCORED, REPLACED, ReviewRate, votes_path, write_rate, write_vote

FAKES = (Fake("one", "transformer"), Fake("two", skills={"detail": 3.0}), Fake("three", skills={"detail": -2.5}))
RATERS = (
    SimulatedRater("ann"), SimulatedRater("bob", noise=0.8, bar=0.3), SimulatedRater("cem", side=0.3),
    SimulatedRater("dee", bar=-0.2), SimulatedRater("eva", noise=0.7, side=0.2), SimulatedRater("flo", tie=0.4),
    SimulatedRater("lazy", careless=True),
)  # fmt: skip


def vote_all(path: Path, modes=("usable", "pairs")) -> None:
    """Everybody votes; quality is what the metric "detail" says, in standard deviations."""
    run = open_run(path)
    material = gather([run])
    grids = run.grids
    quality = {}
    for clip in material.paths:
        grid = grids[clip.generator]
        prompt = next(p for p, made in material.clips.items() if clip in made.values()).prompt_id
        value = grid.values("detail")[grid.prompts.index(prompt), clip.index]
        quality[clip] = (value - 0.82) / 0.08
    for rater in RATERS:
        for mode in modes:
            for vote in simulate(material, quality, rater, Asking(mode, rater.name)):
                write_vote(path, vote)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("people") / "ads", prompts=16, fakes=FAKES)


@pytest.fixture(scope="module")
def judged(built):
    """A run that people have judged."""
    vote_all(built.folder.path)
    write_rate(built.folder.path, ReviewRate(30.0, source="a test"))
    refresh(built.folder)
    return open_run(built.folder.path)


@pytest.fixture(scope="module")
def attentive(judged, tmp_path_factory):
    """The same without the careless rater's folder."""
    copy = open_run(shutil.copytree(judged.path, tmp_path_factory.mktemp("attentive") / "ads"))
    shutil.rmtree(votes_path(copy.path) / "lazy")
    refresh(copy.folder)
    return open_run(copy.path)


def test_the_ranking_is_found_with_intervals_and_careless_raters_are_flagged(judged) -> None:
    people = judged.summary.people
    strengths = people.preference["quality"].strengths
    assert sorted(strengths, key=lambda name: -strengths[name].value) == ["two", "one", "three"]
    assert strengths["two"].low < strengths["two"].value < strengths["two"].high
    assert sum(s.value for s in strengths.values()) == pytest.approx(0, abs=1e-9)
    assert [rater.name for rater in people.raters if rater.careless] == ["lazy"]
    assert people.simulated
    assert people.alpha["usable"].low < people.alpha["usable"].value < people.alpha["usable"].high
    assert people.alpha["quality"].value > 0.1
    assert people.preference["quality"].left.low < 0.5 < people.preference["quality"].left.high
    assert people.self_agreement["usable"].n > 0


@pytest.mark.parametrize(("side", "flagged"), [(-9.0, True), (0.0, False), (9.0, True)])
def test_a_rater_who_always_prefers_one_side_is_flagged_and_unbiased_raters_are_not(built, side, flagged) -> None:
    material = gather([open_run(built.folder.path)])
    skill = {"one": 0.0, "two": 0.7, "three": -0.7}
    quality = {clip: skill[clip.generator] for clip in material.paths}
    crowd = [SimulatedRater(name) for name in ("ann", "bob", "cem")] + [SimulatedRater("dee", side=side)]
    votes = {each.name: simulate(material, quality, each, Asking("pairs", each.name)) for each in crowd}
    summaries = rater_summaries([vote for cast in votes.values() for vote in cast], [])
    careless = {rater.name: rater.careless for rater in summaries if rater.careless}
    assert careless.keys() == ({"dee"} if flagged else set())
    assert not flagged or "one button" in careless["dee"]
    assert [rater.prefers_side for rater in summaries] == [None] * 3 + [{-9: "right", 0: None, 9: "left"}[side]]


def test_no_result_rests_on_careless_raters(judged, attentive) -> None:
    with_, without = (
        dataclasses.replace(run.summary.people, raters=(), dropped={}, votes=0) for run in (judged, attentive)
    )
    assert with_ == without
    assert judged.summary.generators == attentive.summary.generators
    assert judged.folder.table_path.read_bytes() == attentive.folder.table_path.read_bytes()
    assert judged.summary.people.votes == attentive.summary.people.votes
    assert judged.summary.people.dropped == {CARELESS: len(list(votes_path(judged.path).glob("lazy/*.json")))}
    runs = [[open_run(f"{run.path}:{name}") for name in ("three", "two")] for run in (judged, attentive)]
    found = [[c for pair in compare_runs(*both) for c in pair.comparisons] for both in runs]
    assert found[0] == found[1]


def test_a_run_whose_raters_are_all_careless_says_so_everywhere(attentive, tmp_path) -> None:
    copy = open_run(shutil.copytree(attentive.path, tmp_path / "ads"))
    for path in votes_path(copy.path).glob("*/*.json"):
        vote = json.loads(path.read_text())
        vote["answers"] = {"quality": "left"} if vote["mode"] == "pairs" else {"usable": "keep"}
        path.write_text(json.dumps(vote))
    people = refresh(copy.folder).people
    assert (people.votes, people.preference, len(people.raters)) == (0, {}, len(RATERS) - 1)
    page = write_report([open_run(copy.path)], tmp_path / "page.html", clips="none").read_text()
    assert "one button" in page
    policy = tmp_path / "policy.toml"
    policy.write_text('[[check]]\nmetric = "human_usable"\nrule = "min"\nvalue = 0.2\n')
    verdict = decide(open_run(f"{copy.path}:one"), open_run(f"{copy.path}:one"), read_policy(policy))
    assert "vbench review" in verdict.checks[0].reason


def test_every_score_is_worked_out_again_from_the_clips(judged) -> None:
    for name in ("one", "two", "three"):
        for metric in ("human_usable", "human_preference"):
            found, values = judged.summary[name].scores[metric], judged.grids[name].values(metric)
            assert found.value == pytest.approx(float(np.nanmean(values)))
            assert found.low < found.value < found.high
            assert judged.summary.metrics[metric].question == "people"


def test_the_metric_that_raters_go_by_agrees_with_them_most(attentive) -> None:
    agreement = attentive.summary.people.agreement
    accuracy = {name: found.pair_accuracy.value for name, found in agreement.items() if name != "usable"}
    assert max(accuracy, key=accuracy.get) == "detail"
    assert agreement["detail"].pair_accuracy.low > 0.5
    assert 0 < agreement["usable"].precision.value <= 1
    assert 0 < agreement["detail"].recall.value <= 1


def test_thresholds_are_fitted_with_their_error_and_can_be_used(judged, tmp_path) -> None:
    fitted = judged.summary.people.fitted
    assert "detail" in fitted.thresholds
    assert fitted.error.value < fitted.plain_error
    path = tmp_path / "fitted.toml"
    path.write_text(thresholds_toml(fitted, judged.summary.people.simulated))
    assert "votes of simulated raters" in path.read_text()
    assert load_thresholds(str(path))["detail"].min == fitted.thresholds["detail"].min
    assert "Cross-validated error" in path.read_text()


def test_cost_with_review_stands_beside_the_cost_without(judged) -> None:
    for name in judged.generators:
        cost = judged.summary[name].cost
        people = judged.summary[name].scores["human_usable"].value
        least = cost["usd_per_clip"].value / people
        assert cost["usd_per_usable_clip_with_review"].value > least
        assert "usd_per_usable_clip" in cost
    assert judged.summary.people.seconds_per_clip.value == pytest.approx(5, rel=0.4)


def test_what_is_needed_and_what_to_ask_next_is_stated(judged) -> None:
    people = judged.summary.people
    assert people.needed[0].votes > 0
    assert people.needed[0].now > people.needed[0].half_width
    assert sum(pair.share for pair in people.next_pairs) == pytest.approx(1)
    assert len(people.next_pairs) == 3


def test_scoring_again_keeps_the_results_and_no_votes_leave_none(built, judged, tmp_path) -> None:
    before = (built.folder.summary_path.read_bytes(), built.folder.table_path.read_bytes())
    summarise(built.folder, built.scored)
    assert (built.folder.summary_path.read_bytes(), built.folder.table_path.read_bytes()) == before
    copy = open_run(shutil.copytree(judged.path, tmp_path / "ads"))
    shutil.rmtree(votes_path(copy.path))
    refresh(copy.folder)
    found = open_run(copy.path)
    assert found.summary.people is None
    assert not any(name.startswith("human") for name in found.summary.metrics)
    assert "human_usable" not in found.folder.table_path.read_text()


def test_votes_on_a_replaced_clip_are_dropped_with_the_reason(judged, tmp_path) -> None:
    copy = open_run(shutil.copytree(judged.path, tmp_path / "ads"))
    first = next(iter(copy.folder.records()))
    table = copy.folder.table_path
    table.write_text(table.read_text().replace(first.sha256, "0" * 64))
    assert refresh(copy.folder).people.dropped[NOT_SCORED] >= len(RATERS)  # the table is older than the clip
    copy.folder.write_clip(first, short_clip(99))
    dropped = refresh(copy.folder).people.dropped
    assert dropped[REPLACED] >= len(RATERS)
    assert NOT_SCORED not in dropped


def test_compare_and_gate_judge_what_people_say(attentive, tmp_path) -> None:
    judged, people = attentive, attentive.summary.people
    assert people.preference["quality"].strengths["two"].low > people.preference["quality"].strengths["three"].high
    (pair,) = compare_runs(open_run(f"{judged.path}:three"), open_run(f"{judged.path}:two"))
    found = {c.metric: c for c in pair.comparisons if c.metric.startswith("human")}
    assert [c.words.value for c in found.values()] == ["better", "better"]
    assert found["human_preference"].baseline + found["human_preference"].candidate == pytest.approx(1)
    policy = tmp_path / "policy.toml"
    rules = (
        'metric = "human_preference"\nrule = "superior"\nmargin = 0.1',
        'metric = "human_usable"\nrule = "min"\nvalue = 0.2',
    )
    policy.write_text("min_prompts = 6\nrare_losses = 0\n" + "".join(f"[[check]]\n{rule}\n" for rule in rules))
    good, bad = (
        decide(open_run(f"{judged.path}:{b}"), open_run(f"{judged.path}:{a}"), read_policy(policy))
        for a, b in (("three", "two"), ("two", "three"))
    )
    assert [check.outcome for check in good.checks] == ["pass", "pass"]
    assert bad.checks[0].outcome == "fail"
    assert SIMULATED in pair.notes
    assert SIMULATED in [finding.message for finding in good.findings]
    assert SIMULATED in "".join(map(str, terminal_table(judged).notes))


def test_two_runs_that_nobody_compared_say_how_to_ask(judged, tmp_path) -> None:
    other = tmp_path / "other"
    shutil.copytree(judged.path, other, ignore=shutil.ignore_patterns("votes"))
    refresh(open_run(other).folder)
    policy = tmp_path / "policy.toml"
    policy.write_text('[[check]]\nmetric = "human_preference"\nrule = "superior"\n')
    verdict = decide(open_run(f"{judged.path}:one"), open_run(f"{other}:one"), read_policy(policy))
    assert verdict.outcome == "undecided"
    assert "vbench review" in verdict.checks[0].reason


def test_files_follow_the_schema_and_the_page_has_a_section_on_people(judged, tmp_path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="pip install -e '.[dev]'")
    value = json.loads(judged.folder.summary_path.read_text())
    assert list(jsonschema.Draft202012Validator(json_schema("summary")).iter_errors(value)) == []
    page = write_report([judged], tmp_path / "page.html", clips="none").read_text()
    assert "Human evaluation by simulated raters" in page
    assert "Usable by simulated raters" in page
    for words in ("Usable by people", "Preferred by people", "as judged by people", "that people keep"):
        assert words not in page


def test_one_rater_has_an_interval_over_prompts_alone(judged, tmp_path) -> None:
    copy = open_run(shutil.copytree(judged.path, tmp_path / "ads"))
    for rater in RATERS[1:]:
        shutil.rmtree(votes_path(copy.path) / rater.name)
    found = refresh(copy.folder)["two"].scores["human_usable"]
    assert "for these raters" in found.reason
    assert dataclasses.replace(found, reason=None).low < found.value


def test_votes_across_two_runs_are_compared_and_follow_renamed_folders(tmp_path) -> None:
    today, monday = (build(tmp_path / name, prompts=8, fakes=FAKES[:1]).folder for name in ("today", "monday-run"))
    material = gather([open_run(today.path), open_run(monday.path)])
    quality = {clip: float(clip.run == "today") for clip in material.paths}
    for rater in (SimulatedRater("ann"), SimulatedRater("bob"), SimulatedRater("cem")):
        for mode in ("pairs", "usable"):
            for vote in simulate(material, quality, rater, Asking(mode, rater.name)):
                write_vote(today.path, vote)
    refresh(today)
    assert open_run(today.path).summary["one"].scores["human_preference"].value > 0.7
    today.path.rename(tmp_path / "renamed")
    renamed = open_run(tmp_path / "renamed")
    before = renamed.summary
    assert refresh(renamed.folder)["one"].scores["human_preference"] == before["one"].scores["human_preference"]
    (pair,) = compare_runs(open_run(monday.path), renamed)
    found = {c.metric: c for c in pair.comparisons if c.metric.startswith("human")}
    assert found["human_preference"].candidate > 0.7
    assert found["human_usable"].difference > 0
