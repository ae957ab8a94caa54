"""The history of a folder of runs: shared prompts, intervals, and what changed or was decided on the way."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.gate.releases import write
from vbench_lite.cli import group
from vbench_lite.errors import StoreError
from vbench_lite.gate.baselines.baseline import Promotion, promote
from vbench_lite.gate.baselines.release_history import release_history


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
    assert "by Ana: first release" in line.releases[0].marks[0].sentence
    assert "do not compare" in line.releases[2].marks[-1].sentence


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
