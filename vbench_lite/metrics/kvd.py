"""Kernel video distance, unbiased."""

from __future__ import annotations

from collections.abc import Sequence

from vbench_lite.distances.kernel import kernel_distance, kernel_interval
from vbench_lite.metrics.set_metric import SetMetric
from vbench_lite.records import Estimate


class Kvd(SetMetric):
    """`kernel_distance` of all clips seen."""

    distance = staticmethod(kernel_distance)

    def estimate(self, generated_prompts: Sequence[str], reference_prompts: Sequence[str]) -> Estimate:
        try:
            found = kernel_interval(*self.sides(), generated_prompts, reference_prompts)
        except ValueError as error:
            return Estimate(None, n=len(generated_prompts), reason=str(error))
        few = None if found.low is not None else "too few prompts for an interval"
        return Estimate(found.value, found.low, found.high, len(generated_prompts), reason=few)
