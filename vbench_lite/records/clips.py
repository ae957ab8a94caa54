"""Records of clips, with the time, memory, energy and cost of generating them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from vbench_lite.records.generators import Price
from vbench_lite.records.reasons import ReasonCode


class ClipKey(NamedTuple):
    """Names one clip of a run."""

    generator: str
    prompt_id: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which is not needed here


@dataclass(frozen=True)
class MachineLoad:
    """Other load on the machine while a batch was measured. None: the system does not report it."""

    average: float | None = None
    """Number of processes that ran or waited to run, mean over the last minute."""
    other_cpus: float | None = None
    """Mean number of processors used by processes other than the generator's."""
    mhz: float | None = None
    """Mean clock of the processors."""
    throttled: bool | None = None
    """Whether heat, power or a container's quota slowed the device or the processors."""


@dataclass(frozen=True)
class Measurement:
    """Measured time, memory and energy of the generation of one clip. None: this machine cannot measure it."""

    wall_s: float | None = None
    """Wall time between synchronised points: this clip's share of its batch, without the work of this package."""
    device_s: float | None = None
    """wall_s times the number of occupied devices: the time that a cloud bills."""
    gpu_busy_s: float | None = None
    """CUDA events on the current stream; None on a CPU."""
    peak_memory_mb: float | None = None
    """Peak memory of tensors on the device during this clip's batch."""
    peak_reserved_mb: float | None = None
    peak_rss_mb: float | None = None
    """Resident memory of the generator's process tree."""
    energy_j: float | None = None
    energy_method: str | None = None
    load: MachineLoad | None = None
    batch_size: int = 1
    """Number of clips generated together; the figures above are divided among them."""
    stages_s: Mapping[str, float] = field(default_factory=dict)
    """Stage > seconds, as the adapter reports them, e.g. denoise, vae_decode, prefill, decode. These are totals of the
    whole batch: divide by batch_size for a clip's share."""
    counts: Mapping[str, float] = field(default_factory=dict)
    """Unit of work > number, e.g. denoising_steps, tokens."""


@dataclass(frozen=True)
class DeviceFacts:
    """The device of a clip or of a run, as stored."""

    kind: str = ""
    """"cpu" or "cuda"."""
    name: str = ""
    count: int = 1
    """Number of devices of this kind that the run used."""
    vcpus: int = 0
    memory_mb: float | None = None

    def __str__(self) -> str:
        return f"{self.count} x {self.name or self.kind or 'unknown'}"


@dataclass(frozen=True)
class ClipRecord:
    """One requested clip, generated or failed: the content of `<k>.json`."""

    generator: str
    route: str
    prompt_id: str
    index: int
    seed: int | None
    """None for clips made elsewhere whose seed is not known."""
    status: Literal["ok", "failed"]
    reason: str | None = None
    """The reason of a failure, as a sentence."""
    reason_code: ReasonCode | None = None
    """The reason of a failure, as a code."""
    path: str | None = None
    """Path of the clip, relative to the run folder."""
    sha256: str | None = None
    frames: int | None = None
    height: int | None = None
    width: int | None = None
    fps: float | None = None
    measurement: Measurement = Measurement()
    usd_charged: float | None = None
    """Cost in US dollars from a hosted service or a recorded list. None: the cost is computed from the price."""
    device: DeviceFacts | None = None
    """The device on which the clip was generated. None for clips made elsewhere."""
    price: Price | None = None
    """The price of this clip. Clips of one run may come from machines with different prices."""
    cost_usd: float | None = None
    """Cost of the clip in US dollars, failed or not, including the attempts that it replaced. None: not known."""
    retried_usd: float | None = 0.0
    """Cost of the failed attempts that this clip replaced; a part of `cost_usd`. None: the cost of one is not known."""

    @property
    def key(self) -> ClipKey:
        return ClipKey(self.generator, self.prompt_id, self.index)
