"""The clips of a report: embedded in the page if they fit, else in a folder beside it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vbench_lite.files import write_whole
from vbench_lite.report.data import GeneratorResult, Report
from vbench_lite.report.output import Clips

BUDGET = 21_000_000
"""Maximum bytes of clips in a page. With base64, which adds a third, the page has up to 30 MB."""
SAMPLE = 32
"""Number of previews from which the size of all previews is estimated."""
PREVIEW_SIDE = 240
"""Shorter side of a preview, in pixels."""


@dataclass(frozen=True)
class Media:
    """The sources of the clips for the page."""

    embedded: dict[str, str]
    """Clip id > base64 of an mp4."""
    linked: dict[str, str]
    """Clip id > address relative to the page."""
    note: str = ""
    """A note for the reader, e.g. that the clips are smaller than the originals."""

    def source(self, clip: str) -> str:
        return self.linked.get(clip, "")

    def has(self, clip: str) -> bool:
        return clip in self.embedded or clip in self.linked


def clip_id(entry: GeneratorResult, prompt: int, index: int) -> str:
    """Identifies a clip within the page. It consists of numbers, so it needs no escaping."""
    return f"{entry.scene}-{entry.number}-{prompt}-{index}"


def files(report: Report) -> Iterator[tuple[str, Path]]:
    """(clip id, file) of every existing clip. Paths outside the run folder are not followed."""
    for entry in (entry for scenario in report.scenarios for entry in scenario.entries):
        for prompt, index in zip(*entry.grid.made.nonzero(), strict=True):
            path = clip_file(entry, int(prompt), int(index))
            if path is not None:
                yield clip_id(entry, int(prompt), int(index)), path


def clip_file(entry: GeneratorResult, prompt: int, index: int) -> Path | None:
    """The file of a generated clip; None if it does not exist, or is outside the run folder."""
    folder = entry.run.path.resolve()
    path = (folder / str(entry.grid.text("path")[prompt, index])).resolve()
    return path if path.is_relative_to(folder) and path.is_file() else None


def collect(report: Report, page: Path, mode: Clips = "auto") -> Media:
    """Embeds the clips, or copies them beside the page.

    Args:
        report: The report. The clips of all its scenarios are collected.
        page: The file of the page.
        mode: "auto" embeds the clips if they fit, else smaller previews if they fit, else it makes a folder.
    """
    if mode == "none":
        return Media({}, {}, "The clips are not part of this page.")
    found = dict(files(report))
    size = sum(path.stat().st_size for path in found.values())
    if mode == "folder" or (mode == "auto" and size > 12 * BUDGET):
        return _folder(found, page)
    if size <= BUDGET:
        return Media({clip: _text(path.read_bytes()) for clip, path in found.items()}, {})
    if mode == "auto" and _guessed_previews(list(found.values())) > BUDGET:
        return _folder(found, page)
    shrunk = {clip: preview(path) for clip, path in found.items()}
    if mode == "auto" and sum(map(len, shrunk.values())) > BUDGET:
        return _folder(found, page)
    note = f"Previews of {PREVIEW_SIDE} lines or fewer, to keep this page small. Scores are of the original clips."
    return Media({clip: _text(content) for clip, content in shrunk.items()}, {}, note)


def _guessed_previews(paths: Sequence[Path]) -> float:
    """Estimated bytes of all previews, from some of them, so that not all are made if they do not fit."""
    some = paths[:: -(-len(paths) // SAMPLE)]
    return len(paths) * sum(len(preview(path)) for path in some) / len(some)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _folder(found: dict[str, Path], page: Path) -> Media:
    folder = page.with_name(f"{page.stem}-clips")
    for clip, path in found.items():
        target = folder / f"{clip}{path.suffix}"
        if not target.exists() or target.stat().st_size != path.stat().st_size:
            _put(path, target)
    links = {clip: f"{folder.name}/{clip}{path.suffix}" for clip, path in found.items()}
    return Media({}, links, f'The clips are in the folder "{folder.name}" beside this page. Keep both together.')


def _put(path: Path, target: Path) -> None:
    """Makes a hard link to the file, which needs no space; a copy if the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(path, target)
    except OSError:
        write_whole(target, path.read_bytes())


def preview(path: Path) -> bytes:
    """A clip as a small mp4 that every browser plays; the original file if it is unreadable or small enough."""
    from vbench_lite.errors import UnreadableClip
    from vbench_lite.video import encode_mp4, read_clip

    content = path.read_bytes()
    try:
        frames, info = read_clip(content, max_frames=600)
    except UnreadableClip:
        return content
    side = min(frames.shape[1:3])
    if side > PREVIEW_SIDE:
        import cv2
        import numpy as np

        height, width = (2 * round(n * PREVIEW_SIDE / side / 2) for n in frames.shape[1:3])
        frames = np.stack([cv2.resize(f, (width, height), interpolation=cv2.INTER_AREA) for f in frames])
    shrunk = encode_mp4(frames, info.fps or 8.0, crf=28)
    return min(content, shrunk, key=len)


POSTER_SIDE = 320
"""Maximum longer side of a poster frame, in pixels."""


def poster(path: Path | None) -> str:
    """The middle frame of a clip as a JPEG in a data URI, for pages without video and for paper; "" for none."""
    import cv2

    from vbench_lite.errors import UnreadableClip
    from vbench_lite.video import read_clip

    if path is None:
        return ""
    try:
        frames, _ = read_clip(path, max_frames=600)
    except UnreadableClip:
        return ""
    frame = frames[len(frames) // 2]
    shrink = min(1.0, POSTER_SIDE / max(frame.shape[:2]))
    if shrink < 1:
        frame = cv2.resize(frame, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    done, content = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return f"data:image/jpeg;base64,{_text(content.tobytes())}" if done else ""
