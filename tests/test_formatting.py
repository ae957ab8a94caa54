"""Figures as text: the same unit and digits on the terminal, on the page, in compare and in the gate."""

import dataclasses
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.built_runs import Fake, build_run
from vbench_lite.analysis.summary import summarise
from vbench_lite.cli.compare_command import command as compare
from vbench_lite.formatting import Shown, cost_text, decimals, dollars, shown_unit, write_change
from vbench_lite.gate import choose_policy, decide
from vbench_lite.gate.shown.formatting import figures, interval
from vbench_lite.records import Estimate
from vbench_lite.report import terminal_table
from vbench_lite.run.view import open_run


def test_a_value_far_below_its_uncertainty_gets_one_digit_more_and_not_many() -> None:
    assert [decimals(2e-5, 0.0048), decimals(0.0095, 0.0144), decimals(3.5, 3.1), decimals(0.46, 0.03)] == [4, 4, 1, 2]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (write_change(0.5, 0.48, -0.02), "0.5 0.48 -0.02"),
        (write_change(None, 1234567.0, None), "- 1,234,567"),
        (write_change(0.0, 19.0, 19.0, limit=2.4), "0 19 +19 +2.4"),
        (write_change(0.98, 0.979, -0.0012, low=-0.0024, high=-5e-5), "0.98000 0.97900 -0.00120 -0.00240 to -0.00005"),
        (write_change(0.5, 0.5, -0.0, low=-0.01, high=0.01), "0.500 0.500 +0.000 -0.010 to +0.010"),
        (write_change(0.5, 0.5, 0.1, low=-0.5, high=0.7, limit=-0.001), "0.500 0.500 +0.100 -0.500 to +0.700 -0.001"),
        (write_change(1.2e-5, 2.4e-5, 1.2e-5, low=7e-6, high=1.6e-5, shown=Shown("", 1000.0, (4, 4))),
         "0.0120 0.0240 +0.012 +0.007 to +0.016"),
    ],
)  # fmt: skip
def test_a_change_has_the_digits_of_its_interval_and_no_end_turns_to_zero(found, text) -> None:
    assert " ".join(part for part in dataclasses.astuple(found) if part) == text


def test_units_of_money_memory_and_fractions() -> None:
    assert shown_unit("usd_per_clip", "USD", 0.5) == ("US$ per clip", 1.0)
    assert shown_unit("peak_rss_mb", "MiB", 9_000.0) == ("MiB", 1.0)
    assert shown_unit("usable", "of clips", 0.9) == ("% of clips", 100.0)
    assert str(cost_text("peak_memory_mb", Estimate(20_480.0))) == "20.0 GiB"
    assert [dollars(0.01234), dollars(12.5), dollars(1234.5)] == ["$0.0123", "$12.50", "$1,234.50"]


def test_terminal_compare_and_gate_write_the_same_figures_alike(tmp_path: Path) -> None:
    """Costs of a fraction of a cent are written per 1,000 clips, with the same digits, wherever they are shown."""
    fakes = [Fake(name, device_s=seconds) for name, seconds in (("one", 0.3), ("two", 0.6))]
    run = build_run(tmp_path / "run", prompts=12, generators=fakes, seed=1, video=False)
    summarise(run.folder, run.scored)
    path = str(run.folder.path)
    lines = [line for section in terminal_table(open_run(path)).sections for line in section.lines]
    table = {str(line.label).rstrip(" ↑↓"): [str(cell.text(beside=True)) for cell in line.cells] for line in lines}
    shown = CliRunner().invoke(compare, [f"{path}:one", f"{path}:two"]).output
    (tmp_path / "gate.toml").write_text(
        "".join(f"[[check]]\nmetric='{name}'\nrule='non-inferior'\nmargin=50\nunit='percent'\n"
                for name in ("usd_per_clip", "device_s_per_clip", "detail"))
    )  # fmt: skip
    verdict = decide(open_run(f"{path}:two"), open_run(f"{path}:one"), choose_policy(str(tmp_path / "gate.toml"), None))
    checks = {check.metric: check for check in verdict.checks}
    for label, name in (("cost per 1,000 clips", "usd_per_clip"), ("device time per clip", "device_s_per_clip"),
                        ("detail", "detail")):  # fmt: skip
        expected = [re.search(r"[\d.,]+", text).group() for text in table[label]]
        row = next(line for line in shown.splitlines() if line.startswith(f"{name} "))
        assert row.split()[-3:-1] == expected
        assert [figures(checks[name]).baseline, figures(checks[name]).candidate] == expected
    assert "usd_per_clip ↓, US$ per 1,000 clips" in shown
    assert "US$ per 1,000 clips, limit" in interval(checks["usd_per_clip"])
    assert not re.search(r"\de[-+]\d", shown)
