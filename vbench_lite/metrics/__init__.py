"""The metrics, one line each. Readable without torch: a metric's class is imported when it is used.

A new metric is one file here, one line in `METRICS`, and one test file.
"""

from __future__ import annotations

import importlib
from typing import Any, Literal, NamedTuple

from vbench_lite.errors import UnknownName
from vbench_lite.records import MetricInfo


class Metric(NamedTuple):
    """One line of the list."""

    name: str
    unit: str
    higher_is_better: bool | None
    """None: reported only, never ranked."""
    version: str
    """Raised by every change that moves a value."""
    per: Literal["clip", "set"]
    backbone: Literal["image", "video"] | None
    """Which network of the set it stands on."""
    target: str
    summary: str

    def load(self) -> Any:
        """The class, a `torchmetrics.Metric`."""
        module, _, name = self.target.partition(":")
        return getattr(importlib.import_module(module), name)

    def info(self, backbone: str | None) -> MetricInfo:
        return MetricInfo(self.name, self.unit, self.higher_is_better, self.version, backbone, self.per)


_COHERENCE = "vbench_lite.metrics.temporal_coherence"
_CLIP = "vbench_lite.metrics.clip_consistency"

METRICS: list[Metric] = [
    Metric("clip_text", "cosine", True, "1", "clip", "image", f"{_CLIP}:ClipText", "frames follow the prompt"),
    Metric("clip_frames", "cosine", True, "1", "clip", "image", f"{_CLIP}:ClipFrames", "frames look like each other"),
    Metric("flicker", "share", True, "1", "clip", None, f"{_COHERENCE}:Flicker", "steadiness from frame to frame"),
    Metric("warp_error", "squared", False, "2", "clip", None, f"{_COHERENCE}:WarpError",
           "change that motion does not explain"),
    Metric("motion", "sides/s", None, "2", "clip", None, f"{_COHERENCE}:Motion", "how much moves; 0 is frozen"),
    Metric("detail", "ratio", True, "1", "clip", None, "vbench_lite.metrics.detail:Detail",
           "fine structure, against real clips'"),
    Metric("conformance", "share", True, "2", "clip", None, "vbench_lite.metrics.conformance:Conformance",
           "frames, size and rate as asked; neither black, frozen nor broken"),
    Metric("fvd", "distance", False, "1", "set", "video", "vbench_lite.metrics.fvd:Fvd",
           "distance of the clips from real ones, as published: biased at small numbers"),
    Metric("fvd_corrected", "distance", False, "3", "set", "video", "vbench_lite.metrics.fvd_corrected:FvdCorrected",
           "the same distance with the bias of small numbers taken out, and an interval"),
    Metric("kvd", "squared", False, "2", "set", "video", "vbench_lite.metrics.kvd:Kvd",
           "kernel distance of the clips from real ones; unbiased"),
]


def find(name: str) -> Metric:
    """The line of a metric.

    Raises:
        UnknownName: There is no such metric.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise UnknownName("metric", name, [m.name for m in METRICS], "See them with: vbench list metrics")
