"""Finds equal clips for different seeds, which show that a generator or service ignores its seed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vbench_lite.records import ClipRecord


@dataclass(frozen=True)
class EqualClips:
    """Prompts of one generator that have the same file more than once."""

    generator: str
    prompts: tuple[str, ...]
    """Prompts with equal clips, in order."""
    compared: int
    """Number of prompts with two or more clips."""
    everywhere: bool
    """Whether all clips of each compared prompt are equal, so that the seed has no effect."""
    example: tuple[int, int]
    """Indices of two equal clips of the first prompt."""

    def sentence(self) -> str:
        """The finding as a sentence."""
        if self.everywhere:
            return (
                f'"{self.generator}" made the same clip for every seed, for all {self.compared} prompts with several '
                "clips: its seed has no effect, and more clips per prompt add no information"
            )
        first, second = self.example
        return (
            f'"{self.generator}" made equal clips for different seeds in {len(self.prompts)} of {self.compared} '
            f"prompts, e.g. {self.prompts[0]} #{first} and #{second}: check that the seed reaches the model"
        )


def equal_clips(generator: str, records: Iterable[ClipRecord]) -> EqualClips | None:
    """Compare the clips of each prompt by their digests. Clips of different prompts are not compared.

    Args:
        generator: Name of the generator.
        records: Records of its clips. Failed clips are ignored.

    Returns:
        The finding; None if all clips of every prompt differ.
    """
    by_prompt: dict[str, dict[int, str]] = {}
    for record in records:
        if record.status == "ok" and record.sha256:
            by_prompt.setdefault(record.prompt_id, {})[record.index] = record.sha256
    several = {prompt: clips for prompt, clips in sorted(by_prompt.items()) if len(clips) > 1}
    equal = {prompt: pair for prompt, clips in several.items() if (pair := _first_pair(clips))}
    if not equal:
        return None
    everywhere = all(len(set(clips.values())) == 1 for clips in several.values())
    return EqualClips(generator, tuple(equal), len(several), everywhere, next(iter(equal.values())))


def _first_pair(clips: dict[int, str]) -> tuple[int, int] | None:
    """The indices of the first two equal clips."""
    seen: dict[str, int] = {}
    for index, digest in sorted(clips.items()):
        if digest in seen:
            return seen[digest], index
        seen[digest] = index
    return None
