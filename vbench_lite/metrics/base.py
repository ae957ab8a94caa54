"""What a metric is: its description as class attributes, and one method that turns features into a score.

Nothing here imports torch, so that descriptions can be read at once. `torch_metric` makes a
`torchmetrics.Metric` of any class that is defined here or by a user.
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
    """Real clips that one generated clip is compared with, or why there are none."""

    clips: Sequence[ClipFeatures] = ()
    problem: str = "there are no real clips to compare with"
    _means: dict[tuple[Any, ...], float | None] = field(default_factory=dict)

    def mean(self, extractor: str, array: str, height: int, width: int) -> float | None:
        """Mean over the real clips of this size of an array's mean; None where there is no such clip."""
        key = (extractor, array, height, width)
        if key not in self._means:
            same = [c[extractor][array].mean() for c in self.clips if (c.height, c.width) == (height, width)]
            self._means[key] = float(np.mean(same)) if same else None
        return self._means[key]


@dataclass(frozen=True)
class ClipContext:
    """One clip, and what it is judged against.

    Example:
        >>> clip = ClipFeatures(1, 8, 8, 0.0, False, {"pixels": {"brightness": np.array([0.25])}})
        >>> ClipContext(clip)["pixels"]["brightness"].tolist()
        [0.25]
    """

    clip: ClipFeatures
    prompt: Prompt = NO_PROMPT
    text: NDArray[np.float64] | None = None
    """The prompt's unit vector; None where the image-and-text network cannot read the prompt."""
    text_problem: str = "there is no prompt"
    text_truncated: str = ""
    """That the network reads only the beginning of the prompt; "" where it reads all of it."""
    spec: ClipSpec | None = None
    """The requested form; None for clips made elsewhere."""
    still_requested: bool = False
    """Whether the prompt asks for a clip in which nothing moves."""
    real: RealClips = RealClips()
    picture: NDArray[np.float64] | None = None
    """The unit vector of the image that the clip was to start from; None where the prompt has none."""

    def __getitem__(self, extractor: str) -> Mapping[str, NDArray[Any]]:
        """The arrays of one extractor."""
        return self.clip[extractor]


@dataclass(frozen=True)
class SetContext:
    """The clips of a generator and the real ones they are compared with.

    Example:
        >>> clips = [ClipFeatures(1, 8, 8, 0.0, False, {"video": {"embedding": np.ones(3)}})] * 2
        >>> generated, reference = SetContext(clips, clips, ["mug", "lamp"], ["", ""]).stacked("video", "embedding")
        >>> generated.shape
        (2, 3)
    """

    generated: Sequence[ClipFeatures]
    reference: Sequence[ClipFeatures]
    generated_prompts: Sequence[str]
    """The prompt of each generated clip: prompts are resampled, because clips of one prompt are similar."""
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
    """A set metric's estimate, and the influence of each prompt on it, from which differences get their intervals.

    Example:
        >>> SetScore(Estimate(1.5, low=1.2, high=1.8, n=80)).estimate.value
        1.5
    """

    estimate: Estimate
    influence: DistanceInfluence | None = None


