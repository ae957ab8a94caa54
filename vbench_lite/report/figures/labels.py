"""Places names beside points so that no name covers another name, a point, or the edge of the drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.cells import cell_len

from vbench_lite.report.figures.colours import SOFT
from vbench_lite.stats import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEAR = ((6, 6), (6, -6), (8, 0), (-6, 6), (-6, -6), (-8, 0), (0, 9), (0, -9))
"""Offsets (right, up) in points of a name from its mark. They are tried before places further away."""
MARK = 5
"""Half the size of a mark, in points."""
LEADER = 14
"""A name further away than this, in points, has a line to its mark."""
CELL = 0.52
"""Minimum width of a character in ems, for characters that are missing in the font here; a wide one has twice this."""
PIECE = 6
"""Lines are split into pieces of this length in points. Names avoid the box around each piece."""
GRID = 60, 45
"""Numbers of further places that are tried within the axes, in x and in y."""


@dataclass(frozen=True)
class Label:
    """A point and its name."""

    x: float
    y: float
    text: str
    colour: str


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: float
    low: float
    right: float
    high: float

    def covers(self, others: Array) -> float:
        """Total area of the overlaps with other boxes of shape (boxes, 4)."""
        if not len(others):
            return 0.0
        wide = np.minimum(self.right, others[:, 2]) - np.maximum(self.left, others[:, 0])
        tall = np.minimum(self.high, others[:, 3]) - np.maximum(self.low, others[:, 1])
        return float((wide.clip(0) * tall.clip(0)).sum())

    def distance(self, x: float, y: float) -> float:
        """Distance from a point to the box; 0 if the point is inside."""
        return float(np.hypot(x - min(max(x, self.left), self.right), y - min(max(y, self.low), self.high)))


def place_labels(axes: Axes, labels: Sequence[Label], size: float = 8) -> None:
    """Write every name at the place with the least overlap, beginning with the rightmost point.

    Args:
        axes: With its final limits and scales.
        labels: Points in data coordinates.
        size: Font size in points.
    """
    figure: Any = axes.figure
    figure.draw_without_rendering()  # computes the layout, so that positions in pixels are final
    figure.set_layout_engine("none")
    scale = figure.dpi / 72
    marks = [tuple(map(float, axes.transData.transform((label.x, label.y)))) for label in labels]
    half = MARK * scale
    taken = [Box(x - half, y - half, x + half, y + half) for x, y in marks]
    taken += [Box(*text.get_window_extent().extents) for text in axes.texts]
    lines = _line_boxes(axes, scale)
    frame = Box(*axes.bbox.extents)
    for n in sorted(range(len(labels)), key=lambda n: marks[n], reverse=True):
        drawn: Any = axes.text(0, 0, labels[n].text, fontsize=size, parse_math=False)
        extent = drawn.get_window_extent()
        drawn.remove()
        width = max(extent.width, cell_len(labels[n].text) * CELL * size * scale)
        box = _best(marks[n], (width, extent.height), np.array(taken), lines, frame, scale)
        taken.append(box)
        _write(axes, labels[n], box, marks[n], scale, size)


def thin_out(axes: Axes) -> None:
    """Remove every text of the axes that overlaps an earlier one, such as numbers beside marks that are close."""
    figure: Any = axes.figure
    figure.draw_without_rendering()
    kept: list[Any] = []
    for text in list(axes.texts):
        extent = text.get_window_extent()
        if any(extent.overlaps(other) for other in kept):
            text.remove()
        else:
            kept.append(extent)


def _line_boxes(axes: Axes, scale: float) -> Array:
    """Small boxes along every line of the drawing, shape (boxes, 4)."""
    boxes = []
    for line in axes.lines:
        points = line.get_transform().transform(line.get_xydata())
        for start, end in pairwise(points):
            pieces = max(1, int(np.hypot(*(end - start)) / (PIECE * scale)))
            ends = np.linspace(start, end, pieces + 1)
            low, high = np.minimum(ends[:-1], ends[1:]) - scale, np.maximum(ends[:-1], ends[1:]) + scale
            boxes.append(np.hstack((low, high)))
    return np.concatenate(boxes) if boxes else np.empty((0, 4))


def _best(
    mark: tuple[float, ...], extent: tuple[float, float], taken: Array, lines: Array, frame: Box, scale: float
) -> Box:
    """The first place without overlap, else the place with the least. Overlap with names weighs 20 times more."""
    best, least = None, float("inf")
    for box in _places(mark, extent, frame, scale):
        outside = (box.right - box.left) * (box.high - box.low) - box.covers(np.array([frame]))
        cost = 20 * (box.covers(taken) + max(0.0, outside - 0.5)) + box.covers(lines)
        if cost < least:
            best, least = box, cost
        if cost == 0:
            break
    assert best is not None
    return best


def _places(mark: tuple[float, ...], extent: tuple[float, float], frame: Box, scale: float) -> Iterator[Box]:
    """Places beside the mark, then places anywhere in the axes, nearest first."""
    (x, y), (width, height) = mark, extent
    for right, up in NEAR:
        left = x + right * scale - (0 if right > 0 else width if right < 0 else width / 2)
        low = y + up * scale - (0 if up > 0 else height if up < 0 else height / 2)
        yield Box(left, low, left + width, low + height)
    lefts = np.linspace(frame.left, max(frame.left, frame.right - width), GRID[0])
    lows = np.linspace(frame.low, max(frame.low, frame.high - height), GRID[1])
    boxes = [Box(left, low, left + width, low + height) for left in lefts for low in lows]
    yield from sorted(boxes, key=lambda box: box.distance(x, y))


def _write(
    axes: Axes, label: Label, box: Box, mark: tuple[float, ...], scale: float, size: float
) -> None:
    far = box.distance(*mark) > LEADER * scale
    line = {"arrowstyle": "-", "color": SOFT, "lw": 0.5, "shrinkA": 1, "shrinkB": 4} if far else None
    drawn = axes.annotate(
        label.text, (label.x, label.y), ((box.left - mark[0]) / scale, (box.low - mark[1]) / scale),
        textcoords="offset points", color=label.colour, fontsize=size, ha="left", va="bottom", arrowprops=line,
        annotation_clip=False, parse_math=False,
    )  # fmt: skip
    drawn.set_in_layout(False)  # otherwise the axes move when they are drawn again
