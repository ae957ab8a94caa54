"""Metrics as `torchmetrics.Metric`: batched updates, merged states, pickling and collections."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent, indent
from typing import Any, ClassVar

import numpy as np
import torch
import torchmetrics
from torch import Tensor

from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.metrics.base import ClipMetric, Metric, SetContext, SetMetric, score_set
from vbench_lite.metrics.functional import Clips, Images, Networks, features_of, networks_for, score_clips
from vbench_lite.records import ClipSpec


class _TorchMetric(torchmetrics.Metric):  # type: ignore[misc]
    full_state_update = False
    metric: ClassVar[type[Metric]]

    def __init__(self, backbones: Networks | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.backbones: Networks = self.metric.default_backbones if backbones is None else backbones

    def __reduce__(self) -> Any:
        return _restored, (self.metric, self.__getstate__())

    @property
    def higher_is_better(self) -> bool | None:
        return self.metric.higher_is_better


class MeanOverClips(_TorchMetric):
    """Mean over clips of a per-clip metric. Clips without a value are counted in `unscored` and are not in the mean.

    Args:
        reference: Real clips, for metrics that need them (`detail`).
        spec: The requested form, for metrics that check it (`conformance`).
        backbones: Name or file of a set of networks, or a loaded set. None is the default of the metric.
        settings: Arguments of `torchmetrics.Metric`.

    Example:
        >>> from vbench_lite import metrics
        >>> steadiness = metrics.TemporalFlickering()
        >>> steadiness.update(np.zeros((2, 3, 8, 8, 3), np.uint8))
        >>> float(steadiness.compute())
        1.0
    """

    total: Tensor
    scored: Tensor
    unscored: Tensor

    def __init__(
        self, reference: Clips | None = None, spec: ClipSpec | None = None, backbones: Networks | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(backbones, **settings)
        self.reference, self.spec = reference, spec
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("scored", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("unscored", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def update(
        self, clips: Clips, prompts: str | Sequence[str] | None = None, fps: float = 0.0,
        images: Images | Sequence[Images] | None = None,
    ) -> None:
        """Add clips.

        Args:
            clips: uint8, (clips, frames, height, width, 3) or one clip without the first axis; array or tensor.
            prompts: One per clip, or one for all, for metrics that read prompts (`clip_text`).
            fps: Frames per second, for metrics that depend on it (`motion`, `conformance`).
            images: Start images, one per clip or one for all, for metrics that need them (`first_frame_similarity`).
        """
        metric: ClipMetric = self.metric()  # type: ignore[assignment]
        for score in score_clips(
            metric, clips, fps=fps, prompts=prompts, reference=self.reference, spec=self.spec, images=images,
            backbones=self.backbones,
        ):
            if score.value is None:
                self.unscored += 1
            else:
                self.total += score.value
                self.scored += 1

    def compute(self) -> Tensor | None:
        """The mean over scored clips, float64; None if no clip has a score."""
        return self.total / self.scored if int(self.scored) else None


class DistanceOfClips(_TorchMetric):
    """A set metric: a distance between generated and real clips. It stores one feature vector per clip.

    Args:
        backbones: Name or file of a set of networks, or a loaded set. None is the default of the metric.
        settings: Arguments of `torchmetrics.Metric`.

    Example:
        >>> from vbench_lite import metrics
        >>> distance = metrics.Fvd()
        >>> clips = np.random.default_rng(0).integers(0, 256, (2, 4, 32, 32, 3), dtype=np.uint8)
        >>> distance.update(generated=clips, reference=clips)
        >>> float(distance.compute())
        0.0
    """

    generated: list[Tensor]
    reference: list[Tensor]

    def __init__(self, backbones: Networks | None = None, **settings: Any) -> None:
        super().__init__(backbones, **settings)
        self.add_state("generated", [], dist_reduce_fx="cat")
        self.add_state("reference", [], dist_reduce_fx="cat")

    def update(self, generated: Clips | None = None, reference: Clips | None = None) -> None:
        """Add clips to one or both sides.

        Args:
            generated: uint8, (clips, frames, height, width, 3), array or tensor; or their features, (clips, values).
            reference: Real clips, in the same form.
        """
        for state, clips in ((self.generated, generated), (self.reference, reference)):
            if clips is not None:
                state.append(self._features(clips) if clips.ndim > 2 else torch.as_tensor(clips, dtype=torch.float64))

    def _features(self, clips: Clips) -> Tensor:
        nets = networks_for(self.metric.extractors, self.backbones)
        found = features_of(clips, self.metric.extractors, nets)
        return torch.from_numpy(np.stack([clip["video"]["features"] for clip in found]))

    def compute(self) -> Tensor | None:
        """The distance, float64; None if there are too few clips."""
        generated, reference = _as_clips(self.generated), _as_clips(self.reference)
        metric: SetMetric = self.metric()  # type: ignore[assignment]
        context = SetContext(generated, reference, [""] * len(generated), [""] * len(reference))
        value = score_set(metric, context).estimate.value if generated and reference else None
        return None if value is None else torch.tensor(value, dtype=torch.float64)


def _as_clips(side: list[Tensor] | Tensor) -> list[ClipFeatures]:
    """Clips that have only video features."""
    rows = [row for part in side for row in np.atleast_2d(part.double().cpu().numpy())]
    return [ClipFeatures(0, 0, 0, 0.0, False, {"video": {"features": row}}) for row in rows]


_MADE: dict[type[Metric], type[_TorchMetric]] = {}


def torch_metric(metric: type[Metric]) -> type[_TorchMetric]:
    """The `torchmetrics.Metric` class of a shipped or user-defined metric.

    Args:
        metric: A class that derives from `ClipMetric` or `SetMetric`.

    Raises:
        MetricError: A set metric reads another extractor than `video`.

    Example:
        >>> from vbench_lite.metrics.motion import Motion
        >>> torch_metric(Motion).__name__
        'Motion'
    """
    from vbench_lite.errors import MetricError

    if issubclass(metric, SetMetric) and [e.name for e in metric.extractors] != ["video"]:
        raise MetricError(f'the set metric "{metric.name}" cannot be streamed: it reads more than "video".')
    base = DistanceOfClips if issubclass(metric, SetMetric) else MeanOverClips
    body = {"metric": metric, "__doc__": _documentation(metric, base), "__module__": "vbench_lite.metrics",
            "__qualname__": metric.__name__}  # fmt: skip
    return _MADE.setdefault(metric, type(metric.__name__, (base,), body))


def _documentation(metric: type[Metric], base: type[_TorchMetric]) -> str:
    """The docstring of the class, from the attributes of the metric."""
    direction = {True: "higher is better", False: "lower is better", None: "reported only, never ranked"}
    low, high = metric.range
    parts = {
        "Unit": f"{metric.unit}; {direction[metric.higher_is_better]}; from {low:g} to {high:g}",
        "Version": metric.version, "Pitfalls": metric.pitfalls, "Source": metric.source, "Licence": metric.licence,
    }  # fmt: skip
    facts = "".join(f"{name}: {text}\n\n" for name, text in parts.items() if text)
    described = (base.__doc__ or "").partition("Args:\n")[2].partition("\n\n")[0]
    example = (
        f"Example:\n    >>> from vbench_lite.metrics.{metric.name} import {metric.__name__}\n"
        f"    >>> torch_metric({metric.__name__})().higher_is_better\n    {metric.higher_is_better}\n"
        if metric.__module__.startswith("vbench_lite.metrics.") and metric.higher_is_better is not None
        else ""
    )
    arguments = indent(dedent(described), " " * 4)
    return f"{metric.__doc__}\n\n{metric.description}\n\n{facts}Args:\n{arguments}\n\n{example}"


def _restored(metric: type[Metric], state: dict[str, Any]) -> _TorchMetric:
    found = torch_metric(metric)()
    found.__setstate__(state)
    return found
