"""Known damage to known clips, in graded steps: what a metric that works must notice.

Each damage takes frames, uint8 (frames, height, width, 3), and a level from 1 (slight) to `LEVELS`
(gross), and gives frames of the same shape. Deterministic: the same clip and level, the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from vbench_lite.video import Frames, encode_mp4, read_clip

LEVELS = 5

Damage = Callable[[Frames, int], Frames]


def _bytes(frames: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Frames:
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)


def blur(frames: Frames, level: int) -> Frames:
    """A Gaussian of 0.5 to 2.5 pixels in every frame."""
    return np.stack([cv2.GaussianBlur(frame, (0, 0), 0.5 * level) for frame in frames]).astype(np.uint8)


def noise(frames: Frames, level: int) -> Frames:
    """Independent normal noise, standard deviation 3 to 48 of 255."""
    return _bytes(frames + np.random.default_rng(level).normal(0, 1.5 * 2**level, frames.shape))


def flicker(frames: Frames, level: int) -> Frames:
    """Brightness that jumps up and down from frame to frame by 4 to 64 of 255."""
    signs = (-1.0) ** np.arange(len(frames))
    return _bytes(frames + 2 * 2**level * signs[:, None, None, None])


def shuffle(frames: Frames, level: int) -> Frames:
    """The first third to the whole of the clip in another order: its second half dealt between its first."""
    count = round(len(frames) * (level + 1) / (LEVELS + 1))
    middle = (count + 1) // 2
    order = np.arange(len(frames))
    order[:count:2], order[1:count:2] = np.arange(middle), np.arange(middle, count)
    return frames[order]


def freeze(frames: Frames, level: int) -> Frames:
    """The last fifth to the whole of the clip stands still."""
    kept = round(len(frames) * (1 - level / LEVELS))
    return np.concatenate([frames[:kept], np.repeat(frames[max(kept - 1, 0) : max(kept, 1)], len(frames) - kept, 0)])


def jitter(frames: Frames, level: int) -> Frames:
    """Every other frame pushed aside by 1 to 5 sixty-fourths of the width."""
    step = max(1, round(level * frames.shape[2] / 64))
    moved = frames.copy()
    moved[1::2, :, step:] = frames[1::2, :, :-step]
    moved[1::2, :, :step] = frames[1::2, :, :1]
    return moved


def colour_drift(frames: Frames, level: int) -> Frames:
    """Hues that turn in the course of the clip, by 24 to 120 degrees at its end."""
    drifted = []
    for place, frame in enumerate(frames):
        hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
        turn = 12 * level * place / max(len(frames) - 1, 1)  # OpenCV's hues are half degrees
        hsv[..., 0] = (hsv[..., 0] + round(turn)) % 180
        drifted.append(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
    return np.stack(drifted).astype(np.uint8)


def compression(frames: Frames, level: int) -> Frames:
    """Through H.264 at ever lower quality: crf 22 to 46."""
    return read_clip(encode_mp4(frames, 8.0, crf=16 + 6 * level))[0][:, : frames.shape[1], : frames.shape[2]]


def local_warp(frames: Frames, level: int) -> Frames:
    """The middle of the picture waves, by up to 4 to 20 hundredths of its side at the end of the clip."""
    height, width = frames.shape[1:3]
    side = min(height, width)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    near = np.exp(-((x - width / 2) ** 2 + (y - height / 2) ** 2) / (2 * (0.2 * side) ** 2))
    waves = near * np.sin(2 * np.pi * y * 3 / side), near * np.cos(2 * np.pi * x * 3 / side)
    warped = []
    for place, frame in enumerate(frames):
        reach = 0.04 * level * side * place / max(len(frames) - 1, 1)
        to_x, to_y = ((axis + reach * wave).astype(np.float32) for axis, wave in zip((x, y), waves, strict=True))
        warped.append(cv2.remap(frame, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return np.stack(warped).astype(np.uint8)


def ghosting(frames: Frames, level: int) -> Frames:
    """Every frame is mixed with the one three before it, at 10 to 50 %."""
    before = frames[np.maximum(np.arange(len(frames)) - 3, 0)]
    return _bytes((1 - 0.1 * level) * frames + 0.1 * level * before.astype(np.float64))


def duplicate(frames: Frames, level: int) -> Frames:
    """A copy of the middle of the picture stands beside it, at 20 to 100 % opacity."""
    width = frames.shape[2]
    shifted = np.roll(frames, round(0.35 * width), 2).astype(np.float64)
    opacity = np.zeros(width)
    opacity[round(0.6 * width) :] = 0.2 * level
    return _bytes(frames + opacity[:, None] * (shifted - frames))


def hue(frames: Frames, level: int) -> Frames:
    """All hues turned by 24 to 120 degrees."""
    return _in_hsv(frames, lambda hsv: np.dstack([(hsv[..., 0] + 12.0 * level) % 180, hsv[..., 1], hsv[..., 2]]))


def desaturation(frames: Frames, level: int) -> Frames:
    """A fifth to all of the colour is taken away."""
    return _in_hsv(frames, lambda hsv: np.dstack([hsv[..., 0], hsv[..., 1] * (1 - level / LEVELS), hsv[..., 2]]))


def _in_hsv(frames: Frames, change: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Frames:
    changed = [change(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV).astype(np.float64)) for frame in frames]
    return np.stack([cv2.cvtColor(_bytes(hsv), cv2.COLOR_HSV2RGB) for hsv in changed]).astype(np.uint8)


def bars(frames: Frames, level: int) -> Frames:
    """Black bars at the top and at the bottom, 4 to 20 % of the height each."""
    barred, rows = frames.copy(), max(1, round(0.04 * level * frames.shape[1]))
    barred[:, :rows] = barred[:, -rows:] = 0
    return barred


def hole(frames: Frames, level: int) -> Frames:
    """A black square in the middle, 6 to 30 % of the side."""
    holed, (height, width) = frames.copy(), frames.shape[1:3]
    half = max(1, round(0.03 * level * min(height, width)))
    holed[:, height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half] = 0
    return holed


def slow_motion(frames: Frames, level: int) -> Frames:
    """The clip shows only the first 83 to 17 % of what happens, as slowly as that takes."""
    places = np.linspace(0, (len(frames) - 1) * (1 - level / (LEVELS + 1)), len(frames))
    return frames[places.round().astype(int)]


def ping_pong(frames: Frames, level: int) -> Frames:
    """The last tenth to the whole second half of the clip plays backwards what came before it."""
    last = len(frames) - 1
    turn = round(last * (1 - 0.1 * level))
    places = np.arange(len(frames))
    return frames[np.where(places <= turn, places, np.maximum(2 * turn - places, 0))]


def aspect(frames: Frames, level: int) -> Frames:
    """The picture is squashed in width to 92 to 60 %; its sides repeat the edge."""
    height, width = frames.shape[1:3]
    narrow = round(width * (1 - 0.08 * level))
    left = (width - narrow) // 2
    squashed = [cv2.resize(frame, (narrow, height), interpolation=cv2.INTER_AREA) for frame in frames]
    return np.stack([np.pad(f, ((0, 0), (left, width - narrow - left), (0, 0)), "edge") for f in squashed])


DAMAGES: dict[str, Damage] = {
    "blur": blur, "noise": noise, "flicker": flicker, "shuffle": shuffle, "freeze": freeze, "jitter": jitter,
    "colour drift": colour_drift, "compression": compression, "local warp": local_warp, "ghosting": ghosting,
    "duplicate": duplicate, "hue": hue, "desaturation": desaturation, "bars": bars, "hole": hole,
    "slow motion": slow_motion, "ping-pong": ping_pong, "aspect": aspect,
}
"""Damages of pixels; `selftest` adds those of meaning: another thing, another caption."""
