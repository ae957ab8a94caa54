"""A folder of clips is a generator like any other, except that it makes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from vbench_lite.errors import GeneratorError
from vbench_lite.generator import RunContext
from vbench_lite.inputs.catalogue import build, find_definition
from vbench_lite.records import ClipSpec, Definition, Prompt, Request


def ask(prompt_id: str, text: str, index: int) -> Request:
    return Request(prompt_id, text, index, 1, ClipSpec())


def test_folder_is_a_generator_of_its_clips(tmp_path: Path) -> None:
    clips = tmp_path / "studio-x"
    clips.mkdir()
    (clips / "a cat-0.mp4").write_bytes(b"first")
    generator = build(find_definition(str(clips)))
    generator.load("cpu")
    made, absent = generator.generate([ask("cat", "a cat", 0), ask("cat", "a cat", 1)])
    generator.close()
    assert (made.file, made.failure, made.execution) == (b"first", None, "precomputed")
    assert absent.failure == 'the folder contains no clip 1 of "a cat"'


def test_costs_come_from_the_table(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"x")
    (tmp_path / "clips.csv").write_text("file,prompt,usd,device_s\nx.mp4,a cat,0.45,12.5\n")
    generator = build(Definition("mine", "undisclosed", "recorded", model=str(tmp_path)))
    generator.load("cpu")
    (made,) = generator.generate([ask("cat", "a cat", 0)])
    assert (made.usd_charged, made.device_s) == (0.45, 12.5)


def test_name_of_two_prompts_of_the_run_is_given_to_neither(tmp_path: Path) -> None:
    (tmp_path / "2024-2025.mp4").write_bytes(b"x")
    prompts = (Prompt("a", "2024"), Prompt("b", "2024-2025"))
    generator = build(Definition("mine", "undisclosed", "recorded", model=str(tmp_path)))
    generator.begin(RunContext(tmp_path / "state", prompts))
    generator.load("cpu")
    (output,) = generator.generate([ask("b", "2024-2025", 0)])
    assert output.file is None
    assert output.failure


def test_missing_folder_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="no folder of clips"):
        build(Definition("mine", "undisclosed", "recorded", model=str(tmp_path / "none")))