class Metric:
    """The description that every metric gives as class attributes.

    Subclass `ClipMetric` for one value a clip, or `SetMetric` for one value a set of clips.

    Example:
        >>> from vbench_lite.metrics.temporal_flickering import TemporalFlickering
        >>> TemporalFlickering.info().unit
        'fraction'
    """

    name: ClassVar[str]
    """Its column in clips.csv and its key in summary.json."""
    title: ClassVar[str]
    """What a report calls it."""
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool | None]
    """None: reported only, never ranked."""
    range: ClassVar[tuple[float, float]]
    """Smallest and largest possible value; intervals never leave it. Infinite sides are allowed."""
    version: ClassVar[str]
    """Raised by every change that moves a value."""
    description: ClassVar[str]
    """What a value means."""
    pitfalls: ClassVar[str] = ""
    """How it misleads."""
    question: ClassVar[str] = ""
    """Which question of a report it answers: a key of `records.QUESTIONS`, or "" for none."""
    rank: ClassVar[int] = 10
    """Order within the question; the metric of the lowest rank is its headline."""
    source: ClassVar[str] = ""
    licence: ClassVar[str] = ""
    """Of the weights that it needs, where they are not those of the chosen backbones."""
    extractors: ClassVar[tuple[Extractor, ...]] = ()
    default_backbones: ClassVar[str] = "builtin"
    """The set that its torchmetrics class uses where none is named."""
    for_images: ClassVar[bool] = False
    """Whether only prompts with an image have a value. A named set has it only for suites with images."""
    sets: ClassVar[tuple[str, ...]] = ()
    """Named sets of the shipped metrics that hold it, for `--metrics`."""
    rises_with: ClassVar[tuple[str, ...]] = ()
    """Damage of `scoring.damage` that must raise the value, step by step; `selftest` checks that."""
    falls_with: ClassVar[tuple[str, ...]] = ()
    """Damage that must lower it."""
    unmoved_by: ClassVar[tuple[str, ...]] = ()
    """Damage that must not move it at all."""
    per: ClassVar[Literal["clip", "set"]]
    origin: ClassVar[Origin] = ""
    """Who computes it: "" for this package, or a program of the user."""

    @classmethod
    def backbone(cls) -> str | None:
        """Which network of the set of backbones it needs."""
        return next((kind for extractor in cls.extractors if (kind := backbone_of(extractor))), None)

    @classmethod
    def unavailable(cls, nets: Backbones) -> str | None:
        """Why a set of backbones cannot give this metric; None where it can."""
        kinds = [kind for extractor in cls.extractors if (kind := backbone_of(extractor))]
        return next((why for kind in kinds if (why := nets.lacks(kind))), None)

    @classmethod
    def info(cls, backbone: str | None = None) -> MetricInfo:
        """The description as a record, for summary.json.

        Args:
            backbone: Name and digest of the network that was used.
        """
        low, high = (side if math.isfinite(side) else None for side in cls.range)
        return MetricInfo(
            cls.name, cls.unit, cls.higher_is_better, cls.version, backbone, cls.per, cls.title, (low, high),
            cls.question, cls.rank, cls.description, cls.pitfalls, cls.source, cls.origin,
        )


class ClipMetric(Metric):
    """A metric with one value a clip.

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
    """The value of a clip that is missing, failed or cannot be decoded; None leaves it unscored."""

    def score(self, context: ClipContext) -> Score | float | None:
        """The value of one clip.

        Args:
            context: The clip's features, and what it is judged against.

        Returns:
            A number, or a `Score` whose value is None with the reason.
        """
        raise NotImplementedError


class SetMetric(Metric):
    """A metric with one value a set of clips, compared with real ones.

    Example:
        >>> class Sizes(SetMetric):
        ...     name, title, unit, version = "size_gap", "Difference in number of clips", "clips", "1"
        ...     higher_is_better, range, description = False, (0.0, math.inf), "Clips more or fewer than real ones."
        ...     def score(self, context):
        ...         return SetScore(Estimate(abs(len(context.generated) - len(context.reference))))
        >>> Sizes().score(SetContext([], [], [], [])).estimate.value
        0
    """

    per = "set"

    def score(self, context: SetContext) -> SetScore:
        """The value of the set, with its interval or the reason why there is none."""
        raise NotImplementedError


def score_clip(metric: ClipMetric, context: ClipContext) -> Score:
    """The checked score of one clip: a finite number inside the metric's range, or None with a reason.

    Raises:
        MetricError: The metric returned something else.
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
    """The mean, or `otherwise` where there are no values."""
    return Score(float(values.mean())) if values.size else otherwise


def score_set(metric: SetMetric, context: SetContext) -> SetScore:
    """The score of a set; an estimate without value and the reason where the metric raises ValueError."""
    try:
        return metric.score(context)
    except ValueError as error:
        return SetScore(Estimate(None, n=len(context.generated), reason=str(error), reason_code=ReasonCode.OTHER))
