"""The nouns, in the order in which a run makes them. Standard library only, nothing computed.

    Suite > Prompt > Request > Clip + Measurement > Score > Run > Estimate

Times are seconds, sizes are MiB where they end in `_mb`, money is US dollars, and a figure that is
not known is None with a reason beside it, never 0 and never NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 2
"""Of run.json, clip records, clips.csv and summary.json.

1: first. 2: a clip is ok, failed or missing; reasons have codes; each clip record holds its device, price and cost.
"""

Route = Literal["transformer", "diffusion", "hybrid", "undisclosed"]
ROUTES: tuple[Route, ...] = get_args(Route)


class ReasonCode(StrEnum):
    """Why a clip, a score or a figure is not there, or why a clip is not usable. Code decides by these, never by text.

    The list is closed: a reason that fits none of them is `OTHER`.
    """

    MISSING = "missing"
    """The clip was asked for and never generated."""
    FAILED = "failed"
    """The generator said that it could not make the clip."""
    REFUSED = "refused"
    """A service refused the prompt or the clip: moderation."""
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    """The generator's process died."""
    OUT_OF_MEMORY = "out_of_memory"
    BAD_OUTPUT = "bad_output"
    """The generator returned something that is no clip, or figures that are no numbers."""
    UNREADABLE = "unreadable"
    """The stored file cannot be decoded."""
    CHANGED = "changed"
    """The stored file is not the one that was generated: its digest differs."""
    WRONG_FORM = "wrong_form"
    """Frames, size or rate differ from what was asked for."""
    UNEVEN = "uneven"
    """Frames are shown for different lengths of time."""
    ONE_FRAME = "one_frame"
    BLACK = "black"
    BLANK = "blank"
    FROZEN = "frozen"
    REPEATED_FRAMES = "repeated_frames"
    BELOW_THRESHOLD = "below_threshold"
    ABOVE_THRESHOLD = "above_threshold"
    NOT_SCORED = "not_scored"
    BAD_SCORE = "bad_score"
    """What a program or a table gave is no number, or lies outside of the metric's range."""
    NO_BACKBONE = "no_backbone"
    """The set of backbones lacks the network that the metric needs."""
    PROMPT_UNREADABLE = "prompt_unreadable"
    """The text network cannot read the prompt."""
    PROMPT_TRUNCATED = "prompt_truncated"
    """The text network reads only the beginning of the prompt."""
    NO_REFERENCE = "no_reference"
    """There are no real clips to compare with."""
    SHARED_CLIPS = "shared_clips"
    """The set and its reference hold the same clips."""
    TOO_FEW = "too_few"
    """Too few clips, prompts or batches for the figure or its interval."""
    NO_INTERVAL = "no_interval"
    """No interval of this figure is known to cover the truth."""
    NO_PRICE = "no_price"
    NOT_MEASURED = "not_measured"
    """The device or the service does not give this reading."""
    NOT_EVALUATED = "not_evaluated"
    """Usability is not evaluated: there are no thresholds."""
    NONE_USABLE = "none_usable"
    NOT_APPLICABLE = "not_applicable"
    """The metric does not apply to this prompt."""
    OTHER = "other"


@dataclass(frozen=True)
class ClipSpec:
    """The form of clip that is asked for.

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
        """How long the clip lasts."""
        return self.frames / self.fps


MOTIONS = (
    "still", "pan left", "pan right", "tilt up", "tilt down", "zoom in", "zoom out", "roll", "slides left",
    "slides right", "moves up", "moves down", "spins", "bounces",
)
"""Motions that a prompt can ask for: of the camera (pan, tilt, zoom, roll), of the subject, or none at all."""


@dataclass(frozen=True)
class PromptImage:
    """The image that the clips of a prompt start from."""

    path: str = field(compare=False)
    """Absolute in a loaded suite; relative to the run folder in run.json."""
    sha256: str
    """Of the file."""


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
    """None for a prompt that is a text alone."""
    generator_text: str = ""
    """What generators are given instead of the text, such as an expanded prompt. Metrics use the text. "" for none."""
    motion: str = ""
    """What is asked to move, and how: one of `MOTIONS`; "" where the prompt asks for nothing that can be told."""

    @property
    def sent(self) -> str:
        """The text that generators are given."""
        return self.generator_text or self.text


@dataclass(frozen=True)
class Threshold:
    """What a usable clip needs of one metric; either side may be open."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True)
