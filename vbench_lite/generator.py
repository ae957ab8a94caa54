"""The interface that every generator implements.

    class MyGenerator:
        def __init__(self, definition: Definition) -> None: ...      # cheap: no weights yet
        def load(self, device: str) -> None: ...                     # "cpu" or "cuda:0"
        def generate(self, requests: Sequence[Request]) -> list[Output]: ...
        def close(self) -> None: ...

The runner measures the time of `load`, of `generate` and of everything else separately. Only `generate` is billed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from vbench_lite.records import Prompt, ReasonCode, Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Output:
    """One generated clip, in memory or as a file, or the reason why it could not be generated.

    Example:
        >>> import numpy as np
        >>> Output(frames=np.zeros((17, 64, 64, 3), np.uint8)).frames.shape
        (17, 64, 64, 3)
        >>> Output(failure="the prompt was refused", failure_code=ReasonCode.REFUSED).frames is None
        True
    """

    frames: NDArray[np.uint8] | None = None
    """uint8, (frames, height, width, 3), RGB. None when `file` holds the clip."""
    fps: float | None = None
    """Frames per second of the clip. None: as requested."""
    file: bytes | None = None
    """A finished mp4, webm or gif, stored as it is: for programs and services that encode themselves."""
    stages_s: Mapping[str, float] = field(default_factory=dict)
    """Stage > seconds, of this call: totals of the whole batch, the same for each of its clips."""
    counts: Mapping[str, float] = field(default_factory=dict)
    """Unit of work > number, of this clip: denoising_steps, tokens."""
    usd_charged: float | None = None
    """US dollars that a service reports for this clip. None: not reported."""
    device_s: float | None = None
    """Device time in seconds that the generator reports (e.g. from a service). None: the runner's measurement is used.
    """
    seed: int | None = None
    """The seed of a precomputed clip. None: not known, or not precomputed."""
    failure: str | None = None
    """The reason why this clip could not be generated. None: it was generated."""
    failure_code: ReasonCode = ReasonCode.FAILED
    """The code of the failure, e.g. REFUSED for moderation."""
    execution: Literal["in_process", "subprocess", "remote", "precomputed"] = "in_process"
    """Where the clip was generated. This decides what the runner's measurements mean. "subprocess": another process of
    this machine; its tensors are not visible here, so peak GPU memory and GPU busy time are empty. "remote" (a hosted
    service): only wall_s is the generator's; device seconds, memory and energy of this machine are empty.
    "precomputed" (a recorded clip): wall_s is empty too."""


@dataclass(frozen=True)
class RunContext:
    """Facts about the run, passed to the method `begin` of a generator, if it has one, before `load`."""

    state: Path
    """A folder in the run folder for files of the generator that must survive a restart. It may not exist yet.
    """
    prompts: tuple[Prompt, ...]
    """All prompts of the run, including those that other processes generate."""


class Generator(Protocol):
    """A model under test. Each generator runs in its own process.

    The requests of one call have the same clip form. There are at most `batch_size` of them (a setting of the
    definition, 1 by default). `generate` returns one output for each request, in the same order. The same request
    gives the same clip in every batch, as far as the hardware allows. Raise `ClipFailed` with a reason code if the
    clips of this call cannot be generated. Any other exception is recorded with the code FAILED. If a call for several
    clips fails, each clip is tried separately. The run continues until `stop_after_failures` equal failures in a row.

    Example:
        >>> import numpy as np
        >>> class Grey:
        ...     def __init__(self, definition): ...
        ...     def load(self, device): ...
        ...     def close(self): ...
        ...     def generate(self, requests):
        ...         sizes = [(r.spec.frames, r.spec.height, r.spec.width, 3) for r in requests]
        ...         return [Output(frames=np.full(size, 128, np.uint8)) for size in sizes]
        >>> from vbench_lite.records import ClipSpec
        >>> (output,) = Grey(None).generate([Request("mug", "a blue mug", 0, seed=7, spec=ClipSpec())])
        >>> output.frames.shape
        (17, 64, 64, 3)
    """

    def load(self, device: str) -> None:
        """Loads the weights onto the device. Called once, before the first `generate`.

        Args:
            device: "cpu" or "cuda:0".

        Raises:
            GeneratorError: The model cannot be loaded.
        """

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Generates one clip for each request.

        Args:
            requests: Requests of one clip form, at most `batch_size` of them.

        Returns:
            One output for each request, in their order.

        Raises:
            ClipFailed: These clips cannot be generated. The run continues.
        """

    def close(self) -> None:
        """Frees what `load` allocated. Called once, also after an error."""


RUNNER_SETTINGS = ("batch_size", "timeout_s", "tries", "devices", "workers", "memory_limit_mb", "stop_after_failures")
"""Keys of a definition's [settings] that the runner reads for every adapter. An adapter must ignore them.

    batch_size       number of clips per call of `generate`; 1
    timeout_s        time limit of one clip in seconds, after which its process counts as hanging; 1800
    tries            number of tries of a clip whose process died or hung; 2
    devices          number of devices that one process uses and is billed for; 1
    workers          parallel processes on a CPU or for a hosted service; each is billed its share of the machine; 1
    stop_after_failures  number of equal failures in a row after which the generator is stopped; 10
    memory_limit_mb  resident memory after a clip above which the process is restarted; 80 % of the machine's

A generator may also have a method `warm_up(requests)`. It is called once after `load`, measured separately and not
billed. Hosted services have none, because a warm-up would cost money. A generator may also have a method
`begin(context: RunContext)`. It is called before `load`.
"""
