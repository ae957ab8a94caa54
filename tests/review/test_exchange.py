"""Reviews without a server: pages and tasks hold no names, and their answers come back as the same votes."""

import json
import re

import pytest
from click.testing import CliRunner

from tests.review.conftest import served
from tests.review.test_browser import answer_with, begin, open_page  # noqa: F401  # the fixture
from vbench_lite.cli.review_command import command
from vbench_lite.errors import BadFile, UsageError, VbenchError
from vbench_lite.jobs.reviewing import collect_votes, export_review, state_rate
from vbench_lite.review.opening import ReviewOrder
from vbench_lite.run.votes import read_rate, read_votes

PAIRS = ReviewOrder(mode="pairs")


def stored(run):
    return read_votes(run.path, {}, ()).counted


@pytest.mark.browser
def test_an_exported_page_works_from_a_file_and_its_votes_come_back(browser, run, tmp_path) -> None:
    page_path = tmp_path / "page.html"
    export_review([run], ReviewOrder(mode="pairs", limit=3), page_path)
    assert not re.search("tiny-|diffusion|transformer", page_path.read_text())
    context = browser.new_context()
    page = context.new_page()
    troubles = []
    page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
    page.on("request", lambda r: troubles.append(r.url) if not r.url.startswith(("file:", "blob:", "data:")) else None)
    page.goto(page_path.as_uri())
    begin(page)
    answer_with(page, lambda: page.keyboard.press("ArrowLeft"), 2)
    page.reload()
    begin(page)
    answer_from = page.locator("#count").inner_text()
    assert answer_from.startswith("2 of 3")
    with page.expect_download() as waiting:
        page.locator("#save").click()
    saved = tmp_path / "votes-anna.json"
    waiting.value.save_as(saved)
    context.close()
    assert troubles == []
    assert collect_votes(run, [saved]) == {saved: 2}
    assert {vote.answers["quality"] for vote in stored(run)} == {"left"}
    assert collect_votes(run, [saved]) == {saved: 2}  # again: the same votes
    assert len(stored(run)) == 2


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
        from tests.review.conftest import ask

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
        ("a.json", '{"export": "../../etc", "rater": "a", "votes": []}'),
        ("a.json", '{"export": "0123", "rater": "a", "votes": []}'),
        ("a.csv", "rater,id,mode,prompt_id,run_1,generator_1,index_1,sha256_1,usable\na,abcd,usable,p,r,g,x,1,keep\n"),
        ("a.csv", "rater,id,mode,prompt_id,run_1,generator_1,index_1,sha256_1,usable\na,../x,usable,p,r,g,0,1,keep\n"),
    ],
)  # fmt: skip
def test_what_holds_no_votes_is_refused_by_name_and_nothing_is_stored(run, tmp_path, name, text) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises((BadFile, UsageError)) as found:
        collect_votes(run, [path])
    assert str(path) in str(found.value) or "export" in str(found.value)
    assert not (run.path / "votes").exists()


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
