"""DINO's vision transformer as in VBench's subject_consistency: frames of any aspect ratio, and the CLS token."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vbench_lite.backbones import Entry, check_file

SIZE = 224
"""The short side of a frame, in pixels."""
MEAN = torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1)
STD = torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1)
PATCHES_PAST = 0.1
"""DINO adds this to the number of patches before it divides by that of the position table. It shifts all positions."""


class Dino:
    """A timm vision transformer, with the inputs and outputs of DINO's own code.

    For frames that are not square, timm resizes the position table in another way than DINO. With random weights, the
    embeddings of a 224x336 frame differ by 0.048.

    Args:
        model: A timm `VisionTransformer` with a class token and without a head.
        name: The name that every score states.
        device: Device of the network.
    """

    def __init__(self, model: torch.nn.Module, *, name: str = "dino", device: str = "cpu") -> None:
        self.model: Any = model.to(device).eval()
        self.name, self.device = name, device
        self._table = lru_cache(maxsize=4)(self._resized_table)

    def prepare(self, frame: NDArray[np.uint8]) -> Tensor:
        """Convert one frame, uint8 (height, width, 3), to float32 (3, rows, columns): short side 224, normalised."""
        height, width = frame.shape[:2]
        short = min(height, width)
        to = (SIZE * height // short, SIZE * width // short)
        pixels = torch.from_numpy(frame).permute(2, 0, 1)[None].float()
        if to != (height, width):
            pixels = F.interpolate(pixels, to, mode="bilinear", align_corners=False, antialias=False)
        return pixels[0].div_(255).sub_(MEAN).div_(STD)

    @torch.inference_mode()
    def embed_images(self, prepared: Tensor) -> NDArray[np.float64]:
        """Embed (frames, 3, rows, columns) as (frames, values): the class tokens, not normalised."""
        model = self.model
        patches = model.patch_embed.proj(prepared.to(self.device)).flatten(2).transpose(1, 2)
        first = model.cls_token.expand(len(patches), -1, -1)
        side = model.patch_embed.patch_size[0]
        tokens = torch.cat([first, patches], 1)
        tokens = tokens + self._table(*(length // side for length in prepared.shape[-2:]))
        features: Tensor = model.norm(model.blocks(tokens))[:, 0]
        return features.double().cpu().numpy()

    def _resized_table(self, rows: int, columns: int) -> Tensor:
        """The position table for a grid of patches, (1, 1 + rows * columns, values)."""
        table: Tensor = self.model.pos_embed.detach()
        side = math.isqrt(table.shape[1] - 1)
        if rows == columns == side:
            return table
        grid = table[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        scale = ((rows + PATCHES_PAST) / side, (columns + PATCHES_PAST) / side)
        grid = F.interpolate(grid, scale_factor=scale, mode="bicubic", align_corners=False)
        assert grid.shape[-2:] == (rows, columns), (grid.shape, rows, columns)
        return torch.cat([table[:, :1], grid.permute(0, 2, 3, 1).flatten(1, 2)], 1)


def load_dino(entry: Entry, device: str) -> Dino:
    """Load DINO's own file, or timm's file of the same weights. The names of their weights are equal."""
    import timm

    path = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, path)
    kind = entry.settings.get("model", "vit_base_patch16_224.dino")
    model = timm.create_model(kind, pretrained=False, num_classes=0, **entry.settings.get("arguments", {}))
    model.load_state_dict(state_dict(path))
    return Dino(model, name=f"{entry.set_name}/dino@{digest[:8]}", device=device)


def state_dict(path: Path) -> dict[str, Tensor]:
    """Read weights from a .safetensors file, or from a .pth file without executing code in it."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    weights: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights
