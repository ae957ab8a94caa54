"""A review in headless Chromium: by keyboard and by touch, interrupted and continued, with several raters."""

import json
import re

import pytest

from tests.review.conftest import served

pytestmark = pytest.mark.browser


@pytest.fixture
def open_page(browser):
    """Opens a view of a review and fails the test on a console error or a request to another place."""
    contexts, troubles = [], []

    def opened(link: str, width: int = 1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 844}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: troubles.append(r.url) if not r.url.startswith((link, "blob:", "data:")) else None)
        page.goto(link)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles


def begin(page, rater: str = "anna") -> None:
    page.locator("#rater").fill(rater)
    page.locator("#rater").press("Enter")
    page.locator("#ask").wait_for()


def open_answer(page) -> None:
    """Waits until the clips have played."""
    page.locator("#answers button:enabled").first.wait_for(timeout=10_000)


def counted(page, done: int) -> None:
    """Waits until the page has stored so many votes."""
    page.locator("#count", has_text=f"{done} of ").wait_for(timeout=10_000)


def votes(run) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(run.path.glob("votes/*/*.json"))]


def answer_with(page, press, total: int) -> None:
    for done in range(total):
        open_answer(page)
        press()
        counted(page, done + 1)


def test_a_whole_session_of_pairs_by_keyboard(open_page, run) -> None:
    with served(run, mode="pairs", prompt_adherence=True) as running:
        page = open_page(running.link)
        begin(page)
        assert page.locator("#answers button").first.is_disabled()
        page.keyboard.press("ArrowLeft")  # too early: nothing has played yet
        total = int(re.search(r"of (\d+)", page.locator("#count").inner_text())[1])
        assert total == 7  # 6 pairs, and one of them again

        def press() -> None:
            page.keyboard.press("ArrowRight")
            assert "follows the prompt" in page.locator("#question").inner_text()
            page.keyboard.press("ArrowDown")

        answer_with(page, press, total)
        assert page.locator("#done").is_visible()
        found = votes(run)
        assert len(found) == total
        assert all(vote["answers"] == {"quality": "right", "prompt": "same"} and vote["seconds"] > 0 for vote in found)
        assert sum(vote["repeat"] for vote in found) == 1
        page.keyboard.press("u")
        page.locator("#ask").wait_for()
        assert len(votes(run)) == total - 1


def test_a_session_by_touch_on_a_phone_with_reasons(open_page, run) -> None:
    with served(run, mode="usable", limit=3) as running:
        page = open_page(running.link, 390, has_touch=True, is_mobile=True)
        begin(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        open_answer(page)
        page.locator("[data-reason='1']").tap()
        counted(page, 1)
        open_answer(page)
        page.locator("[data-answer=keep]").tap()
        counted(page, 2)
        assert "min left" in page.locator("#count").inner_text()
        given = sorted((vote["answers"]["usable"], vote["reasons"]) for vote in votes(run))
        assert given == [("keep", []), ("reject", ["flicker or jumps"])]


def test_a_killed_server_loses_no_vote_and_the_next_one_continues(open_page, run) -> None:
    with served(run, mode="usable") as running:
        page = open_page(running.link)
        begin(page)
        answer_with(page, lambda: page.keyboard.press("k"), 2)
        page.close()
    with served(run, mode="usable") as running:
        page = open_page(running.link)
        begin(page, "Anna")
        assert page.locator("#count").inner_text().startswith("2 of 13")
        shown = page.locator("#prompt").inner_text()
        page.reload()
        begin(page)
        assert page.locator("#prompt").inner_text() == shown


def test_two_raters_at_once_have_votes_and_orders_of_their_own(open_page, run) -> None:
    with served(run, mode="usable") as running:
        pages = {name: open_page(running.link) for name in ("anna", "ben")}
        for name, page in pages.items():
            begin(page, name)
        for done in range(2):
            for page in pages.values():
                open_answer(page)
                page.keyboard.press("r")
                counted(page, done + 1)
    found = votes(run)
    assert sorted(vote["rater"] for vote in found) == ["anna", "anna", "ben", "ben"]


def test_scripts_in_prompts_are_inert_and_nothing_names_a_generator(open_page, run) -> None:
    with served(run, mode="pairs") as running:
        page = open_page(running.link)
        begin(page)
        texts = []
        for done in range(7):
            texts.append(page.locator("#prompt").inner_text())
            html = page.content()
            assert not re.search("tiny-|diffusion|transformer", html)
            addresses = page.evaluate("[...document.querySelectorAll('video')].map(v => v.src)")
            assert all(re.search(r"/clip/[0-9a-f]{32}\.mp4$", address) for address in addresses)
            open_answer(page)
            page.keyboard.press("ArrowUp")
            counted(page, done + 1)
        assert any("<script>" in text for text in texts)
        assert page.evaluate("window.pwned") is None


def test_clips_play_in_step_and_step_frame_by_frame(open_page, run) -> None:
    with served(run, mode="pairs") as running:
        page = open_page(running.link)
        begin(page)
        open_answer(page)
        page.keyboard.press(" ")
        assert page.locator("#play").inner_text() == "Play"
        times = "[...document.querySelectorAll('video')].map(v => v.currentTime)"
        page.keyboard.press(",")
        page.keyboard.press(",")
        page.keyboard.press(",")
        assert page.evaluate(times) == [0, 0]
        page.keyboard.press(".")
        first, second = page.evaluate(times)
        assert first == second == pytest.approx(1 / 12, abs=0.01)
        page.keyboard.press("s")
        assert page.evaluate("[...document.querySelectorAll('video')].map(v => v.playbackRate)") == [0.5, 0.5]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_no_violation(open_page, run, width, scheme) -> None:
    checker = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install -e '.[dev]'").Axe()
    with served(run, mode="usable") as running:
        page = open_page(running.link, width, color_scheme=scheme, bypass_csp=True)
        found = {"start": checker.run(page).response["violations"]}
        begin(page)
        open_answer(page)
        found["question"] = checker.run(page).response["violations"]
        assert {k: [f"{v['id']}: {n['html'][:120]}" for v in vs for n in v["nodes"]] for k, vs in found.items()} == {
            "start": [], "question": [],
        }  # fmt: skip
