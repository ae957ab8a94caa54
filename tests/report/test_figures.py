"""Sweeps as curves, speeds as rates, several suites on one page, releases in their order."""

import itertools
import json
import re

import pytest
from matplotlib.text import Text

from tests.built_runs import Fake
from tests.report.conftest import scored
from vbench_lite.report import write_report
from vbench_lite.report.answers.all import answers
from vbench_lite.report.data import Report, gather
from vbench_lite.report.figures import best_of_k
from vbench_lite.report.figures import sweep as sweep_module
from vbench_lite.report.figures.cost_quality import _draw_hero, plane_of
from vbench_lite.report.figures.history import history
from vbench_lite.report.figures.kit import FigureRenderer, cost_axis
from vbench_lite.report.figures.length import growths, length
from vbench_lite.report.figures.stages import rates
from vbench_lite.report.figures.svg import panel
from vbench_lite.report.figures.sweep import curves, sweep
from vbench_lite.report.formats import data as flat
from vbench_lite.report.formats import markdown
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run

STRENGTHS = (0.2, 0.8, 0.4)


def edited(folder: RunFolder, change) -> RunFolder:
    manifest = json.loads(folder.manifest_path.read_text())
    change(manifest)
    folder.manifest_path.write_text(json.dumps(manifest))
    return folder


def report_of(*folders: RunFolder) -> Report:
    return gather([Run(folder) for folder in folders])


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> RunFolder:
    fakes = [Fake(f"hy@strength={s:g}", "hybrid", skill=s, device_s=s) for s in STRENGTHS]
    fakes.append(Fake("tiny-transformer", "transformer", device_s=0.1))

    def sweep_them(manifest) -> None:
        for value in STRENGTHS:
            manifest["generators"][f"hy@strength={value:g}"]["about"] = {"sweep": {"of": "hy", "strength": value}}

    return edited(scored(tmp_path_factory.mktemp("swept") / "run", generators=fakes, video=False), sweep_them)


def test_a_sweep_is_a_curve_in_the_order_of_its_values_with_the_rest_beside_it(swept) -> None:
    scenario = report_of(swept).main
    (curve,) = curves(scenario)
    assert [curve.value(entry) for entry in curve.entries] == ["0.2", "0.4", "0.8"]
    figure = sweep(scenario, FigureRenderer())
    assert figure is not None
    qualities = ("usable", "clip_frames", "detail", "clip_text")
    assert [panel.name for panel in figure.panels] == [f"sweep-{name}" for name in qualities]
    assert [row[:2] for row in figure.rows[:3]] == [("hy", f"strength {s}") for s in ("0.2", "0.4", "0.8")]
    assert all("[" in row[3] and "[" in row[4] for row in figure.rows)  # intervals of quality and of cost
    assert "tiny-transformer is shown without a sweep" in figure.caption


def test_two_swept_settings_are_a_curve_for_each_value_of_the_other(tmp_path) -> None:
    names = [(steps, seed) for steps in (4, 8) for seed in ("a", "b")]
    fakes = [Fake(f"g@steps={steps},mode={mode}", device_s=steps / 10) for steps, mode in names]

    def sweep_them(manifest) -> None:
        for steps, mode in names:
            of = {"of": "g", "steps": steps, "mode": mode}
            manifest["generators"][f"g@steps={steps},mode={mode}"]["about"] = {"sweep": of}

    run = edited(scored(tmp_path / "run", generators=fakes, video=False), sweep_them)
    assert sorted(c.name for c in curves(report_of(run).main)) == [
        "g with mode=a", "g with mode=b", "g with steps=4", "g with steps=8"
    ]  # fmt: skip


def test_growth_with_length_tells_the_power_of_length_that_time_grows_by(tmp_path) -> None:
    fakes = [Fake(f"g@clip.frames={n}", device_s=0.01 * n**1.5) for n in (9, 17, 33)]

    def sweep_them(manifest) -> None:
        for n in (9, 17, 33):
            manifest["generators"][f"g@clip.frames={n}"]["about"] = {"sweep": {"of": "g", "clip.frames": n}}

    scenario = report_of(edited(scored(tmp_path / "run", generators=fakes, video=False), sweep_them)).main
    (growth,) = growths(scenario)
    assert growth.power == pytest.approx(1.5, abs=0.15)
    figure = length(scenario, FigureRenderer())
    assert figure is not None
    assert "3.7 times the frames" in figure.caption
    assert [row[1] for row in figure.rows] == ["9", "17", "33"]


def test_without_a_sweep_there_is_no_curve(ads) -> None:
    assert sweep(report_of(ads).main, FigureRenderer()) is None
    assert length(report_of(ads).main, FigureRenderer()) is None


