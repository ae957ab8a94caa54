"""Base classes of metrics: a description as class attributes, and one method that computes a score from features.

This module does not import torch, so descriptions load fast. `torch_metric` creates a `torchmetrics.Metric` from any
shipped or user-defined class.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from vbench_lite.backbones import Backbones
from vbench_lite.distances.paired import DistanceInfluence
from vbench_lite.errors import MetricError
from vbench_lite.features.extractor import ClipFeatures, Extractor, backbone_of
from vbench_lite.records import ClipSpec, Estimate, MetricInfo, Origin, Prompt, ReasonCode, Score

NO_PROMPT = Prompt("", "")
SINGLE_FRAME = Score(None, "it has a single frame", ReasonCode.ONE_FRAME)
NO_FPS = Score(None, "the file does not state its frame rate", ReasonCode.NOT_MEASURED)


@dataclass(frozen=True, eq=False)
class RealClips:
    """Real clips for the comparison with one generated clip, or the reason why there are none."""

    clips: Sequence[ClipFeatures] = ()
    problem: str = "there are no real clips to compare with"
    _means: dict[tuple[Any, ...], float | None] = field(default_factory=dict)

    def mean(self, extractor: str, array: str, height: int, width: int) -> float | None:
        """Mean over the real clips of this size of the mean of an array; None if there is no such clip."""
        key = (extractor, array, height, width)
        if key not in self._means:
            same = [c[extractor][array].mean() for c in self.clips if (c.height, c.width) == (height, width)]
            self._means[key] = float(np.mean(same)) if same else None
        return self._means[key]


@dataclass(frozen=True)
class ClipContext:
    """One clip, with the inputs of its scores.

    Example:
        >>> clip = ClipFeatures(1, 8, 8, 0.0, False, {"pixels": {"brightness": np.array([0.25])}})
        >>> ClipContext(clip)["pixels"]["brightness"].tolist()
        [0.25]
    """

    clip: ClipFeatures
    prompt: Prompt = NO_PROMPT
    text: NDArray[np.float64] | None = None
    """The embedding of the prompt, of unit length; None if the image-and-text network cannot read the prompt."""
    text_problem: str = "there is no prompt"
    text_truncated: str = ""
    """A note if the network reads only the beginning of the prompt; "" if it reads all of it."""
    spec: ClipSpec | None = None
    """The requested form; None for clips from other sources."""
    still_requested: bool = False
    """Whether the prompt requests a clip without motion."""
    real: RealClips = RealClips()
    picture: NDArray[np.float64] | None = None
    """The embedding of the start image, of unit length; None if the prompt has no image."""

    def __getitem__(self, extractor: str) -> Mapping[str, NDArray[Any]]:
        """The arrays of one extractor."""
        return self.clip[extractor]


@dataclass(frozen=True)
class SetContext:
    """The clips of a generator and the real clips for the comparison.

    Example:
        >>> clips = [ClipFeatures(1, 8, 8, 0.0, False, {"video": {"embedding": np.ones(3)}})] * 2
        >>> generated, reference = SetContext(clips, clips, ["mug", "lamp"], ["", ""]).stacked("video", "embedding")
        >>> generated.shape
        (2, 3)
    """

    generated: Sequence[ClipFeatures]
    reference: Sequence[ClipFeatures]
    generated_prompts: Sequence[str]
    """The prompt of each generated clip. Prompts are the sampling units, because clips of one prompt are dependent."""
    reference_prompts: Sequence[str]
    """"" for a real clip without a prompt."""

    def stacked(self, extractor: str, array: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """(clips, values) of both sides."""
        generated, reference = (
            np.stack([clip[extractor][array] for clip in side]) for side in (self.generated, self.reference)
        )
        return generated, reference


@dataclass(frozen=True)
class SetScore:
    """The estimate of a set metric, and the influence of each prompt on it, for the error of differences.

    Example:
        >>> SetScore(Estimate(1.5, low=1.2, high=1.8, n=80)).estimate.value
        1.5
    """

    estimate: Estimate
    influence: DistanceInfluence | None = None


class Metric:
    """The description of a metric, as class attributes.

    Derive from `ClipMetric` for one value per clip, or from `SetMetric` for one value per set of clips.

    Example:
        >>> from vbench_lite.metrics.temporal_flickering import TemporalFlickering
        >>> TemporalFlickering.info().unit
        'fraction'
    """

    name: ClassVar[str]
    """The column in clips.csv and the key in summary.json."""
    title: ClassVar[str]
    """The heading in reports."""
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool | None]
    """None: reported, but not ranked."""
    range: ClassVar[tuple[float, float]]
    """Smallest and largest possible value; either may be infinite. Intervals are clipped to this range."""
    version: ClassVar[str]
    """Must change with every change of the code that changes a value."""
    description: ClassVar[str]
    """The meaning of a value."""
    pitfalls: ClassVar[str] = ""
    """Limits, and ways to misread the value."""
    question: ClassVar[str] = ""
    """The question of a report that the metric answers: a key of `records.QUESTIONS`, or "" for none."""
    rank: ClassVar[int] = 10
    """Order within the question. The metric of the lowest rank is its headline."""
    source: ClassVar[str] = ""
    licence: ClassVar[str] = ""
    """The licence of weights that are not part of the chosen backbones."""
    extractors: ClassVar[tuple[Extractor, ...]] = ()
    default_backbones: ClassVar[str] = "builtin"
    """The default set of backbones of the torchmetrics class."""
    for_images: ClassVar[bool] = False
    """Whether only prompts with an image have a value. Named sets include the metric only for suites with images."""
    sets: ClassVar[tuple[str, ...]] = ()
    """Named sets of `--metrics` that include the metric."""
    rises_with: ClassVar[tuple[str, ...]] = ()
    """Damages of `scoring.damage` that must raise the value at every step. `selftest` checks this."""
    falls_with: ClassVar[tuple[str, ...]] = ()
    """Damages that must lower the value."""
    unmoved_by: ClassVar[tuple[str, ...]] = ()
    """Damages that must not change the value."""
    per: ClassVar[Literal["clip", "set"]]
    origin: ClassVar[Origin] = ""
    """Who computes the value: "" for this package, or a program of the user."""

    @classmethod
    def backbone(cls) -> str | None:
        """The kind of network that the metric needs."""
        return next((kind for extractor in cls.extractors if (kind := backbone_of(extractor))), None)

    @classmethod
    def unavailable(cls, nets: Backbones) -> str | None:
        """Why a set of backbones cannot compute this metric; None if it can."""
        kinds = [kind for extractor in cls.extractors if (kind := backbone_of(extractor))]
        return next((why for kind in kinds if (why := nets.lacks(kind))), None)

    @classmethod
    def info(cls, backbone: str | None = None) -> MetricInfo:
        """The description as a record for summary.json.

        Args:
            backbone: Name and digest of the network.
        """
        low, high = (side if math.isfinite(side) else None for side in cls.range)
        return MetricInfo(
            cls.name, cls.unit, cls.higher_is_better, cls.version, backbone, cls.per, cls.title, (low, high),
            cls.question, cls.rank, cls.description, cls.pitfalls, cls.source, cls.origin,
        )


class ClipMetric(Metric):
    """A metric with one value per clip.

    Example:
        >>> from vbench_lite.features.pixels import Pixels
        >>> class Brightness(ClipMetric):
        ...     name, title, unit, version = "brightness", "Brightness", "fraction", "1"
        ...     higher_is_better, range, description = None, (0.0, 1.0), "Mean luma."
        ...     extractors = (Pixels,)
        ...     def score(self, context): return context["pixels"]["brightness"].mean()
        >>> clip = ClipFeatures(1, 8, 8, 0.0, False, {"pixels": {"brightness": np.array([0.25])}})
        >>> score_clip(Brightness(), ClipContext(clip)).value
        0.25
    """

    per = "clip"
    undecodable: ClassVar[float | None] = None
    """The value of a clip that is missing, failed or cannot be decoded. None: no score."""

    def score(self, context: ClipContext) -> Score | float | None:
        """The value of one clip.

        Args:
            context: The features of the clip, with its prompt and other inputs.

        Returns:
            A number, or a `Score` with the value None and a reason.
        """
        raise NotImplementedError


class SetMetric(Metric):
    """A metric with one value per set of clips, compared with real clips.

    Example:
        >>> class Sizes(SetMetric):
        ...     name, title, unit, version = "size_gap", "Difference in number of clips", "clips", "1"
        ...     higher_is_better, range, description = False, (0.0, math.inf), "Difference to the real clips."
        ...     def score(self, context):
        ...         return SetScore(Estimate(abs(len(context.generated) - len(context.reference))))
        >>> Sizes().score(SetContext([], [], [], [])).estimate.value
        0
    """

    per = "set"

    def score(self, context: SetContext) -> SetScore:
        """The value of the set with its interval, or with the reason why there is no interval."""
        raise NotImplementedError


def score_clip(metric: ClipMetric, context: ClipContext) -> Score:
    """The score of one clip, checked: a finite number in the range of the metric, or None with a reason.

    Raises:
        MetricError: The metric returned another value.
    """
    found = metric.score(context)
    score = found if isinstance(found, Score) else Score(found, None if found is not None else "no value")
    if score.value is None:
        return score
    where = f'the metric "{metric.name}" ({type(metric).__module__}.{type(metric).__qualname__}): score() returned'
    try:
        value = float(score.value)
    except (TypeError, ValueError):
        raise MetricError(f"{where} {score.value!r}. Return a number, or Score(None, reason).") from None
    if not math.isfinite(value):
        raise MetricError(f"{where} {value}. Return Score(None, reason) for a clip that has no value.")
    low, high = metric.range
    if not low - 1e-6 <= value <= high + 1e-6:
        raise MetricError(f'{where} {value:g}, outside of its "range" of {low:g} to {high:g}. Correct one of them.')
    return score._replace(value=value)


def no_picture(context: ClipContext) -> Score:
    """The score of a clip whose prompt has no image."""
    return Score(None, f'the prompt "{context.prompt.id}" has no image', ReasonCode.NOT_APPLICABLE)


def mean_score(values: NDArray[np.float64], otherwise: Score) -> Score:
    """The mean, or `otherwise` if there are no values."""
    return Score(float(values.mean())) if values.size else otherwise


def score_set(metric: SetMetric, context: SetContext) -> SetScore:
    """The score of a set. If the metric raises ValueError, the score has no value, and the message is its reason."""
    try:
        return metric.score(context)
    except ValueError as error:
        return SetScore(Estimate(None, n=len(context.generated), reason=str(error), reason_code=ReasonCode.OTHER))
