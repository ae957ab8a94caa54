"""Damages of clips in graded levels, which `selftest` uses to check that metrics react.

Each damage takes frames, uint8 (frames, height, width, 3), and a level from 1 (slight) to `LEVELS` (severe). It
returns frames of the same shape. All damages are deterministic: the same clip and level give the same pixels.
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
    """Gaussian blur of every frame, with a standard deviation of 0.5 to 2.5 pixels."""
    return np.stack([cv2.GaussianBlur(frame, (0, 0), 0.5 * level) for frame in frames]).astype(np.uint8)


def noise(frames: Frames, level: int) -> Frames:
    """Independent normal noise with a standard deviation of 3 to 48 (of 255)."""
    return _bytes(frames + np.random.default_rng(level).normal(0, 1.5 * 2**level, frames.shape))


def flicker(frames: Frames, level: int) -> Frames:
    """The brightness of alternate frames goes up and down by 4 to 64 (of 255)."""
    signs = (-1.0) ** np.arange(len(frames))
    return _bytes(frames + 2 * 2**level * signs[:, None, None, None])


def shuffle(frames: Frames, level: int) -> Frames:
    """Reorder the first third to the whole of the clip: frames of its two halves alternate."""
    count = round(len(frames) * (level + 1) / (LEVELS + 1))
    middle = (count + 1) // 2
    order = np.arange(len(frames))
    order[:count:2], order[1:count:2] = np.arange(middle), np.arange(middle, count)
    return frames[order]


def freeze(frames: Frames, level: int) -> Frames:
    """The last fifth to the whole of the clip is frozen."""
    kept = round(len(frames) * (1 - level / LEVELS))
    return np.concatenate([frames[:kept], np.repeat(frames[max(kept - 1, 0) : max(kept, 1)], len(frames) - kept, 0)])


def jitter(frames: Frames, level: int) -> Frames:
    """Every second frame is shifted to the right by 1/64 to 5/64 of the width."""
    step = max(1, round(level * frames.shape[2] / 64))
    moved = frames.copy()
    moved[1::2, :, step:] = frames[1::2, :, :-step]
    moved[1::2, :, :step] = frames[1::2, :, :1]
    return moved


def colour_drift(frames: Frames, level: int) -> Frames:
    """Hues rotate during the clip, by 24 to 120 degrees at its end."""
    drifted = []
    for place, frame in enumerate(frames):
        hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV)
        turn = 12 * level * place / max(len(frames) - 1, 1)  # OpenCV's hues are half degrees
        hsv[..., 0] = (hsv[..., 0] + round(turn)) % 180
        drifted.append(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
    return np.stack(drifted).astype(np.uint8)


def compression(frames: Frames, level: int) -> Frames:
    """H.264 compression with decreasing quality: crf 22 to 46."""
    return read_clip(encode_mp4(frames, 8.0, crf=16 + 6 * level))[0][:, : frames.shape[1], : frames.shape[2]]


def local_warp(frames: Frames, level: int) -> Frames:
    """The centre of the picture is warped in waves, with 4 % to 20 % of the shorter side at the end of the clip."""
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
    """Every frame is blended with the third frame before it, with a weight of 10 to 50 %."""
    before = frames[np.maximum(np.arange(len(frames)) - 3, 0)]
    return _bytes((1 - 0.1 * level) * frames + 0.1 * level * before.astype(np.float64))


def duplicate(frames: Frames, level: int) -> Frames:
    """A copy of the centre of the picture appears beside it, with an opacity of 20 to 100 %."""
    width = frames.shape[2]
    shifted = np.roll(frames, round(0.35 * width), 2).astype(np.float64)
    opacity = np.zeros(width)
    opacity[round(0.6 * width) :] = 0.2 * level
    return _bytes(frames + opacity[:, None] * (shifted - frames))


def hue(frames: Frames, level: int) -> Frames:
    """All hues are rotated by 24 to 120 degrees."""
    return _in_hsv(frames, lambda hsv: np.dstack([(hsv[..., 0] + 12.0 * level) % 180, hsv[..., 1], hsv[..., 2]]))


def desaturation(frames: Frames, level: int) -> Frames:
    """The saturation is reduced by 20 to 100 %."""
    return _in_hsv(frames, lambda hsv: np.dstack([hsv[..., 0], hsv[..., 1] * (1 - level / LEVELS), hsv[..., 2]]))


def _in_hsv(frames: Frames, change: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Frames:
    changed = [change(cv2.cvtColor(frame, cv2.COLOR_RGB2HSV).astype(np.float64)) for frame in frames]
    return np.stack([cv2.cvtColor(_bytes(hsv), cv2.COLOR_HSV2RGB) for hsv in changed]).astype(np.uint8)


def bars(frames: Frames, level: int) -> Frames:
    """Black bars at the top and at the bottom, each 4 to 20 % of the height."""
    barred, rows = frames.copy(), max(1, round(0.04 * level * frames.shape[1]))
    barred[:, :rows] = barred[:, -rows:] = 0
    return barred


def hole(frames: Frames, level: int) -> Frames:
    """A black square in the centre, with a side of 6 to 30 % of the shorter side of the frame."""
    holed, (height, width) = frames.copy(), frames.shape[1:3]
    half = max(1, round(0.03 * level * min(height, width)))
    holed[:, height // 2 - half : height // 2 + half, width // 2 - half : width // 2 + half] = 0
    return holed


def slow_motion(frames: Frames, level: int) -> Frames:
    """Only the first 83 to 17 % of the clip is shown, slowed down to the full length."""
    places = np.linspace(0, (len(frames) - 1) * (1 - level / (LEVELS + 1)), len(frames))
    return frames[places.round().astype(int)]


def ping_pong(frames: Frames, level: int) -> Frames:
    """The last tenth to the last half of the clip plays the preceding frames backwards."""
    last = len(frames) - 1
    turn = round(last * (1 - 0.1 * level))
    places = np.arange(len(frames))
    return frames[np.where(places <= turn, places, np.maximum(2 * turn - places, 0))]


def aspect(frames: Frames, level: int) -> Frames:
    """The picture is compressed horizontally to 92 to 60 % of its width. The edge pixels fill the sides."""
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
"""All damages of pixels, by name. `selftest` adds damages of content, such as another object or another caption."""
