"""Uses clips that exist already. Nothing is generated or measured on this machine.

    model = "a folder of clips"         # with names as in vbench_lite/inputs/clipnames.py

The folder's clips.csv can state the cost and the device seconds of each clip. A missing clip is recorded as failed, so
a partial folder gives a partial result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from vbench_lite.errors import GeneratorError
from vbench_lite.generator import Output, RunContext
from vbench_lite.records import Definition, Prompt, ReasonCode, Request

LARGEST_CLIP_BYTES = 2_000_000_000


class FoundClip(Protocol):
    """A clip file with the facts from its folder's table."""

    @property
    def path(self) -> Path: ...
    @property
    def seed(self) -> int | None: ...
    @property
    def usd(self) -> float | None: ...
    @property
    def device_s(self) -> float | None: ...


class MatchedClips(Protocol):
    """The clips of a folder by prompt id and index."""

    @property
    def clips(self) -> Mapping[tuple[str, int], FoundClip]: ...


MatchFolder = Callable[[Path, Sequence[Prompt]], MatchedClips]


class RecordedClips:
    """A generator that returns the clips of a folder.

    Args:
        definition: Definition whose `model` is the folder.
        match_folder: Finds the clips of prompts in a folder.
    """

    def __init__(self, definition: Definition, *, match_folder: MatchFolder) -> None:
        self.name = definition.name
        self.folder = Path(definition.model)
        self.prompts: tuple[Prompt, ...] = ()
        self.matched: MatchedClips | None = None
        self._match_folder = match_folder
        if not self.folder.is_dir():
            raise GeneratorError(f'"{self.name}": there is no folder of clips at "{definition.model}".')

    def begin(self, context: RunContext) -> None:
        """Store all prompts of the run, so that a file name that matches two prompts is assigned to neither."""
        self.prompts = context.prompts

    def load(self, device: str) -> None:
        if self.prompts:
            self.matched = self._match_folder(self.folder, self.prompts)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Return the stored file of each request, unchanged."""
        asked = {r.prompt_id: Prompt(r.prompt_id, r.prompt) for r in requests}
        matched = self.matched or self._match_folder(self.folder, list(asked.values()))
        return [self._output(request, matched) for request in requests]

    def _output(self, request: Request, matched: MatchedClips) -> Output:
        clip = matched.clips.get((request.prompt_id, request.index))
        if clip is None:
            failure = f'the folder contains no clip {request.index} of "{request.prompt}"'
            return Output(failure=failure, execution="precomputed")
        size = clip.path.stat().st_size
        if size > LARGEST_CLIP_BYTES:
            failure = f"{clip.path.name} is {size / 1e9:.1f} GB; at most 2 GB are read"
            return Output(failure=failure, failure_code=ReasonCode.UNREADABLE, execution="precomputed")
        return Output(
            file=clip.path.read_bytes(), seed=clip.seed, usd_charged=clip.usd, device_s=clip.device_s,
            execution="precomputed",
        )

    def close(self) -> None:
        self.matched = None
