"""The plan of a run: every generator, every prompt, every k, in a fixed order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vbench_lite.errors import UsageError
from vbench_lite.inputs import catalogue
from vbench_lite.inputs.accepted import check_inputs
from vbench_lite.records import ClipKey, Definition, Prompt, Request, Suite

MOST_CLIPS = 1_000_000
"""Maximum number of clips per prompt."""


def clip_seed(run_seed: int, prompt_id: str, index: int) -> int:
    """The seed of the k-th clip of a prompt. It is the same for every generator, so that comparisons are paired.

    It is below 2**31, the limit of hosted services.

    >>> clip_seed(0, "sneaker-spin-red", 0)
    879760939
    """
    key = f"{run_seed}\n{prompt_id}\n{index}".encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:4], "big") >> 1


_STILL_TAGS = frozenset({"still", "stillness", "motionless"})


def asks_for_stillness(prompt: Prompt) -> bool:
    """Whether a prompt's motion or tags ask for a still clip.

    >>> asks_for_stillness(Prompt("vase", "a vase on a table", tags=("still",)))
    True
    """
    return prompt.motion == "still" or bool(_STILL_TAGS & set(prompt.tags))


@dataclass(frozen=True)
class Plan:
    """One run."""

    suite: Suite
    prompts: tuple[Prompt, ...]
    """The requested prompts of the suite."""
    clips_per_prompt: int
    seed: int
    backbones: str
    definitions: tuple[Definition, ...]
    clips_of: Mapping[str, int] = field(default_factory=dict)
    """Prompt id > number of clips, if it differs from `clips_per_prompt`."""

    def requests(self, definition: Definition) -> Iterator[Request]:
        """The requests for one generator, in order."""
        for prompt in self.prompts:
            for index in range(self.clips_of.get(prompt.id, self.clips_per_prompt)):
                seed = clip_seed(self.seed, prompt.id, index)
                yield Request(prompt.id, prompt.sent, index, seed, definition.clip)

    def keys(self, definition: Definition) -> list[ClipKey]:
        """The keys of these clips, in the same order."""
        return [ClipKey(definition.name, r.prompt_id, r.index) for r in self.requests(definition)]


def make_plan(
    suite: Suite, definitions: Sequence[Definition], clips_per_prompt: int | None, limit: int | None, seed: int,
    backbones: str, clips_of: Mapping[str, int] | None = None,
) -> Plan:  # fmt: skip
    """Checks the options and makes the plan.

    Args:
        suite: The prompts.
        definitions: The generators.
        clips_per_prompt: Clips per prompt; None takes the number of the suite.
        limit: Number of prompts from the start of the suite; None takes all.
        seed: Random seed of the run.
        backbones: The set of backbones for scoring.
        clips_of: Prompt id > number of clips, if prompts differ in it.

    Raises:
        UsageError: A number is not valid, two generators have the same name, or one does not accept images of prompts.
    """
    clips = suite.clips_per_prompt if clips_per_prompt is None else clips_per_prompt
    if clips < 1:
        raise UsageError(f"--clips-per-prompt {clips} requests no clip. Use 1 or more.")
    if clips > MOST_CLIPS:
        raise UsageError(f"{clips} clips per prompt are more than {MOST_CLIPS}. Use --clips-per-prompt with fewer.")
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit} requests no prompt. Use 1 or more, or leave it out for the whole suite.")
    names = [d.name for d in definitions]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f'two generators are called "{name}". Name each one once, or rename a definition\'s file.')
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@=,+-]{0,149}", name):
            raise UsageError(
                f'the generator name "{name}" names a folder: use up to 150 letters, digits, ".", "_", "-".'
            )
    for definition in definitions:
        check_settings(definition)
        catalogue.check_settings(definition)
        check_inputs(definition, suite.prompts[:limit])
    return Plan(suite, suite.prompts[:limit], clips, seed, backbones, tuple(definitions), clips_of or {})


def setting(definition: Definition, name: str, default: int) -> int:
    """A whole-number setting of the runner."""
    return int(definition.settings.get(name, default))


def check_settings(definition: Definition) -> None:
    """Checks the values of the runner's settings."""
    whole = ("batch_size", "tries", "devices", "workers", "stop_after_failures")
    for name in filter(definition.settings.__contains__, (*whole, "timeout_s", "memory_limit_mb")):
        value = definition.settings[name]
        kinds = int if name in whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
            expected = "a whole number, 1 or more" if name in whole else "a number above 0"
            raise UsageError(f'"{name}" of the generator "{definition.name}" is {value!r}: expected {expected}.')
