"""Computes features in separate processes, one per device, on this machine or on others.

The scoring process reads the cache, distributes clips that are not in it, and computes the scores. So the number of
processes does not change any byte of the result. A process that dies or hangs is restarted and its clip retried once.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, TypeAlias

from vbench_lite.errors import UnreadableClip
from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.metrics.base import Metric
from vbench_lite.metrics.registry import extractors_of, load_networks, select
from vbench_lite.records import ReasonCode
from vbench_lite.video import Frames

log = logging.getLogger("vbench_lite.scoring.pool")
Content: TypeAlias = bytes | Frames
Source: TypeAlias = Path | Content
TRIES = 2
LIMIT_S = 1800.0
"""Time limit in seconds for one clip, including the start of the process."""
END_S = 10.0


class ScorerDied(Exception):
    """The process that computed features died, or did not answer in time."""


class ClipKilledScorer(UnreadableClip):
    """A clip on which the scoring process died in every try."""

    code = ReasonCode.CRASHED


@dataclass(frozen=True)
class Recipe:
    """The settings from which a process builds the networks and extractors of a scoring."""

    backbones: str
    metrics: str | None
    images: bool = False
    """Whether any prompt has an image."""

    def select(self) -> list[Metric]:
        """The metrics whose features are computed."""
        return select(self.metrics, self.backbones, images=self.images)


class FeatureWorker:
    """Networks and extractors of a recipe on one device. It is created inside the worker process."""

    def __init__(self, recipe: Recipe, device: str) -> None:
        import torch

        torch.set_num_threads(1)
        metrics = recipe.select()
        self._extractors = {extractor.name: extractor for extractor in extractors_of(metrics)}
        self._nets = load_networks(metrics, recipe.backbones, device)

    def compute(self, source: Content, names: Sequence[str]) -> ClipFeatures | str:
        """The features of a clip by the named extractors, or the reason why the clip cannot be read."""
        from vbench_lite.features.extract import extract

        try:
            return extract(source, [self._extractors[name] for name in names], self._nets)
        except UnreadableClip as error:
            return str(error)


class Place(Protocol):
    """A handle on one worker process."""

    def compute(self, source: Content, names: Sequence[str]) -> ClipFeatures | str:
        """Run `FeatureWorker.compute` in the process.

        Raises:
            ScorerDied: The process died or did not answer. It cannot be used again.
        """

    def end(self) -> None:
        """End the process."""


class LocalPlace:
    """A worker process on this machine."""

    def __init__(self, recipe: Recipe, device: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, recipe, device), daemon=True)
        self._process.start()
        theirs.close()

    def compute(self, source: Content, names: Sequence[str]) -> ClipFeatures | str:
        try:
            self._pipe.send((source, names))
            if not self._pipe.poll(LIMIT_S):
                raise ScorerDied(f"it did not answer within {LIMIT_S:g} s")
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(END_S)
            code = self._process.exitcode
            raise ScorerDied(f"its process ended with code {code}" if code is not None else str(error)) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def end(self) -> None:
        with suppress(OSError):
            self._pipe.close()
        self._process.kill()
        self._process.join(END_S)


def _serve(pipe: Connection, recipe: Recipe, device: str) -> None:
    """The main loop of a process: compute features until the pipe is closed, and send exceptions to the parent."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with suppress(EOFError, OSError, KeyboardInterrupt):
        try:
            worker = FeatureWorker(recipe, device)
        except Exception as error:
            pipe.recv()
            pipe.send(error)
            return
        while True:
            source, names = pipe.recv()
            try:
                answer: Any = worker.compute(source, names)
            except Exception as error:
                answer = error
            pipe.send(answer)


class ScorerPool:
    """One worker process for each device, started when it is first needed.

    Args:
        recipe: What the processes compute.
        devices: Devices of the processes. A device may occur several times.
        start: Starts a process on a device.
    """

    def __init__(
        self, recipe: Recipe, devices: Sequence[str], start: Callable[[Recipe, str], Place] = LocalPlace
    ) -> None:
        self.size, self._recipe, self._start = len(devices), recipe, start
        self._free: SimpleQueue[tuple[str, Place | None]] = SimpleQueue()
        for device in devices:
            self._free.put((device, None))

    def compute(self, clip: Source, names: Iterable[str]) -> ClipFeatures:
        """Compute the features of one clip in the next free process.

        Raises:
            UnreadableClip: The clip cannot be read, or the process died in each of `TRIES` tries.
        """
        source = clip.read_bytes() if isinstance(clip, Path) else clip
        device, place = self._free.get()
        why = ""
        try:
            for _ in range(TRIES):
                place = place or self._start(self._recipe, device)
                try:
                    found = place.compute(source, sorted(names))
                except ScorerDied as error:
                    why = str(error)
                    log.warning("the scoring process on %s is restarted: %s", device, why)
                    place.end()
                    place = None
                    continue
                if isinstance(found, str):
                    raise UnreadableClip(found)
                return found
        finally:
            self._free.put((device, place))
        raise ClipKilledScorer(f"the scoring process died on this clip {TRIES} times: {why}")

    def close(self) -> None:
        """End all processes."""
        for _ in range(self.size):
            _, place = self._free.get()
            if place:
                place.end()

    def __enter__(self) -> ScorerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
