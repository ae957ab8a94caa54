"""Decodes each clip once for all extractors whose arrays are not in the cache.

Clips are read in parallel threads. Each network runs on one thread and on batches of one clip. So the features of a
clip depend on this clip only, not on other clips or on the number of workers.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from vbench_lite.backbones import Backbones
from vbench_lite.backbones.cache import NO_STORE, FeatureCache, Store
from vbench_lite.errors import UnreadableClip, system_reason
from vbench_lite.features.extractor import (
    Arrays,
    ClipFeatures,
    ClipStream,
    Extractor,
    NoFeatures,
    backbone_of,
    identity,
    is_own,
)
from vbench_lite.records import ReasonCode
from vbench_lite.video import ClipReader, Frames, Limits

Source: TypeAlias = Path | bytes | Frames
"""A file, the content of a file, or frames (which have no frame rate)."""
FORM = ("frames", "height", "width", "fps", "uneven")
AHEAD = 4
"""Highest number of finished clips per worker that wait for the caller."""
DECODER = "decoder 3"
"""Part of every cache key. Raise it with every change of the reader that changes a pixel or a frame."""


@runtime_checkable
class UnencodedClip(Protocol):
    """A clip that is encoded only if its features are not in the cache."""

    @property
    def key(self) -> str:
        """Identifies the content of the encoded file in the cache."""

    def encode(self) -> bytes:
        """The content of the encoded file."""


AnySource: TypeAlias = Source | Callable[[], Source | UnencodedClip]
Compute: TypeAlias = Callable[[Source, Iterable[str]], ClipFeatures]
"""Computes features of one clip by the extractors with the given names."""


@dataclass(frozen=True)
class Selection:
    """The extractors to run, each with its network. Extractors whose network is missing are left out."""

    networks: dict[Extractor, Any]

    @classmethod
    def of(cls, extractors: Iterable[Extractor], nets: Backbones) -> Selection:
        found = {e: getattr(nets, kind) if (kind := backbone_of(e)) else None for e in dict.fromkeys(extractors)}
        return cls({e: net for e, net in found.items() if net is not None or backbone_of(e) is None})

    @property
    def may_use_torch(self) -> bool:
        """Extractors of this package use torch only with a network; one of the user may use it at any time."""
        return any(net is not None or not is_own(extractor) for extractor, net in self.networks.items())

    def only(self, names: Iterable[str]) -> Selection:
        names = set(names)
        return Selection({e: net for e, net in self.networks.items() if e.name in names})


def extract(
    source: Source, extractors: Iterable[Extractor], nets: Backbones, limits: Limits | None = None, fps: float = 0.0
) -> ClipFeatures:
    """Decode a clip once and run the extractors on its frames.

    A clip is decoded a second time if an extractor needs the number of frames and the file states it wrongly.

    Args:
        source: A file, its content, or frames, uint8 (frames, height, width, 3), RGB.
        extractors: Classes with the protocol `FeatureExtractor`.
        nets: The networks. Extractors whose network is missing are left out.
        limits: Largest clip that is decoded.
        fps: Frame rate of frames in memory. A file states its own.

    Returns:
        The form of the clip and the arrays of each extractor.

    Raises:
        UnreadableClip: The file is empty, broken, truncated, or larger than the limits.

    Example:
        >>> from vbench_lite.features.pixels import Pixels
        >>> frames = np.zeros((3, 8, 8, 3), np.uint8)
        >>> extract(frames, [Pixels], Backbones("none"))["pixels"]["differences"].tolist()
        [0.0, 0.0]
    """
    selection = Selection.of(extractors, nets)

    def opened() -> ClipReader | _InMemory:
        return _InMemory(source, fps) if isinstance(source, np.ndarray) else ClipReader(source, limits)

    found = _decode(opened(), selection, None)
    late = {e.name for e in selection.networks} - set(found.arrays)
    if late:  # the file states no number of frames, or a wrong one
        again = _decode(opened(), selection.only(late), found.frames)
        found = replace(found, arrays={**found.arrays, **again.arrays})
    return found


def _decode(opened: ClipReader | _InMemory, selection: Selection, count: int | None) -> ClipFeatures:
    """Decode once. If the stated number of frames is wrong, extractors that need it are left out."""
    with opened as frames:
        stated = frames.announced if count is None else count
        running = {e: e() for e in selection.networks}
        for extractor, net in selection.networks.items():
            running[extractor].start(ClipStream(stated, net, frames.average_rate))
        seen = height = width = 0
        for frame in frames:
            height, width = frame.shape[:2]
            seen += 1
            for one in running.values():
                one.see(frame)
        fps, uneven = frames.fps() or 0.0, frames.uneven()
    if not seen:
        raise UnreadableClip("no frames")
    ready = [e for e in running if seen == stated or not getattr(e, "needs_frame_count", False)]
    return ClipFeatures(seen, height, width, fps, uneven, {e.name: running[e].finish() for e in ready})


class _InMemory:
    """Frames in memory, with the interface of `ClipReader`."""

    def __init__(self, frames: Frames, fps: float = 0.0) -> None:
        self._frames, self.announced, self.average_rate = frames, len(frames), fps

    def __enter__(self) -> _InMemory:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frames]:
        return iter(self._frames)

    def fps(self) -> float | None:
        return self.average_rate or None

    def uneven(self) -> bool:
        return False


class _CachedFeatures:
    """Cached arrays by clip and extractor. The form of a clip is a further entry."""

    def __init__(self, selection: Selection, store: Store) -> None:
        known = selection.networks.items()
        self._caches = {e.name: FeatureCache(DECODER, *identity(e, net), store=store) for e, net in known}
        self._form = FeatureCache(DECODER, "form", store=store)

    def read(self, key: str) -> tuple[dict[str, Any] | None, dict[str, Arrays]]:
        form = self._form.get(key)
        found = {name: cache.get(key) for name, cache in self._caches.items()} if form else {}
        return form, {name: arrays for name, arrays in found.items() if arrays is not None}

    def write(self, key: str, clip: ClipFeatures, names: Iterable[str]) -> None:
        for name in names:
            self._caches[name].put(key, dict(clip[name]))
        self._form.put(key, {name: np.asarray(getattr(clip, name)) for name in FORM})


def extract_all(
    sources: Sequence[AnySource], extractors: Iterable[Extractor], nets: Backbones, *, workers: int | None = None,
    tick: Callable[[], object] = lambda: None, compute: Compute | None = None, store: Store = NO_STORE,
) -> list[ClipFeatures | NoFeatures]:
    """Features of many clips as a list; see `extract_each`."""
    return [*extract_each(sources, extractors, nets, workers=workers, tick=tick, compute=compute, store=store)]


def extract_each(
    sources: Sequence[AnySource], extractors: Iterable[Extractor], nets: Backbones, *, workers: int | None = None,
    tick: Callable[[], object] = lambda: None, compute: Compute | None = None, store: Store = NO_STORE,
) -> Iterator[ClipFeatures | NoFeatures]:
    """Yield the features of many clips in their order, while clips are read in parallel.

    Only a few clips are read ahead of the caller, so memory does not grow with the number of clips. Arrays are stored
    in the user's cache, by the digest of the clip and the identity of the extractor. So a repeated scoring is fast, and
    a new metric computes only its own features.

    Args:
        sources: Files, contents or frames. A source may also be a function that returns one.
        extractors: As for `extract`.
        nets: The networks.
        workers: Number of clips that are read in parallel; default one per core. The features do not depend on it.
        tick: Called after each clip.
        compute: Computes features that are not in the cache, given a clip and the names of extractors. None computes
            them in this process.
        store: A second store of features, in addition to the user's cache.
    """
    selection = Selection.of(extractors, nets)
    cache = _CachedFeatures(selection, store)
    compute = compute or (lambda source, names: extract(source, selection.only(names).networks, nets))

    def one(source: AnySource) -> ClipFeatures | NoFeatures:
        if torch:
            torch.set_num_threads(1)
        try:
            return _cached(source() if callable(source) else source, selection, compute, cache)
        except UnreadableClip as error:
            return NoFeatures(str(error), getattr(error, "code", ReasonCode.UNREADABLE))

    torch: Any = import_module("torch") if selection.may_use_torch else None
    threads = torch.get_num_threads() if torch else 0
    waiting: deque[Future[ClipFeatures | NoFeatures]] = deque()
    count = workers or os.cpu_count() or 1
    pool = ThreadPoolExecutor(count)
    try:
        for source in sources:
            waiting.append(pool.submit(one, source))
            if len(waiting) > AHEAD * count:
                yield waiting.popleft().result()
                tick()
        while waiting:
            yield waiting.popleft().result()
            tick()
    finally:
        pool.shutdown(cancel_futures=True)
        if torch:
            torch.set_num_threads(threads)


def _cached(
    clip: Source | UnencodedClip, selection: Selection, compute: Compute, cache: _CachedFeatures
) -> ClipFeatures:
    key = clip.key if isinstance(clip, UnencodedClip) else content_digest(clip)
    form, known = cache.read(key)
    late = {e.name for e in selection.networks} - set(known)
    if form and not late:
        return ClipFeatures(**{name: value.item() for name, value in form.items()}, arrays=known)
    source = clip.encode() if isinstance(clip, UnencodedClip) else clip
    found = compute(source, late)
    cache.write(key, found, late)
    return replace(found, arrays={**known, **found.arrays})


def content_digest(source: Source) -> str:
    """sha256 of a file's content, or of frames and their shape.

    Raises:
        UnreadableClip: The file cannot be opened.
    """
    if isinstance(source, np.ndarray):
        return hashlib.sha256(str(source.shape).encode() + np.ascontiguousarray(source).tobytes()).hexdigest()
    try:
        return hashlib.sha256(source if isinstance(source, bytes) else source.read_bytes()).hexdigest()
    except OSError as error:
        raise UnreadableClip(f"cannot be opened: {system_reason(error)}") from None
