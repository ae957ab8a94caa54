"""Data classes of a run, in the order in which the run creates them. They compute nothing and import no other package.

    Suite > Prompt > Request > Clip + Measurement > Score > Run > Estimate

Times are in seconds, money is in US dollars, and names that end in `_mb` are in MiB. An unknown value is None, never 0
or NaN; a reason is stored with it.
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
