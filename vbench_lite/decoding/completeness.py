"""Checks whether a clip was decoded completely: compares what the file announces with what was decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import BinaryIO

import av

from vbench_lite.decoding import structure
from vbench_lite.decoding.timing import FrameTimes

DURATION_IN_HEADER = ("matroska", "flv", "mov", "mxf")
"""Demuxers whose duration is read from the header. Others compute it from the data, so it shows no truncation."""
MICROSECONDS = 1_000_000


@dataclass
class Evidence:
    """Collects evidence of whether a file is complete.

    MP4, MOV and AVI announce a number of frames. Matroska, WebM, FLV, MXF and fragmented MP4 announce a duration. GIF,
    Matroska, WebM, Ogg, ASF and MPEG streams have a structure that can be checked. MPEG streams and raw streams
    announce nothing. So a cut between two of their packets is detected only if it damages a frame.
    """

    announced: int
    """Number of frames that the file announces; 0 for none."""
    duration: Fraction | None
    """Duration in seconds that the header announces; None for none."""
    stream: int
    packets: int = 0
    """Number of packets of the video stream that are neither empty nor damaged."""
    damaged: int = 0
    ends: dict[int, tuple[int, Fraction]] = field(default_factory=dict)
    """Other streams -> end of the last packet in ticks, and length of a tick in seconds."""
    error: str = ""
    """The error that stopped the reading of the container; "" for none."""

    @classmethod
    def of_stream(cls, stream: av.VideoStream) -> Evidence:
        container = stream.container
        stated = container.format.name.split(",")[0] in DURATION_IN_HEADER
        duration = Fraction(container.duration, MICROSECONDS) if stated and container.duration else None
        return cls(int(stream.frames), duration, stream.index)

    def see(self, packet: av.Packet) -> None:
        """Record one packet of any stream."""
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
        """What is missing of the clip; "" if the file shows no defect."""
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
        """Compare the announced duration with the end of the last frame, or of the longest other stream."""
        assert self.duration is not None
        slack = (shown - times.span()) / 2 if decoded < 2 else times.span() / (decoded - 1) / 2
        end = max([shown, *(ticks * tick for ticks, tick in self.ends.values())])
        if self.duration > end + slack:
            return f"cut off: the header states {float(self.duration):.4g} s, the data end after {float(end):.4g} s"
        return ""
