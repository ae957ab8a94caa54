"""Every command of the tutorials runs as it stands.

The commands are those of the pages. Two things are smaller than for a reader: the suite `ads` has two prompts, and the
two built-in generators are simulated.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from vbench_lite.cli import group
from vbench_lite.inputs import suites
from vbench_lite.inputs.shipped import shipped_folder

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+?) -->\n)?"
    r"^```(?P<language>\w+)(?: title=\"(?P<file>[^\"]+)\")?\n(?P<text>.*?)^```$",
    flags=re.M | re.S,
)
PROMPTS = 2
SIMULATED = 'route = "{route}"\nadapter = "simulated"\n[clip]\nframes = 17\nfps = 8\nheight = 64\nwidth = 64\n'
VERDICTS = {0, 3, 4}
"""Exit codes of `vbench gate`: which one depends on the size of the run."""


class Block(NamedTuple):
    reason: str | None
    """Why it is not run here."""
    language: str
    file: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(**match.groupdict()) for match in BLOCK.finditer(page.read_text("utf-8"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    """A reader's working folder. All tutorials share it, so that the run of the first one serves them all."""
    shipped, home = tmp_path_factory.mktemp("shipped"), tmp_path_factory.mktemp("home")
    head, *prompts = (shipped_folder("prompts") / "ads.toml").read_text("utf-8").split("[[prompt]]")
    (shipped / "ads.toml").write_text("[[prompt]]".join([head, *prompts[:PROMPTS]]), "utf-8")
    (home / "generators").mkdir()
    for name, route in (("tiny-transformer", "transformer"), ("tiny-diffusion", "diffusion")):
        (home / "generators" / f"{name}.toml").write_text(SIMULATED.format(route=route), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suites, "shipped_folder", lambda name: shipped)
        patch.setenv("VBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield home


def call(line: str) -> None:
    """Runs one line: vbench in this process, which spares its imports, anything else in a shell."""
    words = shlex.split(line)
    if words[0] == "cd":
        os.chdir(words[1])
    elif words[0] == "vbench":
        result = CliRunner().invoke(group, words[1:], catch_exceptions=True)
        allowed = VERDICTS if words[1] == "gate" else {0}
        assert result.exit_code in allowed, f"{line}\n{result.output}\n{result.exception!r}"
    elif words[:2] != ["pip", "install"]:
        subprocess.run(line, shell=True, check=True, capture_output=True)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_command_of_a_tutorial_runs(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for block in blocks(page):
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, "utf-8")
        elif block.language == "sh" and not block.reason:
            for line in block.text.replace("\\\n", " ").splitlines():
                call(line)


def test_what_is_not_run_needs_something_that_a_test_cannot_have() -> None:
    reasons = {block.reason for page in TUTORIALS for block in blocks(page) if block.reason}
    assert all(reason.startswith("needs ") for reason in reasons)
    run = [block for page in TUTORIALS for block in blocks(page) if block.language == "sh" and not block.reason]
    assert len(run) >= 20
