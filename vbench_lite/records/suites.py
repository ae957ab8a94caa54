"""Suites and their prompts, with the images and motions of the prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MOTIONS = (
    "still", "pan left", "pan right", "tilt up", "tilt down", "zoom in", "zoom out", "roll", "slides left",
    "slides right", "moves up", "moves down", "spins", "bounces",
)
"""Motions that a prompt can ask for: of the camera (pan, tilt, zoom, roll), of the subject, or none."""


@dataclass(frozen=True)
class PromptImage:
    """The start image of the clips of a prompt."""

    path: str = field(compare=False)
    """Absolute in a loaded suite; relative to the run folder in run.json."""
    sha256: str
    """sha256 of the file."""


@dataclass(frozen=True)
class Prompt:
    """One prompt of a suite.

    Example:
        >>> Prompt("sneaker-spin-red", "a red sneaker spins", category="footwear").tags
        ()
    """

    id: str
    text: str
    category: str = ""
    tags: tuple[str, ...] = ()
    image: PromptImage | None = None
    """None for a prompt without an image."""
    generator_text: str = ""
    """Text for generators instead of `text`, such as an expanded prompt. Metrics use `text`. "" for none."""
    motion: str = ""
    """The requested motion: one of `MOTIONS`; "" if the prompt asks for no known motion."""

    @property
    def sent(self) -> str:
        """The text for generators."""
        return self.generator_text or self.text


@dataclass(frozen=True)
class Threshold:
    """The range of one metric for usable clips. Each limit may be None."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True)
class Suite:
    """A named set of prompts, with the thresholds and the reference for their clips.

    Example:
        >>> suite = Suite("mine", "My products", (Prompt("mug", "a blue mug"),), digest="")
        >>> suite.clips_per_prompt
        2
    """

    name: str
    title: str
    prompts: tuple[Prompt, ...]
    digest: str
    """sha256 of prompt ids, texts, image files and the reference. Thresholds, categories, tags, comments and layout do
    not count."""
    clips_per_prompt: int = 2
    licence: str = ""
    reference: str = ""
    """"world", a folder of real clips, or "" for none."""
    usable: Mapping[str, Threshold] = field(default_factory=dict)
    source: str = ""
    reasons: tuple[str, ...] = ()
    """Reasons for rejecting a clip in `vbench review`; () for the default list."""

    def changes_since(self, older: Suite) -> str:
        """The changes of the content of the digest, in words; "" for none.

        Example:
            >>> one = Suite("mine", "", (Prompt("mug", "a mug"),), digest="1")
            >>> two = Suite("mine", "", (Prompt("mug", "a blue mug"), Prompt("bag", "a bag")), digest="2")
            >>> two.changes_since(one), one.changes_since(one)
            ('1 prompt added, 1 prompt with another text', '')
        """
        if older.digest == self.digest:
            return ""
        then, now = ({prompt.id: prompt.text for prompt in suite.prompts} for suite in (older, self))
        counts = {
            "added": len(now.keys() - then.keys()), "removed": len(then.keys() - now.keys()),
            "with another text": sum(then[id_] != now[id_] for id_ in then.keys() & now.keys()),
        }  # fmt: skip
        found = [f"{count} prompt{'s' * (count != 1)} {what}" for what, count in counts.items() if count]
        return ", ".join(found) or "another reference, or other images of prompts"
