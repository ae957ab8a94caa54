"""vbench run as a user types it, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DEFINITION = """
route = "{route}"
adapter = "simulated"
[clip]
frames = 4
height = 32
width = 32
[settings]
{settings}
"""
SUITE = """
title = "Small"
[[prompt]]
id = "a"
text = "a red ball"
[[prompt]]
id = "b"
text = "a blue ball"
"""
PROGRAM = [sys.executable, "-c", "from vbench_lite.cli import main; main()", "run", "--suite", "small"]


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "generators").mkdir()
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "small.toml").write_text(SUITE)
    define("quick")
    return tmp_path


def define(name: str, route: str = "diffusion", settings: str = "") -> None:
    Path("generators", f"{name}.toml").write_text(DEFINITION.format(route=route, settings=settings))


def vbench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=False)


def test_a_run_prints_the_folder_and_the_same_command_does_no_work(workspace):
    done = vbench("-g", "quick", "--no-score", "-v", "--log-json", "log.jsonl")
    assert done.returncode == 0, done.stderr
    assert "results/small" in done.stdout
    assert "quick: a #0 made in" in done.stderr
    lines = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert {(line["generator"], line["prompt_id"], line["index"]) for line in lines} == {
        ("quick", prompt, k) for prompt in "ab" for k in range(2)
    }
    again = vbench("-g", "quick", "--no-score", "--json")
    assert "All 4 clips are in results/small already." in again.stderr
    document = json.loads(again.stdout)
    assert (document["asked"], document["made"], document["missing"]) == (4, 4, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-g", "quick", "--limit", "0"], 2, "--limit 0 requests no prompt"),
        (["-g", "quick", "--clips-per-prompt", "99999999999"], 2, "are more than 1000000"),
        (["-g", "quikc"], 2, 'Did you mean "quick"?'),
        (["-g", "quick", "--device", "tpu"], 2, "is not a device"),
        (["-g", "quick", "--shard", "3/2"], 2, "Use I/N"),
        (["-g", "quick", "--max-cost", "0"], 2, "allows no clip"),
        (["-g", "quick", "--prices", "missing.toml"], 2, "no such file"),
        (["-g", "quick", "--out", "/proc/nothing"], 1, "cannot write to /proc"),
        (["-g", "quick", "--sweep", "accuracy"], 2, "expected SETTING=VALUE"),
        (["-g", "quick", "-g", "quick"], 2, 'two generators are called "quick"'),
    ],
)
def test_bad_input_gets_a_sentence_and_a_code(workspace, arguments, code, said):
    done = vbench(*arguments)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("Error: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(Path().glob("results/*/clips"))


def test_a_sweep_makes_one_generator_of_each_value(workspace):
    done = vbench("-g", "quick", "--sweep", "accuracy=0.5,1", "--limit", "1", "--clips-per-prompt", "1", "--no-score")
    assert done.returncode == 0, done.stderr
    made = sorted(path.name for path in Path("results/small/clips").iterdir())
    assert made == ["quick@accuracy=0.5", "quick@accuracy=1"]
    manifest = json.loads(Path("results/small/run.json").read_text())
    assert manifest["generators"]["quick@accuracy=0.5"]["settings"] == {"accuracy": 0.5}


def test_prompts_may_come_as_plain_text(workspace):
    Path("mine.txt").write_text("a red ball\na blue ball\n")
    program = [*PROGRAM[:-1], "mine.txt", "-g", "quick", "--no-score"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path("results/mine/clips/quick/a-red-ball/0.mp4").exists()


def test_a_generator_without_one_good_clip_is_an_error_and_its_reasons_are_kept(workspace):
    define("bad", settings='answer = "nan"')
    done = vbench("-g", "bad", "--no-score")
    assert done.returncode == 1
    assert 'no clip of "bad" could be generated' in done.stderr
    assert "NaN" in done.stderr
    assert len(list(Path().glob("results/small/clips/bad/*/*.json"))) == 4


def test_dry_run_makes_nothing_and_knows_the_way_to_know_more(workspace):
    done = vbench("-g", "quick", "--dry-run")
    assert done.returncode == 0
    assert "time not known" in done.stdout
    assert "--pilot 3" in done.stdout
    assert not Path("results").exists()


def test_a_pilot_makes_a_part_of_the_run_and_tells_the_rest(workspace):
    done = vbench("-g", "quick", "--pilot", "2")
    assert done.returncode == 0, done.stderr
    assert "2 of 4 clips to generate; about" in done.stdout
    assert "Make the rest with: vbench run" in done.stderr
    assert "--pilot" not in done.stderr.partition("Make the rest")[2]
    assert len(list(Path("results/small/clips/quick").glob("*/*.json"))) == 2


def interrupted(times: int) -> subprocess.CompletedProcess[str]:
    """A run that gets Ctrl-C once its first clip is there."""
    define("slow", settings="seconds = 1.0")
    command, pipe = [*PROGRAM, "-g", "slow", "--no-score"], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while not list(Path().glob("results/small/clips/slow/*/*.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        for _ in range(times):
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            time.sleep(0.3)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess([], process.returncode, out, err)


def test_ctrl_c_finishes_the_clip_in_hand_and_says_how_to_go_on(workspace):
    done = interrupted(1)
    assert done.returncode == 4, done.stderr
    assert "Continue with: vbench run --suite small -g slow --no-score" in done.stderr
    assert 2 <= len(list(Path().glob("results/small/clips/slow/*/*.json"))) <= 3
    assert not list(Path().glob("results/small/clips/*/*/.*"))
    assert vbench("-g", "slow", "--no-score").returncode == 0


def test_a_second_ctrl_c_ends_at_once_and_keeps_what_is_finished(workspace):
    done = interrupted(2)
    assert done.returncode == 4, done.stderr
    assert "Dropped the running clips" in done.stderr
    assert "Traceback" not in done.stderr
    assert 1 <= len(list(Path().glob("results/small/clips/slow/*/*.json"))) <= 3
