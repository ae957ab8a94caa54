"""Clips as a rater gets them: one container, no metadata, no sound, equal sizes. Nothing tells generators apart."""

from __future__ import annotations

import hashlib
import io
import secrets
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from vbench_lite.errors import UnreadableClip
from vbench_lite.files import write_whole
from vbench_lite.video import encode_mp4, open_container, read_clip

LEAST = 1 << 16
"""Bytes of a file at least; others are padded to the next power of two."""


@dataclass(frozen=True)
class Shown:
    """The files of one question."""

    paths: tuple[Path, ...]
    """mp4 files of equal length with random names."""
    fps: float
    """The highest of the clips: the step of a frame."""


def equalise(paths: Sequence[Path], folder: Path, cache: Path | None = None) -> Shown:
    """The clips of one question as mp4 files of equal length.

    H.264 is copied picture for picture into a new container. Other codecs are encoded again.

    Args:
        paths: The stored clips.
        folder: Where the files are written.
        cache: A folder for clips that had to be encoded again; None keeps none.

    Raises:
        UnreadableClip: One of them cannot be shown.
    """
    made = [_plain(path, cache) for path in paths]
    size = max(LEAST, 1 << (max(len(content) for content, _ in made) + 8 - 1).bit_length())
    targets = tuple(folder / f"{secrets.token_hex(16)}.mp4" for _ in made)
    for target, (content, _) in zip(targets, made, strict=True):
        target.write_bytes(_padded(content, size))
    return Shown(targets, max(fps for _, fps in made))


def _padded(content: bytes, size: int) -> bytes:
    """With a `free` box at the end, which players skip."""
    room = size - len(content)
    return content + struct.pack(">I4s", room, b"free") + bytes(room - 8)


def _plain(path: Path, cache: Path | None) -> tuple[bytes, float]:
    try:
        content = path.read_bytes()
        return _copied(content) or _encoded(content, cache)
    except (av.FFmpegError, OSError) as error:
        raise UnreadableClip(f"{path.name} cannot be shown: {error}") from None


def _copied(content: bytes) -> tuple[bytes, float] | None:
    """The pictures of an H.264 clip in a new container; None for other codecs."""
    with open_container(io.BytesIO(content)) as source:
        if len(source.streams.video) != 1:
            return None
        stream = source.streams.video[0]
        if stream.codec_context.name != "h264" or stream.codec_context.pix_fmt != "yuv420p":
            return None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip.mp4"  # faststart moves the index to the front, which needs a real file
            with av.open(str(path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}) as output:
                out = output.add_stream_from_template(stream)
                out.metadata.clear()
                for packet in source.demux(stream):
                    if packet.dts is not None:
                        packet.stream = out
                        output.mux(packet)
            return path.read_bytes(), float(stream.average_rate or 8.0)


def _encoded(content: bytes, cache: Path | None) -> tuple[bytes, float]:
    place = cache / f"{hashlib.sha256(content).hexdigest()}.mp4" if cache else None
    if place is not None and place.exists():
        return _copied(place.read_bytes()) or (place.read_bytes(), 8.0)
    frames, info = read_clip(content)
    made = encode_mp4(frames, info.fps or 8.0)
    if place is not None:
        write_whole(place, made)
    return made, float(info.fps or 8.0)
