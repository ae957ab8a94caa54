"""Baselines: small, portable, with a history; the gate reads them like runs."""

import dataclasses
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.gate.deciding import loses
from tests.gate.releases import METRICS, write
from tests.gate.test_categories import FVD, with_fvd
from vbench_lite.analysis.promotions import HistoryEntry, read_history
from vbench_lite.cli.baseline_command import command as baseline
from vbench_lite.cli.gate_command import command as gate
from vbench_lite.errors import StoreError
from vbench_lite.gate import choose_policy, decide
from vbench_lite.gate.baselines.baseline import Promotion, promote, read_reference
from vbench_lite.gate.baselines.margins import read_margins
from vbench_lite.gate.decide import Reference
from vbench_lite.gate.looks.record import LookResult, PlannedLooks, write_looks
from vbench_lite.run.manifest import GitState
from vbench_lite.run.view import Run, open_run


def test_a_promoted_run_can_be_gated_against_without_its_clips(tmp_path: Path) -> None:
    run, to = write(tmp_path / "run"), tmp_path / "baseline"
    promote(Promotion(run, "first", "Ana", to))
    assert sorted(p.name for p in to.iterdir()) == [
        "anchor", "clips.csv", "history.json", "margins.json", "run.json", "summary.json"
    ]
    result = CliRunner().invoke(gate, [run, "--baseline", str(to)])
    assert result.exit_code == 0, result.output
    assert "the runs are identical" in result.output


def named(folder: Path, generator: str, number: int) -> str:
    """A run of a generator with this name."""
    run = with_fvd(folder, 4.0, number)
    for name in ("run.json", "clips.csv", "summary.json"):
        path = Path(run) / name
        path.write_text(path.read_text().replace("model", generator))
    (Path(run) / "features" / "model.npz").rename(Path(run) / "features" / f"{generator}.npz")
    return run


def test_a_baseline_carries_the_features_of_its_run_and_of_no_other(tmp_path: Path) -> None:
    to = tmp_path / "baseline"
    for number, generator in enumerate(("first", "second")):
        promote(Promotion(named(tmp_path / generator, generator, number), "x", "y", to))
    assert [path.name for path in (to / "features").iterdir()] == ["second.npz"]
    (tmp_path / "gate.toml").write_text(FVD)
    asked = ["--baseline", str(to), "--json", "--policy", str(tmp_path / "gate.toml")]
    assert "by the stored features" in CliRunner().invoke(gate, [named(tmp_path / "new", "second", 2), *asked]).output
    assert sum(path.stat().st_size for path in to.rglob("*") if path.is_file()) < 200_000


def test_features_that_are_not_those_that_were_scored_are_not_promoted(tmp_path: Path) -> None:
    run = with_fvd(tmp_path / "run", 4.0, 1)
    (tmp_path / "run" / "features" / "model.npz").write_bytes(b"others")
    with pytest.raises(StoreError, match="its sha256 differs"):
        promote(Promotion(run, "x", "y", tmp_path / "baseline"))
    assert not (tmp_path / "baseline").exists()


def test_history_keeps_who_why_and_the_figures_of_every_time(tmp_path: Path) -> None:
    to = tmp_path / "baseline"
    for number, who in enumerate(("Ana", "Ben")):
        promote(Promotion(write(tmp_path / f"run{number}", seed=number), f"release {number}", who, to))
    first, second = read_history(to)
    assert (first.by, first.reason, second.by) == ("Ana", "release 0", "Ben")
    assert first.means["model"]["clip_text"] == pytest.approx(0.3, abs=0.02)
    assert first.medians["model"]["device_s_per_clip"] == pytest.approx(0.5, rel=0.05)
    text = CliRunner().invoke(baseline, ["history", str(to)]).output
    assert "by Ben: release 1" in text


def test_no_path_of_the_machine_goes_into_a_baseline(tmp_path: Path) -> None:
    definition = {"name": "model", "route": "diffusion", "adapter": "diffusers", "model": "/home/ana/models/wan"}
    definition |= {"folder": "/home/ana/generators"}
    run = write(tmp_path / "run", manifest={"generators": {"model": definition}})
    promote(Promotion(run, "x", "y", tmp_path / "baseline"))
    stored = (tmp_path / "baseline" / "run.json").read_text()
    assert "/home/ana" not in stored
    assert json.loads(stored)["generators"]["model"]["model"] == "wan"