class Suite:
    """A named set of prompts, with what belongs to judging their clips.

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
    """Why people reject a clip, as `vbench review` offers them; () for its own list."""


@dataclass(frozen=True)
class PriceRow:
    """The price of clips up to a size and a length: one of three rates."""

    usd_per_clip: float | None = None
    usd_per_second: float | None = None
    usd_per_block: float | None = None
    block_s: float | None = None
    max_height: float | None = None
    """Pixels of the shorter side, inclusive; None is no limit."""
    max_seconds: float | None = None
    """Inclusive; None is no limit."""


@dataclass(frozen=True)
class Price:
    """What using a generator costs: one of four rates, or `when`. `measuring/rates.py` works out a clip's cost.

    Example:
        >>> Price(usd_per_device_hour=2.69, date="2026-11-28", source="the provider's price page").usd_per_clip is None
        True
    """

    usd_per_device_hour: float | None = None
    usd_per_clip: float | None = None
    usd_per_second: float | None = None
    """Per second of finished clip."""
    usd_per_block: float | None = None
    """Per begun block of `block_s` seconds."""
    block_s: float | None = None
    when: tuple[PriceRow, ...] = ()
    """Rates by size and length; the first row that applies to a clip counts."""
    date: str = ""
    source: str = ""
    reason: str = ""
    """Why no price is known; "" where one is."""


@dataclass(frozen=True)
class Definition:
    """A generator under test, as its TOML says.

    Example:
        >>> Definition("mine", "diffusion", "diffusers", model="models/mine").clip.frames
        17
    """

    name: str
    route: Route
    adapter: str
    """A name in `adapters.ADAPTERS`, an entry point, or "pkg.mod:Class"."""
    model: str = ""
    """A folder beside the TOML (made absolute on loading) or a hub id."""
    revision: str = ""
    source: str = ""
    licence: str = ""
    clip: ClipSpec = ClipSpec()
    inputs: tuple[tuple[str, ...], ...] = (("text",),)
    """What it can be given, each a set of "image" and "text", in this order."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The adapter's own; `batch_size` and `timeout_s` are the runner's."""
    price: Price | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    """sha256 by file, relative to the TOML's folder; checked before loading."""
    folder: Path = Path()
    """Where the TOML lies."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Free facts for `vbench list`: memory, hardware, notes, dates."""


@dataclass(frozen=True)
class Request:
    """One clip to be made.

    Example:
        >>> Request("mug", "a blue mug", index=0, seed=7, spec=ClipSpec(frames=8)).spec.frames
        8
    """

    prompt_id: str
    prompt: str
    index: int
    """k: which clip of its prompt, from 0."""
    seed: int
    """The same for every generator, so that comparisons are paired."""
    spec: ClipSpec
    image: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)
    """The image that the clip starts from, in the size of the clip: (height, width, 3), RGB. None for a text alone."""


class ClipKey(NamedTuple):
    """Names one clip of a run."""

    generator: str
    prompt_id: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which no one needs here


@dataclass(frozen=True)
class MachineLoad:
    """What else the machine did while a batch was measured. None means that the system does not say."""

    average: float | None = None
    """Processes that ran or waited to run, over the last minute."""
    other_cpus: float | None = None
    """Processors' worth of time that went to processes other than the generator's."""
    mhz: float | None = None
    """Mean clock of the processors."""
    throttled: bool | None = None
    """Whether heat, power or a container's quota slowed the device or the processors."""


@dataclass(frozen=True)
class Measurement:
    """What making one clip took. None means that this machine cannot tell."""

    wall_s: float | None = None
    """Between synchronised points, this clip's share of its batch; harness work is not in it."""
    device_s: float | None = None
    """wall_s times devices held: what a cloud bills."""
    gpu_busy_s: float | None = None
    """CUDA events on the current stream; None on a CPU."""
    peak_memory_mb: float | None = None
    """Peak of tensors on the device during this clip's batch."""
    peak_reserved_mb: float | None = None
    peak_rss_mb: float | None = None
    """Resident memory of the generator's process tree."""
    energy_j: float | None = None
    energy_method: str | None = None
    load: MachineLoad | None = None
    batch_size: int = 1
    """Clips made together; the figures above are amortised over them when it is not 1."""
    stages_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage, as the adapter reports them, e.g. denoise, vae_decode, prefill, decode. Unlike the figures
    above they are of the whole batch: divide by batch_size for a clip's share."""
    counts: Mapping[str, float] = field(default_factory=dict)
    """Units of work, e.g. denoising_steps, tokens."""


