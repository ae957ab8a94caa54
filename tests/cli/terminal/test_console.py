"""Tables on narrow terminals: no line is too long, and no number and no name is broken."""

import re

import pytest
from click.testing import CliRunner

from tests.built_runs import build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.cli import group


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    built = build_run(tmp_path_factory.mktemp("run") / "ads", prompts=12, video=False)
    summarise(built.folder, built.scored)
    return str(built.folder.path)


def shown(monkeypatch, columns: int, *arguments: str) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    return CliRunner().invoke(group, arguments).output


@pytest.mark.parametrize("columns", [80, 100])
def test_compare_breaks_no_number_and_no_name(run, monkeypatch, columns) -> None:
    text = shown(monkeypatch, columns, "compare", f"{run}:tiny-transformer", f"{run}:tiny-diffusion")
    table = text[text.index("baseline") :]
    assert all(name in table for name in ("temporal_flickering", "attempts_per_usable_clip", "usd_per_usable_clip"))
    assert max(map(len, table.splitlines())) <= columns
    assert len(re.findall(r"[+-][\d.e-]+ to [+-][\d.e-]+", table)) >= 10  # each interval on one line


def test_output_that_is_no_terminal_is_a_hundred_columns_wide(run, monkeypatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    text = CliRunner().invoke(group, ["gate", run, "--baseline", run]).output
    commands = [line for line in text.splitlines() if line.startswith("  vbench")]
    assert max(len(line) for line in text.splitlines() if line not in commands) <= 100
