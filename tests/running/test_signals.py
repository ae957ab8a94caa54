"""SIGTERM may reach every process of a job at once: the clip in the making is finished and kept."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.running.test_runner import ran
from vbench_lite.generator import Output
from vbench_lite.records import ClipSpec, Definition, Request


class Signalled:
    """Gets SIGTERM while it generates, as from a job scheduler."""

    def __init__(self, definition: Definition) -> None:
        pass

    def load(self, device: str) -> None:
        pass

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        os.kill(os.getpid(), signal.SIGTERM)
        return [Output(frames=np.zeros((3, 32, 32, 3), np.uint8)) for _ in requests]

    def close(self) -> None:
        pass


def test_sigterm_to_a_worker_does_not_lose_its_clip(tmp_path: Path) -> None:
    definition = Definition("sim", "diffusion", f"{__name__}:Signalled", clip=ClipSpec(3, 8.0, 32, 32))
    outcome, _ = ran(tmp_path, definition, prompts=1, clips=2)
    assert (outcome.made, outcome.failed) == (2, [])
