"""How the device time of each generator grows with clip length. The data come from `--sweep clip.frames=9,17,25`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vbench_lite import formatting as words
from vbench_lite.records import Estimate
from vbench_lite.report.data import GeneratorResult, SuiteResult
from vbench_lite.report.figures.colours import SOFT
from vbench_lite.report.figures.kit import Figure, FigureRenderer, colour, marker
from vbench_lite.report.figures.labels import Label, place_labels
from vbench_lite.report.figures.sweep import Curve, curves
from vbench_lite.report.formats.layout import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SETTING = "clip.frames"


class Growth(NamedTuple):
    """Device time of one generator at each swept number of frames."""

    curve: Curve
    frames: Sequence[int]
    seconds: Sequence[Estimate]
    """Device seconds per clip, one estimate for each number of frames."""

    @property
    def times(self) -> list[float]:
        return [estimate.value or 0.0 for estimate in self.seconds]

    @property
    def power(self) -> float:
        """The exponent p of time ~ frames^p, by least squares over the logarithms: 1 is linear, 2 is quadratic."""
        return float(np.polyfit(np.log(self.frames), np.log(self.times), 1)[0])

    @property
    def sentence(self) -> str:
        longer, slower = self.frames[-1] / self.frames[0], self.times[-1] / self.times[0]
        power = f"power {self.power:.2f}"
        return f"{self.curve.name}: {longer:.1f} times the frames take {slower:.1f} times as long ({power})"


def growths(scenario: SuiteResult) -> list[Growth]:
    """The growth of every generator whose frames were swept and whose time is known for two or more lengths."""
    found = []
    for curve in curves(scenario):
        timed = [(entry, entry.cost("device_s_per_clip")) for entry in curve.entries if curve.setting == SETTING]
        timed = [(entry, estimate) for entry, estimate in timed if estimate.value]
        if len(timed) > 1:
            frames = [_frames(entry) for entry, _ in timed]
            found.append(Growth(curve, frames, [estimate for _, estimate in timed]))
    return found


def _frames(entry: GeneratorResult) -> int:
    return int(entry.sweep[SETTING])


def length(scenario: SuiteResult, pen: FigureRenderer) -> Figure | None:
    """Device time over frames on logarithmic axes; None if the report has no sweep of lengths."""
    found = growths(scenario)
    if not found:
        return None
    text = "; ".join(growth.sentence for growth in found)
    panel = pen.draw("length", "Device time over length", f"{text}.", partial(_draw, found), 2.7)
    rows = [
        (growth.curve.name, f"{frames}", str(words.write(estimate)), words.seconds((estimate.value or 0.0) / frames))
        for growth in found
        for frames, estimate in zip(growth.frames, growth.seconds, strict=True)
    ]
    caption = (
        f"{text}. Power 1 means that time grows linearly with length. Power 2 means that it grows with the square of "
        "the length, as the time of attention over the whole clip does. At lengths that a model was not trained for, "
        "only its cost is meaningful, not its quality."
    )
    header = ("Generator", "Frames", "Device seconds per clip", "Device seconds per frame")
    return Figure("length", "Growth with length", caption, [panel], header, rows)


def _draw(found: Sequence[Growth], axes: Axes) -> None:
    names = []
    for growth in found:
        entry = growth.curve.entries[0]
        ink, times = colour(entry), growth.times
        axes.plot(growth.frames, times, "-" + marker(entry), color=ink, lw=1.4, ms=6)
        for frames, estimate in zip(growth.frames, growth.seconds, strict=True):
            if estimate.low and estimate.high is not None:
                axes.plot([frames, frames], [estimate.low, estimate.high], color=ink, lw=1.0, alpha=0.45)
        names.append(Label(growth.frames[-1], times[-1], shortened(growth.curve.name, 32), ink))
    axes.set(xscale="log", yscale="log", xlabel="frames", ylabel="device s per clip")
    ticks = sorted({frames for growth in found for frames in growth.frames})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    values = [time for growth in found for time in growth.times]
    marks = _round_marks(min(values), max(values))
    axes.set_yticks(marks, [f"{mark:g}" for mark in marks])
    axes.tick_params(labelcolor=SOFT)
    place_labels(axes, names, 7.5)


def _round_marks(low: float, high: float) -> list[float]:
    """Tick values 1, 2, 5, 10, ... that cover a range of positive values."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0**p for p in powers for m in (1, 2, 5) if low / 1.5 <= m * 10.0**p <= high * 1.5]
