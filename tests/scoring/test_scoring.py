"""Scores of a run: every clip that was asked for is accounted for, whatever became of it."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from vbench_lite.analysis.summary import summarise
from vbench_lite.errors import StoreError
from vbench_lite.metrics import select
from vbench_lite.metrics.registry import load_networks
from vbench_lite.records import FORMAT, ClipKey, ClipRecord, ClipSpec, Prompt, ReasonCode, Suite
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import Manifest, PlanRecord, StoredDefinition
from vbench_lite.scoring import scorer
from vbench_lite.video import encode_mp4
from vbench_lite.world import held_out_compositions, render

SPEC = ClipSpec()
COMPOSITIONS = held_out_compositions()[::5][:16]
PROMPTS = [{"id": f"p{n:02}", "text": c.caption, "category": "", "tags": []} for n, c in enumerate(COMPOSITIONS)]


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def blurred(frames):
    return np.stack([cv2.GaussianBlur(frame, (0, 0), 1.2) for frame in frames])


def make_run(path, generators, prompts=PROMPTS, clips=1, reference="world"):
    """A run folder without any clip."""
    folder = RunFolder(path)
    asked = tuple(Prompt(p["id"], p["text"], p.get("category", ""), tuple(p.get("tags", ()))) for p in prompts)
    folder.write_manifest(
        Manifest(
            format=FORMAT, name=path.name, suite=Suite("small", "", asked, "0", reference=reference),
            plan=PlanRecord(tuple(p.id for p in asked), clips),
            generators={name: StoredDefinition(name, "diffusion", "x", clip=SPEC) for name in generators},
        )
    )
    return folder


def store(folder, generator, prompt_id, content, index=0, **changes):
    record = ClipRecord(generator, "diffusion", prompt_id, index, 0, "ok" if content is not None else "failed")
    folder.write_clip(dataclasses.replace(record, **changes), content)


@pytest.fixture(scope="module")
def good_and_blurry(tmp_path_factory):
    folder = make_run(tmp_path_factory.mktemp("runs") / "two", ["good", "blurry"])
    for prompt, composition in zip(PROMPTS, COMPOSITIONS, strict=True):
        frames = render(composition, seed=50)
        store(folder, "good", prompt["id"], encode_mp4(frames, 8))
        store(folder, "blurry", prompt["id"], encode_mp4(blurred(frames), 8))
    return folder


@pytest.fixture(scope="module")
def scored(good_and_blurry):
    return scorer.score_run(good_and_blurry)


def mean(scored, generator, metric):
    return np.mean([scores[metric].value for key, scores in scored.clips.items() if key.generator == generator])


def test_every_metric_names_what_it_stands_on(scored):
    assert list(scored.metrics) == [metric.name for metric in select()]
    assert scored.metrics["clip_text"].backbone.startswith("builtin/clip@")
    assert scored.metrics["fvd"].backbone.startswith("builtin/video@")
    assert scored.metrics["temporal_flickering"].backbone is None
    assert "8 frames" in scored.notes["protocol"]
    assert scored.notes["anchors"]["warning"] is None


def test_real_looking_clips_score_as_the_real_ones_do(scored):
    assert mean(scored, "good", "conformance") == 1
    assert mean(scored, "good", "detail") > 0.97
    for metric in ("clip_text", "temporal_flickering", "detail"):
        real = np.mean([score.value for score in scored.reference[metric]])
        assert mean(scored, "good", metric) == pytest.approx(real, abs=0.03)


def test_blur_is_seen_by_detail(scored):
    assert mean(scored, "blurry", "detail") < 0.3


def test_sets_are_held_against_as_many_real_clips(scored):
    found = scored.sets["good"]
    assert found["fvd"].n == 16
    assert found["fvd"].value > 0
    assert found["fvd"].low is None
    for name in ("fvd_corrected", "kvd"):
        assert found[name].low < found[name].value < found[name].high
    assert found["fvd_corrected"].low < 0.5, "clips of the world are like clips of the world"


def test_only_the_networks_of_the_chosen_metrics_are_loaded(tmp_path):
    nets = load_networks(select("fvd"), "builtin")
    assert nets.video
    assert nets.image is None
    folder = make_run(tmp_path / "run", ["g"], PROMPTS[:1])
    store(folder, "g", "p00", encode_mp4(render(COMPOSITIONS[0], 1), 8))
    code = (
        "import sys; from vbench_lite.jobs.rescoring import score_folder; from vbench_lite.run.folder import RunFolder;"
        "from pathlib import Path; found = score_folder(RunFolder(Path(sys.argv[1])), metrics='motion,detail');"
        "print(found['g'].scores['detail'].value > 0.9, sorted({'torch', 'open_clip'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code, folder.path], capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"


def test_scoring_again_gives_the_same_numbers(good_and_blurry, scored, tmp_path, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path))
    again = scorer.score_run(good_and_blurry, workers=1)
    for key, scores in scored.clips.items():
        for name, score in scores.items():
            assert again.clips[key][name].value == pytest.approx(score.value, abs=1e-12)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """One clip a kind of trouble, and eight good ones."""
    prompts = [*PROMPTS[:15], {"id": "p15", "text": "a drone shot of a castle", "category": "", "tags": []}]
    folder = make_run(tmp_path_factory.mktemp("runs") / "trouble", ["g"], prompts)
    good = [encode_mp4(render(c, seed=50), 8) for c in COMPOSITIONS]
    contents = {
        "p00": good[0][: len(good[0]) // 2], "p01": b"", "p02": encode_mp4(np.zeros((17, 64, 64, 3), np.uint8), 8),
        "p03": encode_mp4(np.repeat(render(COMPOSITIONS[3], 1)[:1], 17, 0), 8),
        "p04": encode_mp4(render(COMPOSITIONS[4], 1)[:1], 8), "p15": good[15],
    }
    for place, prompt in enumerate(prompts):
        if prompt["id"] == "p05":
            store(folder, "g", "p05", None, reason="out of memory")
        elif prompt["id"] != "p06":  # p06 was never made
            store(folder, "g", prompt["id"], contents.get(prompt["id"], good[place]))
    return folder, scorer.score_run(folder)


def test_broken_failed_and_missing_clips_are_unscored_with_the_reason(troubled):
    scores = {key.prompt_id: value for key, value in troubled[1].clips.items()}
    reasons = {"p00": "broken", "p01": "0 bytes", "p05": "not made: out of memory", "p06": "missing"}
    for prompt, words in reasons.items():
        assert scores[prompt]["conformance"].value == 0
        for metric in ("clip_text", "clip_frames", "temporal_flickering", "warp_error", "motion", "detail"):
            assert scores[prompt][metric].value is None
            assert words in scores[prompt][metric].reason


def test_no_degenerate_clip_passes_unflagged(troubled):
    scores = {key.prompt_id: value for key, value in troubled[1].clips.items()}
    for prompt, words in {"p02": "black", "p03": "frozen", "p04": "single frame"}.items():
        assert scores[prompt]["conformance"].value == 0
        assert words in scores[prompt]["conformance"].reason


def test_a_prompt_outside_the_world_has_no_real_clips_and_says_so(troubled):
    scores = {key.prompt_id: value for key, value in troubled[1].clips.items()}["p15"]
    assert "cannot show this prompt" in scores["detail"].reason
    assert "does not know" in scores["clip_text"].reason
    assert scores["temporal_flickering"].value is not None


def test_unreadable_clips_are_counted_in_set_metrics(troubled):
    fvd = troubled[1].sets["g"]["fvd"]
    assert fvd.n == 11
    assert fvd.unscored == 5


def test_a_summary_of_it_keeps_every_denominator(troubled):
    folder, scored = troubled
    summary = summarise(folder, scored)
    json.dumps(summary.as_json(), allow_nan=False)
    steadiness = summary["g"].scores["temporal_flickering"]
    assert (steadiness.n + steadiness.unscored, steadiness.unscored) == (15, 4), "one was never generated"
    assert summary["g"].scores["conformance"].n == 15


def test_a_folder_of_real_clips_can_be_the_reference(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    folder = make_run(tmp_path / "run", ["g"], reference=str(real))
    for place, composition in enumerate(COMPOSITIONS):
        (real / f"{place}.mp4").write_bytes(encode_mp4(render(composition, 3), 8))
        store(folder, "g", PROMPTS[place]["id"], encode_mp4(render(composition, 4), 8))
    found = scorer.score_run(folder)
    assert found.sets["g"]["fvd"].value is not None
    assert found.sets["g"]["fvd_corrected"].value is not None
    assert len(found.reference["temporal_flickering"]) == 16


@pytest.mark.parametrize(("reference", "words"), [("", "names no reference"), ("/no/such/folder", "does not exist")])
def test_without_real_clips_what_needs_them_is_unscored(tmp_path, reference, words):
    folder = make_run(tmp_path / "run", ["g"], PROMPTS[:2], reference=reference)
    for place in range(2):
        store(folder, "g", PROMPTS[place]["id"], encode_mp4(render(COMPOSITIONS[place], 4), 8))
    found = scorer.score_run(folder)
    assert words in found.sets["g"]["fvd"].reason
    assert words in found.clips[ClipKey("g", "p00", 0)]["detail"].reason
    assert found.clips[ClipKey("g", "p00", 0)]["clip_text"].value is not None


def test_score_command_scores_clips_made_elsewhere(tmp_path, monkeypatch):
    from vbench_lite.cli import group

    monkeypatch.chdir(tmp_path)
    lines = [f'[[prompt]]\nid = "{p["id"]}"\ntext = "{p["text"]}"\n' for p in PROMPTS[:2]]
    (tmp_path / "mine.toml").write_text('title = "Mine"\nreference = "world"\n' + "\n".join(lines))
    clips = tmp_path / "clips"
    clips.mkdir()
    for prompt, composition in zip(PROMPTS[:2], COMPOSITIONS[:2], strict=True):
        (clips / f"{prompt['text']}-0.mp4").write_bytes(encode_mp4(render(composition, 9), 8))
    done = CliRunner().invoke(group, ["score", "clips", "--suite", "mine.toml", "--out", "out", "--json"])
    assert done.exit_code == 0, done.output
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    scores = summary["generators"]["clips"]["scores"]
    assert scores["conformance"]["value"] == 1
    assert scores["detail"]["value"] > 0.9
    again = CliRunner().invoke(group, ["score", "out"])
    assert again.exit_code == 0, again.output
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["generators"] == summary["generators"]


def test_a_baseline_is_not_scored_again_and_keeps_its_scores(good_and_blurry, scored, tmp_path):
    from vbench_lite.cli.score_command import command

    summarise(good_and_blurry, scored)
    baseline = tmp_path / "baseline"
    shutil.copytree(good_and_blurry.path, baseline, ignore=shutil.ignore_patterns("clips"))
    before = (baseline / "clips.csv").read_bytes()
    result = CliRunner().invoke(command, [str(baseline)])
    assert isinstance(result.exception, StoreError)
    assert "vbench baseline promote" in str(result.exception)
    assert (baseline / "clips.csv").read_bytes() == before


def test_score_command_says_what_to_do_with_a_folder_of_clips(tmp_path):
    from vbench_lite.cli.score_command import command

    done = CliRunner().invoke(command, [str(tmp_path)])
    assert "--suite" in str(done.exception)


def test_a_clip_that_was_replaced_after_the_run_is_not_scored(tmp_path):
    folder = make_run(tmp_path / "run", ["g"], PROMPTS[:2])
    for place in range(2):
        store(folder, "g", PROMPTS[place]["id"], encode_mp4(render(COMPOSITIONS[place], 4), 8))
    other = folder.clip_path(folder.records()[0])
    other.write_bytes(encode_mp4(render(COMPOSITIONS[5], 4), 8))
    found = scorer.score_run(folder)
    replaced = found.clips[folder.records()[0].key]["temporal_flickering"]
    assert (replaced.value, replaced.reason_code) == (None, ReasonCode.CHANGED)
    assert found.clips[folder.records()[1].key]["temporal_flickering"].value is not None
    summary = summarise(folder, found)
    assert summary["g"].scores["temporal_flickering"].unscored == 1
