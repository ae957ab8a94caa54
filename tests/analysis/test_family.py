"""The one rule of who is ahead, and that every output shows its decisions and no others."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.built_runs import Fake, build_run
from tests.gate.releases import write
from vbench_lite.analysis.answers.leads import find_leads
from vbench_lite.analysis.family import Outcome, family_of_run, family_of_sides
from vbench_lite.analysis.summary import summarise
from vbench_lite.cli.compare_command import command as compare
from vbench_lite.cli.gate_command import command as gate
from vbench_lite.report import glossary, terminal_table, write_report
from vbench_lite.run.view import Side, open_run
from vbench_lite.stats import interval_of_test, mean_test

NAMES = ("one", "two", "three")
_TERMINAL = {glossary.title(cost, {}).lower(): cost for cost in glossary.COSTS} | {"usable clips": "usable"}


def random_run(path: Path, seed: int) -> str:
    """A run of two or three generators whose skills differ by chance."""
    rng = np.random.default_rng(seed)
    fakes = [
        Fake(name, skill=float(rng.normal(0, 0.5)), device_s=float(rng.uniform(0.3, 0.6)))
        for name in NAMES[: 2 + seed % 2]
    ]
    run = build_run(path, prompts=int(rng.integers(4, 16)), generators=fakes, seed=seed, video=False)
    summarise(run.folder, run.scored)
    return str(path)


def stars(path: str) -> dict[str, str]:
    """Figure > the generator with a star in the terminal's table."""
    board = terminal_table(open_run(path))
    names = [head.name for head in board.heads]
    found = {}
    for line in (line for section in board.sections for line in section.lines):
        label = str(line.label).strip().rstrip("↑↓ ")
        label = label.replace("1,000 clips", "clip").replace("1,000 usable clips", "usable clip")
        for generator, cell in zip(names, line.cells, strict=True):
            if "★" in str(cell.text(beside=True)):
                found[_TERMINAL.get(label, label)] = generator
    return found


def page_leads(path: str, tmp_path: Path) -> dict[str, dict[str, str]]:
    target = tmp_path / "page.json"
    write_report([open_run(path)], target, "json")
    return json.loads(target.read_text())["scenarios"][0]["leads"]


def compared(path: str, baseline: str, candidate: str) -> dict[str, str]:
    text = CliRunner().invoke(compare, [f"{path}:{baseline}", f"{path}:{candidate}", "--json"]).output
    return {row["metric"]: row["words"] for row in json.loads(text)["pairs"][0]["comparisons"]}


def gated(path: str, baseline: str, candidate: str) -> dict[str, str]:
    text = CliRunner().invoke(gate, [f"{path}:{candidate}", "--baseline", f"{path}:{baseline}", "--json"]).output
    return {row["metric"]: row["change"] for row in json.loads(text)["checks"] if row["metric"] and row["change"]}


@pytest.mark.parametrize("seed", range(20))
def test_terminal_page_compare_and_gate_agree_on_who_is_ahead(tmp_path: Path, seed: int) -> None:
    path = random_run(tmp_path / "run", seed)
    names = list(open_run(path).summary.generators)
    starred, page = stars(path), page_leads(path, tmp_path)
    words = {(a, b): compared(path, a, b) for a in names for b in names if a != b}
    shown = set(starred) | {m for m, lead in page.items() if lead["verdict"] == "ahead"}
    for metric in shown:
        first = page[metric]["first"]
        assert page[metric]["verdict"] == "ahead"
        assert all(words[other, first][metric] == "better" for other in names if other != first)
        assert all(words[first, other][metric] == "worse" for other in names if other != first)
        if metric in starred:
            assert starred[metric] == first
    for metric, lead in page.items():
        if lead["verdict"] == "not shown":
            others = [words[other, lead["first"]].get(metric) for other in names if other != lead["first"]]
            assert "no difference shown" in others
            assert metric not in starred
    for a, b in [(names[0], names[1]), (names[1], names[0])]:
        assert all(words[a, b][metric] == change for metric, change in gated(path, a, b).items())


def test_words_follow_the_interval_and_nothing_else(tmp_path: Path) -> None:
    seen = set()
    for seed in range(6):
        for table in family_of_run(open_run(random_run(tmp_path / str(seed), seed))).tables:
            for found in table.values():
                seen.add(found.words)
                if found.words in (Outcome.BETTER, Outcome.WORSE):
                    assert found.low > 0 or found.high < 0
                    assert ((found.difference > 0) == found.higher_is_better) == (found.words is Outcome.BETTER)
                elif found.words is Outcome.NO_DIFFERENCE:
                    assert found.low <= 0 <= found.high
    assert {Outcome.BETTER, Outcome.WORSE, Outcome.NO_DIFFERENCE} <= seen


def test_the_interval_leaves_0_out_exactly_where_the_test_rejects() -> None:
    rng = np.random.default_rng(0)
    for nth in range(300):
        gains = rng.exponential(size=int(rng.integers(6, 40))) ** (1 + nth % 3) - 1.0
        for tail in (0.025, 0.001):
            found, test = interval_of_test(gains, tail), mean_test(gains)
            assert (found.low > 0) == (test.above < tail)
            assert (found.high < 0) == (test.below < tail)


def test_more_pairs_widen_every_interval(tmp_path: Path) -> None:
    run = open_run(random_run(tmp_path / "run", 3))
    sides = [Side(run, name) for name in run.summary.generators]
    narrow, wide = family_of_sides(sides[:2]), family_of_sides(sides)
    assert wide.size == 3 * narrow.size
    one, other = (family.between(*sides[:2], "detail") for family in (narrow, wide))
    assert other.high - other.low > one.high - one.low
    assert other.p_adjusted == pytest.approx(min(1.0, 3 * one.p_adjusted))
    assert f"All {wide.size} comparisons (3 pairs of generators)" in wide.statement()


def test_a_tie_is_no_lead(tmp_path: Path) -> None:
    run = open_run(write(tmp_path / "run"))
    sides = [Side(run, "model"), Side(open_run(write(tmp_path / "same")), "model")]
    found = find_leads(sides, family_of_sides(sides))
    assert {lead.verdict for lead in found.values()} <= {"tied", "not shown"}
    assert found["clip_text"].verdict == "tied"


def test_a_sweep_has_no_leads(tmp_path: Path) -> None:
    def variant(name: str, steps: int) -> dict[str, object]:
        about = {"sweep": {"of": "model", "num_inference_steps": steps}}
        return {"name": name, "route": "diffusion", "adapter": "diffusers", "about": about}

    runs = [
        write(tmp_path / f"run{n}", generator=f"model-{n}", weights=str(n), seed=n,
              manifest={"generators": {f"model-{n}": variant(f"model-{n}", n)}})
        for n in (4, 8)
    ]  # fmt: skip
    sides = [Side(open_run(path), open_run(path).generators[0]) for path in runs]
    family = family_of_sides(sides)
    assert family.pairs == ()
    assert find_leads(sides, family) == {}


def test_second_readings_of_a_cost_are_not_compared(tmp_path: Path) -> None:
    (table,) = family_of_run(open_run(random_run(tmp_path / "a", 0))).tables[:1]
    assert "device_s_per_clip" in table
    assert not {"wall_s_per_clip", "gpu_busy_s_per_clip", "peak_reserved_mb"} & set(table)