def test_the_baselines_policy_rules_unless_another_is_given(tmp_path: Path) -> None:
    (tmp_path / "strict.toml").write_text("title='strict'\n[[check]]\nmetric='clip_text'\nrule='min'\nvalue=0.9")
    run, to = write(tmp_path / "run"), tmp_path / "baseline"
    promote(Promotion(run, "x", "y", to, tmp_path / "strict.toml"))
    (tmp_path / "run" / "policy.toml").write_text("[[check]]\nrule='no-new-failures'")  # the candidate's own: ignored
    result = CliRunner().invoke(gate, [run, "--baseline", str(to)])
    assert result.exit_code == 3
    assert 'Policy: the baseline\'s, "strict"' in result.output
    assert CliRunner().invoke(gate, [run, "--baseline", str(to), "--policy", "default"]).exit_code == 0


def test_an_incomplete_run_is_not_promoted(tmp_path: Path) -> None:
    run = write(tmp_path / "run", missing=lambda p, c: p == 3)
    with pytest.raises(StoreError, match="2 of 80 clips"):
        promote(Promotion(run, "x", "y", tmp_path / "baseline"))


def test_a_baseline_of_another_suite_is_not_overwritten(tmp_path: Path) -> None:
    promote(Promotion(write(tmp_path / "a"), "x", "y", tmp_path / "b"))
    film = Path(write(tmp_path / "c"))
    manifest = json.loads((film / "run.json").read_text())
    manifest["suite"]["name"] = "film"
    (film / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match=r'is the baseline of the suite "ads".*--to .*b-film'):
        promote(Promotion(str(film), "x", "y", tmp_path / "b"))


@pytest.mark.parametrize("missing", [["--by", "x"], ["--reason", "x"], ["--reason", " ", "--by", "x"]])
def test_a_promotion_needs_a_reason_and_a_name(tmp_path: Path, missing: list[str]) -> None:
    assert CliRunner().invoke(baseline, ["promote", write(tmp_path / "a"), *missing]).exit_code == 2


@pytest.mark.parametrize(("device_s", "code"), [(0.5, 0), (0.54, 0), (0.7, 3)])
def test_the_median_of_the_last_five_baselines_needs_both_percent_and_floor(
    tmp_path: Path, device_s: float, code: int
) -> None:
    to = tmp_path / "baseline"
    for number in range(5):
        promote(Promotion(write(tmp_path / "run", seed=number), "nightly", "ci", to))
    run = write(tmp_path / "new", device_s=device_s)
    result = CliRunner().invoke(gate, [run, "--baseline", str(to), "--policy", "nightly-cost"])
    assert result.exit_code == code, result.output


def test_too_short_a_history_is_undecided(tmp_path: Path) -> None:
    to = tmp_path / "baseline"
    promote(Promotion(write(tmp_path / "run"), "first", "ci", to))
    result = CliRunner().invoke(gate, [str(tmp_path / "run"), "--baseline", str(to), "--policy", "nightly-cost"])
    assert result.exit_code == 4
    assert "only 1 promoted baselines" in result.output


def test_margins_are_fixed_in_units_at_promotion(tmp_path: Path) -> None:
    """A margin of .55 sd is a number: it does not move with the next baseline's clips, nor with a candidate's."""
    to = tmp_path / "baseline"
    promote(Promotion(write(tmp_path / "run"), "x", "y", to))
    policy = choose_policy(None, to)
    margins = read_margins(to, policy)
    run = open_run(to)
    spread = float(np.nanstd(run.grids["model"].values("clip_text"), ddof=1))
    assert margins.sizes["model/clip_text/non-inferior"] == pytest.approx(0.55 * spread)
    verdict = decide(open_run(write(tmp_path / "new", weights="b")), run, policy, read_reference(to, policy))
    found = next(check for check in verdict.checks if check.id == "model/clip_text/non-inferior")
    assert found.evidence.limit == pytest.approx(-0.55 * spread)
    stored = json.loads((to / "margins.json").read_text())
    stored["sizes"]["model/clip_text/non-inferior"] = 0.001
    (to / "margins.json").write_text(json.dumps(stored))
    verdict = decide(open_run(tmp_path / "new"), run, policy, read_reference(to, policy))
    found = next(check for check in verdict.checks if check.id == "model/clip_text/non-inferior")
    assert found.evidence.limit == pytest.approx(-0.001)


def test_a_baseline_without_fixed_margins_is_gated_with_a_note(tmp_path: Path) -> None:
    to = tmp_path / "baseline"
    promote(Promotion(write(tmp_path / "run"), "x", "y", to))
    (to / "margins.json").unlink()
    policy = choose_policy(None, to)
    verdict = decide(open_run(write(tmp_path / "new", weights="b")), open_run(to), policy, read_reference(to, policy))
    assert verdict.outcome == "pass"
    assert [f.outcome for f in verdict.findings if f.kind == "margins"] == ["note"]


