"""What every per-clip metric shares: a score for one clip, and a mean over many that can be merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric

from vbench_lite.records import ClipSpec, Score

if TYPE_CHECKING:
    from vbench_lite.features.extract import Observation


@dataclass(frozen=True)
class ClipContext:
    """A clip, and what it is judged against."""

    clip: Observation
    text: NDArray[np.float64] | None = None
    """The prompt's unit vector; None without an image-and-text encoder or where it cannot read the prompt."""
    text_problem: str = "there is no image-and-text encoder in this set of backbones"
    image_problem: str = "there is no image-and-text encoder in this set of backbones"
    spec: ClipSpec | None = None
    """What was asked for; None for clips made elsewhere."""
    still_asked: bool = False
    """Whether the prompt asks for a clip in which nothing moves."""
    real_energy: float | None = None
    """Mean energy of fine structure of the real clips; see `metrics.detail`."""
    real_problem: str = "there are no real clips to compare with"


class ClipMetric(Metric):
    """Mean over clips of one score each. Merging two gives what one would give that saw all clips.

    `update` takes a `ClipContext`; `score` judges one without remembering it. Clips that cannot be scored
    are counted in `unscored`, never averaged in.
    """

    full_state_update = False
    total: Tensor
    scored: Tensor
    unscored: Tensor

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("scored", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")
        self.add_state("unscored", torch.zeros((), dtype=torch.long), dist_reduce_fx="sum")

    def score(self, case: ClipContext) -> Score:
        """The value of one clip, or why it has none."""
        raise NotImplementedError

    def update(self, case: ClipContext) -> None:
        score = self.score(case)
        if score.value is None:
            self.unscored += 1
        else:
            self.total += score.value
            self.scored += 1

    def compute(self) -> float | None:
        """The mean over scored clips; None when there is none."""
        return float(self.total / self.scored) if int(self.scored) else None


def mean_or_none(values: NDArray[np.float64], reason: str) -> Score:
    """The mean, or no score and why."""
    return Score(float(values.mean())) if values.size else Score(None, reason)


ONE_FRAME = "it has a single frame"
