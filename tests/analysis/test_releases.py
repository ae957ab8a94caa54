"""The history of a folder of runs: shared prompts, intervals, and what changed or was decided on the way."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.gate.releases import write
from vbench_lite.analysis.releases import earlier_releases, release_history
from vbench_lite.cli import group
from vbench_lite.errors import StoreError
from vbench_lite.gate.baselines.baseline import Promotion, promote
from vbench_lite.run.view import Side, open_run


def day(number: int, **more: object) -> dict[str, object]:
    return {"created": f"2026-11-{number:02d}T10:00:00Z", **more}


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("history") / "results"
    write(folder / "v1", prompts=20, manifest=day(1))
    promote(Promotion(str(folder / "v1"), "first release", "Ana", folder / "baseline"))
    write(folder / "v2", prompts=20, weights="b", manifest=day(2))
    prices = {"model": {"usd_per_device_hour": 0.2}}
    write(folder / "v3", prompts=22, weights="b", manifest=day(3, prices=prices), metric={"version": "2"})
    return folder


def test_figures_cover_the_prompts_that_all_releases_share(results):
    (line,) = release_history(results)
    assert [Path(release.run).name for release in line.releases] == ["v1", "v2", "v3"]
    assert (len(line.prompts), line.asked) == (20, 22)
    assert {release.clips for release in line.releases} == {40}
    for release in line.releases:
        score, usable = release.figures["detail"], release.figures["usable"]
        assert score.low < score.value < score.high
        assert usable.value is None
        assert release.figures["usd_per_clip"].value > 0


def test_promotions_and_changes_are_marked(results):
    (line,) = release_history(results)
    codes = [[mark.code for mark in release.marks] for release in line.releases]
    assert codes == [["promotion"], ["weights"], ["price", "suite", "scorer"]]
    assert line.releases[2].marks[1].sentence == "suite: 2 prompts added"
    assert "by Ana: first release" in line.releases[0].marks[0].sentence
    assert "are not comparable" in line.releases[2].marks[-1].sentence


def test_a_prompt_with_another_text_is_not_shared(tmp_path):
    for number in (1, 2):
        write(tmp_path / f"v{number}", prompts=10, manifest=day(number))
    path = tmp_path / "v2" / "run.json"
    path.write_text(path.read_text().replace('"thing 4"', '"another thing"'))
    (line,) = release_history(tmp_path)
    assert "p004" not in line.prompts
    assert len(line.prompts) == 9


def test_a_promoted_run_that_is_gone_is_read_from_the_baseline(tmp_path):
    write(tmp_path / "elsewhere" / "v1", prompts=10, manifest=day(1))
    promote(Promotion(str(tmp_path / "elsewhere" / "v1"), "first", "Ana", tmp_path / "results" / "baseline"))
    (line,) = release_history(tmp_path / "results")
    assert [mark.code for mark in line.releases[0].marks] == ["promotion"]


def test_the_command_prints_a_table_and_one_json_document(results):
    text = " ".join(CliRunner().invoke(group, ["history", str(results)]).output.split())
    assert "3 releases over the 20 prompts that all share (the newest run has 22)" in text
    assert "weights: a became b" in text
    found = json.loads(CliRunner().invoke(group, ["history", str(results), "--json"]).stdout)
    assert [len(line["releases"]) for line in found["lines"]] == [3]


def test_an_empty_folder_is_a_sentence_with_the_next_command(tmp_path):
    with pytest.raises(StoreError, match="vbench run --suite ads"):
        release_history(tmp_path)


def test_ten_releases_are_shown_without_a_cut_number_in_80_columns(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for number in range(1, 11):
        write(tmp_path / f"v{number}", prompts=6, seed=number, manifest=day(number))
    text = CliRunner().invoke(group, ["history", str(tmp_path)]).output
    assert "…" not in text
    assert all(f" v{number}" in text for number in range(1, 11))
    assert max(map(len, text.splitlines())) <= 80


def test_figures_before_and_after_another_scorer_or_other_thresholds_are_groups_of_their_own(results, tmp_path):
    (line,) = release_history(results)
    assert [len(group) for group in line.comparable("detail")] == [2, 1]
    assert [len(group) for group in line.comparable("usd_per_clip")] == [3]
    for number, least in ((1, 0.5), (2, 0.6)):
        write(tmp_path / f"v{number}", prompts=10, manifest=day(number))
        summary = json.loads((tmp_path / f"v{number}" / "summary.json").read_text())
        summary["usable"] = {"thresholds": {"detail": {"min": least}}}
        (tmp_path / f"v{number}" / "summary.json").write_text(json.dumps(summary))
    (line,) = release_history(tmp_path)
    (mark,) = line.releases[1].marks
    assert (mark.code, mark.breaks) == ("thresholds", ("usable", "usd_per_usable_clip"))


def test_a_short_run_is_left_out_of_the_line_of_a_long_one(tmp_path):
    write(tmp_path / "quick", prompts=8, manifest=day(1))
    write(tmp_path / "whole", prompts=20, manifest=day(2))
    (line,) = release_history(tmp_path)
    assert [Path(run).name for run in line.left_out] == ["quick"]
    assert len(line.prompts) == 20


def test_a_broken_run_beside_the_shown_one_is_no_release_of_it(tmp_path):
    for number in (1, 2, 3):
        write(tmp_path / f"v{number}", prompts=6, manifest=day(number))
    (tmp_path / "v1" / "summary.json").write_text("{")
    shown = Side(open_run(tmp_path / "v3"), "model")
    line = earlier_releases([shown], [])[shown]
    assert [Path(release.run).name for release in line.releases] == ["v2", "v3"]


def test_settings_code_revision_and_a_new_anchor_are_marks(tmp_path):
    def model(**changed: object) -> dict[str, object]:
        stored = {"name": "model", "route": "diffusion", "adapter": "diffusers", "model": "model"} | changed
        return {"generators": {"model": stored}}

    write(tmp_path / "v1", prompts=6, manifest=day(1, **model(settings={"steps": 20, "cfg": 3.0})))
    changed = {"settings": {"steps": 30, "cfg": 3.0, "eta": 1}, "revision": "r2", "code_digest": "c" * 64}
    write(tmp_path / "v2", prompts=6, manifest=day(2, **model(**changed), device={"kind": "cuda", "name": "X"}))
    first = Promotion(str(tmp_path / "v1"), "first", "Ana", tmp_path / "baseline")
    promote(first)
    promote(Promotion(str(tmp_path / "v2"), "again", "Bob", tmp_path / "baseline", new_anchor="another device"))
    (line,) = release_history(tmp_path)
    assert [[mark.code for mark in release.marks] for release in line.releases] == [
        ["promotion"], ["promotion", "first-baseline", "revision", "code", "device", "settings"],
    ]  # fmt: skip
    said = {mark.code: mark.sentence for mark in line.releases[1].marks}
    assert said["first-baseline"] == "became the first baseline: another device"
    assert said["settings"] == "settings: eta unset became 1, steps 20 became 30"
    assert said["revision"] == "revision: none became r2"
    assert said["code"] == "code: none became cccccccc"
    assert all(mark.breaks == () for mark in line.releases[1].marks)


def test_another_network_breaks_the_scores_and_usable_clips_that_depend_on_them(tmp_path):
    write(tmp_path / "v1", prompts=6, manifest=day(1))
    write(tmp_path / "v2", prompts=6, manifest=day(2), metric={"backbone": "net@2"})
    for name in ("v1", "v2"):
        summary = json.loads((tmp_path / name / "summary.json").read_text())
        summary["usable"] = {"thresholds": {"detail": {"min": 0.5}}}
        (tmp_path / name / "summary.json").write_text(json.dumps(summary))
    (line,) = release_history(tmp_path)
    (mark,) = line.releases[1].marks
    assert (mark.code, mark.breaks[-2:]) == ("scorer", ("usable", "usd_per_usable_clip"))
    assert {"detail", "motion", "conformance"} <= set(mark.breaks)
    assert "detail is computed by another network" in mark.sentence
    assert [len(group) for group in line.comparable("usable")] == []
    assert [len(group) for group in line.comparable("device_s_per_clip")] == [2]


@pytest.mark.parametrize(("shared", "kept"), [(1, False), (2, True)])
def test_half_of_the_prompts_and_at_least_two_must_be_shared(tmp_path, shared, kept):
    write(tmp_path / "v1", prompts=shared, manifest=day(1))
    write(tmp_path / "v2", prompts=4 if shared == 2 else 2, manifest=day(2))
    (line,) = release_history(tmp_path)
    assert (len(line.releases), len(line.left_out)) == ((2, 0) if kept else (1, 1))


def test_runs_beside_the_shown_one_count_if_they_are_earlier_and_of_its_suite(tmp_path):
    for number in (1, 2, 3, 4):
        write(tmp_path / f"v{number}", prompts=6, manifest=day(number))
    other = json.loads((tmp_path / "v2" / "run.json").read_text())
    other["suite"]["name"] = "film"
    (tmp_path / "v2" / "run.json").write_text(json.dumps(other))
    shown = [Side(open_run(tmp_path / name), "model") for name in ("v1", "v3")]
    found = earlier_releases(shown, [open_run(tmp_path / "v4")])
    assert list(found) == shown[1:], "v1 has no earlier release"
    assert [Path(release.run).name for release in found[shown[1]].releases] == ["v1", "v3"]
