"""What every set metric shares: the features of two sets of clips, which can be merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from vbench_lite.distances.intervals import Features
from vbench_lite.records import Estimate

NO_INTERVAL = "no interval of a plain FVD holds at these numbers of clips; see fvd_corrected"


class SetMetric(Metric):
    """A distance between two sets of clips. Merging two gives what one would give that saw all clips.

    `update` takes features, (clips, values), of either side.
    """

    full_state_update = False
    higher_is_better = False
    generated: list[Tensor]
    reference: list[Tensor]

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.add_state("generated", [], dist_reduce_fx="cat")
        self.add_state("reference", [], dist_reduce_fx="cat")

    def update(self, generated: Any = None, reference: Any = None) -> None:
        for state, features in ((self.generated, generated), (self.reference, reference)):
            if features is not None:
                state.append(torch.as_tensor(features, dtype=torch.float64))

    def sides(self) -> tuple[Features, Features]:
        parts = (self.generated, self.reference)
        x, y = ((torch.cat(p) if isinstance(p, list) else p).double().cpu().numpy() for p in parts)
        return x, y

    def compute(self) -> float:
        return self.distance(*self.sides())

    def estimate(self, generated_prompts: Sequence[str], reference_prompts: Sequence[str]) -> Estimate:
        """The distance with its 95 % interval, where there is one.

        Args:
            generated_prompts: The prompt of each generated clip, in the order of `update`; it is prompts
                that are resampled, because clips of one prompt are alike.
            reference_prompts: Likewise for the real clips; "" where they have none.
        """
        try:
            return Estimate(self.compute(), n=len(generated_prompts), reason=NO_INTERVAL)
        except ValueError as error:
            return Estimate(None, n=len(generated_prompts), reason=str(error))

    @staticmethod
    def distance(generated: Features, reference: Features) -> float:
        raise NotImplementedError
