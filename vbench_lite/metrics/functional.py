"""Metrics as functions of clips in memory: arrays or tensors, without files and runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from vbench_lite.backbones import Backbones
from vbench_lite.features.extractor import ClipFeatures, Extractor
from vbench_lite.metrics.base import (
    ClipContext,
    ClipMetric,
    RealClips,
    SetContext,
    SetMetric,
    score_clip,
    score_set,
)
from vbench_lite.records import ClipSpec, Prompt, ReasonCode, Score

if TYPE_CHECKING:
    from torch import Tensor

Clips: TypeAlias = Union[NDArray[np.uint8], "Tensor"]
"""uint8 (clips, frames, height, width, 3), or one clip without the first axis."""
Images: TypeAlias = Union[NDArray[np.uint8], "Tensor"]
"""uint8 (height, width, 3), or (images, height, width, 3)."""
Networks: TypeAlias = str | Backbones
"""A set of backbones: its name, the path of its TOML file, or a loaded set."""
Values: TypeAlias = Any
"""A float for one clip; a float64 array (clips,) for several."""


@lru_cache(maxsize=4)
def _load(name: str, kinds: tuple[str, ...]) -> Backbones:
    from vbench_lite import backbones

    return backbones.load(name, kinds=kinds)


def networks_for(extractors: Sequence[Extractor], backbones: Networks) -> Backbones:
    """The loaded networks that the extractors need."""
    from vbench_lite.features.extractor import backbone_of

    if isinstance(backbones, Backbones):
        return backbones
    kinds = sorted({kind for extractor in extractors if (kind := backbone_of(extractor))})
    return _load(backbones, tuple(kinds)) if kinds else Backbones("none")


def clip_list(clips: Clips) -> list[NDArray[np.uint8]]:
    """Clips as a list of arrays, uint8 (frames, height, width, 3).

    Raises:
        ValueError: The shape is wrong, or the type is not uint8.
    """
    array = np.asarray(clips if isinstance(clips, np.ndarray) else clips.cpu())
    if array.dtype != np.uint8 or array.ndim not in (4, 5) or array.shape[-1] != 3 or 0 in array.shape:
        raise ValueError(
            f"clips are {array.dtype} {array.shape}: expected uint8 (clips, frames, height, width, 3), or one clip "
            "without the first axis"
        )
    return list(array) if array.ndim == 5 else [array]


def features_of(
    clips: Clips, extractors: Sequence[Extractor], backbones: Networks = "builtin", fps: float = 0.0
) -> list[ClipFeatures]:
    """The extracted features of each clip."""
    from vbench_lite.features.extract import extract

    nets = networks_for(extractors, backbones)
    return [extract(clip, extractors, nets, fps=float(fps)) for clip in clip_list(clips)]


def score_clips(
    metric: ClipMetric, clips: Clips, *, fps: float = 0.0,
    prompts: str | Prompt | Sequence[str | Prompt] | None = None, reference: Clips | None = None,
    spec: ClipSpec | None = None, images: Images | Sequence[Images] | None = None, backbones: Networks = "builtin",
) -> list[Score]:
    """One score per clip: a value, or None with the reason.

    Args:
        metric: Any per-clip metric, shipped or user-defined.
        clips: uint8, (clips, frames, height, width, 3) or one clip; array or tensor.
        fps: Frames per second; 0 if unknown.
        prompts: One per clip, or one for all, for metrics that read prompts: texts, or records with a motion.
        reference: Real clips, for metrics that need them.
        spec: The requested form.
        images: Start images: one per clip, or one for all.
        backbones: Name or file of a set of networks, or a loaded set.

    Raises:
        ValueError: Clips or images have a wrong shape or type, or the number of prompts or images is wrong.
        MetricError: The metric returned an invalid score.

    Example:
        >>> from vbench_lite.metrics.temporal_flickering import TemporalFlickering
        >>> score_clips(TemporalFlickering(), np.zeros((2, 1, 8, 8, 3), np.uint8))[0].reason
        'it has a single frame'
    """
    nets = networks_for(metric.extractors, backbones)
    found = features_of(clips, metric.extractors, nets, fps)
    if why := metric.unavailable(nets):
        return [Score(None, why, ReasonCode.NO_BACKBONE)] * len(found)
    real = RealClips() if reference is None else RealClips(features_of(reference, metric.extractors, nets, fps))
    given = [prompts or ""] * len(found) if prompts is None or isinstance(prompts, str | Prompt) else list(prompts)
    if len(given) != len(found):
        raise ValueError(f"{len(given)} prompts for {len(found)} clips: pass one per clip, or one for all")
    pictures = [None] * len(found) if images is None else _picture_vectors(nets, images, len(found))
    asked = [each if isinstance(each, Prompt) else Prompt(str(n), each) for n, each in enumerate(given)]
    contexts = [
        ClipContext(clip, prompt, *_text_vector(nets, prompt.text), spec=spec, real=real, picture=picture)
        for clip, prompt, picture in zip(found, asked, pictures, strict=True)
    ]
    return [score_clip(metric, context) for context in contexts]


def _text_vector(nets: Backbones, text: str) -> tuple[NDArray[np.float64] | None, str]:
    if not text or nets.image is None:
        return None, "there is no prompt"
    problem = nets.image.cannot_read(text)
    return (None, problem) if problem else (nets.image.embed_texts([text])[0], "")


def picture_vector(nets: Backbones, picture: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """The unit vector of an image, uint8 (height, width, 3); None without an image network."""
    if nets.image is None:
        return None
    import torch

    vector: NDArray[np.float64] = nets.image.embed_images(torch.stack([nets.image.prepare(picture)]))[0]
    return vector


def _picture_vectors(nets: Backbones, images: Images | Sequence[Images], count: int) -> list[Any]:
    given: Any = images  # arrays and tensors alike
    given = [given] if getattr(given, "ndim", 0) == 3 else list(given)
    arrays = [np.asarray(each if isinstance(each, np.ndarray) else each.cpu()) for each in given]
    for array in arrays:
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[-1] != 3 or 0 in array.shape:
            raise ValueError(f"an image is {array.dtype} {array.shape}: expected uint8 (height, width, 3)")
    if len(arrays) not in (1, count):
        raise ValueError(f"{len(arrays)} images for {count} clips: pass one per clip, or one for all")
    vectors = [picture_vector(nets, array) for array in arrays]
    return vectors if len(vectors) == count else vectors * count


def score_each(metric: ClipMetric, clips: Clips, **given: Any) -> Values:
    """The values of all clips. The arguments are those of `score_clips`.

    Raises:
        ValueError: A clip has no value. The message has the reason.
    """
    scores = score_clips(metric, clips, **given)
    for place, score in enumerate(scores):
        if score.value is None:
            raise ValueError(f"clip {place} has no {metric.name}: {score.reason}")
    values = np.array([score.value for score in scores])
    return values if clips.ndim == 5 else float(values[0])


def distance_between(metric: SetMetric, generated: Clips, reference: Clips, backbones: Networks) -> float:
    """The value of a set metric on clips in memory.

    Raises:
        ValueError: There is no value. The message has the reason.
    """
    nets = networks_for(metric.extractors, backbones)
    sides = [features_of(clips, metric.extractors, nets) for clips in (generated, reference)]
    if why := metric.unavailable(nets):
        raise ValueError(why)
    context = SetContext(sides[0], sides[1], [""] * len(sides[0]), [""] * len(sides[1]))
    found = score_set(metric, context).estimate
    if found.value is None:
        raise ValueError(f"no {metric.name}: {found.reason}")
    return found.value
