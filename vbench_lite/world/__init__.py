"""The built-in video world: it renders clips of simple objects with captions, for training and as reference clips."""

from vbench_lite.world.render import render, training_clips
from vbench_lite.world.vocabulary import (
    BACKGROUNDS,
    COLOURS,
    MOTIONS,
    THINGS,
    WORDINGS,
    Composition,
    compositions,
    find_composition,
    held_out_compositions,
    training_compositions,
    words,
)

__all__ = [
    "BACKGROUNDS", "COLOURS", "MOTIONS", "THINGS", "WORDINGS", "Composition", "compositions",
    "find_composition", "held_out_compositions", "render", "training_clips", "training_compositions", "words",
]
