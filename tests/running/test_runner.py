"""Runs as users see them: real processes, simulated generators."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runs import cpu, digests, simulated, small_plan
from vbench_lite.errors import FolderLocked, GeneratorError, PlanConflict, StoreError, UsageError
from vbench_lite.records import ClipRecord, Price
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.manifest import PlanRecord
from vbench_lite.running.batches import WHOLE, Shard, batches
from vbench_lite.running.budget import Budget
from vbench_lite.running.engines import local
from vbench_lite.running.lock import locked
from vbench_lite.running.runner import Options, Outcome, run


def ran(tmp_path: Path, *definitions, options: Options | None = None, **plan) -> tuple[Outcome, RunFolder]:
    folder = RunFolder(tmp_path / "run")
    return run(small_plan(*definitions, **plan), folder, cpu(), options), folder


def reasons(folder: RunFolder) -> dict[str, str]:
    return {f"{r.prompt_id}#{r.index}": r.reason for r in folder.records() if r.status == "failed"}


def test_a_run_stores_every_clip_with_its_measurement(tmp_path):
    outcome, folder = ran(tmp_path, simulated(seconds=0.02, batch_size=3))
    assert (outcome.asked, outcome.made, outcome.missing, outcome.failed) == (8, 8, 0, [])
    records = folder.records()
    assert [(r.prompt_id, r.index) for r in records] == [(f"p{n:03d}", k) for n in range(4) for k in range(2)]
    for record in records:
        measured = record.measurement
        assert folder.clip_path(record).stat().st_size > 100
        assert (record.frames, record.height, record.width, record.fps) == (2, 16, 16, 8.0)
        assert 0.02 <= measured.wall_s < 5
        assert measured.device_s == measured.wall_s
        assert measured.peak_rss_mb > 10
        assert measured.energy_j is None
        assert measured.gpu_busy_s is None
    assert [r.measurement.batch_size for r in records] == [3, 3, 3, 3, 3, 3, 2, 2], "the last batch is smaller"
    manifest = folder.manifest()
    assert manifest.plan == PlanRecord(("p000", "p001", "p002", "p003"), 2, 0, "builtin")
    assert {record.device for record in records} == {manifest.device} == {cpu().facts}
    (process,) = json.loads((folder.path / "timings" / "sim.json").read_text())["processes"]
    assert process["clips"] == 8
    assert process["state"] == "finished"
    assert process["generate_s"] > 0.15
    assert process["encode_s"] > 0


def test_the_same_run_again_does_no_work(tmp_path):
    _, folder = ran(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in folder.path.rglob("*.*") if p.is_file() and p.name != ".lock"}
    outcome, _ = ran(tmp_path)
    assert (outcome.ready, outcome.tried, outcome.worked) == (8, 0, False)
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_generators_get_the_same_seeds_and_other_prompts_other_ones(tmp_path):
    _, folder = ran(tmp_path, simulated("one"), simulated("two"))
    seeds = {name: [r.seed for r in folder.records() if r.generator == name] for name in ("one", "two")}
    assert seeds["one"] == seeds["two"]
    assert len(set(seeds["one"])) == 8


def test_damaged_clips_and_records_are_named_and_made_again(tmp_path):
    _, folder = ran(tmp_path)
    good = digests(folder.path)
    clips = folder.path / "clips" / "sim"
    (clips / "p000" / "0.mp4").write_bytes(b"no clip")
    (clips / "p001" / "0.json").write_text('{"format": 1, "gener')
    edited = clips / "p002" / "0.json"
    edited.write_text(edited.read_text().replace('"wall_s": ', '"wall_s": 9'))
    (clips / "p003" / "0.mp4").unlink()
    (clips / "p003" / "1.json").write_text((clips / "p000" / "1.json").read_text())
    outcome, _ = ran(tmp_path)
    assert (outcome.ready, outcome.made, outcome.missing) == (3, 5, 0)
    named = "\n".join(outcome.distrusted)
    for file in ("p000/0.mp4", "p001/0.json", "p002/0.json", "p003/0.mp4", "p003/1.json"):
        assert file in named
    assert digests(folder.path) == good


def test_failures_are_recorded_and_tried_again_only_when_asked(tmp_path):
    outcome, folder = ran(tmp_path, simulated(fail_prompts=["p001"], batch_size=4))
    assert (outcome.made, len(outcome.failed)) == (6, 2)
    assert reasons(folder) == dict.fromkeys(("p001#0", "p001#1"), 'simulated failure for the prompt "p001"')
    assert ran(tmp_path, simulated(fail_prompts=["p001"], batch_size=4))[0].tried == 0
    again, _ = ran(tmp_path, simulated(fail_prompts=["p001"], batch_size=4), options=Options(retry_failed=True))
    assert (again.tried, again.ready, len(again.failed)) == (2, 6, 2)


def test_failed_attempts_stay_in_the_cost_of_a_clip_that_is_tried_again(tmp_path):
    """However often; and in the sum that --max-cost limits."""
    price = Price(usd_per_device_hour=3600.0)

    costs: list[float] = []
    for _ in range(3):
        options = Options(retry_failed=True, prices={"sim": price}, budget=Budget(1000.0, {"sim": price}))
        _, folder = ran(tmp_path, simulated(fail_prompts=["p000"]), prompts=1, clips=1, options=options)
        (record,) = folder.records()
        assert record.retried_usd == pytest.approx(sum(costs))
        costs.append(record.measurement.device_s)
        assert costs[-1] > 0
        assert record.cost_usd == pytest.approx(sum(costs))
        assert options.budget.spent_usd == pytest.approx(sum(costs))


def test_a_failed_attempt_of_unknown_cost_leaves_the_cost_of_the_clip_unknown(tmp_path):
    """Services differ in whether they bill a failed clip, so its cost is not 0."""
    price = Price(usd_per_clip=0.5)
    options = Options(retry_failed=True, prices={"sim": price})
    found = []
    for _ in range(2):
        _, folder = ran(tmp_path, simulated(fail_prompts=["p000"]), prompts=1, clips=1, options=options)
        (record,) = folder.records()
        found.append((record.retried_usd, record.cost_usd))
    assert found == [(0.0, None), (None, None)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("nan", "frames contain NaN or infinity (float32), expected uint8"),
        ("float", "frames are float32, expected uint8"),
        ("shape", "frames have the shape (2, 3, 16, 16), expected (frames, height, width, 3)"),
        ("nothing", "no frames and no file were returned"),
        ("few", "generate returned 0 clips for 1 requests"),
    ],
)
def test_wrong_answers_are_failures_with_a_reason(tmp_path, answer, reason):
    outcome, folder = ran(tmp_path, simulated(answer=answer), prompts=1, clips=1)
    assert reasons(folder) == {"p000#0": reason}
    assert outcome.wholly_failed == ["sim"]


def test_a_process_that_dies_fails_only_the_clip_that_kills_it(tmp_path):
    outcome, folder = ran(tmp_path, simulated(die_prompts=["p001"], batch_size=4), clips=1)
    assert (outcome.made, len(outcome.failed), outcome.missing) == (3, 1, 0)
    assert reasons(folder) == {"p001#0": "its process ended with exit code 9 (tried 2 times)"}


def test_a_process_that_hangs_is_ended_after_its_time(tmp_path):
    outcome, folder = ran(tmp_path, simulated(hang_prompts=["p001"], timeout_s=0.4, tries=1), clips=1, prompts=3)
    assert (outcome.made, outcome.missing) == (2, 0)
    assert reasons(folder) == {"p001#0": "no answer within 0.4 s (tried once)"}
    (failed,) = outcome.failed
    assert failed.measurement.wall_s >= 0.4, "the time it took is part of the bill"


def test_running_out_of_memory_is_named_and_tried_in_a_fresh_process(tmp_path):
    outcome, folder = ran(tmp_path, simulated(starve_prompts=["p001"]), clips=1)
    assert (outcome.made, outcome.missing) == (3, 0)
    assert reasons(folder) == {"p001#0": "out of memory: MemoryError: simulated for p001"}
    lives = json.loads((folder.path / "timings" / "sim.json").read_text())["processes"]
    assert len(lives) == 2, "it ran out after a good clip, as a leak would, so a fresh process had a try"


def test_a_process_that_grows_is_renewed_before_it_is_too_large(tmp_path):
    outcome, folder = ran(tmp_path, simulated(leak_mb=150, memory_limit_mb=230), clips=1)
    assert (outcome.made, outcome.failed) == (4, [])
    lives = json.loads((folder.path / "timings" / "sim.json").read_text())["processes"]
    assert len(lives) > 1
    assert lives[0]["state"] == "renew"


def test_a_generator_that_cannot_be_loaded_leaves_the_others_alone(tmp_path):
    broken = simulated("broken", no_such_setting=1)
    outcome, folder = ran(tmp_path, broken, simulated("works"))
    assert '"no_such_setting"' in outcome.errors["broken"]
    assert (outcome.made, outcome.missing) == (8, 8)
    assert {r.generator for r in folder.records()} == {"works"}


def test_several_processes_share_a_cpu_and_its_bill(tmp_path):
    outcome, folder = ran(tmp_path, simulated(seconds=0.01, workers=2), prompts=6)
    assert outcome.made == 12
    assert {r.measurement.device_s / r.measurement.wall_s for r in folder.records()} == {0.5}
    assert len(json.loads((folder.path / "timings" / "sim.json").read_text())["processes"]) == 2


def test_shards_copied_together_are_the_whole_run(tmp_path):
    whole, parts = RunFolder(tmp_path / "whole"), [RunFolder(tmp_path / f"part{n}" / "run") for n in range(2)]
    plan = small_plan(simulated(batch_size=3))
    run(plan, whole, cpu())
    for n, part in enumerate(parts):
        outcome = run(plan, part, cpu(), Options(shard=Shard(n, 2)))
        assert outcome.missing == 0
    merged = RunFolder(tmp_path / "merged")
    for part in parts:
        import shutil

        shutil.copytree(part.path, merged.path, dirs_exist_ok=True)
    assert digests(merged.path) == digests(whole.path)
    assert run(plan, merged, cpu()).tried == 0


def test_another_plan_is_refused_and_nothing_is_changed(tmp_path):
    _, folder = ran(tmp_path)
    before = digests(folder.path)
    with pytest.raises(PlanConflict, match="seed 0, requested: 1") as refused:
        ran(tmp_path, seed=1)
    assert "--out" in str(refused.value)
    assert "--fresh" in str(refused.value)
    assert digests(folder.path) == before


def test_other_settings_of_a_generator_are_another_plan_and_another_price_is_not(tmp_path):
    ran(tmp_path, simulated(noise=1.0))
    with pytest.raises(PlanConflict, match=r'the definition of the generator "sim" differs \(settings\)'):
        ran(tmp_path, simulated(noise=2.0))
    price = {"sim": Price(usd_per_clip=0.5, source="test")}
    outcome, folder = ran(tmp_path, simulated(noise=1.0), options=Options(prices=price))
    assert outcome.tried == 0
    assert folder.manifest().prices == price


def test_fresh_begins_again(tmp_path):
    ran(tmp_path)
    outcome, folder = ran(tmp_path, options=Options(fresh=True), seed=1)
    assert (outcome.ready, outcome.made) == (0, 8)
    assert folder.manifest().plan.seed == 1


def test_clips_without_a_manifest_are_not_adopted(tmp_path):
    _, folder = ran(tmp_path)
    folder.manifest_path.unlink()
    with pytest.raises(StoreError, match=r"contains clips but no run\.json"):
        ran(tmp_path)


def test_a_folder_in_use_is_refused(tmp_path):
    with locked(tmp_path / "run", WHOLE), pytest.raises(FolderLocked, match=r"is in use by process \d+"):
        ran(tmp_path)
    with locked(tmp_path / "run", Shard(0, 2)), locked(tmp_path / "run", Shard(1, 2)):
        pass


def test_a_budget_stops_before_the_sum_is_passed_and_leaves_the_rest(tmp_path):
    prices = {"sim": Price(usd_per_clip=0.1)}
    outcome, _ = ran(tmp_path, options=Options(prices=prices, budget=Budget(0.55, prices)))
    assert (outcome.made, outcome.missing, outcome.over_budget) == (5, 3, True)
    outcome, _ = ran(tmp_path, options=Options(prices=prices, budget=Budget(10.0, prices)))
    assert (outcome.ready, outcome.made, outcome.over_budget) == (5, 3, False)


def test_a_budget_by_the_hour_learns_from_the_first_clip(tmp_path):
    prices = {"sim": Price(usd_per_device_hour=3600.0)}
    budget = Budget(0.5, prices)
    outcome, folder = ran(tmp_path, simulated(seconds=0.1), options=Options(prices=prices, budget=budget))
    assert 1 <= outcome.made <= 4
    assert outcome.over_budget
    assert sum(r.measurement.device_s for r in folder.records()) == pytest.approx(budget.spent_usd)
    assert budget.spent_usd <= 0.5


def test_a_first_clip_that_would_pass_the_budget_is_ended_and_made_with_a_larger_sum(tmp_path):
    prices = {"sim": Price(usd_per_device_hour=3600.0)}
    budget, slow = Budget(0.4, prices), simulated(seconds=2.0)
    outcome, folder = ran(tmp_path, slow, prompts=1, clips=1, options=Options(prices=prices, budget=budget))
    assert (outcome.made, outcome.failed, outcome.missing) == (0, [], 1)
    assert outcome.over_budget
    assert not outcome.interrupted
    assert 0.3 < budget.spent_usd <= 0.4
    assert folder.records() == []
    budget = Budget(0.4, prices, highest_usd={"sim": 2.0})
    outcome, _ = ran(tmp_path, slow, prompts=1, clips=1, options=Options(prices=prices, budget=budget))
    assert (outcome.tried, outcome.over_budget, budget.spent_usd) == (0, True, 0.0)
    larger = Options(prices=prices, budget=Budget(4.0, prices))
    assert ran(tmp_path, slow, prompts=1, clips=1, options=larger)[0].made == 1


def test_a_budget_without_a_price_is_refused():
    with pytest.raises(UsageError, match="--max-cost cannot limit the cost"):
        Budget(1.0, {"sim": Price(reason="no price is known")})


def test_a_budget_over_clips_of_unknown_cost_is_given_up():
    (definition,) = (plan := small_plan()).definitions
    budget = Budget(1.0, {"sim": Price(usd_per_device_hour=1.0)})
    batch = batches(plan, definition)[0]
    assert budget.allows(definition, batch, 0)
    budget.spent(definition, ClipRecord("sim", "diffusion", "p000", 0, 1, "ok"))
    with pytest.raises(GeneratorError, match="the cost of its clips is not known"):
        budget.allows(definition, batch, 0)


def test_a_stop_keeps_what_is_finished_and_drops_what_waits(tmp_path):
    class StopAfter:
        looks = 0

        @property
        def requested(self) -> bool:
            self.looks += 1
            return len(list((tmp_path / "run").glob("clips/*/*/*.json"))) >= 2

    outcome, folder = ran(tmp_path, simulated(seconds=0.15), options=Options(stop=StopAfter()))
    assert outcome.interrupted
    assert 2 <= len(folder.records()) <= 4
    assert outcome.missing == 8 - len(folder.records())
    outcome, _ = ran(tmp_path, simulated(seconds=0.15))
    assert outcome.missing == 0


def test_exit_codes_are_explained():
    assert local.explain_exit(-11) == "its process was killed by SIGSEGV"
