"""Converts the output of pipelines to frames: uint8, (frames, height, width, 3), RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vbench_lite.errors import GeneratorError

SLACK = 0.05
"""How far values may exceed the ranges 0 to 1 and -1 to 1."""


class NotAClipError(GeneratorError):
    """The output of a pipeline is not a clip: it has NaN, a wrong shape, or values in an unknown range."""


def clips_of(video: Any) -> list[Any]:
    """Split a pipeline's `frames` into one item per clip.

    Args:
        video: (clips, frames, ...) as array or tensor, or a list of clips.
    """
    if isinstance(video, list | tuple):
        return list(video)
    if isinstance(video, np.ndarray | torch.Tensor) and video.ndim == 5:
        return list(video)
    raise NotAClipError(f"expected clips with 5 axes, got {_describe(video)}.")


def as_frames(clip: Any) -> NDArray[np.uint8]:
    """Convert one clip to uint8, (frames, height, width, 3).

    Args:
        clip: An array or tensor of shape (frames, height, width, 3) or (frames, 3, height, width), or a list of PIL
            images. Integers are 0 to 255. For floats, the range of the values shows whether they are 0 to 1, -1 to 1,
            or 0 to 255.

    Raises:
        NotAClipError: The clip has NaN or infinity, another shape, or another range.
    """
    if isinstance(clip, list | tuple):
        clip = np.stack([np.asarray(picture.convert("RGB")) for picture in clip])
    channel_first = isinstance(clip, torch.Tensor)
    if isinstance(clip, torch.Tensor):
        clip = clip.detach().cpu()
        clip = (clip.float() if clip.is_floating_point() else clip).numpy()
    if isinstance(clip, np.ndarray) and clip.ndim == 4 and clip.shape[1] == 3 and (channel_first or clip.shape[3] != 3):
        clip = np.moveaxis(clip, 1, -1)
    if not isinstance(clip, np.ndarray) or clip.ndim != 4 or clip.shape[-1] != 3 or not clip.size:
        raise NotAClipError(f"expected a clip of shape (frames, height, width, 3), got {_describe(clip)}.")
    return np.ascontiguousarray(clip if clip.dtype == np.uint8 else _to_uint8(clip))


def _to_uint8(clip: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale values to 0 to 255, according to their range."""
    if not np.issubdtype(clip.dtype, np.integer) and not np.issubdtype(clip.dtype, np.floating):
        raise NotAClipError(f"expected numbers in a clip, got {clip.dtype}.")
    if not np.isfinite(clip).all():
        raise NotAClipError(
            'the pipeline returned NaN or infinity. A wider dtype may help: dtype = "float32" under [settings].'
        )
    low, high = float(clip.min()), float(clip.max())
    if np.issubdtype(clip.dtype, np.integer) and low >= 0 and high <= 255:
        return clip.astype(np.uint8)
    if np.issubdtype(clip.dtype, np.floating):
        if low >= -SLACK and high <= 1 + SLACK:
            return np.asarray((clip.clip(0, 1) * 255).round(), np.uint8)
        if -1 - SLACK <= low <= -0.5 and high <= 1 + SLACK:
            return np.asarray(((clip.clip(-1, 1) + 1) * 127.5).round(), np.uint8)
        if low >= -0.5 and 2 < high <= 255.5:
            return np.asarray(clip.clip(0, 255).round(), np.uint8)
    raise NotAClipError(
        f"the values of a clip ({clip.dtype}) range from {low:.4g} to {high:.4g}: expected 0 to 1, -1 to 1 or 0 to 255."
    )


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"{type(value).__name__} of shape {tuple(shape)}" if shape is not None else type(value).__name__
