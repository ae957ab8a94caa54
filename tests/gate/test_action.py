"""The GitHub Action's own script, run as a runner would: outputs, summary, files and exit code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gate.deciding import loses
from tests.gate.releases import write

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]


def run_step(folder: Path, candidate: str, baseline: str) -> tuple[int, dict[str, str]]:
    """Runs the action's last step; returns its exit code and its outputs."""
    script = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"][-1]["run"]
    out, summary = folder / "outputs", folder / "summary.md"
    environment = os.environ | {
        "CANDIDATE": candidate, "BASELINE": baseline, "POLICY": "", "OUTPUT": str(folder / "gate"), "SUMMARY": "true",
        "GITHUB_OUTPUT": str(out), "GITHUB_STEP_SUMMARY": str(summary),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], env=environment, capture_output=True, text=True)
    outputs = dict(line.split("=", 1) for line in out.read_text().splitlines())
    return done.returncode, outputs | {"annotations": done.stderr}


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_action_stops_a_worse_release_and_says_so_everywhere(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old"), write(tmp_path / "new", weights="b", worsen=loses("clip_text", 2))
    code, outputs = run_step(tmp_path, new, old)
    assert (code, outputs["verdict"], outputs["exit-code"]) == (3, "fail", "3")
    assert outputs["annotations"].startswith("::error title=vbench gate%3A clip_text::FAIL")
    assert (tmp_path / "summary.md").read_text().startswith("## FAIL: clip_text")
    names = {path.name for path in (tmp_path / "gate").iterdir()}
    assert names == {"gate.json", "gate.md", "gate.xml", "metrics.json", "badge.svg"}


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_an_error_is_an_error_and_names_with_shell_in_them_do_nothing(tmp_path: Path) -> None:
    code, outputs = run_step(tmp_path, f"$(touch {tmp_path}/pwned)", write(tmp_path / "old"))
    assert (code, outputs["verdict"]) == (1, "")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", ["gate.github.yml", "gate.gitlab-ci.yml"])
def test_the_documented_workflows_are_yaml_and_use_real_options(name: str) -> None:
    from vbench_lite.cli.gate_command import command

    text = (ROOT / "docs" / "examples" / name).read_text()
    assert yaml.safe_load(text)
    known = {option for parameter in command.params for option in parameter.opts}
    line = " ".join(text.split("vbench gate", 1)[1].split("\n  #")[0].split()) if "vbench gate" in text else ""
    assert {word for word in line.split() if word.startswith("--")} <= known
