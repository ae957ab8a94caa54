"""Known damage to known clips, in graded steps: what a metric that works must notice.

Each damage takes frames, uint8 (frames, height, width, 3), and a level from 1 (slight) to `LEVELS`
(gross), and gives frames of the same shape. Deterministic: the same clip and level, the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable

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


DAMAGES: dict[str, Damage] = {
    "blur": blur, "noise": noise, "flicker": flicker, "shuffle": shuffle, "freeze": freeze, "jitter": jitter,
    "colour drift": colour_drift, "compression": compression,
}
"""Damages of pixels; `selftest` adds those of meaning: another thing, another caption."""
