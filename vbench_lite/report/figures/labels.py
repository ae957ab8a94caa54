"""Names beside points, placed so that no name covers another name, a point, or the edge of the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from matplotlib.transforms import Bbox

from vbench_lite.report.figures.colours import SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

DISTANCES = (6, 16, 28, 42, 58, 76, 96, 118, 142)
"""Points between a mark and its name."""
SIDES = (
    (1, 1), (1, -1), (1, 0), (-1, 1), (-1, -1), (-1, 0), (0, 1), (0, -1), (1, 0.5), (1, -0.5), (-1, 0.5), (-1, -0.5),
)  # fmt: skip
"""Directions from a mark to its name: right and up."""
MARK = 5
"""Half the size of a mark, in points."""
LEADER = 20
"""A name further away than this has a line to its mark."""


@dataclass(frozen=True)
class Label:
    """A point and its name."""

    x: float
    y: float
    text: str
    colour: str


def place_labels(axes: Axes, labels: Sequence[Label], size: float = 8) -> None:
    """Writes every name where it covers least, the points with few choices first.

    Args:
        axes: With its final limits and scales.
        labels: Points in data coordinates.
        size: Of the type.
    """
    figure = axes.figure
    figure.canvas.draw()  # lays the axes out, so that places in points are final
    scale = figure.dpi / 72
    places = [axes.transData.transform((label.x, label.y)) for label in labels]
    half = MARK * scale
    taken = [Bbox.from_extents(x - half, y - half, x + half, y + half) for x, y in places]
    bars = [line.get_window_extent().padded(scale) for line in axes.lines if len(line.get_path().vertices) == 2]
    order = sorted(range(len(labels)), key=lambda n: (-places[n][0], -places[n][1]))
    for n in order:
        box = _best(axes, labels[n], size, taken, bars)
        taken.append(box.expanded(1.02, 1.1))


def _best(
    axes: Axes, label: Label, size: float, taken: Sequence[Bbox], bars: Sequence[Bbox]
) -> Bbox:
    """Writes one name at the first free place, else where it covers least; names weigh more than intervals."""
    found: tuple[float, Annotation, Bbox] | None = None
    for distance, (right, up) in product(DISTANCES, SIDES):
        drawn = _write(axes, label, size, distance, right, up)
        box = drawn.get_window_extent()
        cost = 10 * (sum(_overlap(box, other) for other in taken) + _outside(box, axes.bbox))
        cost += sum(_overlap(box, bar) for bar in bars)
        if found is None or cost < found[0]:
            if found is not None:
                found[1].remove()
            found = (cost, drawn, box)
        else:
            drawn.remove()
        if cost == 0:
            break
    assert found is not None
    return found[2]


def _write(axes: Axes, label: Label, size: float, distance: int, right: float, up: float) -> Annotation:
    line = {"arrowstyle": "-", "color": SOFT, "lw": 0.5, "shrinkA": 1, "shrinkB": 4} if distance >= LEADER else None
    drawn = axes.annotate(
        label.text, (label.x, label.y), (distance * right, distance * up), textcoords="offset points",
        color=label.colour, fontsize=size, ha="left" if right > 0 else "right" if right < 0 else "center",
        va="bottom" if up > 0 else "top" if up < 0 else "center", arrowprops=line, annotation_clip=False,
        parse_math=False,
    )  # fmt: skip
    drawn.set_in_layout(False)  # else the axes move when they are drawn again
    return drawn


def _overlap(one: Bbox, other: Bbox) -> float:
    shared = Bbox.intersection(one, other)
    return float(shared.width * shared.height) if shared is not None else 0.0


def _outside(box: Bbox, frame: Bbox) -> float:
    shared = Bbox.intersection(box, frame)
    inside = shared.width * shared.height if shared is not None else 0.0
    return float(max(0.0, box.width * box.height - inside - 0.5))
