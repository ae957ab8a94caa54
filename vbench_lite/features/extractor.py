"""The protocol of a feature extractor, and the features of a clip."""

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
"""One frame: uint8, (height, width, 3), RGB, 0 to 255."""
Arrays: TypeAlias = Mapping[str, NDArray[Any]]
"""Arrays of one extractor, by name."""
Backbone = Literal["image", "video", "dino", "raft", "aesthetic", "imaging"]
"""The kind of a network in a set of backbones."""


@dataclass(frozen=True)
class ClipStream:
    """What is known about a clip before its first frame is decoded.

    Example:
        >>> ClipStream(frames=17, fps=8.0).frames
        17
    """

    frames: int
    """Number of frames as the file states it; 0 if it states none. It can be wrong, see `needs_frame_count`."""
    network: Any = None
    """The loaded network that the extractor names in `backbone`; None if it names none."""
    fps: float = 0.0
    """Mean frames per second as the file states it; 0 if it states none."""


class FeatureExtractor(Protocol):
    """Reads the frames of one clip in order and returns a few arrays.

    A new object is created for each clip, without arguments. It must not keep all frames, because clips can be long. It
    must not keep state between clips, because the features of a clip may depend on this clip only.

    Optional class attributes: `backbone: Backbone` names the network that `start` receives. `needs_frame_count = True`
    is for extractors that must know the correct number of frames before the first frame.

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
    """Name of the extractor: a metric reads `clip["<name>"]["<array>"]`. Unique among the selected extractors."""
    version: str
    """Version of the values. Raise it with every change that changes a value, because arrays are cached by it."""

    def start(self, clip: ClipStream) -> None:
        """Called once, before the first frame."""

    def see(self, frame: Frame) -> None:
        """Called once for each frame in order, uint8 (height, width, 3), RGB. Do not modify the frame."""

    def finish(self) -> Arrays:
        """Called once, after the last frame.

        Returns:
            The arrays by name. They are stored as .npz, so they must not contain Python objects.
        """


Extractor: TypeAlias = type[FeatureExtractor]


@dataclass(frozen=True)
class ClipFeatures:
    """A decoded clip: its form, and the arrays of each extractor.

    Example:
        >>> clip = ClipFeatures(2, 64, 64, 8.0, False, {"pixels": {"differences": np.array([0.1])}})
        >>> clip["pixels"]["differences"].tolist()
        [0.1]
    """

    frames: int
    height: int
    width: int
    fps: float
    """Frames per second; 0 if the file states none."""
    uneven: bool
    """Whether the frames have different durations."""
    arrays: Mapping[str, Arrays]
    """Extractor -> array -> values."""

    def __getitem__(self, extractor: str) -> Arrays:
        return self.arrays[extractor]


@dataclass(frozen=True)
class NoFeatures:
    """A clip without features: it is missing, failed, or cannot be decoded.

    Example:
        >>> NoFeatures("no frames").reason_code.value
        'unreadable'
    """

    reason: str
    reason_code: ReasonCode = ReasonCode.UNREADABLE


def backbone_of(extractor: Extractor) -> Backbone | None:
    """The kind of network that an extractor needs; None if it needs none."""
    found: Backbone | None = getattr(extractor, "backbone", None)
    return found


def is_own(extractor: Extractor) -> bool:
    """Whether an extractor is one of this package."""
    return extractor.__module__.startswith("vbench_lite.")


def identity(extractor: Extractor, network: Any = None) -> tuple[str, ...]:
    """The cache key of an extractor with its network. Arrays of one clip with equal keys are interchangeable.

    The key of an extractor outside of this package also contains the digest of its source file. So after an edit, old
    arrays in the cache are not used.
    """
    by = [extractor.name, extractor.version]
    if network is not None:
        by += [network.name, getattr(network, "protocol", "")]
    if not is_own(extractor):
        path = inspect.getsourcefile(extractor)
        by.append(hashlib.sha256(Path(path).read_bytes()).hexdigest() if path and Path(path).is_file() else "")
    return tuple(by)
