"""Frame rate and evenness of a clip, from the presentation times of its frames."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

LARGEST_ROUNDING = Fraction(1, 50)
"""Largest rounding error in seconds that may explain unequal steps. Larger differences are visible."""
UNEVEN_RATIO = Fraction(3, 2)


class FrameTimes:
    """Collects the presentation times of a clip's frames.

    Containers round times to a tick: 1/100 s in a GIF, 1/1000 s in Matroska and WebM. If frames have times, the frame
    rate in the header is not used, because headers of GIF, Matroska and WebM can state another rate.

    Args:
        stated: Frame rate in the header. It is used if fewer than two frames have a time.

    >>> times = FrameTimes(stated=None)
    >>> for pts in (0, 2, 4, 7, 9, 12):
    ...     times.add(pts, Fraction(1, 100))
    >>> round(times.fps(), 2), times.uneven()
    (41.67, False)
    """

    def __init__(self, stated: float | None) -> None:
        self._stated = stated or None
        self._ticks: list[int] = []
        self._tick = Fraction(0)
        self._all_known = True

    def add(self, pts: int | None, time_base: Fraction | None) -> None:
        """Add one frame. All frames have the same time base. If one frame has no time, no times are used."""
        if pts is None or not time_base:
            self._all_known = False
            return
        self._tick = time_base
        self._ticks.append(pts)

    def _sorted(self) -> list[int]:
        """Times in order, because AVI numbers reordered H.264 frames in the order of decoding; empty if unusable."""
        return sorted(self._ticks) if self._all_known else []

    def span(self) -> Fraction:
        """Seconds between the first and the last frame; 0 if times are not known."""
        times = self._sorted()
        return (times[-1] - times[0]) * self._tick if times else Fraction(0)

    def fps(self) -> float | None:
        """Frames per second: (frames - 1) / (last time - first time), or the stated rate if times are not known."""
        span = self.span()
        return float((len(self._ticks) - 1) / span) if span > 0 else self._stated

    def uneven(self) -> bool:
        """Whether a frame is shown more than 1.5 times as long as another, and rounding of times cannot explain it."""
        steps = self._steps()
        if not steps:
            return False
        shortest, longest = min(steps), max(steps)
        rounding = min(self._tick, LARGEST_ROUNDING)
        return longest > UNEVEN_RATIO * shortest and (longest - shortest) * self._tick > rounding

    def end(self) -> Fraction | None:
        """End of the last frame in seconds, if it is shown for the longest step; None if not known."""
        times, steps = self._sorted(), self._steps()
        if not times or not (steps or self._stated):
            return None
        last = (times[-1] - min(times[0], 0)) * self._tick
        return last + (max(steps) * self._tick if steps else 1 / Fraction(self._stated or 1))

    def _steps(self) -> list[int]:
        """Ticks from each frame to the next."""
        return [after - before for before, after in pairwise(self._sorted())]
