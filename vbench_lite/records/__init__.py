"""The nouns, in the order in which a run makes them. Standard library only, nothing computed.

    Suite > Prompt > Request > Clip + Measurement > Score > Run > Estimate

Times are seconds, sizes are MiB where they end in `_mb`, money is US dollars, and a figure that is
not known is None with a reason beside it, never 0 and never NaN.
"""

from vbench_lite.records.clips import ClipKey, ClipRecord, DeviceFacts, MachineLoad, Measurement
from vbench_lite.records.generators import ROUTES, ClipSpec, Definition, Price, PriceRow, Request, Route
from vbench_lite.records.reasons import FORMAT, ReasonCode
from vbench_lite.records.scores import QUESTIONS, Estimate, MetricInfo, Origin, Score, Scored
from vbench_lite.records.suites import MOTIONS, Prompt, PromptImage, Suite, Threshold

__all__ = [
    "FORMAT", "MOTIONS", "QUESTIONS", "ROUTES", "ClipKey", "ClipRecord", "ClipSpec", "Definition", "DeviceFacts",
    "Estimate", "MachineLoad", "Measurement", "MetricInfo", "Origin", "Price", "PriceRow", "Prompt", "PromptImage",
    "ReasonCode", "Request", "Route", "Score", "Scored", "Suite", "Threshold",
]  # fmt: skip
