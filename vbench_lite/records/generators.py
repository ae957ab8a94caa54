"""Definitions of generators, their prices, and the requests that they receive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Route = Literal["transformer", "diffusion", "hybrid", "undisclosed"]
ROUTES: tuple[Route, ...] = get_args(Route)


@dataclass(frozen=True)
class ClipSpec:
    """The form of a requested clip.

    Attributes:
        frames: Number of frames.
        fps: Frames per second.
        height: Pixels.
        width: Pixels.

    Example:
        >>> ClipSpec(frames=17, fps=8.0, height=64, width=64).seconds
        2.125
    """

    frames: int = 17
    fps: float = 8.0
    height: int = 64
    width: int = 64

    @property
    def seconds(self) -> float:
        """Length of the clip in seconds."""
        return self.frames / self.fps


@dataclass(frozen=True)
class PriceRow:
    """The price of clips up to a limit of size and length: one of three rates."""

    usd_per_clip: float | None = None
    usd_per_second: float | None = None
    usd_per_block: float | None = None
    block_s: float | None = None
    max_height: float | None = None
    """Largest shorter side in pixels, inclusive. None: no limit."""
    max_seconds: float | None = None
    """Maximum length in seconds, inclusive. None: no limit."""


@dataclass(frozen=True)
class Price:
    """The price of a generator: one of four rates, or `when`. `measuring/rates.py` computes the cost of a clip.

    Example:
        >>> Price(usd_per_device_hour=2.69, date="2026-11-28", source="the provider's price page").usd_per_clip is None
        True
    """

    usd_per_device_hour: float | None = None
    usd_per_clip: float | None = None
    usd_per_second: float | None = None
    """US dollars per second of the finished clip."""
    usd_per_block: float | None = None
    """US dollars per block of `block_s` seconds, rounded up."""
    block_s: float | None = None
    when: tuple[PriceRow, ...] = ()
    """Rates by size and length; the first row that applies to a clip is used."""
    date: str = ""
    source: str = ""
    reason: str = ""
    """The reason why no price is known; "" if one is known."""


@dataclass(frozen=True)
class Definition:
    """A generator under test, as its TOML file defines it.

    Example:
        >>> Definition("mine", "diffusion", "diffusers", model="models/mine").clip.frames
        17
    """

    name: str
    route: Route
    adapter: str
    """A name in `adapters.ADAPTERS`, an entry point, or "pkg.mod:Class"."""
    model: str = ""
    """A folder beside the TOML file (made absolute on loading) or a hub id."""
    revision: str = ""
    source: str = ""
    licence: str = ""
    clip: ClipSpec = ClipSpec()
    inputs: tuple[tuple[str, ...], ...] = (("text",),)
    """Inputs that it accepts. Each is a set of "image" and "text", in this order."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the adapter, and those that the runner reads (`generator.RUNNER_SETTINGS`)."""
    price: Price | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    """File, relative to the folder of the TOML > sha256. Checked before loading."""
    folder: Path = Path()
    """The folder of the TOML file."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Further facts for `vbench list`: memory, hardware, notes, dates."""


@dataclass(frozen=True)
class Request:
    """The request for one clip.

    Example:
        >>> Request("mug", "a blue mug", index=0, seed=7, spec=ClipSpec(frames=8)).spec.frames
        8
    """

    prompt_id: str
    prompt: str
    index: int
    """k: index of the clip among the clips of its prompt, counted from 0."""
    seed: int
    """The same for every generator, so that comparisons are paired."""
    spec: ClipSpec
    image: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    """The start image in the size of the clip: (height, width, 3), RGB. None for a prompt without an image."""
