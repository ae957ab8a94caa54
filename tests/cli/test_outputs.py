"""Results, reports and logs that cannot be written end in a sentence and exit code 1, and lose nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.built_runs import build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.cli import main

MAIN = [sys.executable, "-c", "from vbench_lite.cli import main; main()"]
FULL = Path("/dev/full")
GENERATOR = """
route = "diffusion"
adapter = "simulated"
[clip]
frames = 4
height = 32
width = 32
"""
SUITE = 'title = "Small"\nclips_per_prompt = 1\n[[prompt]]\nid = "a"\ntext = "a red ball"\n'

pytestmark = pytest.mark.skipif(not FULL.is_char_device(), reason="needs /dev/full")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"generators/quick.toml": GENERATOR, "prompts/small.toml": SUITE}.items():
        Path(name).parent.mkdir()
        Path(name).write_text(text)
    return tmp_path


def vbench(*arguments: str, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAIN, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, errors="replace", check=False,
        env=os.environ | environment,
    )


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A scored run without clips."""
    path = tmp_path_factory.mktemp("runs") / "old"
    built = build_run(path, video=False)
    summarise(built.folder, built.scored)
    return str(path)


def is_one_sentence(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode == 1 and "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@pytest.mark.parametrize("arguments", [("list", "suites"), ("list", "metrics", "--json"), ("run", "--help")])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_stdout_is_a_sentence(
    workspace: Path, arguments: tuple[str, ...], unbuffered: str
) -> None:
    with FULL.open("w") as full:
        done = vbench(*arguments, stdout=full.fileno(), PYTHONUNBUFFERED=unbuffered)
    assert is_one_sentence(done), done.stderr
    assert done.stderr == (
        "Error: cannot write to standard output: No space left on device. Files that were written are kept.\n"
    )


def test_a_run_whose_results_cannot_be_printed_is_kept(workspace: Path) -> None:
    command = ("run", "--suite", "small", "-g", "quick", "--no-score")
    with FULL.open("w") as full:
        done = vbench(*command, stdout=full.fileno())
    assert is_one_sentence(done), done.stderr
    assert Path("results/small/clips/quick/a/0.mp4").exists()


def test_a_log_that_cannot_be_written_is_said_once_and_the_work_is_done(workspace: Path) -> None:
    done = vbench("run", "--suite", "small", "-g", "quick", "--clips-per-prompt", "3", "--no-score",
                  "--log-json", str(FULL))  # fmt: skip
    assert is_one_sentence(done), done.stderr
    assert done.stderr.count("Warning: --log-json /dev/full is not complete: No space left on device.") == 1
    assert done.stderr.rstrip().endswith("Error: --log-json /dev/full is not complete: No space left on device.")
    assert len(list(Path("results/small/clips/quick/a").glob("*.mp4"))) == 3


def test_a_log_in_a_place_that_takes_no_file_is_refused_before_any_work(workspace: Path) -> None:
    done = vbench("run", "--suite", "small", "-g", "quick", "--log-json", "/proc/nothing/log.jsonl")
    assert is_one_sentence(done), done.stderr
    assert "--log-json /proc/nothing/log.jsonl cannot be written" in done.stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("place", ["/dev/full", "/proc/nothing/x{}", "file.txt/x{}", "taken{}", "n" * 260 + "{}"])
@pytest.mark.parametrize(
    ("command", "ending"),
    [
        (("gate", "OLD", "-b", "OLD", "--junit"), ".xml"), (("gate", "OLD", "-b", "OLD", "--markdown"), ".md"),
        (("report", "OLD", "--format", "json", "-o"), ".json"), (("report", "OLD", "--format", "html", "-o"), ".html"),
    ],
)
def test_a_file_that_cannot_be_written_is_named(
    workspace: Path, old: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...], ending: str, place: str,
) -> None:  # fmt: skip
    Path("file.txt").write_text("a file where a folder is needed")
    target = place.format(ending)
    if target.startswith("taken"):
        Path(target).mkdir()
    monkeypatch.setattr(sys, "argv", ["vbench", *(old if word == "OLD" else word for word in command), target])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    assert end.value.code in (1, 2)
    assert target in said
    assert "rror: " in said
    assert FULL.is_char_device()


def test_a_device_is_written_to_and_not_replaced(workspace: Path, old: str) -> None:
    done = vbench("report", old, "--format", "json", "-o", "/dev/stdout")
    assert done.returncode == 0, done.stderr
    assert json.JSONDecoder().raw_decode(done.stdout)[0]
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_of_another_encoding_loses_signs_and_no_result(workspace: Path, encoding: str) -> None:
    Path("prompts/odd.toml").write_text(SUITE.replace("Small", "Kurz → 短い").replace("a red ball", "a red ball 短い"))
    listed = vbench("list", "suites", PYTHONIOENCODING=encoding)
    assert listed.returncode == 0, listed.stderr
    assert "odd" in listed.stdout
    done = vbench("run", "--suite", "odd", "-g", "quick", "--no-score", "-v", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert "Run:    results/odd" in done.stdout


def test_an_ascii_terminal_shows_all_results_of_a_run(workspace: Path) -> None:
    done = vbench("run", "--suite", "small", "-g", "quick", "--metrics", "motion", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "Report: reports/small.html" in done.stdout
