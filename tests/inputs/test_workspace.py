"""A new workspace is one that the other commands understand as it stands."""

from __future__ import annotations

import dataclasses
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from vbench_lite.adapters.command import CommandSettings
from vbench_lite.adapters.hosted.settings import ServiceSettings
from vbench_lite.adapters.hosted.templates import render_template, request_values
from vbench_lite.cli import group
from vbench_lite.cli.init_command import command
from vbench_lite.errors import StoreError, UsageError
from vbench_lite.inputs.catalogue import build, find_definition
from vbench_lite.inputs.suites import load_suite
from vbench_lite.inputs.workspace import ADAPTERS, next_command, workspace_files, write_workspace
from vbench_lite.records import ClipSpec, Request
from vbench_lite.video import read_clip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_generator_and_suite_are_found_by_name(here: Path, adapter: str) -> None:
    result = CliRunner().invoke(command, ["--name", "our-model.v2", "--suite", "shop", "--adapter", adapter])
    assert result.exit_code == 0, result.output
    definition = find_definition("our-model.v2")
    assert Path(definition.folder) == here / "generators"
    assert len(load_suite("shop").prompts) == 3
    if adapter == "command":
        assert "{here}/our-model.v2.py" in CommandSettings.of(definition).command
    if adapter == "http":
        values = request_values(Request("p", "a cat", 0, 1, ClipSpec(16, 8.0)))
        body = render_template(ServiceSettings.of(definition).submit.body, values)
        assert body == {"prompt": "a cat", "seed": 1, "duration": 2}


def test_python_workspace_makes_clips_as_it_is(here: Path) -> None:
    assert CliRunner().invoke(command, ["--name", "9-lives"]).exit_code == 0
    generator = build(find_definition("9-lives"))
    generator.load("cpu")
    first, again = (generator.generate([Request("p", "a cat", 0, 5, ClipSpec(4, 8, 48, 64))])[0].frames for _ in "ab")
    generator.close()
    assert first is not None
    assert first.shape == (4, 48, 64, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)


def test_command_workspace_makes_clips_as_it_is(here: Path) -> None:
    import sys

    assert CliRunner().invoke(command, ["--adapter", "command", "--name", "prog"]).exit_code == 0
    definition = find_definition("prog")
    words = [sys.executable if word == "python3" else word for word in definition.settings["command"]]
    generator = build(dataclasses.replace(definition, settings={**definition.settings, "command": words}))
    generator.load("cpu")
    (made,) = generator.generate([Request("p", "a cat", 0, 5, ClipSpec(4, 8, 48, 64))])
    generator.close()
    assert made.failure is None
    frames, info = read_clip(made.file)
    assert (frames.shape, info.fps) == ((4, 48, 64, 3), 8.0)


@pytest.mark.parametrize(("adapter", "how"), [("python", "--limit 2"), ("command", "--limit 2"), ("http", "--dry-run")])
def test_the_next_command_costs_nothing_and_names_the_files(here: Path, adapter: str, how: str) -> None:
    result = CliRunner().invoke(command, ["my project", "--adapter", adapter])
    assert result.stderr.strip() == f"Next: cd 'my project' && vbench run --suite my-scenario -g my-model {how}"


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_next_command_works_as_the_files_stand(here: Path, adapter: str) -> None:
    CliRunner().invoke(command, ["--adapter", adapter])
    words = shlex.split(next_command(Path("."), "my-model", "my-scenario", adapter))[1:]
    result = CliRunner().invoke(group, [*words, *([] if "--dry-run" in words else ["--no-score"])])
    assert result.exit_code == 0, result.output
    made = [path for path in here.glob("results/**/*") if path.suffix in (".mp4", ".webm")]
    assert len(made) == (0 if "--dry-run" in words else 4)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_template_says_how_to_take_images(here: Path, adapter: str) -> None:
    CliRunner().invoke(command, ["--adapter", adapter])
    path = here / "generators" / "my-model.toml"
    text = path.read_text().replace("# inputs", "inputs").replace("# [settings.image]", "[settings.image]")
    text = text.replace("# send", "send").replace('prompt = "{prompt}"', 'image = "{image}", prompt = "{prompt}"')
    path.write_text(text.replace('"--seed"', '"--image", "{image}", "--seed"'))
    definition = find_definition("my-model")
    assert ("image", "text") in definition.inputs
    if adapter == "command":
        assert "{image}" in CommandSettings.of(definition).command
    if adapter != "diffusers":  # its weights are not there
        build(definition).close()


def test_policy_and_workflow_name_what_was_written(here: Path) -> None:
    made = workspace_files("ours", "shop", "python")
    assert tomllib.loads(made["policy.toml"])["check"]
    workflow = made[".github/workflows/video-quality.yml"]
    assert "--suite shop -g ours" in workflow
    assert "{" not in workflow.replace("${{ github.base_ref }}", "")
    assert "--policy" not in workflow
    assert "--baseline released/results/baseline" in workflow
    assert "pip install vbench-lite\n" not in workflow


def test_the_workflow_gives_a_hosted_service_its_key_and_explains_the_owner(here: Path) -> None:
    made = workspace_files("ours", "shop", "http")
    text = made[".github/workflows/video-quality.yml"]
    steps = yaml.safe_load(text)["jobs"]["gate"]["steps"]
    (env,) = (step["env"] for step in steps if "vbench run" in step.get("run", ""))
    key = tomllib.loads(made["generators/ours.toml"])["settings"]["key_env"]
    assert env == {key: f"${{{{ secrets.{key} }}}}"}
    lines = text.splitlines()
    places = [nth for nth, line in enumerate(lines) if "/OWNER/" in line]
    assert all("in place of OWNER" in lines[nth - 1] for nth in places)


def test_nothing_is_overwritten(here: Path) -> None:
    (here / "policy.toml").write_text("mine")
    with pytest.raises(StoreError, match=r"already contains policy\.toml"):
        write_workspace(here, workspace_files("ours", "shop", "python"))
    assert sorted(path.name for path in here.iterdir()) == ["policy.toml"]


@pytest.mark.parametrize("name", ["../up", "", "a b", "x" * 80])
def test_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid file name"):
        workspace_files(name, "shop", "python")
