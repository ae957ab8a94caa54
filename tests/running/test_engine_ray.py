"""The same runs on a real Ray cluster on this machine, killed workers included."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.built_runs import write_deadly_metric
from tests.cli.calling import vbench
from tests.runs import cpu, digests, simulated, small_plan
from vbench_lite.errors import UsageError
from vbench_lite.run.folder import RunFolder
from vbench_lite.running.engines import ray as ray_engine
from vbench_lite.running.runner import Options, Outcome, run

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'vbench-lite[ray]'")

RAY = Options(engine="ray")


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory):
    os.environ.pop("RAY_ADDRESS", None)
    yield ray_engine.connect()
    ray.shutdown()


def ran(folder: Path, *definitions, **plan) -> Outcome:
    return run(small_plan(*definitions, **plan), RunFolder(folder), cpu(), RAY)


def test_ray_stores_the_same_clips_and_records_as_the_local_engine(tmp_path):
    definition = simulated(batch_size=3, noise=2.0, fail_share=0.2)
    plan = small_plan(definition, prompts=6)
    run(plan, RunFolder(tmp_path / "local"), cpu())
    run(plan, RunFolder(tmp_path / "ray"), cpu(), RAY)
    assert digests(tmp_path / "ray") == digests(tmp_path / "local")
    rows = []
    for name in ("local", "ray"):
        records = RunFolder(tmp_path / name).records()
        rows.append([(r.key, r.seed, r.status, r.reason, r.path, r.sha256, r.measurement.batch_size) for r in records])
    assert rows[0] == rows[1]
    assert ran(tmp_path / "ray", definition, prompts=6).tried == 0


def test_two_actors_share_the_work(tmp_path):
    outcome = ran(tmp_path / "run", simulated(seconds=0.05, workers=2), prompts=10)
    assert (outcome.made, outcome.missing) == (20, 0)
    timings = RunFolder(tmp_path / "run").path / "timings" / "sim.json"
    assert '"sim-1"' in timings.read_text()


def test_a_clip_that_kills_its_actor_fails_alone(tmp_path):
    outcome = ran(tmp_path / "run", simulated(die_prompts=["p001"]), clips=1)
    assert (outcome.made, outcome.missing) == (3, 0)
    (failed,) = outcome.failed
    assert failed.prompt_id == "p001"
    assert "its process died" in failed.reason
    assert "(tried 2 times)" in failed.reason


def test_an_actor_that_hangs_is_ended_after_its_time(tmp_path):
    outcome = ran(tmp_path / "run", simulated(hang_prompts=["p001"], timeout_s=2.5, tries=1), clips=1, prompts=3)
    assert (outcome.made, outcome.missing) == (2, 0)
    assert [r.reason for r in outcome.failed] == ["no answer within 2.5 s (tried once)"]


def test_a_generator_that_cannot_be_loaded_is_said(tmp_path):
    outcome = ran(tmp_path / "run", simulated(no_such_setting=1))
    assert '"no_such_setting"' in outcome.errors["sim"]


def is_actor(process: psutil.Process) -> bool:
    try:
        return "ray::Actor" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_killed_actors_are_replaced_and_nothing_is_lost_or_repeated(tmp_path):
    folder, killed = tmp_path / "run", []
    finished = threading.Event()

    def kill_now_and_then() -> None:
        while not finished.is_set() and len(killed) < 3:
            made = len(list(folder.glob("clips/*/*/*.json")))
            actors = [child for child in psutil.Process().children(recursive=True) if is_actor(child)]
            if actors and made >= 4 * (len(killed) + 1):
                actors[0].send_signal(signal.SIGKILL)
                killed.append(actors[0].pid)
                time.sleep(0.5)
            time.sleep(0.02)

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    outcome = ran(folder, simulated(seconds=0.05), prompts=15)
    finished.set()
    killer.join()
    assert len(killed) == 3
    assert (outcome.made, outcome.failed, outcome.missing) == (30, [], 0)
    undisturbed = RunFolder(tmp_path / "undisturbed")
    run(small_plan(simulated(seconds=0.05), prompts=15), undisturbed, cpu())
    assert digests(folder) == digests(undisturbed.path)


def test_devices_are_the_clusters(tmp_path):
    assert ray_engine.find_device("auto").kind == "cpu"
    with pytest.raises(UsageError, match="Ray chooses the device"):
        ray_engine.find_device("cuda:1")


def test_run_and_score_on_ray_replace_a_killed_scorer_and_give_the_local_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_deadly_metric(Path("own.py"), tmp_path / "killed", f"first and os.getpid() != {os.getpid()}")
    Path("sim.toml").write_text('route = "diffusion"\nadapter = "simulated"\n[clip]\nframes = 3\n')
    tables, starts, init = [], [], ray.init
    monkeypatch.setattr(ray, "init", lambda **options: starts.append(options) or init(**options))
    ray.shutdown()  # a cluster's actors work in the folder in which it was started

    def scored(cache: str, *command: str) -> None:
        monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / cache))
        printed = vbench(*command, "--metrics", "own.py", "--device", "cpu").output
        on_ray = "ray" in command
        assert ("on cpu is restarted" in printed, Path("killed").exists()) == (on_ray, on_ray)
        Path("killed").unlink(missing_ok=True)
        tables.append([Path("run", name).read_bytes() for name in ("clips.csv", "summary.json")])

    asked = ("--suite", "ads", "-g", "sim.toml", "--limit", "1", "--clips-per-prompt", "2", "--out", "run")
    scored("first", "run", *asked, "--no-report", "--engine", "ray")
    scored("second", "score", "run", "--engine", "ray")
    scored("third", "score", "run")
    assert tables[0] == tables[1] == tables[2]
    assert len(starts) == 1  # generating and scoring share one cluster
