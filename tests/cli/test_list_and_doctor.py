import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from vbench_lite.cli import COMMANDS, group
from vbench_lite.cli.doctor_command import command as doctor


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    return CliRunner()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(runner: CliRunner, name: str) -> None:
    result = runner.invoke(group, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"vbench {name}" in result.output
    assert "Example" in result.output


@pytest.mark.parametrize("what", ["suites", "generators", "metrics"])
def test_lists_name_what_ships(runner: CliRunner, what: str) -> None:
    rows = json.loads(runner.invoke(group, ["list", what, "--json"]).output)
    expected = {"suites": "ads", "generators": "tiny-diffusion", "metrics": "fvd"}[what]
    assert expected in [row["name"] for row in rows]
    assert expected in runner.invoke(group, ["list", what]).output


def test_list_of_generators_ends_with_commands_that_can_be_copied(runner: CliRunner) -> None:
    lines = runner.invoke(group, ["list", "generators"]).output.splitlines()
    assert any(line.split(": ")[1:] == ["export FAL_KEY=..."] for line in lines)
    (wan,) = (line for line in lines if line.strip().startswith("wan2.1-t2v-14b:"))
    assert re.search(r"hf download \S+ --revision [0-9a-f]{40}$", wan)


def test_without_runs_the_list_says_how_to_make_one(runner: CliRunner) -> None:
    assert "vbench run --suite ads" in runner.invoke(group, ["list", "runs"]).output


def test_a_suite_of_the_working_folder_comes_first(runner: CliRunner) -> None:
    Path("prompts").mkdir()
    Path("prompts/ads.toml").write_text('title = "ours"\n[[prompt]]\nid = "a"\ntext = "a red car"\n')
    rows = json.loads(runner.invoke(group, ["list", "suites", "--json"]).output)
    assert [row["title"] for row in rows if row["name"] == "ads"] == ["ours"]


def test_doctor_finds_all_that_the_default_run_needs(runner: CliRunner) -> None:
    result = runner.invoke(doctor, ["--json"])
    findings = json.loads(result.output)
    assert [f for f in findings if f["needed"] and not f["ok"]] == []
    assert result.exit_code == 0
    assert {"torch", "codec libx264 (write)", "generator tiny-diffusion"} <= {f["what"] for f in findings}


def test_doctor_tells_of_a_key_without_showing_it(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAL_KEY", "very-secret")
    output = runner.invoke(doctor, []).output
    assert "key FAL_KEY" in output
    assert "very-secret" not in output


def test_a_misspelt_command_gets_a_suggestion():
    done = subprocess.run(
        [sys.executable, "-c", "from vbench_lite.cli import main; main()", "rn"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert 'no command named "rn". Did you mean "run"? See them with: vbench --help' in done.stderr
