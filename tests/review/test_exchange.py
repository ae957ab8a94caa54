"""Reviews without a server: pages and tasks hold no names, and their answers come back as the same votes."""

import json
import re

import pytest
from click.testing import CliRunner

from tests.review.conftest import ask, build, served
from vbench_lite.cli.review_command import command
from vbench_lite.errors import BadFile, UsageError, VbenchError
from vbench_lite.jobs.reviewing import collect_votes, export_review, state_rate
from vbench_lite.review.opening import ReviewOrder
from vbench_lite.run.view import open_run
from vbench_lite.run.votes import read_rate, read_votes

PAIRS = ReviewOrder(mode="pairs")


def stored(run):
    return read_votes(run.path, {}, ()).counted


def test_tasks_for_label_studio_go_out_and_come_back(run, tmp_path) -> None:
    path = tmp_path / "tasks.json"
    assert export_review([run], PAIRS, path) == "7 tasks for Label Studio"
    assert not re.search("tiny-|diffusion|transformer", path.read_text())
    tasks = json.loads(path.read_text())
    for nth, task in enumerate(tasks):
        assert (tmp_path / task["data"]["left"]).exists()
        left, right = ((tmp_path / task["data"][side]).stat().st_size for side in ("left", "right"))
        assert left == right
        chosen = {"type": "pairwise", "from_name": "pw", "to_name": "left,right", "value": {"selected": "left"}}
        none = {"type": "choices", "value": {"choices": ["neither"]}}
        task["annotations"] = [{"completed_by": {"id": 3, "email": "x@y.z"}, "result": [none if nth == 0 else chosen],
                                "lead_time": 4.5}, {"completed_by": 4, "result": []}]
    path.write_text(json.dumps(tasks))
    assert collect_votes(run, [path]) == {path: 7}
    votes = stored(run)
    assert {vote.rater for vote in votes} == {"label-studio-3"}
    assert sum(vote.answers["quality"] == "neither" for vote in votes) == 1
    assert {vote.seconds for vote in votes} == {4.5}
    again = tmp_path / "again.json"
    export_review([run], PAIRS, again)
    known = sum(len(task["annotations"]) for task in json.loads(again.read_text()))
    assert known >= 6  # another export may repeat another question
    before = votes
    collect_votes(run, [again])
    winners = [
        {v.id: v.clips[0 if v.answers["quality"] == "left" else 1] for v in each if v.answers["quality"] != "neither"}
        for each in (before, stored(run))
    ]
    assert winners[0] == winners[1]


def test_a_table_of_votes_is_read_as_it_was_written(run, tmp_path) -> None:
    with served(run, mode="usable") as running:
        for nth in range(3):
            question = ask(running.link, "next", rater="a")["question"]
            answers = {"usable": "reject" if nth else "keep"}
            given = {"answers": answers, "seconds": nth, "reasons": ["flicker or jumps"]}
            ask(running.link, "vote", rater="a", id=question["id"], **given)
    before, path = stored(run), tmp_path / "votes.csv"
    assert export_review([run], PAIRS, path) == "3 votes"
    for each in (run.path / "votes").glob("*/*.json"):
        each.unlink()
    collect_votes(run, [path])
    assert stored(run) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{}"), ("a.json", "[1]"), ("a.json", '[{"data": {}}]'), ("a.json", "nonsense"), ("a.csv", "x,y\n"),
        ("a.html", "<!doctype html>"), ("a.json", '[{"data": {"export": 1}}'),
        ("a.json", '{"export": "../../etc", "rater": "a", "votes": []}'),
        ("a.json", '{"export": "0123", "rater": "a", "votes": []}'),
        ("a.csv", "rater,id,mode,prompt_id,run_1,generator_1,index_1,sha256_1,usable\na,abcd,usable,p,r,g,x,1,keep\n"),
        ("a.csv", "rater,id,mode,prompt_id,run_1,generator_1,index_1,sha256_1,usable\na,../x,usable,p,r,g,0,1,keep\n"),
    ],
)  # fmt: skip
def test_what_holds_no_votes_is_refused_by_name_and_nothing_is_stored(run, tmp_path, name, text) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadFile) as found:
        collect_votes(run, [path])
    assert str(found.value).startswith(str(path))
    assert not (run.path / "votes").exists()


@pytest.mark.parametrize("rater", ["", "a/b", "../x", "😀", "a" * 41])
def test_a_label_that_cannot_be_used_is_refused_with_its_file(run, tmp_path, rater) -> None:
    tasks, path = tmp_path / "tasks.json", tmp_path / "a.json"
    export_review([run], PAIRS, tasks)
    data = json.loads(tasks.read_text())[0]["data"]
    vote = {"id": data["question"], "answers": {"quality": "left"}}
    path.write_text(json.dumps({"export": data["export"], "rater": rater, "votes": [vote]}))
    with pytest.raises(BadFile, match=r"a\.json: the rater label"):
        collect_votes(run, [path])
    assert not (run.path / "votes").exists()


def test_votes_on_the_clips_of_another_run_are_refused(run, tmp_path) -> None:
    other, path = open_run(build(tmp_path / "other").folder.path), tmp_path / "votes.csv"
    with served(other, mode="usable") as running:
        question = ask(running.link, "next", rater="a")["question"]
        ask(running.link, "vote", rater="a", id=question["id"], answers={"usable": "keep"})
    export_review([other], PAIRS, path)
    with pytest.raises(BadFile, match="clips of other"):
        collect_votes(run, [path])
    assert not (run.path / "votes").exists()
    assert collect_votes(other, [path]) == {path: 1}


def test_the_rate_of_a_reviewer_is_kept_with_the_votes(run, tmp_path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text("[review]\nusd_per_hour = 24\nsource = 'our contract'\n")
    state_rate(run, prices)
    assert read_rate(run.path).usd_per_hour == 24
    prices.write_text("[cpu]\nusd_per_vcpu_hour = 1\n")
    with pytest.raises(BadFile, match=r"\[review\]"):
        state_rate(run, prices)


def test_the_command_exports_collects_and_refuses(run, tmp_path) -> None:
    def call(*arguments: str):
        return CliRunner().invoke(command, [str(run.path), *arguments])

    done = call("--export", str(tmp_path / "page.html"), "--limit", "2")
    assert (done.exit_code, "2 questions" in done.output) == (0, True)
    assert isinstance(call("--export", str(tmp_path / "page.pdf")).exception, UsageError)
    assert isinstance(call("--thresholds", str(tmp_path / "t.toml")).exception, VbenchError)
    assert isinstance(call("--export", "a.html", "--collect", "b.json").exception, UsageError)
    assert isinstance(call("--prompt-adherence").exception, UsageError)
