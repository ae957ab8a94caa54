"""SIGKILL at any moment: nothing finished is lost, nothing is made twice, and the end is the same."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.runs import cpu, digests, simulated, small_plan
from vbench_lite.records import ClipKey
from vbench_lite.run.folder import RunFolder
from vbench_lite.running.runner import Outcome, run

KILLS = int(os.environ.get("VBENCH_KILLS", "20"))
CLIPS = 160
PLAN = small_plan(simulated(seconds=0.012, batch_size=2, tries=9), prompts=CLIPS // 2, clips=2)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def run_in_child(folder: Path) -> int:
    """A whole run in another process, without the time that importing takes; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        outcome = run(PLAN, RunFolder(folder), cpu())
        code = 0 if outcome.missing == 0 else 4
    finally:
        os._exit(code)


def stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    """What changes when a file is written again."""
    return {p: (p.stat().st_ino, p.stat().st_mtime_ns) for p in folder.glob("clips/*/*/[0-9]*.json")}


def wait_for_a_moment(pid: int, folder: Path, choice: random.Random) -> bool:
    """Waits for a moment to kill at: one in five at any time at all, the others while clips are made.

    Returns whether the run is still there.
    """
    enough = len(stamps(folder)) + choice.randint(1, 5)
    end = time.monotonic() + (choice.uniform(0.0, 0.5) if choice.random() < 0.2 else 20.0)
    while len(stamps(folder)) < enough and time.monotonic() < end:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.002)
    time.sleep(choice.uniform(0.0, 0.03))
    return not os.waitpid(pid, os.WNOHANG)[0]


def kill_somebody(pid: int, choice: random.Random, worker: bool) -> str:
    """Kills the run (its workers then end themselves), or, where `worker` allows it, one of its workers."""
    workers = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.Error):  # it ended by itself
            workers += [child] if "spawn_main" in " ".join(child.cmdline()) else []
    if worker and workers and choice.random() < 0.4:
        os.kill(choice.choice(workers).pid, signal.SIGKILL)
        return "worker"
    os.kill(pid, signal.SIGKILL)
    return "run"


def test_killed_at_random_moments_a_run_loses_nothing_and_repeats_nothing(tmp_path):
    choice, folder, kept = random.Random(7), tmp_path / "run", {}
    killed = {"run": 0, "worker": 0, "while clips were made": 0}
    pid, made_at_last = run_in_child(folder), -1
    while killed["run"] + killed["worker"] < KILLS:
        before = len(stamps(folder))
        if not wait_for_a_moment(pid, folder, choice):  # on a busy machine a run may be done before it can be killed
            assert len(stamps(folder)) == CLIPS, "the run ended by itself before it was done"
            for path in list(stamps(folder))[CLIPS // 4 :]:
                path.unlink()
            kept = stamps(folder)
            pid = run_in_child(folder)
            continue
        # a run ends by itself where a worker dies three times in a row and makes nothing
        who = kill_somebody(pid, choice, worker=len(stamps(folder)) > made_at_last)
        killed[who] += 1
        made_at_last = len(stamps(folder)) if who == "worker" else made_at_last
        if who == "run":
            os.waitpid(pid, 0)
        now = stamps(folder)
        killed["while clips were made"] += len(now) > before
        assert kept.items() <= now.items(), "a finished clip was lost or made again"
        kept = now
        if who == "run":
            pid = run_in_child(folder)
    assert killed["run"] + killed["worker"] == KILLS
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    end = stamps(folder)
    assert kept.items() <= end.items()
    assert len(end) == CLIPS
    print(killed)

    undisturbed = RunFolder(tmp_path / "undisturbed")
    outcome: Outcome = run(PLAN, undisturbed, cpu())
    assert outcome.made == CLIPS
    assert digests(folder) == digests(undisturbed.path)
    results = [without_times(RunFolder(path)) for path in (folder, undisturbed.path)]
    assert results[0] == results[1]
    assert not list(folder.glob("clips/*/*/.*.part"))


def without_times(folder: RunFolder) -> list[tuple[ClipKey, int, str, str | None, str | None]]:
    return [(r.key, r.seed, r.status, r.reason, r.sha256) for r in folder.records()]


def test_workers_end_with_the_run_that_started_them(tmp_path):
    pid = run_in_child(tmp_path / "run")
    workers: list[psutil.Process] = []
    deadline = time.monotonic() + 20
    while not workers and time.monotonic() < deadline:
        time.sleep(0.05)
        workers = psutil.Process(pid).children()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_a_full_disk_leaves_no_half_file_and_says_what_to_do(tmp_path):
    import resource

    from vbench_lite.errors import StoreError
    from vbench_lite.files import write_whole

    whole = tmp_path / "whole.bin"
    write_whole(whole, b"before")
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # as a full disk: the write itself fails
        try:
            write_whole(whole, b"x" * 5000)
        except StoreError as error:
            os._exit(0 if "Free space, or name another file" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert whole.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["whole.bin"]


def test_a_full_disk_does_not_hide_behind_the_lock(tmp_path):
    import resource

    from vbench_lite.errors import StoreError

    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        try:
            run(PLAN, RunFolder(tmp_path / "run"), cpu())
        except StoreError as error:
            os._exit(0 if "run.json" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