def ratchet(tmp_path: Path, losses: list[float], new_anchor: str = "") -> list[str]:
    """Outcomes of releases, each compared with the last one that passed; losses are in margins, in all."""
    to, outcomes = tmp_path / "baseline", []
    promote(Promotion(write(tmp_path / "first", prompts=60), "first", "ci", to))
    for nth, lost in enumerate(losses):
        path = write(tmp_path / f"release{nth}", prompts=60, weights=f"w{nth}", worsen=loses("detail", 0.55 * lost))
        policy = choose_policy(None, to)
        verdict = decide(open_run(path), open_run(to), policy, read_reference(to, policy))
        outcomes.append(verdict.outcome)
        if verdict.outcome == "pass":
            promote(Promotion(path, "passed", "ci", to, new_anchor=new_anchor))
    return outcomes


def test_small_losses_do_not_accumulate_past_the_first_baseline(tmp_path: Path) -> None:
    losses = [0.33 * nth for nth in range(1, 8)]
    outcomes = ratchet(tmp_path, losses)
    assert outcomes[:2] == ["pass", "pass"]
    assert all(outcome != "pass" for outcome, lost in zip(outcomes, losses, strict=True) if lost > 1.5)


def test_a_new_anchor_begins_anew(tmp_path: Path) -> None:
    assert ratchet(tmp_path, [0.33 * nth for nth in range(1, 8)], new_anchor="accepted") == ["pass"] * 7
    assert read_history(tmp_path / "baseline")[-1].new_anchor == "accepted"


@pytest.mark.parametrize("name", ["run.json", "clips.csv", "summary.json"])
def test_a_promotion_that_was_interrupted_between_two_files_is_noticed(tmp_path: Path, name: str) -> None:
    run, to = write(tmp_path / "run"), tmp_path / "baseline"
    promote(Promotion(run, "first", "Ana", to))
    (to / name).write_bytes((to / name).read_bytes() + b"\n")
    result = CliRunner().invoke(gate, [run, "--baseline", str(to)])
    assert isinstance(result.exception, StoreError)
    assert f"{name} is not the file of the last promotion" in str(result.exception)
    promote(Promotion(run, "again", "Ana", to))
    assert CliRunner().invoke(gate, [run, "--baseline", str(to)]).exit_code == 0


def test_promotions_at_the_same_time_keep_every_entry(tmp_path: Path) -> None:
    run, to = write(tmp_path / "run"), tmp_path / "baseline"
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: promote(Promotion(run, f"reason {n}", "Ana", to)), range(6)))
    assert sorted(entry.reason for entry in read_history(to)) == [f"reason {n}" for n in range(6)]


def test_a_policy_may_be_edited_after_the_promotion(tmp_path: Path) -> None:
    run, to = write(tmp_path / "run"), tmp_path / "baseline"
    promote(Promotion(run, "first", "Ana", to))
    check = '[[check]]\nrule = "non-inferior"\nmetric = "*"\nmargin = 5\nunit = "sd"\n'
    (to / "policy.toml").write_text(f'title = "ours"\n{check}')
    read_reference(to, choose_policy(None, to))


def complete_entry(tmp_path: Path) -> tuple[HistoryEntry, Run]:
    facts = {"git": {"commit": "0" * 40, "dirty": True}, "name": "elsewhere"}
    run = write(tmp_path / "run", prompts=10, failed=lambda p, c: p == 3, manifest=facts)
    now = datetime(2026, 11, 29, 12, 30, 15, 999, tzinfo=UTC)
    return promote(Promotion(run, "first", "Ana", tmp_path / "b", new_anchor="anew"), now), open_run(run)


def test_an_entry_of_the_history_has_the_figures_of_all_quantities_that_clips_have(tmp_path: Path) -> None:
    entry, run = complete_entry(tmp_path)
    grid = run.grids["model"]
    assert (entry.date, entry.by, entry.reason) == ("2026-11-29T12:30:15+00:00", "Ana", "first")
    assert (entry.run, entry.created, entry.new_anchor) == ("run", "2026-11-22T10:00:00Z", "anew")
    assert (entry.git, entry.device) == (GitState("0" * 40, True), run.manifest.device)
    assert (entry.suite.name, entry.suite.digest) == ("ads", run.manifest.suite.digest)
    scores = {name: grid.values(name) for name in (*METRICS,)}
    costs = {"device_s_per_clip": "device_s", "wall_s_per_clip": "wall_s", "usd_per_clip": "cost_usd",
             "peak_rss_mb": "peak_rss_mb"}  # fmt: skip
    values = scores | {name: grid.values(column) for name, column in costs.items()}
    values |= {"usable": grid.values("usable"), "failed": (~grid.made).astype(float)}
    for found, statistic in ((entry.means, np.nanmean), (entry.medians, np.nanmedian)):
        expected = {name: pytest.approx(float(statistic(each))) for name, each in values.items()} | {"fvd": 9.0}
        assert found == {"model": expected}


