"""Clips that exist already: nothing is made, nothing of this machine is measured.

    model = "a folder of clips"         named as vbench_lite/inputs/clipnames.py says

What a clip cost, and the device seconds that it took, can stand in the folder's clips.csv. A clip
that is not there is recorded as failed, so that a partial folder gives a partial result.
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
    """A clip file and what its folder's table states of it."""

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
    """A folder of clips behind the generator interface.

    Args:
        definition: `model` is the folder.
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
        """Takes all prompts of the run, so that a file name which fits two of them is not assigned to one."""
        self.prompts = context.prompts

    def load(self, device: str) -> None:
        if self.prompts:
            self.matched = self._match_folder(self.folder, self.prompts)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """The stored file of each request, unchanged."""
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
            failure = f"{clip.path.name} is {size / 1e9:.1f} GB; more than 2 GB is not read"
            return Output(failure=failure, failure_code=ReasonCode.UNREADABLE, execution="precomputed")
        return Output(
            file=clip.path.read_bytes(), seed=clip.seed, usd_charged=clip.usd, device_s=clip.device_s,
            execution="precomputed",
        )

    def close(self) -> None:
        self.matched = None
