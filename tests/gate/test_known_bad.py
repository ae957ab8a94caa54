"""Known-bad candidates as real runs of a real generator: each is stopped by the check that names its fault.

Three small runs serve all tests: the baseline, the same generator with new seeds, and one that holds the candidates.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file, save_file

from vbench_lite.cli.gate_command import command as gate
from vbench_lite.cli.run_command import command as run
from vbench_lite.inputs.shipped import shipped_folder
from vbench_lite.run.folder import RunFolder
from vbench_lite.video import encode_mp4, read_clip

NAME = "tiny-diffusion"
FOLDER = shipped_folder("generators") / NAME
PROMPTS, STEPS, FRAMES = 20, 4, 9
SPOILT = "drinks"

Clips = dict[str, bytes]
"""Prompt id > file."""


def text_of(steps: int) -> str:
    """The generator's definition with so many steps, without digests of its weights."""
    lines = (FOLDER / f"{NAME}.toml").read_text("utf-8").split("[weights]")[0].splitlines()
    changed = {"num_inference_steps": steps, "frames": FRAMES}
    return "\n".join(f"{key} = {changed[key]}" if (key := ln.split(" ")[0]) in changed else ln for ln in lines)


def definition(folder: Path, name: str, steps: int = STEPS, noise: float = 0.0) -> Path:
    """A copy of the generator whose transformer's weights are off by a share of their own spread."""
    shutil.copytree(FOLDER / "model", folder / name / "model")
    path = folder / name / f"{name}.toml"
    path.write_text(text_of(steps), "utf-8")
    rng = np.random.default_rng(0)
    for file in sorted((folder / name).glob("model/transformer/*.safetensors")) if noise else []:
        weights = load_file(file)
        for key, value in weights.items():
            if value.ndim > 1:
                weights[key] = (value + noise * value.std() * rng.standard_normal(value.shape)).astype(value.dtype)
        save_file(weights, file, {"format": "pt"})
    return path


def clip_table() -> str:
    return "[clip]" + text_of(STEPS).split("[clip]")[1].split("[settings]")[0]


def wrong_prompt(folder: Path, of: Path) -> Path:
    path = folder / "wrong-prompt.toml"
    settings = f'[settings]\nbatch_size = {PROMPTS}\nof = "{of.as_posix()}"\n'
    path.write_text(f'route = "diffusion"\nadapter = "tests.gate.faulty:WrongPrompt"\n{clip_table()}{settings}')
    return path


