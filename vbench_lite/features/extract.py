"""One decode of each clip and one pass through each backbone: what is left of a clip is an `Observation`.

Metrics read observations, never files, so that nine metrics cost one decode. Clips are observed
side by side in threads, each with one thread of its own for the network and with batches that lie
within the clip: a clip's numbers depend on the clip alone, not on its neighbours or on how many
workers there are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vbench_lite.backbones import Backbones, ImageTextEncoder, VideoEncoder
from vbench_lite.backbones.cache import FeatureCache
from vbench_lite.backbones.image_text import BATCH
from vbench_lite.errors import UnreadableClip
from vbench_lite.metrics.clip_consistency import likeness, unit_rows
from vbench_lite.metrics.detail import fine_energy
from vbench_lite.metrics.temporal_coherence import FlowPairs, frame_difference
from vbench_lite.video import ClipReader, Frames, Limits

VERSION = "3"
"""Of what an observation holds; raised by every change that moves a value in it."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Observation:
    """What one pass leaves of a clip of T frames. Per-pair values have T - 1 places."""

    frames: int
    height: int
    width: int
    fps: float
    """0 where the file does not say."""
    uneven: bool
    """Whether frames are shown for unlike times."""
    brightness: Values
    """Mean luma of each frame, 0 to 1."""
    contrast: Values
    """Standard deviation of luma of each frame, 0 to 1."""
    differences: Values
    """Mean absolute difference of each pair, 0 to 1."""
    warp_errors: Values
    """Mean squared difference of each pair after warping; -1 where every pixel is occluded."""
    motions: Values
    """Mean of the top 5 % flow magnitudes of each pair, in short sides of the frame."""
    fine_energies: Values
    """Energy of fine structure of each frame; see `metrics.detail`."""
    likeness: Values
    """Of each pair: how alike the frame is to the one before and to the first; (0,) without an image encoder."""
    image: Values
    """(values,), mean of the frames' unit embeddings; (0,) without an image encoder."""
    video: Values
    """(values,); (0,) without a video encoder."""


@dataclass(frozen=True)
class Unreadable:
    """A clip that could not be observed."""

    reason: str


Source: TypeAlias = Path | bytes | Frames
"""A file, a file's content, or frames (then without a frame rate)."""


@runtime_checkable
class Unmade(Protocol):
    """A clip that need not be encoded where its observation is in the cache."""

    @property
    def key(self) -> str:
        """Stands for the content of the file."""

    def encode(self) -> bytes:
        """The file."""


AnySource: TypeAlias = Source | Callable[[], Source | Unmade]


def observe(source: Source, nets: Backbones, limits: Limits | None = None) -> Observation:
    """Reads a clip once and keeps what every metric needs of it.

    Raises:
        UnreadableClip: The file is empty, broken, cut off, or larger than the limits.
    """
    if isinstance(source, np.ndarray):
        return _observe(iter(source), len(source), nets, lambda: (0.0, False))
    with ClipReader(source, limits) as reader:
        found = _observe(iter(reader), reader.announced, nets, lambda: (reader.fps() or 0.0, reader.uneven()))
    if nets.video and len(found.video) == 0:  # the file did not say, or not rightly, how many frames it holds
        with ClipReader(source, limits) as reader:
            return _observe(iter(reader), found.frames, nets, lambda: (reader.fps() or 0.0, reader.uneven()))
    return found


def _observe(
    frames: Iterator[Frames], count: int, nets: Backbones, timing: Callable[[], tuple[float, bool]]
) -> Observation:
    pixels, images, clip = PixelPass(), ImagePass(nets.image), VideoPass(nets.video, count)
    height = width = 0
    for frame in frames:
        height, width = frame.shape[:2]
        pixels.see(frame)
        images.see(frame)
        clip.see(frame)
    if not pixels.brightness:
        raise UnreadableClip("no frames")
    fps, uneven = timing()
    flow = pixels.flow
    return Observation(
        frames=len(pixels.brightness), height=height, width=width, fps=fps, uneven=uneven,
        brightness=np.array(pixels.brightness), contrast=np.array(pixels.contrast),
        differences=np.array(pixels.differences), warp_errors=np.array(flow.warp_errors),
        motions=np.array(flow.motions), fine_energies=np.array(pixels.fine_energies),
        likeness=images.likeness(), image=images.mean(), video=clip.finish(len(pixels.brightness)),
    )


class PixelPass:
    """What is read from pixels alone; holds one earlier frame."""

    def __init__(self) -> None:
        self.brightness: list[float] = []
        self.contrast: list[float] = []
        self.differences: list[float] = []
        self.fine_energies: list[float] = []
        self.flow = FlowPairs()
        self._last: Frames | None = None

    def see(self, frame: Frames) -> None:
        luma, energy = fine_energy(frame)
        self.brightness.append(float(luma.mean()) / 255)
        self.contrast.append(float(luma.std()) / 255)
        self.fine_energies.append(energy)
        if self._last is not None:
            self.differences.append(frame_difference(self._last, frame))
        self.flow.see(frame)
        self._last = frame


