"""Embeddings of frames by DINO."""

from __future__ import annotations

from typing import ClassVar

from vbench_lite.features.extractor import Backbone
from vbench_lite.features.image_text import FrameEmbeddings


class DinoFrames(FrameEmbeddings):
    """`likeness` of each frame but the first, and `mean`, by the set's DINO network."""

    name, version = "dino", "2"
    backbone: ClassVar[Backbone] = "dino"
    batch: ClassVar[int] = 4
    """As for aesthetic quality: fewer frames at a time need less memory, and no more time."""
