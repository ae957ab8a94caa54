"""The export holds what VBench's readers expect, and nothing that VBench would compute otherwise."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.built_runs import Fake, build_run
from vbench_lite.analysis.answers.vbench_totals import VBENCH, VBENCH_2
from vbench_lite.analysis.summary import summarise
from vbench_lite.errors import NotComparable
from vbench_lite.inputs.vbench_results import read_vbench_results
from vbench_lite.metrics import shipped_metrics
from vbench_lite.records import Score
from vbench_lite.report import write_report
from vbench_lite.report.data import gather
from vbench_lite.report.formats import vbench, vbench_totals
from vbench_lite.report.vbench_dimensions import dimension_of
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run


def test_file_has_vbenchs_form_and_says_that_it_is_partial(ads, tmp_path) -> None:
    path = write_report([Run(ads, "tiny-diffusion")], tmp_path / "x.json", "vbench")
    document = json.loads(path.read_text("utf-8"))
    aggregate, clips = document["temporal_flickering"]
    assert aggregate == pytest.approx(np.mean([clip["video_results"] for clip in clips]))
    assert all(clip["video_path"].endswith(".mp4") for clip in clips)
    assert set(document) == {"temporal_flickering", "vbench_lite"}, "builtin networks are not VBench's"
    (entry,) = document["vbench_lite"]
    assert entry["asked"] == 48
    assert entry["unscored"] == {"temporal_flickering": 48 - len(clips)}
    assert entry["partial"] is True
    assert len(entry["lacking"]) == 15
    assert len(clips) == 47


def test_one_file_is_one_generator(ads, tmp_path) -> None:
    with pytest.raises(NotComparable, match="tiny-transformer"):
        write_report([Run(ads)], tmp_path / "x.json", "vbench")


def test_dimension_of_an_imported_suite_is_asked_of_its_own_prompts(ads, tmp_path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(ads.path, copy)
    manifest = json.loads((copy / "run.json").read_text("utf-8"))
    for prompt in manifest["suite"]["prompts"][:3]:
        prompt["tags"] = ["scene", "temporal_flickering"]
    (copy / "run.json").write_text(json.dumps(manifest))
    path = write_report([Run(RunFolder(copy), "tiny-diffusion")], tmp_path / "x.json", "vbench")
    asked = [prompt["id"] for prompt in manifest["suite"]["prompts"][:3]]
    _, clips = json.loads(path.read_text("utf-8"))["temporal_flickering"]
    assert {clip["video_path"].split("/")[-2] for clip in clips} <= set(asked)
    assert 0 < len(clips) < 12


@pytest.mark.parametrize(
    ("metric", "backbone", "dimension"),
    [
        ("clip_frames", "mine/ViT-B-32@40d36571", "background_consistency"),
        ("background_consistency", "vbench/ViT-B-32@40d36571", "background_consistency"),
        ("clip_frames", "openai/ViT-B-32@12345678", None),
        ("clip_frames", "mine/openai@40d36571+squash", None),
        ("clip_frames", "builtin/clip@35177a36", None),
        ("subject_consistency", "vbench/dino@0123abcd", "subject_consistency"),
        ("subject_consistency", "random/dino@0123abcd", None),
        ("dynamic_degree", "vbench/raft@22a6c225", "dynamic_degree"),
        ("dynamic_degree", "random/raft@12a6c225", None),
        ("aesthetic_quality", "vbench/ViT-L-14@b8cca3fd+head@0123abcd", "aesthetic_quality"),
        ("aesthetic_quality", "vbench/ViT-L-14@b8cca3fd", None),
        ("imaging_quality", None, None),
    ],
)
def test_the_network_is_known_by_its_digest_and_preprocessing_not_by_a_name(metric, backbone, dimension) -> None:
    info = shipped_metrics()[metric].info(backbone)
    assert dimension_of(metric, info) == dimension


def scored_run(path, values, origin=""):
    """A run of two generators whose clips have these values: metric > value of the generator "a"."""
    run = build_run(path, prompts=2, generators=[Fake("a"), Fake("b")], video=False)
    base = run.scored.metrics["temporal_flickering"]
    fields = {"origin": origin, "version": "VBench", "source": "r.json@0123abcd"}
    infos = {name: replace(base, name=name, **fields) for name in values}
    clips = {
        key: scores | {name: Score(value if key.generator == "a" else value / 2) for name, value in values.items()}
        for key, scores in run.scored.clips.items()
    }
    summarise(run.folder, replace(run.scored, metrics={**run.scored.metrics, **infos}, clips=clips))
    return run.folder


def test_totals_are_those_of_vbenchs_script_or_name_what_is_missing(tmp_path) -> None:
    names = [name for name in VBENCH.dimensions if name != "temporal_flickering"]
    folder = scored_run(tmp_path / "run", dict.fromkeys(names, 0.5), "imported")
    (entry,) = json.loads(vbench.render(gather([Run(folder, "a")])))["vbench_lite"]
    totals = entry["totals"]
    assert (entry["lacking"], totals["missing"]) == ([], [])
    document = json.loads(vbench.render(gather([Run(folder, "a")])))
    means = {name: document[name][0] for name in VBENCH.dimensions}
    assert totals["total"] == pytest.approx(published_total(means))
    assert entry["sources"]["scene"] == "r.json@0123abcd"
    partly = scored_run(tmp_path / "partly", dict.fromkeys(names[1:], 0.5), "imported")
    (entry,) = json.loads(vbench.render(gather([Run(partly, "a")])))["vbench_lite"]
    assert entry["totals"]["total"] is None
    assert entry["totals"]["missing"] == entry["lacking"] == ["subject_consistency"]
    assert entry["totals"]["groups"]["quality"] == {"value": None, "missing": ["subject_consistency"]}
    assert entry["totals"]["groups"]["semantic"]["value"] is not None


def published_total(means) -> float:
    """VBench's scripts/cal_final_score.py, with the numbers of its scripts/constant.py."""
    ranges = {"subject_consistency": (0.1462, 1), "background_consistency": (0.2615, 1),
              "temporal_flickering": (0.6293, 1), "motion_smoothness": (0.706, 0.9975), "scene": (0, 0.8222),
              "appearance_style": (0.0009, 0.2855), "temporal_style": (0, 0.364),
              "overall_consistency": (0, 0.364)}  # fmt: skip
    score = {}
    for name, mean in means.items():
        low, high = ranges.get(name, (0, 1))
        score[name] = (mean - low) / (high - low) * (0.5 if name == "dynamic_degree" else 1)
    quality = ("subject_consistency", "background_consistency", "temporal_flickering", "motion_smoothness",
               "aesthetic_quality", "imaging_quality", "dynamic_degree")  # fmt: skip
    semantic = [name for name in means if name not in quality]
    assert len(semantic) == 9
    return (4 * sum(score[n] for n in quality) / 6.5 + sum(score[n] for n in semantic) / 9) / 5


