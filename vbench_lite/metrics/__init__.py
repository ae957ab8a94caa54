"""Metrics: one file per metric, found automatically. Importing this package does not import torch.

`vb.metrics.motion(clips, fps=8)` is a function of clips. `vb.metrics.Motion()` is the same metric as a
`torchmetrics.Metric`. A class that derives from `ClipMetric` or `SetMetric` is a new metric.
"""

from __future__ import annotations

import sys
from typing import Any

from vbench_lite.metrics.base import ClipContext, ClipMetric, Metric, SetContext, SetMetric, SetScore
from vbench_lite.metrics.functional import score_clips
from vbench_lite.metrics.registry import describe, known_metrics, select, shipped_metrics
from vbench_lite.records import Score

_CLASSES = {metric.__name__: metric for metric in shipped_metrics().values()}
# The file and the function of a metric have the same name. The package exports the function.
globals().update({name: getattr(sys.modules[metric.__module__], name) for name, metric in shipped_metrics().items()})

__all__ = [  # the names of the metrics are added automatically
    "ClipContext", "ClipMetric", "Metric", "Score", "SetContext", "SetMetric", "SetScore", "describe", "known_metrics",
    "score_clips", "select", "shipped_metrics", "torch_metric", *shipped_metrics(), *_CLASSES,
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Create the torchmetrics classes on first use, because the import of torch takes seconds."""
    if name == "torch_metric" or name in _CLASSES:
        from vbench_lite.metrics._torch import torch_metric

        return torch_metric if name == "torch_metric" else torch_metric(_CLASSES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
