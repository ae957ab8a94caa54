"""The page in a real browser: it loads alone, its clips play, its filters and keys work, strangers stay harmless."""

import itertools
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.built_runs import Fake
from tests.report.conftest import data_of, scored, wait_until
from vbench_lite.report import write_report
from vbench_lite.run.view import Run

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (rgb) => { const [r, g, b] = rgb.map(channel); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const parse = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const paper = light(parse(getComputedStyle(document.body).backgroundColor));
  const bad = [];
  for (const node of document.querySelectorAll("h1,h2,h3,p,li,td,th,dt,dd,summary,button,span,label,figcaption,a,em")) {
    if (!node.innerText?.trim() || node.closest(".tag,#play,dialog,[popover],.unseen,[hidden]")) continue;
    const ink = light(parse(getComputedStyle(node).color));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${node.className} ${node.innerText.slice(0, 30)}`);
  }
  return bad;
}"""


def clips_on(page) -> list[dict]:
    """The clips as they stand on the page, from the first to the last that is drawn."""
    numbers = page.evaluate("[...document.querySelectorAll('#prompts .clip')].map(each => Number(each.dataset.clip))")
    clips = data_of(page)["clips"]
    return [clips[number] for number in numbers]


def test_an_injected_script_is_inert(page) -> None:
    page.locator("#find").fill("onerror")
    assert page.locator(".prompt:visible").count() == 1
    page.locator(".prompt:visible button.screen").first.click()
    assert "<script>" in page.locator("#viewer-title").inner_text()
    assert page.evaluate("window.pwned") is None


def test_filters_count_and_show_what_they_say(page) -> None:
    everything = page.locator("#count").inner_text()
    assert everything == "96 clips of 24 prompts"
    for state in ("failed", "missing"):
        page.locator("#state").select_option(state)
        assert page.locator("#count").inner_text() == "1 clip of 1 prompt"
    page.locator("#state").select_option("because:detail")
    shown = page.locator("#prompts .clip:visible")
    assert shown.count() > 0
    assert all("detail" in clip["kinds"] for clip in clips_on(page))
    page.locator("#state").select_option("")
    page.locator("#category").select_option("drinks")
    assert page.locator("#count").inner_text() == "32 clips of 8 prompts"
    page.locator("input[name=entry]").first.uncheck()
    assert page.locator("#count").inner_text() == "16 clips of 8 prompts"
    page.locator("#find").fill("no such words")
    assert page.locator("#nothing").is_visible()


def test_worst_first_is_the_order_to_begin_with(page) -> None:
    prompts = data_of(page)["prompts"]
    worst = [prompts[clip["p"]]["worst"] for clip in clips_on(page)]
    assert len(worst) == 96
    assert worst == sorted(worst)
    page.locator("#by").select_option("suite")
    places = [clip["p"] for clip in clips_on(page)]
    assert places == sorted(places)


def test_a_definition_is_one_click_away(page) -> None:
    page.locator("#answers button.define", has_text="Detail").first.click()
    assert page.locator("#def-detail").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#def-detail").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_paper_in_light_and_dark(page, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate(CONTRAST) == []


def test_everything_to_press_has_a_name_and_headings_do_not_skip(page) -> None:
    nameless = page.evaluate(
        """[...document.querySelectorAll("button,select,input,a,svg[role=img],[role=region]")].filter(e => !(
        e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length || e.closest("label")
        || e.getAttribute("aria-labelledby"))).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    levels = page.evaluate("[...document.querySelectorAll('header h1,main h2,main h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == page.evaluate(
        "document.querySelectorAll('[id]').length"
    )


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_sticks_out_sideways(page, width) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


TARGETS = """() => [...document.querySelectorAll("main :is(a,button,summary,select),nav a")].filter((each) => {
  const { width, height } = each.getBoundingClientRect();
  return width && height && !each.closest("svg,.says,[popover]") && Math.min(width, height) < 24;
}).map((each) => each.outerHTML.slice(0, 80))"""


def test_on_a_phone_figures_begin_as_headings_that_a_tap_or_a_link_opens(browser, page, address) -> None:
    assert page.locator(".fold").count() == 0  # on a desk
    view = browser.new_page(viewport={"width": 390, "height": 844})
    view.goto(address)
    assert view.evaluate("document.documentElement.scrollHeight") < 12_000
    assert view.evaluate(TARGETS) == []
    figure = view.locator("#plane .panels")
    assert not figure.is_visible()
    view.locator("nav a[href='#plane']").click()
    wait_until(view, "!document.querySelector('#plane').classList.contains('folded')")
    assert figure.is_visible()
    view.locator("#plane .fold").click()
    assert not figure.is_visible()
    view.emulate_media(media="print")
    assert figure.is_visible()
    view.close()


def test_light_and_dark_can_be_chosen(page) -> None:
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_on_paper_there_are_few_pages_and_the_best_and_worst_clips_have_pictures(page) -> None:
    pictures = page.evaluate("[...document.querySelectorAll('.duo img')].map(each => each.naturalWidth)")
    assert len(pictures) == 4
    assert min(pictures) > 0
    page.emulate_media(media="print")
    assert not page.locator("#clips").is_visible()
    assert page.locator("#answers").is_visible()
    content = page.pdf(format="A4")
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") in (2, 3)


def test_first_frames_of_embedded_clips_are_images_and_no_layers_of_their_own(page) -> None:
    page.locator("#clips").scroll_into_view_if_needed()
    wait_until(page, "[...document.querySelectorAll('#prompts .crisp img')].some(each => each.naturalWidth === 64)")
    assert page.locator("#prompts canvas").count() == 0


def test_the_chart_of_the_first_screen_downloads_as_a_picture_of_its_own(page) -> None:
    with page.expect_download() as waiting:
        page.locator("[data-download=svg]").click()
    text = Path(waiting.value.path()).read_text("utf-8")
    assert text.startswith("<svg")
    assert "var(" not in text
    with page.expect_download() as waiting:
        page.locator("[data-download=png]").click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")


def test_a_figure_leads_to_its_clips_and_their_address_opens_them_in_a_fresh_tab(browser, page, address) -> None:
    page.locator(".ranks td:nth-of-type(4) a.value").first.click()
    wait_until(page, "location.hash === '#g=tiny-diffusion&by=detail'")
    shown = clips_on(page)
    assert {clip["g"] for clip in shown} == {1}
    place = [metric["name"] for metric in data_of(page)["scenes"][0]["metrics"]].index("detail")
    scores = [clip["scores"][place] for clip in shown if clip["scores"][place] is not None]
    assert len(scores) == 47
    assert scores == sorted(scores, reverse=True)
    page.locator("#state").select_option("usable")
    fresh = browser.new_page()
    fresh.goto(address + page.evaluate("location.hash"))
    assert fresh.locator("#count").inner_text() == page.locator("#count").inner_text() != "47 clips of 24 prompts"
    assert fresh.locator("#by").input_value() == "detail"
    fresh.close()


def test_a_dot_of_the_spread_opens_its_own_clip(page) -> None:
    clips, cloud = data_of(page)["clips"], page.locator("#distributions [id*='-detail-each-']").first
    number = int(cloud.get_attribute("id").split("clips-of-0-")[1].split("-")[0])
    scored = [clip for clip in clips if clip["g"] == number and clip["state"] not in ("failed", "missing")]
    for nth in (0, 7):
        cloud.locator("use").nth(nth).dispatch_event("click")
        wait_until(page, "document.querySelector('#viewer').open")
        assert scored[nth]["link"] in unquote(page.evaluate("location.hash"))
        page.keyboard.press("Escape")


@pytest.mark.parametrize("width", [390, 1280])
def test_scales_and_names_of_strips_stay_in_their_columns(browser, tmp_path, width) -> None:
    name = "a-generator-whose-name-has-forty-signs"
    folder = scored(
        tmp_path / "ads", generators=[Fake(f"{name}-{n}", skill=n, device_s=0.01 * 9**n) for n in range(4)], video=False
    )
    view = browser.new_page(viewport={"width": width, "height": 844})
    view.goto(write_report([Run(folder)], tmp_path / "a.html").as_uri())
    found = view.evaluate("""() => [...document.querySelectorAll(".strip-rows")].map((rows) => {
      const box = (node) => node.getBoundingClientRect(), all = (what) => [...rows.querySelectorAll(what)].map(box);
      const rails = all(".whisker"), names = all(".strip-name"), values = all(".value");
      const ends = all(".strip-scale span");
      return {
        rails: new Set(rails.map((each) => `${each.left} ${each.right}`)).size,
        apart: rails.every((each, n) => names[n].right <= each.left && each.right <= values[n].left),
        whole: [...rows.querySelectorAll(".strip-name")].every((each) => each.scrollWidth <= each.clientWidth + 1),
        scale: ends[0].right < ends[1].left && new Set(ends.map((each) => each.top)).size === 1,
      };
    })""")
    assert len(found) >= 4
    assert [each for each in found if each != {"rails": 1, "apart": True, "whole": True, "scale": True}] == []
    view.close()


CHART = """() => [...document.querySelectorAll(".hero-plot svg")].filter((svg) => svg.clientWidth).map((svg) => {
  const box = (node) => { const r = node.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  return { svg: box(svg), texts: [...svg.querySelectorAll("text")].map((text) => [text.textContent, ...box(text)]) };
})[0]"""


def test_the_first_chart_names_twelve_generators_in_any_script_without_a_collision(browser, tmp_path) -> None:
    names = [f"a-generator-whose-name-has-forty-signs-{n}" for n in range(4)]
    folders = [
        scored(tmp_path / run, prompts=4, clips=1, video=False, created=f"2026-11-1{nth}T10:00:00Z",
               generators=[Fake(name, skill=n + nth, device_s=0.3 + 0.02 * n) for n, name in enumerate(names)])
        for nth, run in enumerate(("実行-とても長い名前のフォルダー 🎬", "تجربة-طويلة-الاسم-جدا", "ניסוי"))
    ]  # fmt: skip
    path = write_report([Run(folder, name) for folder in folders for name in names], tmp_path / "a.html", clips="none")
    for width in (390, 1280):
        view = browser.new_page(viewport={"width": width, "height": 844})
        view.goto(path.as_uri())
        found = view.evaluate(CHART)
        texts, (left, _, right, _) = found["texts"], found["svg"]
        numbered = [text for text, *_ in texts if re.match(r"\d+ .*(gene|sign).*[…)]", text)]
        assert len(numbered) == 12
        assert {str(n) for n in range(1, 13)} <= {text for text, *_ in texts}
        assert [text for text, x, _, end, _ in texts if x < left - 1 or end > right + 1] == []
        shared = [
            (a[0], b[0]) for a, b in itertools.combinations(texts, 2)
            if min(a[3], b[3]) - max(a[1], b[1]) > 1 and min(a[4], b[4]) - max(a[2], b[2]) > 0.3 * (a[4] - a[2])
        ]  # fmt: skip
        assert shared == []
        assert view.evaluate("document.documentElement.scrollWidth") <= width
        view.close()


def test_the_table_sorts_by_a_heading_and_ranks_share_ties(page) -> None:
    names = "[...document.querySelectorAll('.ranks tbody .who')].map(each => each.textContent)"
    ranks = "[...document.querySelectorAll('.ranks td.rank')].map(each => each.textContent)"
    assert page.evaluate(ranks) == ["=1", "=1"]  # on usable clips no difference is shown
    page.locator(".ranks .sort", has_text="Detail").click()
    assert page.evaluate(names) == ["tiny-diffusion", "tiny-transformer"]
    assert page.evaluate(ranks) == ["1", "2"]
    page.locator(".ranks .sort", has_text="Detail").click()
    assert page.evaluate(names) == ["tiny-transformer", "tiny-diffusion"]
    assert page.locator(".ranks [aria-sort]").get_attribute("aria-sort") == "ascending"


def test_reasons_of_failure_lead_to_their_clips(page) -> None:
    page.locator("#failures tbody tr", has_text="the generator gave no frames").locator("a").click()
    wait_until(page, "document.querySelectorAll('#prompts .clip').length === 1")
    assert [clip["state"] for clip in clips_on(page)] == ["failed"]


def test_a_long_list_of_clips_is_drawn_as_it_comes_near_and_names_in_any_script_stay_inside(browser, tmp_path) -> None:
    texts = {0: "قطة تجلس على كرسي أحمر بجانب نافذة كبيرة", 1: "一只红色的鞋子在桌子上旋转 🎬" * 8, 2: "x" * 300}
    fakes = [Fake(f"a-generator-whose-name-has-forty-signs-{nth}", skill=nth) for nth in range(6)]
    folder = scored(tmp_path / "実行 🎬", prompts=60, clips=1, generators=fakes, texts=texts, video=False)
    view = browser.new_page(viewport={"width": 390, "height": 844})
    view.goto(write_report([Run(folder)], tmp_path / "long.html", clips="none").as_uri())
    view.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert view.evaluate("document.documentElement.scrollWidth") <= 390
    assert view.locator(".prompt").count() < 60
    for _ in range(8):
        view.evaluate("document.querySelector('#more').scrollIntoView({behavior: 'instant'})")
        view.wait_for_timeout(100)
    wait_until(view, "document.querySelectorAll('.prompt').length === 60")
    view.locator("#find").fill("قطة")
    assert view.locator("#count").inner_text() == "6 clips of 1 prompt"
    assert view.evaluate("getComputedStyle(document.querySelector('.prompt-text')).direction") == "rtl"
    view.close()
