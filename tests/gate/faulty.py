"""A generator that drives a real one and passes every prompt's clip off as another's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from vbench_lite.generator import Output, RunContext
from vbench_lite.inputs import catalogue
from vbench_lite.records import Definition, Request


class WrongPrompt:
    """[settings] of: the TOML of the real one. Each request goes on with the text of a prompt half a suite away."""

    def __init__(self, definition: Definition) -> None:
        self.inner = catalogue.build(catalogue.read_definition(Path(definition.settings["of"])))
        self.texts: dict[str, str] = {}

    def begin(self, context: RunContext) -> None:
        texts = [prompt.text for prompt in context.prompts]
        half = len(texts) // 2
        others = texts[half:] + texts[:half]
        self.texts = {prompt.id: other for prompt, other in zip(context.prompts, others, strict=True)}

    def load(self, device: str) -> None:
        self.inner.load(device)

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        return self.inner.generate([dataclasses.replace(r, prompt=self.texts[r.prompt_id]) for r in requests])

    def close(self) -> None:
        self.inner.close()