def test_an_incomplete_look_is_not_promoted(tmp_path: Path) -> None:
    run = write(tmp_path / "run", prompts=10)
    order = tuple(f"p{n:03d}" for n in range(12))
    looks = (LookResult(number=1, prompts=10, clips=20, outcome="pass", headline=""),)
    planned = PlannedLooks(baseline="b", baseline_digest="", policy="", order=order, limit=8, looks=looks)
    write_looks(tmp_path / "run", planned)
    with pytest.raises(StoreError) as caught:
        promote(Promotion(run, "x", "y", tmp_path / "baseline"))
    assert str(caught.value).startswith(f"{run} stopped at look 1 with 10 of 12 prompts")
    assert str(caught.value).endswith(f"vbench run --suite ads -g model --limit 8 --clips-per-prompt 2 --out {run}")
    write_looks(tmp_path / "run", dataclasses.replace(planned, order=order[:10]))
    promote(Promotion(run, "x", "y", tmp_path / "baseline"))


def test_one_generator_of_a_run_is_not_promoted(tmp_path: Path) -> None:
    run = write(tmp_path / "run", prompts=6)
    with pytest.raises(StoreError, match=f'"{run}:model" is one generator of a run; promote the whole run: {run}'):
        promote(Promotion(f"{run}:model", "x", "y", tmp_path / "baseline"))


def test_the_first_baseline_stays_until_a_new_one_is_named(tmp_path: Path) -> None:
    to, runs = tmp_path / "b", [write(tmp_path / f"run{n}", prompts=10, seed=n) for n in range(4)]

    def first() -> int:
        return open_run(to / "anchor").manifest.plan.seed

    def reference() -> Reference:
        return read_reference(to, choose_policy(None, to))

    assert reference() == Reference()
    promote(Promotion(runs[0], "x", "y", to))
    assert (first(), reference().anchor, reference().anchor_margins) == (0, None, None)
    assert reference().margins == read_margins(to, choose_policy(None, to))
    promote(Promotion(runs[1], "x", "y", to))
    assert (first(), open_run(to).manifest.plan.seed) == (0, 1)
    found = reference()
    assert found.anchor is not None
    assert found.anchor.path == to / "anchor"
    assert found.anchor_margins == read_margins(to / "anchor", choose_policy(None, to))
    assert found.margins == read_margins(to, choose_policy(None, to)) != found.anchor_margins
    assert [entry.run for entry in found.history] == ["run0", "run1"]
    shutil.rmtree(to / "anchor")  # as before there were first baselines
    promote(Promotion(runs[2], "x", "y", to))
    assert (first(), open_run(to).manifest.plan.seed) == (1, 2)
    promote(Promotion(runs[3], "x", "y", to, new_anchor="so"))
    assert (first(), reference().anchor) == (3, None)


def test_a_baseline_that_is_promoted_in_place_gets_new_margins_and_keeps_its_files(tmp_path: Path) -> None:
    to = tmp_path / "b"
    promote(Promotion(write(tmp_path / "run", prompts=10), "x", "y", to))
    before = {path.name: path.read_bytes() for path in to.iterdir() if path.is_file()}
    (tmp_path / "gate.toml").write_text("[[check]]\nmetric='detail'\nrule='non-inferior'\nmargin=0.25")
    promote(Promotion(str(to), "again", "y", to, tmp_path / "gate.toml"))
    after = {path.name: path.read_bytes() for path in to.iterdir() if path.is_file()}
    assert {name for name in after if after[name] != before.get(name)} == {
        "history.json", "margins.json", "policy.toml"
    }
    margins = read_margins(to, choose_policy(None, to))
    assert margins is not None
    assert dict(margins.sizes) == {"model/detail/non-inferior": 0.25}
    assert (to / "policy.toml").read_bytes() == (tmp_path / "gate.toml").read_bytes()
    anchor = read_margins(to / "anchor", choose_policy("default", None))
    assert anchor is not None, "the first baseline keeps its margins"


def test_a_baseline_without_margins_says_how_to_store_them(tmp_path: Path) -> None:
    to = tmp_path / "b"
    promote(Promotion(write(tmp_path / "run", prompts=10), "x", "y", to))
    run, policy = open_run(to), choose_policy(None, to)
    history = read_history(to)
    with_margins = Reference(history=history, margins=read_margins(to, policy))
    assert [f.kind for f in decide(run, run, policy, with_margins).findings] == ["identical"]
    (_, note) = decide(run, run, policy, Reference(history=history)).findings
    assert (note.kind, note.generator, note.outcome) == ("margins", "model", "note")
    command = f'vbench baseline promote {to} --to {to} --reason "margins as numbers" --by "$(whoami)"'
    assert note.message.replace("'", '"').endswith(command)