class ImagePass:
    """Embeds frames as they come, `BATCH` at a time; holds the first and the last embedding, not all of them."""

    def __init__(self, encoder: ImageTextEncoder | None) -> None:
        self._encoder = encoder
        self._waiting: list[Tensor] = []
        self._edges: tuple[Values, Values] | None = None
        """The first embedding and the latest."""
        self._sum, self._count = np.zeros(0), 0
        self._likeness: list[Values] = []

    def see(self, frame: Frames) -> None:
        if self._encoder is None:
            return
        self._waiting.append(self._encoder.prepare(frame))
        if len(self._waiting) == BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._encoder is None or not self._waiting:
            return
        found = unit_rows(self._encoder.embed_images(torch.stack(self._waiting)))
        self._waiting = []
        if self._edges is None:
            self._edges, self._sum = (found[0], found[0]), np.zeros(found.shape[1])
            pairs = likeness(found[1:], found[:-1], found[0])
        else:
            first, last = self._edges
            pairs = likeness(found, np.vstack([last, found[:-1]]), first)
        self._likeness.append(pairs)
        self._edges = (self._edges[0], found[-1])
        self._sum, self._count = self._sum + found.sum(0), self._count + len(found)

    def likeness(self) -> Values:
        """Of each frame but the first; see `clip_consistency.likeness`."""
        self._flush()
        return np.concatenate(self._likeness) if self._likeness else np.zeros(0)

    def mean(self) -> Values:
        """Mean of the unit embeddings."""
        self._flush()
        return self._sum / max(self._count, 1)


class VideoPass:
    """Keeps the frames that the video network sees, and runs it once at the end."""

    def __init__(self, encoder: VideoEncoder | None, count: int) -> None:
        self._encoder, self._count, self._next = encoder, count, 0
        self._places = spaced(count, encoder.frames) if encoder and count else []
        self._kept: dict[int, Tensor] = {}
        self._wanted = set(self._places)

    def see(self, frame: Frames) -> None:
        if self._encoder is not None and self._next in self._wanted:
            self._kept[self._next] = self._encoder.prepare(frame)
        self._next += 1

    def finish(self, seen: int) -> Values:
        """The features, or none when the clip turned out to have another number of frames."""
        if self._encoder is None or seen != self._count:
            return np.zeros(0)
        return self._encoder.embed(torch.stack([self._kept[place] for place in self._places]))


def spaced(count: int, wanted: int) -> list[int]:
    """`wanted` places from 0 to count - 1, evenly, rounded half to even; some repeat where count is less."""
    return [int(place) for place in torch.linspace(0, count - 1, wanted).round()]


def observe_all(
    sources: Sequence[AnySource], nets: Backbones, *, workers: int | None = None,
    tick: Callable[[], object] = lambda: None,
) -> list[Observation | Unreadable]:
    """Observes many clips side by side, in their order; a source may be a function that makes or reads it.

    Observations are kept in the user's cache by the digests of the clip and of the networks, so
    that scoring again costs next to nothing.
    """
    cache = FeatureCache(*network_names(nets))

    def one(source: AnySource) -> Observation | Unreadable:
        torch.set_num_threads(1)
        try:
            clip = source() if callable(source) else source
            key = clip.key if isinstance(clip, Unmade) else content_digest(clip)
            arrays = cache.get(key)
            if arrays is not None:
                return _from_arrays(arrays)
            found = observe(clip.encode() if isinstance(clip, Unmade) else clip, nets)
        except UnreadableClip as error:
            return Unreadable(str(error))
        cache.put(key, {field.name: np.asarray(getattr(found, field.name)) for field in fields(found)})
        return found

    threads = torch.get_num_threads()
    found = []
    try:
        with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
            for result in pool.map(one, sources):
                found.append(result)
                tick()
    finally:
        torch.set_num_threads(threads)
    return found


def network_names(nets: Backbones) -> tuple[str, ...]:
    """What makes two observations of one clip interchangeable."""
    return VERSION, nets.image.name if nets.image else "", nets.video.protocol if nets.video else ""


def _from_arrays(arrays: dict[str, Any]) -> Observation:
    values: dict[str, Any] = {name: array.item() if array.ndim == 0 else array for name, array in arrays.items()}
    return Observation(**values)


def content_digest(source: Source) -> str:
    """sha256 of a file's content, or of frames with their shape.

    Raises:
        UnreadableClip: There is no such file.
    """
    if isinstance(source, np.ndarray):
        return hashlib.sha256(str(source.shape).encode() + np.ascontiguousarray(source).tobytes()).hexdigest()
    try:
        return hashlib.sha256(source if isinstance(source, bytes) else source.read_bytes()).hexdigest()
    except OSError as error:
        raise UnreadableClip(f"cannot be opened: {error.strerror}") from None
