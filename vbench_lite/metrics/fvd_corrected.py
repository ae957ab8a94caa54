"""Fréchet video distance without the bias of small numbers of clips, with an interval."""

from __future__ import annotations

from collections.abc import Sequence

from vbench_lite.distances.corrected import corrected_interval
from vbench_lite.distances.paired import DistanceInfluence
from vbench_lite.metrics.set_metric import SetMetric
from vbench_lite.records import Estimate


class FvdCorrected(SetMetric):
    """`fvd_corrected.corrected_interval` of all clips seen."""

    parts: DistanceInfluence | None = None
    """Of the last estimate: what another such distance can be subtracted from."""

    def compute(self) -> float:
        return corrected_interval(*self.sides()).value

    def estimate(self, generated_prompts: Sequence[str], reference_prompts: Sequence[str]) -> Estimate:
        try:
            found = corrected_interval(*self.sides(), generated_prompts, reference_prompts)
        except ValueError as error:
            return Estimate(None, n=len(generated_prompts), reason=str(error))
        self.parts = found.parts
        return Estimate(found.value, found.low, found.high, len(generated_prompts), reason=found.reason)
