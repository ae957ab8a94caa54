"""The page as text: what stands in it, and what a hostile run can not make it do."""

import base64
import dataclasses
import itertools
import json
import re

import pytest

from tests.built_runs import Fake
from tests.report.conftest import scored
from vbench_lite.report import write_report
from vbench_lite.report.data import gather
from vbench_lite.report.formats import media
from vbench_lite.report.page.answers import placed_answers
from vbench_lite.run.view import Run


@pytest.fixture(scope="module")
def page(ads, tmp_path_factory) -> str:
    path = write_report([Run(ads)], tmp_path_factory.mktemp("page") / "ads.html")
    return path.read_text("utf-8")


def test_the_page_is_small_and_names_no_outside_address(page) -> None:
    assert len(page) < 3_000_000
    outside = set(re.findall(r'(?:src|href|action)="(?!#|data:)([^"]+)"', page))
    assert not outside
    assert "@import" not in page
    assert "url(http" not in page


def test_strangers_text_is_escaped_everywhere(page) -> None:
    assert "<script>window.pwned" not in page
    assert "<img src=x" not in page
    assert "{{7*7}}" in page  # shown as written, not computed
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert data is not None
    assert any("<script>" in prompt["text"] for prompt in json.loads(data[1])["prompts"])


def test_the_policy_admits_only_this_style_and_this_script(page) -> None:
    import hashlib

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert style is not None
    assert len(scripts) == 1
    for text in (style[1], scripts[0]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"sha256-{digest}" in policy[1].replace("&#39;", "'")
    assert "unsafe" not in policy[1]
    assert " style=" not in page


def test_every_figure_has_words_and_a_table(page) -> None:
    plots = re.findall(r'<svg class="plot".*?</svg>', page, re.S)
    assert len(plots) > 15
    assert all("<title" in plot and "<desc" in plot for plot in plots)
    assert page.count("The table behind") + page.count('class="panels cols-1"') >= 5
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_every_used_definition_is_there(page) -> None:
    targets = set(re.findall(r'popovertarget="([^"]+)"', page))
    assert targets
    assert all(f'id="{target}"' in page for target in targets)


def test_failed_and_missing_clips_are_told_at_the_top(page) -> None:
    head = page[: page.index('<main id="main">')]
    assert "Failed clips of tiny-transformer: 1." in head
    assert "1 of 48 clips are missing" in head


def test_the_same_run_gives_the_same_page(ads, page, tmp_path) -> None:
    again = write_report([Run(ads)], tmp_path / "ads.html").read_text("utf-8")
    assert again == page


def test_clips_go_into_a_folder_where_they_do_not_fit(ads, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(media, "BUDGET", 1000)
    found = media.collect(gather([Run(ads)]), tmp_path / "ads.html")
    assert len(list((tmp_path / "ads-clips").iterdir())) == 2 * 48 - 2
    assert found.source("0-0-0-0") == "ads-clips/0-0-0-0.mp4"


def test_large_clips_are_embedded_as_small_previews(tmp_path) -> None:
    import numpy as np

    from vbench_lite.video import encode_mp4, read_clip

    frames = np.random.default_rng(0).integers(0, 255, (4, 480, 640, 3), np.uint8)
    (tmp_path / "large.mp4").write_bytes(encode_mp4(frames, 8.0))
    small = media.preview(tmp_path / "large.mp4")
    shown, _ = read_clip(small)
    assert min(shown.shape[1:3]) <= media.PREVIEW_SIDE
    assert len(shown) == 4
    (tmp_path / "broken.mp4").write_bytes(b"no clip")
    assert media.preview(tmp_path / "broken.mp4") == b"no clip"


def test_a_path_that_leaves_the_run_is_not_embedded(tmp_path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"SECRET" * 100)
    folder = scored(tmp_path / "run", prompts=6, clips=1)
    table = folder.table_path.read_text()
    folder.table_path.write_text(table.replace("clips/tiny-diffusion/p000/0.mp4", "../secret.mp4"))
    report = gather([Run(folder)])
    found = media.collect(report, tmp_path / "x.html")
    assert "0-1-0-0" not in found.embedded
    assert "0-1-1-0" in found.embedded


def test_history_and_odd_runs_render(releases, tmp_path) -> None:
    path = write_report([Run(run) for run in releases], tmp_path / "h.html")
    text = path.read_text("utf-8")
    assert 'id="history"' in text
    assert "Changes over releases" in text


@pytest.mark.parametrize(("count", "clips"), [(1, 1), (3, 3)])
def test_any_number_of_generators_and_clips_renders(tmp_path, count, clips) -> None:
    from tests.built_runs import DEFAULT

    fakes = [dataclasses.replace(DEFAULT[n % 2], name=f"g{n}", skill=3.0 * n - 3) for n in range(count)]
    folder = scored(tmp_path / "run", prompts=2, clips=clips, generators=fakes, video=False)
    text = write_report([Run(folder)], tmp_path / "r.html", clips="none").read_text("utf-8")
    assert "nan" not in re.sub(r"<[^>]*>", " ", text.partition("<main")[2].partition("<script")[0]).lower().split()


def test_strips_of_many_generators_list_the_best_first_and_costs_of_decades_are_logarithmic(tmp_path) -> None:
    fakes = [Fake(f"g{n}", skill=n - 2.0, device_s=0.01 * 10**n) for n in range(4)]
    report = gather([Run(scored(tmp_path / "many", generators=fakes, video=False))])
    strips = {strip["name"]: strip for answer in placed_answers(report) for strip in answer["strips"]}
    scores = [row["entry"].label for row in strips["detail"]["rows"]]
    assert scores == ["g3", "g2", "g1", "g0"]
    cost = strips["usd_per_clip"]
    places = [float(row["at"]) for row in cost["rows"]]
    steps = [after - before for before, after in itertools.pairwise(places)]
    assert cost["logarithmic"]
    assert not strips["detail"]["logarithmic"]
    assert [row["entry"].label for row in cost["rows"]] == ["g0", "g1", "g2", "g3"]
    assert max(steps) < 1.2 * min(steps)  # each costs ten times what the one before costs
