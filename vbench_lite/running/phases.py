"""The files timings/<generator>.json: seconds of each process by phase. They are not compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vbench_lite.files import to_json, write_whole
from vbench_lite.measuring.devices import Device
from vbench_lite.records import FORMAT
from vbench_lite.run.view import read_processes
from vbench_lite.running.batches import Shard
from vbench_lite.running.engines import Phase


class PhaseLog:
    """Times of a generator's processes by phase, over all sessions of the run folder."""

    def __init__(self, run: Path, generator: str, shard: Shard, device: Device) -> None:
        name = generator if shard.parts == 1 else f"{generator}.{shard}"
        self._path = run / "timings" / f"{name}.json"
        self._facts = {"device": device.name}
        self._begun = datetime.now(UTC).isoformat(timespec="seconds")
        self._processes: dict[tuple[str, int], dict[str, Any]] | None = None
        self._earlier: list[dict[str, Any]] = []

    def add(self, phase: Phase) -> None:
        """Store the timings of a process. Later timings of the same process replace earlier ones."""
        if self._processes is None:
            self._processes, self._earlier = {}, read_processes(self._path)
        self._processes[phase.worker, phase.life] = phase.timings
        now = [
            {"worker": worker, "life": life, "begun": self._begun} | self._facts | timings
            for (worker, life), timings in self._processes.items()
        ]
        write_whole(self._path, to_json({"format": FORMAT, "processes": [*self._earlier, *now]}))


@contextmanager
def timed_scoring(run: Path) -> Iterator[None]:
    """Store the time of scoring in timings/_scoring.json. Names of generators do not begin with an underscore."""
    started = time.perf_counter()
    yield
    facts = {"ended": datetime.now(UTC).isoformat(timespec="seconds")}
    seconds = time.perf_counter() - started
    write_whole(run / "timings" / "_scoring.json", to_json({"format": FORMAT, **facts, "score_s": seconds}))
