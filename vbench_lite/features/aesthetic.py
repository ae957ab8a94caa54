"""Aesthetic scores of frames."""

from __future__ import annotations

from typing import ClassVar

from vbench_lite.features.batches import FrameScores
from vbench_lite.features.extractor import Backbone


class AestheticFrames(FrameScores):
    """Array `scores`, (frames,): aesthetic quality of each frame by the set's network, about 1 to 10."""

    name, version = "aesthetic", "1"
    backbone: ClassVar[Backbone] = "aesthetic"
    batch: ClassVar[int] = 4
    """Smaller than for other networks, because CLIP ViT-L/14 has the largest activations of the set."""
