"""Prepares clips for raters: one container, no metadata, no sound, equal sizes, so that no file shows its generator."""

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
"""Minimum size of a file in bytes. The files of a question are padded to the same power of two."""


@dataclass(frozen=True)
class Shown:
    """The files of one question."""

    paths: tuple[Path, ...]
    """mp4 files of equal size in bytes, with random names."""
    fps: float
    """The highest frame rate of the clips. It sets the step of a single frame on the page."""


def equalise(paths: Sequence[Path], folder: Path, cache: Path | None = None) -> Shown:
    """Writes the clips of one question as mp4 files of equal size in bytes.

    H.264 frames are copied into a new container. Other codecs are encoded again.

    Args:
        paths: The stored clips.
        folder: The output folder.
        cache: A folder for clips that are encoded again; None does not cache them.

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
    """Pads with a `free` box at the end, which players skip."""
    room = size - len(content)
    return content + struct.pack(">I4s", room, b"free") + bytes(room - 8)


def _plain(path: Path, cache: Path | None) -> tuple[bytes, float]:
    try:
        content = path.read_bytes()
        return _copied(content) or _encoded(content, cache)
    except (av.FFmpegError, OSError) as error:
        raise UnreadableClip(f"{path.name} cannot be shown: {error}") from None


def _copied(content: bytes) -> tuple[bytes, float] | None:
    """The frames of an H.264 clip in a new container; None for other codecs."""
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
