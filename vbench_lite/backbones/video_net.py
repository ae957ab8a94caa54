"""A small video classifier for the built-in world. Its layer of 64 values gives the features of the built-in FVD."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FRAMES = 8
SIZE = 64
FEATURES = 64


class WorldVideoNet(nn.Module):
    """Plain 3-D convolutions, 64 features, and one linear head per attribute.

    Input: float32, (batch, 3, 8, 64, 64), RGB in [-1, 1]. `recipes/builtin_video.py` trains it to classify the thing,
    colour, background and motion of clips, also of blurred and noisy clips.
    """

    def __init__(self, things: int, colours: int, backgrounds: int, motions: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_block(3, 48, (1, 4, 4), (1, 4, 4), 0),
            *_block(48, 64, 3, (1, 2, 2), 1),
            *_block(64, 96, 3, (2, 1, 1), 1),
            *_block(96, 128, 3, 2, 1),
            nn.Flatten(),
            nn.Linear(128 * 2 * 4 * 4, 96),
            nn.ReLU(),
            nn.Linear(96, FEATURES),
        )
        sizes = {"thing": things, "colour": colours, "background": backgrounds, "motion": motions}
        self.heads = nn.ModuleDict({name: nn.Linear(FEATURES, size) for name, size in sizes.items()})

    def features(self, clips: Tensor) -> Tensor:
        """Features, (batch, 64), of clips, (batch, 3, 8, 64, 64)."""
        features: Tensor = self.body(clips)
        return features

    def forward(self, clips: Tensor) -> dict[str, Tensor]:
        """Logits by attribute, each (batch, values)."""
        hidden = torch.relu(self.features(clips))
        return {name: head(hidden) for name, head in self.heads.items()}


def _block(
    inputs: int, outputs: int, kernel: int | tuple[int, int, int], stride: int | tuple[int, int, int], padding: int
) -> list[nn.Module]:
    return [nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm3d(outputs), nn.ReLU()]
