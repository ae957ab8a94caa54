"""vbench score on folders of clips: the clips that are there, what is left out, and seeds that are not invented."""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.made_clips import clip_of, moving_square
from vbench_lite.cli import main

PROMPTS = ["a red sneaker", "a blue car", "a green duck"]
FILE = clip_of("mp4", moving_square(6))


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "s.txt").write_text("\n".join(PROMPTS) + "\n")


def clips(names: list[str], folder: str = "clips") -> None:
    Path(folder).mkdir(parents=True)
    for nth, name in enumerate(names):
        Path(folder, name).write_bytes(FILE + bytes(nth))


class Result(NamedTuple):
    exit_code: int
    output: str


def score(*arguments: str) -> Result:
    """Runs the program in this process: its exit code, and what it prints to either stream."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(printed):
        patch.setattr(sys, "argv", ["vbench", "score", *arguments])
        try:
            main()
        except SystemExit as end:
            return Result(int(end.code or 0), printed.getvalue())
    return Result(0, printed.getvalue())


def rows() -> list[tuple[str, str, str, str]]:
    with open("results/clips/clips.csv", newline="", encoding="utf-8") as file:
        return [(row["prompt_id"], row["index"], row["status"], row["seed"]) for row in csv.DictReader(file)]


def test_the_clips_that_are_there_are_scored_by_prompt() -> None:
    clips([f"a red sneaker-{n}.mp4" for n in (42, 43, 44)] + ["a blue car-1.mp4", "a green duck--7.mp4"])
    result = score("clips", "--suite", "s.txt")
    assert result.exit_code == 0, result.output
    assert "count as failed" not in result.output
    expected = [("a-red-sneaker", "0"), ("a-red-sneaker", "1"), ("a-red-sneaker", "2"), ("a-blue-car", "0"),
                ("a-green-duck", "0")]  # fmt: skip
    assert sorted(rows()) == sorted((*key, "ok", "") for key in expected)
    (generator,) = json.loads(Path("results/clips/summary.json").read_text())["generators"].values()
    assert generator["scores"]["conformance"]["n"] == 5


def test_more_clips_can_be_demanded() -> None:
    clips(["a red sneaker-0.mp4", "a red sneaker-1.mp4", "a blue car-0.mp4", "a green duck-0.mp4"])
    result = score("clips", "--suite", "s.txt", "--clips-per-prompt", "2")
    assert result.exit_code == 0, result.output
    assert "2 of 6 clips are not in clips" in result.output
    assert [row[2] for row in rows()].count("ok") == 4


def test_fewer_clips_leave_the_others_out_and_name_them() -> None:
    clips([*(f"{prompt}-0.mp4" for prompt in PROMPTS), "a blue car-1.mp4"])
    result = score("clips", "--suite", "s.txt", "--clips-per-prompt", "1")
    assert result.exit_code == 0, result.output
    assert "Not scored: clips/a blue car-1.mp4: its prompt already has" in result.output
    assert len(rows()) == 3


def test_seeds_come_from_the_table_alone() -> None:
    clips(["x.mp4", "y.mp4"])
    Path("clips/clips.csv").write_text("file,prompt,seed\nx.mp4,a red sneaker,7\ny.mp4,a red sneaker,\n")
    assert score("clips", "--suite", "s.txt").exit_code == 0
    seeds = {row[3] for row in rows() if row[0] == "a-red-sneaker"}
    assert seeds == {"7", ""}
    assert score("results/clips").exit_code == 0
    assert {row[3] for row in rows() if row[0] == "a-red-sneaker"} == seeds


def test_start_of_the_numbers_is_said() -> None:
    clips(["0001.mp4", "0002.mp4", "0003.mp4"])
    Path("clips/prompts.txt").write_text("\n".join(PROMPTS))
    result = score("clips", "--suite", "s.txt")
    assert "Note: clips are numbered from 1" in result.output
    ids = [prompt.replace(" ", "-") for prompt in PROMPTS]
    stored = [Path("results/clips/clips/clips", id_, "0.mp4").read_bytes() for id_ in ids]
    assert stored == [FILE, FILE + b"\0", FILE + b"\0\0"]


def test_folder_of_model_folders_says_what_to_do() -> None:
    clips(["a blue car-0.mp4"], "models/my wan")
    clips(["a blue car-0.mp4"], "models/ltx")
    result = score("models", "--suite", "s.txt")
    assert result.exit_code == 2
    assert "vbench score 'models/my wan' --suite s.txt" in str(result.output)
    assert "folders of clips. Score each folder alone" in score("models").output
    assert score("models/my wan", "--suite", "s.txt").exit_code == 0


def test_what_is_left_out_is_named() -> None:
    clips(["a blue car-0.m4v", "a red sneaker-0.mp4", "a black hen-0.mp4", "notes.txt"])
    result = score("clips", "--suite", "s.txt")
    assert "clips/a black hen-0.mp4: its name is none" in result.output
    assert "clips/notes.txt" in result.output
    assert [row[2] for row in rows()].count("ok") == 2 + ("notes.txt" not in result.output)