def test_speeds_are_told_where_they_were_measured(ads) -> None:
    transformer, diffusion = report_of(ads).main.entries
    tokens = dict(rates(transformer))
    assert float(tokens["tokens per second"].replace(",", "")) == pytest.approx(576 / (0.95 * 0.25), rel=0.1)
    steps = dict(rates(diffusion))
    assert steps["denoising steps per clip"] == "20"
    assert float(steps["per denoising step"].removesuffix(" ms")) == pytest.approx(1000 * 0.8 * 0.7 / 20, rel=0.1)


def test_every_suite_of_a_page_has_its_figures_its_clips_and_its_method(ads, tmp_path) -> None:
    def film(manifest) -> None:
        manifest["suite"] |= {"name": "film", "title": "Film", "digest": "f" * 64}

    other = edited(scored(tmp_path / "film", prompts=8), film)
    page = write_report([Run(ads), Run(other)], tmp_path / "two.html").read_text("utf-8")
    assert page.count('class="plot"') > 30
    assert {"numbers", "s1-numbers", "plane", "s1-plane"} <= set(re.findall(r'<section id="([^"]+)"', page))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    shown = json.loads(found[1])
    assert [prompt["scene"] for prompt in shown["prompts"]] == [0] * 24 + [1] * 8
    assert len({clip["link"] for clip in shown["clips"]}) == 2 * (24 + 8) * 2
    assert "### Film" in markdown.render(report_of(ads, other))
    assert "film/tiny-diffusion.usable_share" in json.loads(flat.render_metrics(report_of(ads, other)))
    entries = [entry for scenario in report_of(ads, other).scenarios for entry in scenario.entries]
    assert [(e.label, e.number) for e in entries[:2]] == [(e.label, e.number) for e in entries[2:]]


def test_a_report_of_one_run_shows_the_releases_before_it_that_lie_beside_it(releases) -> None:
    figure = history(report_of(releases[1]).main, FigureRenderer())
    assert figure is not None
    assert [row[:3] for row in figure.rows][:2] == [
        ("tiny-transformer", "2026-11-10", "v0"), ("tiny-transformer", "2026-11-11", "v1"),
    ]  # fmt: skip
    assert [panel.name for panel in figure.panels][0::4] == ["history-usable", "history-usd_per_usable_clip"]
    assert "11-10" in figure.panels[0].svg
    assert "(20 of 20 of the newest run)" in figure.caption
    assert history(report_of(releases[0]).main, FigureRenderer()) is None
    answer = answers(report_of(releases[1]))[-1]
    assert "tiny-diffusion 8 % to 30 %. The change is not tested here." in answer.headline
    assert answer.sentences[-1].startswith("Test it: vbench compare ")


@pytest.mark.parametrize("count", [5, 12])
def test_names_beside_points_cover_no_other_name(tmp_path, count) -> None:
    fakes = [Fake(f"model-{n:02d}-{'x' * 20}", device_s=0.3 + 0.02 * n) for n in range(count)]
    scenario = report_of(scored(tmp_path, prompts=6, generators=fakes, video=False)).main
    plane = plane_of(scenario, "usable", cost_axis(scenario))
    with panel(6.6, 3.5) as (figure, axes):
        _draw_hero(plane, False, axes)
        assert_no_names_overlap(figure, axes, count)


def assert_no_names_overlap(figure, axes, count: int) -> None:
    figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the line to the mark
    assert len(boxes) >= count
    assert not [1 for one, other in itertools.combinations(boxes, 2) if one.overlaps(other)]


def test_names_of_curves_cover_no_other_name_and_no_value(swept, tmp_path) -> None:
    fakes = [Fake(f"model-{n}-{'x' * 30}", device_s=0.3 + 0.01 * n) for n in range(3)]
    scenario = report_of(scored(tmp_path, prompts=6, clips=4, generators=fakes, video=False)).main
    group = best_of_k._curves(scenario, "clip_text", cost_axis(scenario))
    with panel(3.0, 2.4) as (figure, axes):
        best_of_k._draw(group, axes)
        assert_no_names_overlap(figure, axes, 3 + 4)
    scenario = report_of(swept).main
    plane = plane_of(scenario, "detail", cost_axis(scenario))
    points = {point.entry: point for point in plane.points}
    with panel(3.0, 2.7) as (figure, axes):
        sweep_module._draw(plane, [(curve, [points[e] for e in curve.entries]) for curve in curves(scenario)], axes)
        assert_no_names_overlap(figure, axes, 1 + 3)
