"""The I3D architecture (Carreira & Zisserman, arXiv:1705.07750) with random weights, as FVD takes it.

Scripted with the call that the published file has: (clip, rescale, resize, return_features).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIXED = [
    (192, 64, 96, 128, 16, 32, 32), (256, 128, 128, 192, 32, 96, 64), (480, 192, 96, 208, 16, 48, 64),
    (512, 160, 112, 224, 24, 64, 64), (512, 128, 128, 256, 24, 64, 64), (512, 112, 144, 288, 32, 64, 64),
    (528, 256, 160, 320, 32, 128, 128), (832, 256, 160, 320, 32, 128, 128), (832, 384, 192, 384, 48, 128, 128),
]


class Unit(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm3d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class Mixed(nn.Module):
    def __init__(self, inputs: int, a: int, b1: int, b2: int, c1: int, c2: int, d: int) -> None:
        super().__init__()
        self.a = Unit(inputs, a, 1)
        self.b = nn.Sequential(Unit(inputs, b1, 1), Unit(b1, b2, 3))
        self.c = nn.Sequential(Unit(inputs, c1, 1), Unit(c1, c2, 3))
        self.d = nn.Sequential(nn.MaxPool3d(3, 1, 1), Unit(inputs, d, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.a(x), self.b(x), self.c(x), self.d(x)], 1)


class I3D(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        mixed = [Mixed(*sizes) for sizes in MIXED]
        self.body = nn.Sequential(
            Unit(3, 64, 7, 2), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)), Unit(64, 64, 1), Unit(64, 192, 3),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)), *mixed[:2], nn.MaxPool3d(3, 2, 1), *mixed[2:7],
            nn.MaxPool3d(2, 2), *mixed[7:],
        )
        self.logits = nn.Conv3d(1024, 400, 1)

    def forward(self, clip: Tensor, rescale: bool = True, resize: bool = True, return_features: bool = False) -> Tensor:
        if resize:
            clip = F.interpolate(clip, [clip.shape[2], 224, 224], mode="trilinear", align_corners=False)
        if rescale:
            clip = clip * 2.0 / 255.0 - 1.0
        hidden = self.body(clip)
        hidden = F.avg_pool3d(hidden, [2, hidden.shape[3], hidden.shape[4]], stride=1)
        logits = self.logits(hidden).mean([2, 3, 4])
        return logits if return_features else logits.softmax(1)
