"""Files of runs and baselines that were edited by hand: one sentence with file and key, and nothing is written."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.built_runs import build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.cli import main


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command in a folder with a scored run `old`; returns what an error said, or "" without one."""
    monkeypatch.chdir(tmp_path)
    built = build_run(Path("old"), prompts=2, clips=1, video=False)
    summarise(built.folder, built.scored)

    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["vbench", *arguments])
        with pytest.raises(SystemExit):
            main()
        return capsys.readouterr().err

    return run


def edit(path: Path, keys: tuple[str | int, ...], value: Any) -> None:
    """Puts a value at a place of a JSON file; None deletes the key."""
    document = json.loads(path.read_text())
    place = document
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("file", "keys", "value", "named"),
    [
        ("run.json", ("plan", "seed"), "zero", "plan.seed"), ("run.json", ("suite",), None, "suite"),
        ("run.json", ("plan", "clips_per_prompt"), [1], "plan.clips_per_prompt"),
        ("history.json", ("promotions", 0, "means"), [], "promotions[0].means"),
        ("history.json", ("promotions", 0, "date"), 5, "promotions[0].date"),
        ("history.json", ("promotions", 0, "reason"), None, "reason"),
        ("history.json", ("format",), 99, "format"), ("history.json", ("promotions",), "none", "promotions"),
    ],
)  # fmt: skip
def test_an_edited_baseline_is_named_with_the_key(
    said: Callable[..., str], file: str, keys: tuple[str | int, ...], value: Any, named: str
) -> None:
    promote = ("baseline", "promote", "old", "--to", "base", "--reason", "first", "--by", "someone")
    assert "Error" not in said(*promote)
    edit(Path("base", file), keys, value)
    for command in (("gate", "old", "-b", "base"), *([promote] if file == "history.json" else [])):
        message = said(*command)
        assert message.startswith("Error: ")
        assert f"base/{file}" in message
        assert named in message


@pytest.mark.parametrize("text", ["[[rule]", "version = [[[", 'unknown = 1', "[" * 5000])
def test_an_edited_policy_is_named(said: Callable[..., str], text: str) -> None:
    assert "Error" not in said("baseline", "promote", "old", "--to", "base", "--reason", "first", "--by", "someone")
    Path("base/policy.toml").write_text(text)
    message = said("gate", "old", "-b", "base")
    assert message.startswith("Error: ")
    assert "base/policy.toml" in message


@pytest.mark.parametrize("name", ["../../evil", "/evil", "a/b", "..", "", "a\nb", "x" * 200])
def test_a_run_whose_generator_has_a_path_as_its_name_is_not_promoted(
    said: Callable[..., str], tmp_path: Path, name: str
) -> None:
    document = json.loads(Path("old/run.json").read_text())
    first = next(iter(document["generators"]))
    document["generators"][name] = document["generators"].pop(first) | {"name": name}
    Path("old/run.json").write_text(json.dumps(document))
    before = {path for path in tmp_path.parent.rglob("*")}
    message = said("baseline", "promote", "old", "--to", "base", "--reason", "first", "--by", "someone")
    assert message.startswith("Error: old/run.json")
    assert "cannot be the name of a folder" in message
    assert {path for path in tmp_path.parent.rglob("*")} == before