def handed_in(folder: Path, name: str, clips: Mapping[str, bytes]) -> Path:
    """Clips as files, with the definition that hands them in."""
    (folder / name).mkdir()
    for prompt, content in clips.items():
        (folder / name / f"{prompt}.mp4").write_bytes(content)
    with (folder / name / "clips.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "prompt_id"), *((f"{prompt}.mp4", prompt) for prompt in clips)])
    path = folder / f"{name}.toml"
    path.write_text(f'route = "diffusion"\nadapter = "recorded"\nmodel = "{name}"\n{clip_table()}')
    return path


def each_frame(clip: bytes, change: Callable[[Any], Any]) -> bytes:
    frames, info = read_clip(clip)
    return encode_mp4(np.ascontiguousarray(change(frames)), info.fps or 8)


def clips_of(path: str) -> tuple[Clips, dict[str, str]]:
    """A run's clips, and the category of each prompt."""
    folder = RunFolder(path)
    categories = {prompt.id: prompt.category for prompt in folder.manifest().suite.prompts}
    made = {record.key.prompt_id: folder.clip_path(record) for record in folder.records()}
    return {prompt: file.read_bytes() for prompt, file in made.items() if file}, categories


def make(paths: list[Path], out: Path, *options: str) -> str:
    named = [word for path in paths for word in ("-g", str(path))]
    arguments = ["--suite", "ads", *named, "--device", "cpu", "--out", str(out), "--no-report", *options]
    result = CliRunner().invoke(run, arguments)
    assert result.exit_code in (0, 4), result.output  # 4: some clips failed, as they should
    return str(out)


SMALL = ("--limit", str(PROMPTS), "--clips-per-prompt", "1")


class Runs(NamedTuple):
    baseline: str
    new_seeds: str
    candidates: str


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("known-bad")
    sound = definition(folder, "sound")
    baseline = make([sound], folder / "baseline", *SMALL)
    fresh = make([sound], folder / "fresh", *SMALL, "--seed", "1")
    own, (clips, categories) = clips_of(baseline)[0], clips_of(fresh)
    prompts = list(clips)
    others = dict(zip(prompts, prompts[PROMPTS // 2 :] + prompts[: PROMPTS // 2], strict=True))
    candidates = [
        definition(folder, "damaged", noise=0.5),
        definition(folder, "hasty", steps=1),
        wrong_prompt(folder, sound),
        handed_in(folder, "frozen", {p: each_frame(c, lambda f: f[[0] * len(f)]) for p, c in clips.items()}),
        handed_in(folder, "black", {p: each_frame(c, np.zeros_like) for p, c in clips.items()}),
        handed_in(folder, "copies", dict.fromkeys(clips, clips[prompts[0]])),
        handed_in(folder, "borrowed", own),
        handed_in(folder, "half-failed", {p: clips[p] for p in prompts[::2]}),
        handed_in(folder, "spoilt", {p: clips[others[p] if categories[p] == SPOILT else p] for p in prompts}),
    ]
    return Runs(baseline, fresh, make(candidates, folder / "candidates", *SMALL))


def judged(baseline: str, candidate: str, *options: str) -> dict[str, Any]:
    result = CliRunner().invoke(gate, [candidate, "--baseline", baseline, "--json", *options])
    assert result.exit_code in (0, 3, 4), result.exception
    found: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == found["exit_code"]
    return found | {
        "failed": {check["id"].split("/", 1)[1] for check in found["checks"] if check["outcome"] == "fail"},
        "kinds": {finding["kind"] for finding in found["findings"] if finding["outcome"] == "fail"},
    }


def test_the_same_weights_with_new_seeds_are_not_stopped(runs: Runs) -> None:
    found = judged(runs.baseline, runs.new_seeds)
    assert found["outcome"] in ("pass", "undecided")
    assert not found["failed"] | found["kinds"]


@pytest.mark.parametrize(
    ("candidate", "check"),
    [
        ("damaged", "clip_text/non-inferior"),
        ("wrong-prompt", "clip_text/non-inferior"),
        ("half-failed", "no-new-failures"),
        ("black", "no-new-failures"),
        ("spoilt", f"clip_text/non-inferior/{SPOILT}"),
    ],
)
def test_a_fault_is_stopped_by_the_check_that_names_it(runs: Runs, candidate: str, check: str) -> None:
    found = judged(runs.baseline, f"{runs.candidates}:{candidate}")
    assert found["exit_code"] == 3
    assert check in found["failed"], found["headline"]


def test_a_single_denoising_step_is_stopped_by_the_prompt_that_it_does_not_follow(runs: Runs, tmp_path: Path) -> None:
    """Twenty prompts are too few for all checks of the default policy together, so this one asks for less."""
    policy = tmp_path / "gate.toml"
    margin = 'rule = "non-inferior"\nmargin = 1\nunit = "percent"\n'
    names = ("clip_text", "temporal_flickering")
    policy.write_text("".join(f'[[check]]\nmetric = "{name}"\n{margin}' for name in names))
    found = judged(runs.baseline, f"{runs.candidates}:hasty", "--policy", str(policy))
    assert found["exit_code"] == 3
    assert found["failed"] == {"clip_text/non-inferior"}, found["headline"]


@pytest.mark.parametrize(
    ("candidate", "kind"),
    [("frozen", "frozen"), ("black", "black"), ("copies", "copies"), ("borrowed", "own-clips")],
)
def test_what_is_no_candidate_is_stopped_as_a_whole_with_the_reason(runs: Runs, candidate: str, kind: str) -> None:
    found = judged(runs.baseline, f"{runs.candidates}:{candidate}")
    assert found["exit_code"] == 3
    assert kind in found["kinds"], found["headline"]


def test_a_wrong_prompt_or_a_spoilt_category_harms_nothing_but_what_follows_the_text(runs: Runs) -> None:
    for candidate in ("wrong-prompt", "spoilt"):
        failed = judged(runs.baseline, f"{runs.candidates}:{candidate}")["failed"]
        assert {check.split("/")[0] for check in failed} <= {"clip_text", "usable", "kvd"}
