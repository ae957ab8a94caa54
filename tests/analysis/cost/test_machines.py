"""Times are compared between machines in the same state: load, throttled clocks and kinds of device are stated."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest

from tests.built_runs import Fake, build_run
from vbench_lite.analysis.compare import compare_runs
from vbench_lite.analysis.cost.machines import load_difference, machine_warnings
from vbench_lite.analysis.summary import summarise
from vbench_lite.records import DeviceFacts, MachineLoad
from vbench_lite.report.data import gather
from vbench_lite.report.method import warnings
from vbench_lite.run.view import Run, Side, open_run


def run_beside(path: Path, load: MachineLoad, devices: tuple[str, ...] = ("Test CPU",), vcpus: int = 4) -> Run:
    """A scored run whose clips were all made under this load, in turn on these devices."""
    built = build_run(path, prompts=8, generators=[Fake("a")], video=False)
    facts = [DeviceFacts("cpu", device, 1, vcpus) for device in devices]
    for nth, record in enumerate(list(built.folder.records())):
        measured = dataclasses.replace(record.measurement, load=load)
        built.folder.write_record(dataclasses.replace(record, measurement=measured, device=facts[nth % len(facts)]))
    built.folder.write_manifest(dataclasses.replace(built.folder.manifest(), device=facts[0]))
    summarise(built.folder, built.scored)
    return open_run(path)


@pytest.mark.parametrize(
    ("other", "stated", "compared"), [(0.5, False, True), (1.0, True, True), (1.6, True, False)],
)
def test_a_busier_machine_is_stated_and_a_much_busier_one_ends_the_comparison_of_times(
    tmp_path: Path, other: float, stated: bool, compared: bool
) -> None:
    idle = run_beside(tmp_path / "idle", MachineLoad(0.3, 0.1, None, False))
    busy = run_beside(tmp_path / "busy", MachineLoad(2.0, other, None, False))
    found = load_difference(Side(idle, "a"), Side(busy, "a"))
    assert (found is not None, found is None or not found.spoils) == (stated, compared)
    (pair,) = compare_runs(idle, busy)
    rows = {row.metric: row for row in pair.comparisons}
    assert (rows["device_s_per_clip"].words != "not compared") == compared
    assert (rows["usd_per_clip"].words != "not compared") == compared
    assert rows["peak_rss_mb"].words != "not compared", "memory does not depend on load"
    assert rows["detail"].words != "not compared"
    assert any(f"0.1 of 4 processors during idle:a, {other:.2g} during busy:a" in note for note in pair.notes) == stated


def test_throttled_clocks_end_the_comparison(tmp_path: Path) -> None:
    cool = run_beside(tmp_path / "cool", MachineLoad(0.3, 0.1, None, False))
    hot = run_beside(tmp_path / "hot", MachineLoad(0.3, 0.1, None, True))
    found = load_difference(Side(cool, "a"), Side(hot, "a"))
    assert found is not None
    assert found.spoils
    assert "throttled for 0% of the clips of cool:a, 100%" in found.sentence


def test_without_readings_nothing_is_said(tmp_path: Path) -> None:
    run = run_beside(tmp_path / "one", MachineLoad())
    assert load_difference(Side(run, "a"), Side(run, "a")) is None
    assert list(machine_warnings([Side(run, "a")])) == []


def test_clips_of_several_kinds_of_device_are_a_warning_of_the_page(tmp_path: Path) -> None:
    run = run_beside(tmp_path / "mixed", MachineLoad(), devices=("Slow CPU", "Fast CPU"))
    assert run.summary["a"].devices == ("1 x Fast CPU", "1 x Slow CPU")
    assert any("2 kinds of device (1 x Fast CPU, 1 x Slow CPU)" in text for text in warnings(gather([run])))
    other = run_beside(tmp_path / "plain", MachineLoad(), devices=("Fast CPU",))
    found = list(machine_warnings([Side(run, "a"), Side(other, "a")]))
    assert len(found) == 1, "a device of each: one mixes them"


def test_the_table_holds_the_load_of_every_clip(tmp_path: Path) -> None:
    run = run_beside(tmp_path / "one", MachineLoad(0.3, 0.25, 2400.0, True))
    with run.folder.table_path.open() as file:
        row = next(csv.DictReader(file))
    assert (row["load_average"], row["load_other_cpus"], row["load_mhz"], row["load_throttled"]) == (
        "0.3", "0.25", "2400.0", "true",
    )
