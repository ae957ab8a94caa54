"""Technical quality of frames."""

from __future__ import annotations

from typing import ClassVar

from vbench_lite.features.batches import FrameScores
from vbench_lite.features.extractor import Backbone


class ImagingFrames(FrameScores):
    """Array `scores`, (frames,): imaging quality of each frame by the set's network, about 0 to 100."""

    name, version = "imaging", "1"
    backbone: ClassVar[Backbone] = "imaging"
    batch: ClassVar[int] = 1
    """MUSIQ reads up to 449 patches of every frame, so larger batches need much memory and save no time."""
