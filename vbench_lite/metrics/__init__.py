"""Metrics: one file each, found by themselves. Importing this package does not import torch.

`vb.metrics.motion(clips, fps=8)` is a function of clips, `vb.metrics.Motion()` the same as a
`torchmetrics.Metric`, and a class that derives from `ClipMetric` or `SetMetric` is a new metric.
"""

from __future__ import annotations

import sys
from typing import Any

from vbench_lite.metrics.base import ClipContext, ClipMetric, Metric, SetContext, SetMetric, SetScore
from vbench_lite.metrics.functional import score_clips
from vbench_lite.metrics.registry import describe, known_metrics, select, shipped_metrics
from vbench_lite.records import Score

_CLASSES = {metric.__name__: metric for metric in shipped_metrics().values()}
# A metric's file and its function have one name; the package shows the function.
globals().update({name: getattr(sys.modules[metric.__module__], name) for name, metric in shipped_metrics().items()})

__all__ = [  # the names of the metrics are found, not listed
    "ClipContext", "ClipMetric", "Metric", "Score", "SetContext", "SetMetric", "SetScore", "describe", "known_metrics",
    "score_clips", "select", "shipped_metrics", "torch_metric", *shipped_metrics(), *_CLASSES,
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The torchmetrics classes, made when they are used, because torch takes seconds to import."""
    if name == "torch_metric" or name in _CLASSES:
        from vbench_lite.metrics._torch import torch_metric

        return torch_metric if name == "torch_metric" else torch_metric(_CLASSES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
