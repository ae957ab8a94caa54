"""The report on paper: few pages, light, with pictures of clips; and what is said where no browser can print it."""

import re

import pytest

from tests.built_runs import Fake
from tests.report.conftest import CHROMIUM, scored
from vbench_lite.errors import VbenchError
from vbench_lite.report import write_report
from vbench_lite.report.formats import pdf
from vbench_lite.run.view import Run


def pages_of(content: bytes) -> int:
    assert content.startswith(b"%PDF-")
    return len(re.findall(rb"/Type\s*/Page\b", content))


@pytest.mark.browser
def test_a_pdf_shows_the_best_and_the_worst_clips_on_three_pages_at_most(ads, tmp_path) -> None:
    if not CHROMIUM:
        pytest.skip("no Chromium here: apt-get install chromium, or set CHROMIUM")
    content = write_report([Run(ads)], tmp_path / "ads.pdf").read_bytes()
    assert 2 <= pages_of(content) <= 3
    assert len(re.findall(rb"/Subtype\s*/Image", content)) >= 4  # the best and the worst clip of two generators


@pytest.mark.browser
def test_changes_over_releases_are_printed_without_a_further_page(releases, tmp_path) -> None:
    if not CHROMIUM:
        pytest.skip("no Chromium here: apt-get install chromium, or set CHROMIUM")
    runs = [Run(folder) for folder in releases]
    assert '<section id="history" class="printed">' in write_report(runs, tmp_path / "all.html").read_text("utf-8")
    assert pages_of(write_report(runs, tmp_path / "all.pdf").read_bytes()) == 3


@pytest.mark.browser
def test_twelve_generators_with_long_names_and_prompts_stay_on_three_pages(tmp_path) -> None:
    if not CHROMIUM:
        pytest.skip("no Chromium here: apt-get install chromium, or set CHROMIUM")
    fakes = [Fake(f"a-generator-whose-name-is-long-{n}", skill=n / 4, device_s=0.2 * 1.4**n) for n in range(12)]
    folder = scored(tmp_path / "ads", generators=fakes, texts={n: "word " * 80 for n in range(6)}, video=False)
    assert pages_of(write_report([Run(folder)], tmp_path / "ads.pdf").read_bytes()) == 3


def test_without_a_browser_the_error_names_the_ways_out(ads, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pdf, "BROWSERS", pdf.BROWSERS[:7])
    with pytest.raises(VbenchError, match=r"apt-get install chromium.*CHROMIUM.*-o report\.html"):
        write_report([Run(ads)], tmp_path / "ads.pdf")
    monkeypatch.setenv("CHROMIUM", "nowhere")
    with pytest.raises(VbenchError, match='"nowhere", which is not a program'):
        write_report([Run(ads)], tmp_path / "ads.pdf")
    assert not (tmp_path / "ads.pdf").exists()


def test_a_browser_that_prints_nothing_is_an_error_with_its_last_words(ads, tmp_path, monkeypatch) -> None:
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\necho no display >&2\nexit 3\n")
    browser.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(browser))
    with pytest.raises(VbenchError, match=r"printed no PDF \(exit code 3\): no display"):
        write_report([Run(ads)], tmp_path / "ads.pdf")