def test_the_table_of_totals_has_a_column_per_generator_and_says_what_is_missing(tmp_path) -> None:
    values = {name: 0.5 for group in ("creativity", "physics") for name in VBENCH_2.groups[group]}
    folder = scored_run(tmp_path / "run", values, "imported")
    text = write_report([Run(folder)], tmp_path / "totals.md", "vbench-totals").read_text("utf-8")
    assert "## VBench-2.0" in text
    assert "| **physics** | 50.00 | 25.00 |" in text
    assert "| **commonsense** | - | - |" in text
    assert "| **total** | - | - |" in text
    assert "a: no total, because it lacks `instance_preservation`, `motion_rationality`, `camera_motion`" in text


def test_an_exported_file_is_read_back_on_the_scale_of_its_means(tmp_path) -> None:
    folder = scored_run(tmp_path / "run", {"imaging_quality": 0.6, "dynamic_degree": 1.0}, "imported")
    path = write_report([Run(folder, "a")], tmp_path / "x.json", "vbench")
    written = json.loads(path.read_text("utf-8"))
    assert written["imaging_quality"][1][0]["video_results"] == pytest.approx(60)
    assert written["dynamic_degree"][1][0]["video_results"] is True
    found = read_vbench_results(path)
    assert found.means["imaging_quality"] == pytest.approx(0.6)
    imaging = [score.value for score in found.scores if score.dimension == "imaging_quality"]
    assert imaging == pytest.approx([0.6] * 4)
    assert {s.value for s in found.scores if s.dimension == "dynamic_degree"} == {1.0}
    assert all(entry[0] is not None for entry in written.values()), "VBench's script reads the first item of each"


def test_the_totals_of_a_result_file_are_one_sentence(tmp_path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({name: [1.0, []] for name in VBENCH_2.dimensions}))
    text = vbench_totals.of_file(read_vbench_results(path))
    assert text.startswith("VBench-2.0 of r.json: creativity 100.00")
    assert text.endswith("total 100.00")
    path.write_text(json.dumps({name: [1.0, []] for name in VBENCH.dimensions if name != "scene"}))
    text = vbench_totals.of_file(read_vbench_results(path))
    assert text == "VBench of r.json: quality 100.13, no total, because it lacks scene"
