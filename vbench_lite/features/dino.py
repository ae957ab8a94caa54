"""Embeddings of frames by DINO."""

from __future__ import annotations

from typing import ClassVar

from vbench_lite.features.extractor import Backbone
from vbench_lite.features.image_text import FrameEmbeddings


class DinoFrames(FrameEmbeddings):
    """The arrays of `FrameEmbeddings`, by the set's DINO network."""

    name, version = "dino", "2"
    backbone: ClassVar[Backbone] = "dino"
    batch: ClassVar[int] = 4
    """Smaller batches need less memory and no more time."""