@dataclass(frozen=True)
class DeviceFacts:
    """The device of a clip or of a run, as stored."""

    kind: str = ""
    """"cpu" or "cuda"."""
    name: str = ""
    count: int = 1
    """Devices of this kind that the run used."""
    vcpus: int = 0
    memory_mb: float | None = None

    def __str__(self) -> str:
        return f"{self.count} x {self.name or self.kind or 'unknown'}"


@dataclass(frozen=True)
class ClipRecord:
    """One requested clip, made or failed: what `<k>.json` holds."""

    generator: str
    route: str
    prompt_id: str
    index: int
    seed: int | None
    """None for clips made elsewhere whose seed is not known."""
    status: Literal["ok", "failed"]
    reason: str | None = None
    """Why it failed, for people."""
    reason_code: ReasonCode | None = None
    """Why it failed, for code."""
    path: str | None = None
    """Of the clip, relative to the run folder."""
    sha256: str | None = None
    frames: int | None = None
    height: int | None = None
    width: int | None = None
    fps: float | None = None
    measurement: Measurement = Measurement()
    usd_charged: float | None = None
    """What a hosted service or a recorded list says that this clip cost; None where it is computed."""
    device: DeviceFacts | None = None
    """What the clip was made on. None for clips made elsewhere."""
    price: Price | None = None
    """The price that applied to it. Clips of one run may come from machines with different prices."""
    cost_usd: float | None = None
    """What the clip cost, failed or not, with the attempts that it replaced; None where that is not known."""
    retried_usd: float | None = 0.0
    """The failed attempts that this one replaced; a part of `cost_usd`. None where the cost of one is not known."""

    @property
    def key(self) -> ClipKey:
        return ClipKey(self.generator, self.prompt_id, self.index)


QUESTIONS = {
    "coherence": "Coherence", "detail": "Detail", "prompt": "Following the prompt", "set": "The set as a whole",
}
"""What people ask of clips: the key that a metric names > the title in reports, in their order."""


Origin = Literal["", "program", "imported"]
"""Who computed a metric's values: this package, a program of the user, or another tool whose table was imported."""


@dataclass(frozen=True)
class MetricInfo:
    """What a number is called, and what makes two such numbers comparable."""

    name: str
    unit: str
    higher_is_better: bool | None
    """None: reported only, never ranked."""
    version: str
    """Raised by every change that moves a value."""
    backbone: str | None
    """Name and digest of the network that computes it, e.g. "builtin/clip@1a2b3c4d"."""
    per: Literal["clip", "set"]
    title: str = ""
    range: tuple[float | None, float | None] = (None, None)
    """Smallest and largest possible value; None where there is no limit."""
    question: str = ""
    """Which question of a report it answers; "" for none."""
    rank: int = 10
    """Order within the question."""
    description: str = ""
    pitfalls: str = ""
    source: str = ""
    origin: Origin = ""
    """Values of different origins are never compared."""


class Score(NamedTuple):
    """One clip's value of one metric, or why there is none.

    Example:
        >>> Score(None, "it has a single frame", ReasonCode.ONE_FRAME).reason_code.value
        'one_frame'
    """

    value: float | None
    reason: str | None = None
    reason_code: ReasonCode | None = None


@dataclass(frozen=True)
class Estimate:
    """A figure over many clips, with its 95 % interval over prompts.

    Pitfalls: `value` and both sides of the interval may be None, each on its own. `reason` then says why.

    Example:
        >>> Estimate(0.91, low=0.88, high=0.94, n=80).value
        0.91
        >>> Estimate(None, reason="no price is known", reason_code=ReasonCode.NO_PRICE).reason
        'no price is known'
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Clips (or prompts, for costs) that it rests on."""
    unscored: int = 0
    """Clips that should have counted and could not be scored."""
    reason: str | None = None
    """Why value (or its interval) is None, for people."""
    reason_code: ReasonCode | None = None
    """The same for code."""


@dataclass(frozen=True)
class Scored:
    """All scores of a run: what scoring hands to the summary."""

    metrics: Mapping[str, MetricInfo]
    clips: Mapping[ClipKey, Mapping[str, Score]]
    sets: Mapping[str, Mapping[str, Estimate]]
    """generator > set metric > estimate."""
    reference: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    """Scores of the reference clips by metric, the same clips in the same order for each: where thresholds come from.
    """
    features: Mapping[str, bytes] = field(default_factory=dict)
    """generator > what set metrics were computed from, as `analysis.set_features` writes it."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Protocols, anchor drift and whatever else belongs beside the numbers."""
