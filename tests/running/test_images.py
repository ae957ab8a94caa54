"""Runs of prompts with images: what is refused before anything is generated, and what a generator is given."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.runs import SMALL, cpu, simulated
from vbench_lite.cli import main
from vbench_lite.errors import PlanConflict, StoreError, UsageError
from vbench_lite.generator import Output
from vbench_lite.inputs.accepted import ANY
from vbench_lite.inputs.catalogue import find_definition
from vbench_lite.inputs.images import NotAnImageError
from vbench_lite.inputs.suites import read_suite
from vbench_lite.records import Definition, Request
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.images import load_picture
from vbench_lite.run.plan import Plan, make_plan
from vbench_lite.running import runner
from vbench_lite.running.sweep import expanded, parse
from vbench_lite.video import read_clip

RED, BLUE = (200, 30, 30), (20, 40, 210)


class Still:
    """Shows the image that it was given, or grey."""

    inputs = (("text",), ("image", "text"))
    clip = SMALL

    def __init__(self, definition: Definition) -> None:
        self.definition = definition

    def load(self, device: str) -> None: ...

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        grey = np.full((16, 16, 3), 127, np.uint8)
        return [Output(np.stack([grey if r.image is None else r.image] * 2)) for r in requests]

    def close(self) -> None: ...


def still() -> Definition:
    return find_definition(f"{__name__}:Still")


def write_suite(folder: Path, colour: tuple[int, int, int] = RED, *, mixed: bool = True) -> Path:
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (40, 20), colour).save(folder / "mug.png")
    path = folder / "shots.toml"
    text = '[[prompt]]\nid = "mug"\ntext = "a mug turns"\nimage = "mug.png"\n'
    path.write_text(text + ('[[prompt]]\nid = "dog"\ntext = "a dog runs"\n' if mixed else ""))
    return path


def plan(suite: Path, *definitions: Definition) -> Plan:
    return make_plan(read_suite(suite), definitions or (still(),), 1, None, 0, "builtin")


def colour_of(folder: RunFolder, generator: str, prompt: str) -> list[int]:
    frames = read_clip(folder.path / "clips" / generator / prompt / "0.mp4")[0]
    return [int(value) for value in frames.mean((0, 1, 2)).round()]


def test_each_generator_is_given_the_image_of_the_prompts_that_have_one_and_the_run_keeps_it(tmp_path: Path) -> None:
    suite, folder = write_suite(tmp_path / "suite"), RunFolder(tmp_path / "run")
    texts_alone = expanded([still()], [parse("inputs=text")])[0]
    runner.run(plan(suite, still(), texts_alone), folder, cpu())
    assert np.abs(np.subtract(colour_of(folder, "still", "mug"), RED)).max() < 6
    assert np.abs(np.subtract(colour_of(folder, "still", "dog"), 127)).max() < 4
    assert np.abs(np.subtract(colour_of(folder, "still@inputs=text", "mug"), 127)).max() < 4
    stored = folder.manifest_path.read_text()
    assert str(tmp_path) not in stored
    image = folder.manifest().suite.prompts[0].image
    assert image is not None
    (tmp_path / "suite" / "mug.png").unlink()
    assert np.array_equal(load_picture(folder.path, image, 16, 16)[0, 0], RED)
    (folder.path / image.path).write_bytes(b"another")
    with pytest.raises(StoreError, match="sha256 differs"):
        load_picture(folder.path, image, 8, 8)


def test_another_image_is_another_plan_and_another_place_is_not(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    runner.run(plan(write_suite(tmp_path / "one")), folder, cpu())
    again = runner.run(plan(write_suite(tmp_path / "two")), folder, cpu())
    assert not again.worked
    with pytest.raises(PlanConflict, match='the image of the prompt "mug" differs'):
        runner.run(plan(write_suite(tmp_path / "one", BLUE)), folder, cpu())
    assert np.abs(np.subtract(colour_of(folder, "still", "mug"), RED)).max() < 6


def test_a_generator_that_does_not_take_what_the_suite_has_is_refused(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    with pytest.raises(UsageError, match=r'"sim" takes text, and the prompt "mug" has an image.*inputs=text'):
        plan(suite, simulated())
    only_images = dataclasses.replace(simulated(), inputs=(("image",),))
    with pytest.raises(UsageError, match='"sim" takes image, and the prompt "dog" has no image'):
        plan(suite, only_images)
    assert plan(write_suite(tmp_path, mixed=False), only_images)
    with pytest.raises(UsageError, match=r'inputs=image\+text: "sim" takes text\.'):
        expanded([simulated()], [parse("inputs=image+text")])


def test_a_broken_image_is_refused_before_the_folder_is_made(tmp_path: Path) -> None:
    suite = write_suite(tmp_path)
    content = (tmp_path / "mug.png").read_bytes()
    (tmp_path / "mug.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(NotAnImageError, match=r"mug\.png: it cannot be decoded"):
        runner.run(plan(suite), RunFolder(tmp_path / "run"), cpu())
    assert not (tmp_path / "run").exists()


def test_a_simulated_clip_starts_from_its_image(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    made = dataclasses.replace(simulated(), inputs=ANY)
    runner.run(plan(write_suite(tmp_path), made), folder, cpu())
    frames = read_clip(folder.path / "clips" / "sim" / "mug" / "0.mp4")[0]
    assert np.abs(np.median(frames[0], (0, 1)) - RED).max() < 8


def test_list_and_dry_run_state_inputs_and_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def vbench(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["vbench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    suite = write_suite(tmp_path)
    (tmp_path / "generators").mkdir()
    (tmp_path / "generators" / "mine.toml").write_text(
        'route = "diffusion"\nadapter = "simulated"\ninputs = [["text"], ["image", "text"]]\n'
    )
    monkeypatch.chdir(tmp_path)
    listed = json.loads(vbench("list", "generators", "--json")[1])
    assert {row["name"]: row["inputs"] for row in listed}["mine"] == "text, image+text"
    dry_run = ("run", "--suite", str(suite), "-g", "mine", "--dry-run", "--no-score")
    assert "2 prompts (1 with an image)" in vbench(*dry_run)[1]
    (tmp_path / "mug.png").write_bytes(b"no image")
    code, _, error = vbench(*dry_run)
    assert code == 2
    assert "not an image of a known format" in error


@pytest.mark.parametrize("inputs", ['"text"', "[]", '["sound"]', '[["text"], "image"]', "[[]]"])
def test_inputs_that_mean_nothing_are_refused_with_the_line(tmp_path: Path, inputs: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'route = "diffusion"\nadapter = "simulated"\ninputs = {inputs}\n')
    with pytest.raises(UsageError, match=r"mine\.toml:3: .*inputs"):
        find_definition(str(path))
