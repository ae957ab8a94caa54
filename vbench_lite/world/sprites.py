"""The shapes of the things: flat silhouettes with a few large details, drawn by OpenCV.

Coordinates are from -1 to 1 (x to the right, y down). The part of a shape determines its colour: `body` has the thing's
colour, `dark` a darker and `light` a lighter shade. So details are visible on every background and still have the
colour that the caption names.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Points = Sequence[tuple[float, float]]

SUPERSAMPLE = 4
SUBPIXEL_BITS = 4


class Shape(NamedTuple):
    part: str  # body, dark or light
    outline: Points  # corner points in [-1, 1]


def _ellipse(cx: float, cy: float, rx: float, ry: float, steps: int = 40) -> Points:
    turn = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    return [(cx + rx * float(np.cos(a)), cy + ry * float(np.sin(a))) for a in turn]


def _box(left: float, top: float, right: float, bottom: float, r: float = 0.08) -> Points:
    """A rectangle with rounded corners of radius r."""
    corners = [(right - r, bottom - r), (left + r, bottom - r), (left + r, top + r), (right - r, top + r)]
    points = []
    for quarter, (cx, cy) in enumerate(corners):
        for a in np.linspace(quarter * np.pi / 2, (quarter + 1) * np.pi / 2, 6):
            points.append((cx + r * float(np.cos(a)), cy + r * float(np.sin(a))))
    return points


def _ring(cx: float, cy: float, rx: float, ry: float, width: float) -> Points:
    """An elliptic ring as one polygon: along the outer edge, then back along the inner edge."""
    outer = list(_ellipse(cx, cy, rx, ry))
    inner = list(_ellipse(cx, cy, rx - width, ry - width))
    return [*outer, outer[0], inner[0], *reversed(inner)]


SHAPES: dict[str, list[Shape]] = {
    "sneaker": [
        Shape("body", [(-0.95, -0.62), (-0.42, -0.62), (-0.22, -0.32), (0.12, -0.12), (0.62, 0.02),
                       (0.90, 0.18), (0.97, 0.42), (-0.95, 0.42)]),
        Shape("light", _box(-1.0, 0.34, 1.0, 0.66, 0.14)),
        Shape("dark", [(-0.26, -0.38), (-0.06, -0.24), (-0.30, 0.26), (-0.52, 0.26)]),
        Shape("dark", [(0.10, -0.14), (0.32, -0.06), (0.12, 0.26), (-0.10, 0.26)]),
        Shape("dark", [(-0.95, -0.62), (-0.70, -0.62), (-0.70, -0.20), (-0.95, -0.20)]),
    ],
    "bottle": [
        Shape("body", [(-0.15, -0.75), (0.15, -0.75), (0.15, -0.45), (0.42, -0.12), (0.42, 0.90), (0.34, 1.0),
                       (-0.34, 1.0), (-0.42, 0.90), (-0.42, -0.12), (-0.15, -0.45)]),
        Shape("dark", _box(-0.22, -1.0, 0.22, -0.66, 0.06)),
        Shape("light", [(-0.42, 0.12), (0.42, 0.12), (0.42, 0.62), (-0.42, 0.62)]),
    ],
    "cup": [
        Shape("body", _ring(0.52, 0.02, 0.42, 0.42, 0.17)),
        Shape("body", [(-0.80, -0.70), (0.52, -0.70), (0.44, 0.66), (0.34, 0.78), (-0.62, 0.78), (-0.72, 0.66)]),
        Shape("dark", _ellipse(-0.14, -0.70, 0.66, 0.17)),
        Shape("light", [(-0.76, 0.12), (0.47, 0.12), (0.455, 0.42), (-0.735, 0.42)]),
    ],
    "lamp": [
        Shape("dark", [(-0.11, -0.05), (0.11, -0.05), (0.11, 0.85), (-0.11, 0.85)]),
        Shape("dark", _box(-0.52, 0.76, 0.52, 1.0, 0.10)),
        Shape("body", [(-0.36, -0.98), (0.36, -0.98), (0.82, 0.08), (-0.82, 0.08)]),
        Shape("light", [(-0.68, -0.22), (0.68, -0.22), (0.82, 0.08), (-0.82, 0.08)]),
    ],
    "car": [
        Shape("body", [(-0.55, -0.02), (-0.34, -0.52), (0.30, -0.52), (0.60, -0.02)]),
        Shape("body", _box(-1.0, -0.10, 1.0, 0.36, 0.16)),
        Shape("light", [(-0.38, -0.06), (-0.25, -0.40), (-0.06, -0.40), (-0.06, -0.06)]),
        Shape("light", [(0.08, -0.06), (0.08, -0.40), (0.23, -0.40), (0.43, -0.06)]),
        Shape("dark", _ellipse(-0.52, 0.36, 0.27, 0.27)),
        Shape("dark", _ellipse(0.52, 0.36, 0.27, 0.27)),
        Shape("light", _ellipse(-0.52, 0.36, 0.11, 0.11)),
        Shape("light", _ellipse(0.52, 0.36, 0.11, 0.11)),
    ],
    "fish": [
        Shape("dark", [(-0.45, 0.0), (-1.0, -0.55), (-0.86, 0.0), (-1.0, 0.55)]),
        Shape("dark", [(-0.20, -0.45), (0.15, -0.82), (0.36, -0.40)]),
        Shape("body", _ellipse(0.16, 0.0, 0.82, 0.54)),
        Shape("light", [(-0.18, -0.49), (0.06, -0.53), (0.06, 0.53), (-0.18, 0.49)]),
        Shape("light", _ellipse(0.58, -0.12, 0.17, 0.17)),
        Shape("dark", _ellipse(0.61, -0.12, 0.08, 0.08)),
    ],
    "rocket": [
        Shape("dark", [(-0.30, 0.28), (-0.72, 0.72), (-0.72, 0.98), (-0.30, 0.76)]),
        Shape("dark", [(0.30, 0.28), (0.72, 0.72), (0.72, 0.98), (0.30, 0.76)]),
        Shape("light", [(-0.20, 0.76), (0.20, 0.76), (0.0, 1.0)]),
        Shape("body", [(0.0, -1.0), (0.22, -0.70), (0.35, -0.32), (0.37, 0.20), (0.30, 0.80), (-0.30, 0.80),
                       (-0.37, 0.20), (-0.35, -0.32), (-0.22, -0.70)]),
        Shape("dark", [(0.0, -1.0), (0.22, -0.70), (0.31, -0.46), (-0.31, -0.46), (-0.22, -0.70)]),
        Shape("light", _ellipse(0.0, -0.04, 0.20, 0.20)),
    ],
    "duck": [
        Shape("body", [(-0.98, -0.26), (-0.70, 0.02), (-0.30, 0.04), (0.10, -0.02), (0.22, -0.30), (0.66, -0.20),
                       (0.62, 0.10), (0.60, 0.42), (0.36, 0.72), (-0.06, 0.84), (-0.48, 0.76), (-0.80, 0.46)]),
        Shape("dark", [(0.62, -0.66), (1.0, -0.48), (0.64, -0.30)]),
        Shape("body", _ellipse(0.40, -0.50, 0.36, 0.36)),
        Shape("light", _ellipse(0.48, -0.58, 0.12, 0.12)),
        Shape("dark", [(-0.56, 0.20), (0.14, 0.20), (0.04, 0.48), (-0.28, 0.56)]),
    ],
    "bag": [
        Shape("dark", _ring(0.0, -0.34, 0.50, 0.62, 0.17)),
        Shape("body", [(-0.78, -0.36), (0.78, -0.36), (0.98, 0.84), (0.90, 0.94), (-0.90, 0.94), (-0.98, 0.84)]),
        Shape("dark", [(-0.78, -0.36), (0.78, -0.36), (0.83, 0.04), (-0.83, 0.04)]),
        Shape("light", _box(-0.20, -0.12, 0.20, 0.30, 0.08)),
    ],
    "chair": [
        Shape("dark", [(-0.66, 0.26), (-0.40, 0.26), (-0.46, 1.0), (-0.72, 1.0)]),
        Shape("dark", [(0.40, 0.26), (0.66, 0.26), (0.76, 1.0), (0.50, 1.0)]),
        Shape("body", [(-0.82, -1.0), (-0.50, -1.0), (-0.40, 0.06), (-0.66, 0.30)]),
        Shape("light", [(-0.72, -0.84), (-0.54, -0.84), (-0.50, -0.36), (-0.67, -0.36)]),
        Shape("body", _box(-0.70, 0.02, 0.78, 0.32, 0.12)),
    ],
    "boat": [
        Shape("dark", [(-0.10, -1.0), (0.06, -1.0), (0.06, 0.42), (-0.10, 0.42)]),
        Shape("light", [(-0.18, -0.86), (-0.18, 0.26), (-0.84, 0.26)]),
        Shape("body", [(0.12, -0.94), (0.88, 0.26), (0.12, 0.26)]),
        Shape("body", [(-1.0, 0.38), (1.0, 0.38), (0.62, 0.92), (-0.66, 0.92)]),
        Shape("dark", [(-0.82, 0.64), (0.82, 0.64), (0.62, 0.92), (-0.66, 0.92)]),
    ],
    "house": [
        Shape("dark", [(0.34, -0.92), (0.62, -0.92), (0.62, -0.30), (0.34, -0.30)]),
        Shape("body", [(-0.76, -0.16), (0.76, -0.16), (0.76, 0.92), (-0.76, 0.92)]),
        Shape("dark", [(0.0, -1.0), (1.0, -0.08), (0.86, 0.06), (-0.86, 0.06), (-1.0, -0.08)]),
        Shape("light", [(-0.56, 0.22), (-0.10, 0.22), (-0.10, 0.60), (-0.56, 0.60)]),
        Shape("dark", [(0.16, 0.24), (0.54, 0.24), (0.54, 0.92), (0.16, 0.92)]),
    ],
}


def _part_rgb(part: str, rgb: tuple[int, int, int]) -> tuple[int, ...]:
    if part == "dark":
        return tuple(round(0.45 * c) for c in rgb)
    if part == "light":
        return tuple(round(0.35 * c + 0.65 * 255) for c in rgb)
    return rgb


@lru_cache(maxsize=8192)
def sprite(thing: str, rgb: tuple[int, int, int], turn_deg: float, half_px: float) -> NDArray[np.uint8]:
    """Draw a thing with smooth edges.

    Args:
        thing: A key of `SHAPES`.
        rgb: Colour of its body.
        turn_deg: Clockwise rotation in degrees.
        half_px: Half the side of its square from -1 to 1, in pixels.

    Returns:
        RGBA, uint8, (size, size, 4). The size is odd, and the thing's centre is in the central pixel.
    """
    radius = int(np.ceil(half_px * 1.2)) + 1
    size = 2 * radius + 1
    big = size * SUPERSAMPLE
    colour = np.empty((big, big, 3), np.uint8)
    colour[:] = rgb
    alpha = np.zeros((big, big), np.uint8)
    turn = np.deg2rad(turn_deg)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    for shape in SHAPES[thing]:
        corners = np.asarray(shape.outline) @ spin.T * half_px + radius + 0.5
        fixed = np.round((corners * SUPERSAMPLE - 0.5) * 2**SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(colour, [fixed], _part_rgb(shape.part, rgb), shift=SUBPIXEL_BITS)
        cv2.fillPoly(alpha, [fixed], (255,), shift=SUBPIXEL_BITS)
    rgba = np.dstack([colour, alpha])
    return np.ascontiguousarray(cv2.resize(rgba, (size, size), interpolation=cv2.INTER_AREA)).astype(np.uint8)
