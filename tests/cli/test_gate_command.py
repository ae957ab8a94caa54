"""vbench gate on the command line: every exit code, every file, no torch, and quick."""

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from tests.gate.deciding import loses
from tests.gate.releases import write
from vbench_lite.cli.gate_command import command


def test_pass_is_0_fail_is_3_undecided_is_4(tmp_path: Path) -> None:
    old = write(tmp_path / "old")
    runs = {
        0: write(tmp_path / "good", weights="b"),
        3: write(tmp_path / "bad", weights="b", worsen=loses("detail", 2)),
        4: write(tmp_path / "gap", missing=lambda p, c: p == 0),
    }
    for code, run in runs.items():
        result = CliRunner().invoke(command, [run, "--baseline", old])
        assert result.exit_code == code, result.output
        assert " ".join(result.output.split()).endswith(f"(exit code {code})")  # long paths wrap


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", "from vbench_lite.cli import main; main()", *arguments],
                          capture_output=True, text=True)  # fmt: skip


def test_an_error_is_1_and_a_wrong_policy_2_each_one_sentence(tmp_path: Path) -> None:
    old, policy = write(tmp_path / "old"), tmp_path / "gate.toml"
    gone = program("gate", str(tmp_path / "none"), "--baseline", old)
    assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)
    policy.write_text("[[check]]\nrule = 'best'")
    wrong = program("gate", old, "--baseline", old, "--policy", str(policy))
    assert wrong.returncode == 2
    assert f'{policy}:2: "rule" is "best"' in wrong.stderr
    assert program("gate", old).returncode == 2


def test_explain_needs_no_candidate(tmp_path: Path) -> None:
    text = CliRunner().invoke(command, ["--explain"]).output
    assert "It must be shown that" in text
    assert "every score" in text
    assert CliRunner().invoke(command, ["--explain", "--policy", "mlperf"]).exit_code == 0


def test_files_are_written_and_json_stands_alone_on_stdout(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old"), write(tmp_path / "new", weights="b", worsen=loses("detail", 2))
    paths = {name: tmp_path / f"out.{name}" for name in ("junit", "markdown", "metrics", "badge")}
    options = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    result = CliRunner().invoke(command, [new, "--baseline", old, "--json", "--annotations", *options])
    assert json.loads(result.stdout)["exit_code"] == result.exit_code == 3
    assert result.stderr.startswith("::error title=vbench gate%3A detail::FAIL")
    assert all(path.stat().st_size for path in paths.values())


def test_ten_thousand_clips_are_gated(tmp_path: Path) -> None:
    """benchmarks/gate_speed.py measures how long that takes."""
    old = write(tmp_path / "old", prompts=1250, clips=8)
    new = write(tmp_path / "new", prompts=1250, clips=8, weights="b")
    done = program("gate", new, "--baseline", old)
    assert done.returncode == 0, done.stderr
    assert "checks passed" in done.stdout
