"""Clips that exist already: nothing is made, nothing of this machine is measured.

    model = "a folder of clips"         named as vbench_lite/inputs/clipnames.py says

What a clip cost, and the device seconds that it took, can stand in the folder's clips.csv. A clip
that is not there is recorded as failed, so that a partial folder gives a partial result.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vbench_lite.errors import GeneratorError
from vbench_lite.generator import Output, RunContext
from vbench_lite.inputs.clipnames import Matched, match_folder
from vbench_lite.records import Definition, Prompt, Request


class RecordedClips:
    """A folder of clips behind the generator interface."""

    def __init__(self, definition: Definition) -> None:
        self.name = definition.name
        self.folder = Path(definition.model)
        self.prompts: tuple[Prompt, ...] = ()
        self.matched: Matched | None = None
        if not self.folder.is_dir():
            raise GeneratorError(f'"{self.name}": there is no folder of clips at "{definition.model}".')

    def begin(self, context: RunContext) -> None:
        """Learns all prompts, so that a name that could mean two of them is not taken for one."""
        self.prompts = context.prompts

    def load(self, device: str) -> None:
        if self.prompts:
            self.matched = match_folder(self.folder, self.prompts)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """The stored file of each request, as it is."""
        asked = {r.prompt_id: Prompt(r.prompt_id, r.prompt) for r in requests}
        matched = self.matched or match_folder(self.folder, list(asked.values()))
        return [self._output(request, matched) for request in requests]

    def _output(self, request: Request, matched: Matched) -> Output:
        clip = matched.clips.get((request.prompt_id, request.index))
        if clip is None:
            failure = f'the folder holds no clip {request.index} of "{request.prompt}"'
            return Output(failure=failure, execution="precomputed")
        return Output(
            file=clip.path.read_bytes(), seed=clip.seed, usd_charged=clip.usd, device_s=clip.device_s,
            execution="precomputed",
        )

    def close(self) -> None:
        self.matched = None
