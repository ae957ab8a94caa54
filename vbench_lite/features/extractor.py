"""The protocol of a feature extractor, and what extractors leave of a clip."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vbench_lite.records import ReasonCode

Frame: TypeAlias = NDArray[np.uint8]
"""(height, width, 3), RGB."""
Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Backbone = Literal["image", "video", "dino", "raft", "aesthetic", "imaging"]
"""A network of a set of backbones."""


@dataclass(frozen=True)
class ClipStream:
    """What is known of a clip before its first frame is decoded."""

    frames: int
    """As the file states; 0 where it does not."""
    network: Any = None
    """The loaded backbone that the extractor asks for, else None."""
    fps: float = 0.0
    """Mean frames a second as the file states it; 0 where it does not."""


class FeatureExtractor(Protocol):
    """Reads the frames of one clip as they are decoded and leaves a few arrays.

    A new object is made for each clip, without arguments. It must keep neither all frames nor
    anything that depends on other clips, so that a clip's numbers depend on the clip alone.

    Example:
        >>> import numpy as np
        >>> class Green:
        ...     name, version = "green", "1"
        ...     def start(self, clip): self.means = []
        ...     def see(self, frame): self.means.append(frame[..., 1].mean() / 255)
        ...     def finish(self): return {"means": np.array(self.means)}
        >>> green = Green()
        >>> green.start(ClipStream(frames=1))
        >>> green.see(np.full((4, 4, 3), 51, np.uint8))
        >>> green.finish()["means"].tolist()
        [0.2]
    """

    name: str
    """Names the arrays: a metric reads `clip["<name>"]["<array>"]`."""
    version: str
    """Raised by every change that moves a value."""

    # Optional class attributes: `backbone: Backbone`, the network that `start` is given; and
    # `needs_frame_count: bool`, for extractors that must know the number of frames before the first one.

    def start(self, clip: ClipStream) -> None:
        """Called once, before the first frame."""

    def see(self, frame: Frame) -> None:
        """Called with each frame in order, uint8 (height, width, 3)."""

    def finish(self) -> Arrays:
        """The arrays, by name. They are stored as .npz, so they must not hold Python objects."""


Extractor: TypeAlias = type[FeatureExtractor]


@dataclass(frozen=True)
class ClipFeatures:
    """A decoded clip: its form, and the arrays of the extractors that saw it.

    Example:
        >>> clip = ClipFeatures(2, 64, 64, 8.0, False, {"pixels": {"differences": np.array([0.1])}})
        >>> clip["pixels"]["differences"].tolist()
        [0.1]
    """

    frames: int
    height: int
    width: int
    fps: float
    """0 where the file does not state it."""
    uneven: bool
    """Whether frames are shown for different times."""
    arrays: Mapping[str, Arrays]
    """extractor > array > values."""

    def __getitem__(self, extractor: str) -> Arrays:
        return self.arrays[extractor]


@dataclass(frozen=True)
class NoFeatures:
    """A clip that could not be decoded, or is not there."""

    reason: str
    reason_code: ReasonCode = ReasonCode.UNREADABLE


def backbone_of(extractor: Extractor) -> Backbone | None:
    """Which network of the set an extractor needs; None for none."""
    found: Backbone | None = getattr(extractor, "backbone", None)
    return found


def is_own(extractor: Extractor) -> bool:
    """Whether an extractor is one of this package."""
    return extractor.__module__.startswith("vbench_lite.")


def identity(extractor: Extractor, network: Any = None) -> tuple[str, ...]:
    """What makes the arrays of two extractions of one clip interchangeable.

    An extractor outside this package also counts by its source code, so that an edit is never hidden by the cache.
    """
    by = [extractor.name, extractor.version]
    if network is not None:
        by += [network.name, getattr(network, "protocol", "")]
    if not is_own(extractor):
        path = inspect.getsourcefile(extractor)
        by.append(hashlib.sha256(Path(path).read_bytes()).hexdigest() if path and Path(path).is_file() else "")
    return tuple(by)
