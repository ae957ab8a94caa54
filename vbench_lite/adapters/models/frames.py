"""Turns what pipelines return into frames: uint8, (frames, height, width, 3), RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vbench_lite.errors import GeneratorError


class NotAClipError(GeneratorError):
    """A pipeline returned something that is no clip: NaN, a wrong shape, values out of range."""


def clips_of(video: Any) -> list[Any]:
    """Splits a pipeline's `frames` into one item a clip.

    Args:
        video: (clips, frames, ...) as array or tensor, or a list of clips.
    """
    if isinstance(video, list | tuple):
        return list(video)
    if isinstance(video, np.ndarray | torch.Tensor) and video.ndim == 5:
        return list(video)
    raise NotAClipError(f"expected clips with 5 axes, got {_describe(video)}.")


def as_frames(clip: Any) -> NDArray[np.uint8]:
    """One clip as uint8, (frames, height, width, 3).

    Args:
        clip: A float array (frames, height, width, 3) in [0, 1]; a tensor (frames, 3, height,
            width) in [0, 1]; uint8 in either order; or a list of PIL pictures.

    Raises:
        NotAClipError: It holds NaN or infinity, or has another form.
    """
    if isinstance(clip, list | tuple):
        clip = np.stack([np.asarray(picture.convert("RGB")) for picture in clip])
    if isinstance(clip, torch.Tensor):
        clip = clip.detach().float().cpu().movedim(-3, -1).numpy()
    if not isinstance(clip, np.ndarray) or clip.ndim != 4 or clip.shape[-1] != 3:
        raise NotAClipError(f"expected a clip of shape (frames, height, width, 3), got {_describe(clip)}.")
    if clip.dtype == np.uint8:
        return np.ascontiguousarray(clip)
    if not np.isfinite(clip).all():
        raise NotAClipError(
            'the pipeline wrote NaN or infinity. A wider dtype may help: dtype = "float32" under [settings].'
        )
    return (clip.clip(0, 1) * 255).round().astype(np.uint8)


def _describe(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"{type(value).__name__} of shape {tuple(shape)}" if shape is not None else type(value).__name__
