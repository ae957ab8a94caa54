"""Whether a clip was read as a whole: what its file announces against what came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import BinaryIO

import av

from vbench_lite.decoding import structure
from vbench_lite.decoding.timing import FrameTimes

DURATION_IN_HEADER = ("matroska", "flv", "mov", "mxf")
"""Demuxers whose duration is a statement of the header, not computed from the data that are there."""
MICROSECONDS = 1_000_000


@dataclass
class Evidence:
    """Collects what tells a whole file from one that was cut or lost a part.

    MP4, MOV and AVI announce a number of frames. Matroska, WebM, FLV, MXF and fragmented MP4 announce a duration. GIF,
    Matroska, WebM, Ogg, ASF and MPEG streams have a structure that can be walked. MPEG streams and raw streams
    announce nothing, so a cut between two of their packets can be seen only where it damages a frame.
    """

    announced: int
    """Frames; 0 where the file does not say."""
    duration: Fraction | None
    """Seconds, from the header."""
    stream: int
    packets: int = 0
    """Packets of the video stream that are not empty and not damaged."""
    damaged: int = 0
    ends: dict[int, tuple[int, Fraction]] = field(default_factory=dict)
    """Stream > end of its last packet, in ticks, and the tick in seconds; of streams beside the video."""
    error: str = ""
    """The error that ended the reading of the container."""

    @classmethod
    def of_stream(cls, stream: av.VideoStream) -> Evidence:
        container = stream.container
        stated = container.format.name.split(",")[0] in DURATION_IN_HEADER
        duration = Fraction(container.duration, MICROSECONDS) if stated and container.duration else None
        return cls(int(stream.frames), duration, stream.index)

    def see(self, packet: av.Packet) -> None:
        """Notes one packet of any stream."""
        if packet.stream_index != self.stream:
            if packet.pts is not None and packet.time_base:
                end = packet.pts + (packet.duration or 0)
                known, _ = self.ends.get(packet.stream_index, (end, None))
                self.ends[packet.stream_index] = max(known, end), packet.time_base
        elif packet.size:
            damaged = packet.is_corrupt
            self.packets += not damaged
            self.damaged += damaged

    def problem(self, handle: BinaryIO, decoded: int, times: FrameTimes) -> str:
        """What is missing of the clip; "" if it is whole as far as its file can tell."""
        if why := structure.problem(handle):
            return why
        if self.announced:
            if self.announced > decoded and self.packets < self.announced:
                return f"cut off: {decoded} of {self.announced} frames can be decoded"
            return self._incomplete() if decoded < self.packets + self.damaged else ""
        shown = times.end()
        if shown is not None and self.duration is not None:
            if why := self._ends_early(shown, decoded, times):
                return why
        elif self.error:
            return f"broken after {decoded} frames: {self.error}"
        return self._incomplete()

    def _incomplete(self) -> str:
        return f"damaged: {self.damaged} packets are incomplete" if self.damaged else ""

    def _ends_early(self, shown: Fraction, decoded: int, times: FrameTimes) -> str:
        """Holds the duration of the header against the end of the last frame, or of what is longer beside it."""
        assert self.duration is not None
        slack = (shown - times.span()) / 2 if decoded < 2 else times.span() / (decoded - 1) / 2
        end = max([shown, *(ticks * tick for ticks, tick in self.ends.values())])
        if self.duration > end + slack:
            return f"cut off: the header states {float(self.duration):.4g} s, the data end after {float(end):.4g} s"
        return ""
