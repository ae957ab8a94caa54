"""SIGKILL while a run is scored and reported: the finished summary is byte for byte that of an undisturbed run."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.runs import cpu, simulated, small_plan
from vbench_lite.analysis import summary
from vbench_lite.records import ClipSpec
from vbench_lite.report import write_report
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.view import Run
from vbench_lite.running.runner import run
from vbench_lite.scoring import scorer

KILLS = int(os.environ.get("VBENCH_SCORING_KILLS", "3"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def finish(path: Path) -> None:
    """What follows generation."""
    folder = RunFolder(path)
    summary.summarise(folder, scorer.score_run(folder, workers=1))
    write_report([Run(folder)], path / "report.html")


def finish_in_child(path: Path) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            finish(path)
            code = 0
        finally:
            os._exit(code)
    return pid


def test_killed_while_it_is_scored_a_run_ends_with_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))
    undisturbed, killed = tmp_path / "undisturbed" / "run", tmp_path / "killed" / "run"
    plan = small_plan(simulated(noise=3.0, clip=ClipSpec(9, 8.0, 64, 64)), prompts=3)
    run(plan, RunFolder(undisturbed), cpu())
    shutil.copytree(undisturbed, killed)
    started = time.monotonic()
    finish(undisturbed)
    whole_s = time.monotonic() - started

    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "other-cache"))
    choice, signals = random.Random(3), 0
    for _ in range(5 * KILLS):
        if signals == KILLS:
            break
        pid = finish_in_child(killed)
        time.sleep(choice.uniform(0.0, 0.8 * whole_s))
        os.kill(pid, signal.SIGKILL)
        ended_by_itself = os.waitpid(pid, 0)[1] != signal.SIGKILL
        signals += not ended_by_itself
        whole_s *= 0.5 if ended_by_itself else 1.0  # the machine was busier before, or the features are cached by now
        for name in ("clips.csv", "summary.json"):
            if (killed / name).exists():
                assert (killed / name).read_bytes() == (undisturbed / name).read_bytes()
    assert signals == KILLS
    finish(killed)
    for name in ("clips.csv", "summary.json"):
        assert (killed / name).read_bytes() == (undisturbed / name).read_bytes()
