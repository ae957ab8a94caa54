"""Clips in a real browser: they play in step, open alone and in pairs, and have links."""

import json
import shlex
from pathlib import Path

import pytest

from tests.report.conftest import give_image, scored, wait_until
from vbench_lite.report import write_report
from vbench_lite.run.view import Run
from vbench_lite.run.votes import ClipRef, Vote, write_vote

pytestmark = pytest.mark.browser


def test_clips_play_in_step_once_they_are_in_view(page) -> None:
    assert page.locator("#prompts video").count() < 96  # far ones do not exist yet
    page.locator("#clips").scroll_into_view_if_needed()
    page.locator("#play").click()
    times = "[...document.querySelectorAll('#prompts video')].filter(v => !v.paused).map(v => v.currentTime)"
    # asked in one go: the clips are short, and between two rounds all of them rest
    wait_until(page, f"(t => t.length >= 4 && Math.min(...t) > 0.1 && Math.max(...t) - Math.min(...t) < 0.25)({times})")
    page.locator("#play").click()
    assert page.evaluate("[...document.querySelectorAll('#prompts video')].every(v => v.paused)")


def test_keys_play_walk_open_and_close(page) -> None:
    page.locator("#clips h2").click()
    page.keyboard.press(" ")
    assert page.locator("#play").get_attribute("aria-pressed") == "true"
    page.keyboard.press(" ")
    page.keyboard.press("j")
    page.keyboard.press("j")
    focused = page.evaluate("[...document.querySelectorAll('.prompt')].indexOf(document.activeElement)")
    assert focused == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#viewer").is_visible()
    assert page.locator("#viewer tbody tr").count() > 7
    wait_until(page, "document.querySelector('#viewer video').currentTime > 0")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#viewer").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#viewer").is_visible()


def test_clips_beside_the_page_play_too(browser, ads, tmp_path) -> None:
    path = write_report([Run(ads)], tmp_path / "f.html", clips="folder")
    view = browser.new_page()
    view.goto(Path(path).as_uri())
    view.locator("#clips").scroll_into_view_if_needed()
    view.locator("#play").click()
    wait_until(view, "[...document.querySelectorAll('#prompts video')].some(v => v.currentTime > 0.1)")
    view.close()


def test_every_clip_has_a_link_that_opens_it_in_a_fresh_tab(browser, page, address) -> None:
    page.locator("#prompts button.screen").first.click()
    link, title = page.evaluate("location.hash"), page.locator("#viewer-title").inner_text()
    assert link.startswith("#clip=ads/tiny-")
    page.keyboard.press("ArrowRight")
    after = page.evaluate("location.hash")
    assert after != link
    page.locator("[data-walk='-1']").click()
    assert page.evaluate("location.hash") == link
    view = browser.new_page()
    view.goto(address + link)
    assert view.locator("#viewer").is_visible()
    assert view.locator("#viewer-title").inner_text() == title
    facts = view.locator("#viewer tbody").inner_text()
    assert all(name in facts for name in ("Seed", "Cost", "File", "Verdict"))
    command = shlex.split(view.locator("#viewer .again code").inner_text())
    assert command[:4] == ["vbench", "run", "--suite", "ads"]
    view.close()


def test_two_clips_play_in_step_beside_each_other_and_under_a_wipe(page) -> None:
    page.locator("#prompts button.screen").nth(1).click()
    page.locator("[data-mode=side]").first.click()
    videos = "[...document.querySelectorAll('#viewer video')]"
    wait_until(page, f"{videos}.length === 2 && {videos}.every(v => v.currentTime > 0.2)")
    assert page.evaluate(f"Math.abs({videos}[0].currentTime - {videos}[1].currentTime)") < 0.2
    page.keyboard.press(" ")
    page.keyboard.press("5")
    before = page.evaluate(f"{videos}.map(v => v.currentTime)")
    page.keyboard.press(".")
    wait_until(page, f"{videos}.every(v => !v.seeking && v.paused)")
    after = page.evaluate(f"{videos}.map(v => v.currentTime)")
    assert [0.05 < b - a < 0.2 for a, b in zip(before, after, strict=True)] == [True, True]  # a frame at 8 fps
    page.keyboard.press("w")
    assert page.locator("input.wipe").is_visible()
    assert "mode=wipe" in page.evaluate("location.hash")
    page.locator(".other-generator").select_option("0")
    assert "with=ads/tiny-transformer/" in page.evaluate("location.hash")


def test_the_viewer_shows_the_image_that_a_clip_starts_from_and_the_votes_on_it(browser, tmp_path) -> None:
    folder = scored(tmp_path / "i2v", prompts=2, clips=1)
    give_image(folder)
    manifest = json.loads(folder.manifest_path.read_text())
    manifest["generators"]["tiny-diffusion"]["inputs"] = [["text"], ["image", "text"]]
    folder.manifest_path.write_text(json.dumps(manifest))
    made = {clip.generator: clip.sha256 for clip in folder.records() if clip.prompt_id == "p000"}
    left, right = (ClipRef("i2v", name, 0, made[name]) for name in ("tiny-transformer", "tiny-diffusion"))
    asked = {"keep": (left,), "reject": (left,), "left": (left, right), "same": (right, left)}
    for nth, (answer, clips) in enumerate([*asked.items(), ("keep", (right,))]):
        mode, question = ("usable", "usable") if len(clips) == 1 else ("pairs", "quality")
        why = ("flicker",) if answer == "reject" else ()
        vote = Vote(id=f"q{nth:03d}", rater="ann", mode=mode, prompt_id="p000", clips=clips, answers={question: answer},
                    reasons=why)  # fmt: skip
        write_vote(folder.path, vote)
    view = browser.new_page(viewport={"width": 1280, "height": 900})
    view.goto(write_report([Run(folder)], tmp_path / "i2v.html").as_uri() + "#prompt=p000")
    view.locator(".clip button.screen").first.click()
    view.locator("[data-mode=side]").first.click()
    rows = {row.locator("th").inner_text(): row.locator("td") for row in view.locator(".about-clips tbody tr").all()}
    votes = {name: cells.all_inner_texts() for name, cells in rows.items() if "by people" in name}
    assert votes == {
        "Kept by people": ["1 of 2; rejected for: flicker (1)", "1 of 1"],
        "Compared by people": ["better in 1, equal in 1, worse in 0", "better in 0, equal in 1, worse in 1"],
    }
    assert rows["Starts from"].all_inner_texts() == ["not given to this generator", ""]
    assert view.evaluate("[...document.querySelectorAll('.given')].map(each => each.naturalWidth)") == [256, 256]
    view.locator("[data-mode='']").first.click()
    assert view.locator(".transport").bounding_box()["y"] < 800  # below the clip, not below its facts
    view.close()
