"""A review in headless Chromium: by keyboard and by touch, interrupted and continued, with several raters."""

import json
import re

import pytest

from tests.report.conftest import EVIL
from tests.review.conftest import FPS, build, served
from vbench_lite.jobs.reviewing import collect_votes, export_review
from vbench_lite.review.opening import ReviewOrder
from vbench_lite.run.view import open_run
from vbench_lite.run.votes import read_votes

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A run that all tests of this module vote on, each under labels of its own."""
    return open_run(build(tmp_path_factory.mktemp("browser") / "ads", texts={0: EVIL}).folder.path)


@pytest.fixture(scope="module")
def pairs(shared) -> str:
    """The link of a review of pairs with both questions."""
    with served(shared, mode="pairs", prompt_adherence=True) as running:
        yield running.link


@pytest.fixture(scope="module")
def usable(shared) -> str:
    with served(shared, mode="usable", limit=2) as running:
        yield running.link


@pytest.fixture
def open_page(browser):
    """Opens a view of a review and fails the test on a console error or a request to another place."""
    contexts, troubles = [], []

    def opened(link: str, width: int = 1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 844}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: troubles.append(r.url) if not r.url.startswith((link, "blob:", "data:")) else None)
        page.goto(link)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles


def begin(page, rater: str) -> None:
    page.locator("#rater").fill(rater)
    page.locator("#rater").press("Enter")
    page.locator("#ask").wait_for()


def open_answer(page) -> None:
    """Waits until the clips have played."""
    page.locator("#answers button:enabled").first.wait_for()


def counted(page, done: int) -> None:
    """Waits until the page has stored so many votes."""
    page.locator("#count", has_text=f"{done} of ").wait_for()


def votes(run, rater: str) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(run.path.glob(f"votes/{rater}/*.json"))]


def test_a_whole_session_of_pairs_by_keyboard_is_blind_and_scripts_in_prompts_are_inert(
    open_page, pairs, shared
) -> None:
    page = open_page(pairs)
    begin(page, "key")
    assert page.locator("#answers button").first.is_disabled()
    page.keyboard.press("ArrowLeft")  # too early: nothing has played yet
    total = int(re.search(r"of (\d+)", page.locator("#count").inner_text())[1])
    assert total == 7  # 6 pairs, and one of them again
    prompts = []
    for done in range(total):
        prompts.append(page.locator("#prompt").inner_text())
        assert not re.search("tiny-|diffusion|transformer", page.content())
        addresses = page.evaluate("[...document.querySelectorAll('video')].map(v => v.src)")
        assert all(re.search(r"/clip/[0-9a-f]{32}\.mp4$", address) for address in addresses)
        open_answer(page)
        page.keyboard.press("ArrowRight")
        assert "follows the prompt" in page.locator("#question").inner_text()
        page.keyboard.press("ArrowDown")
        counted(page, done + 1)
    assert any("<script>" in text for text in prompts)
    assert page.evaluate("window.pwned") is None
    assert page.locator("#done").is_visible()
    found = votes(shared, "key")
    assert len(found) == total
    assert all(vote["answers"] == {"quality": "right", "prompt": "same"} and vote["seconds"] > 0 for vote in found)
    assert sum(vote["repeat"] for vote in found) == 1
    page.keyboard.press("u")
    page.locator("#ask").wait_for()
    assert len(votes(shared, "key")) == total - 1


def test_a_whole_session_by_touch_on_a_phone_with_reasons(open_page, usable, shared) -> None:
    page = open_page(usable, 390, has_touch=True, is_mobile=True)
    page.locator("#rater").fill("Anna/B")
    page.locator("#who button").tap()
    assert page.evaluate("document.getElementById('rater').checkValidity()") is False
    begin(page, "touch")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    open_answer(page)
    page.locator("[data-reason='1']").tap()
    counted(page, 1)
    assert "min left" in page.locator("#count").inner_text()
    open_answer(page)
    page.locator("[data-answer=keep]").tap()
    page.locator("#done").wait_for()
    given = sorted((vote["answers"]["usable"], vote["reasons"]) for vote in votes(shared, "touch"))
    assert given == [("keep", []), ("reject", ["flicker or jumps"])]


def test_two_raters_at_once_lose_no_vote_when_the_server_ends_and_the_next_one_continues(open_page, shared) -> None:
    with served(shared, mode="usable") as running:
        pages = {name: open_page(running.link) for name in ("ann", "ben")}
        for name, page in pages.items():
            begin(page, name)
        for done in range(2):
            for page in pages.values():
                open_answer(page)
                page.keyboard.press("r")
                counted(page, done + 1)
        for page in pages.values():
            page.close()
    found = [{vote["id"] for vote in votes(shared, name)} for name in pages]
    assert [len(ids) for ids in found] == [2, 2]
    assert found[0] != found[1]  # orders of their own
    with served(shared, mode="usable") as running:
        page = open_page(running.link)
        begin(page, "Ann")
        assert page.locator("#count").inner_text().startswith("2 of 13")
        shown = page.locator("#prompt").inner_text()
        page.reload()
        begin(page, "ann")
        assert page.locator("#prompt").inner_text() == shown


def test_clips_play_in_step_and_step_frame_by_frame(open_page, pairs) -> None:
    page = open_page(pairs)
    begin(page, "step")
    open_answer(page)
    page.keyboard.press(" ")
    assert page.locator("#play").inner_text() == "Play"
    times = "[...document.querySelectorAll('video')].map(v => v.currentTime)"
    for _ in range(3):
        page.keyboard.press(",")
    assert page.evaluate(times) == [0, 0]
    page.keyboard.press(".")
    first, second = page.evaluate(times)
    assert first == second == pytest.approx(1 / FPS, abs=0.01)
    page.keyboard.press("s")
    assert page.evaluate("[...document.querySelectorAll('video')].map(v => v.playbackRate)") == [0.5, 0.5]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_no_violation(open_page, usable, width, scheme) -> None:
    checker = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[dev]'").Axe()
    page = open_page(usable, width, color_scheme=scheme, bypass_csp=True)
    found = {"start": checker.run(page).response["violations"]}
    begin(page, "axe")
    open_answer(page)
    found["question"] = checker.run(page).response["violations"]
    assert {k: [f"{v['id']}: {n['html'][:120]}" for v in vs for n in v["nodes"]] for k, vs in found.items()} == {
        "start": [], "question": [],
    }  # fmt: skip


def test_an_exported_page_works_from_a_file_and_its_votes_come_back(open_page, shared, tmp_path) -> None:
    path, saved = tmp_path / "page.html", tmp_path / "votes-file.json"
    export_review([shared], ReviewOrder(mode="pairs", limit=3), path)
    assert not re.search("tiny-|diffusion|transformer", path.read_text())
    page = open_page(path.as_uri())
    begin(page, "file")
    for done in range(2):
        open_answer(page)
        page.keyboard.press("ArrowLeft")
        counted(page, done + 1)
    page.reload()
    begin(page, "file")
    assert page.locator("#count").inner_text().startswith("2 of 3")
    with page.expect_download() as waiting:
        page.locator("#save").click()
    waiting.value.save_as(saved)
    for _ in range(2):  # the second time, the same votes
        assert collect_votes(shared, [saved]) == {saved: 2}
        stored = [vote for vote in read_votes(shared.path, {}, ()).counted if vote.rater == "file"]
        assert [vote.answers["quality"] for vote in stored] == ["left", "left"]
