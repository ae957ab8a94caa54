"""RAFT optical flow as VBench's dynamic_degree uses it, from torchvision's `raft_large`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vbench_lite.backbones import Entry, check_file
from vbench_lite.backbones.dino import state_dict

UPDATES = 20
STRIDE = 8
"""Pixels of a frame to one of its features; sides are padded to a multiple of it."""
SMALLEST_SIDE = 128
"""Pixels, after padding: the coarsest level of the correlations needs two values a side."""


class EncodedFrame(NamedTuple):
    """What a frame leaves for the two pairs that it is in."""

    pixels: Tensor
    """(1, 3, rows, columns), padded, -1 to 1."""
    features: Tensor
    """(1, 256, rows / 8, columns / 8)."""


class Raft:
    """Optical flow between frames, each of which is encoded once.

    Args:
        model: torchvision's `raft_large`.
        name: The name beside every score.
        device: Where it runs.
    """

    def __init__(self, model: torch.nn.Module, *, name: str = "raft", device: str = "cpu") -> None:
        self.model: Any = model.to(device).eval()
        self.name, self.device = name, device

    @torch.inference_mode()
    def encode(self, frame: NDArray[np.uint8]) -> EncodedFrame:
        """One frame, uint8 (height, width, 3); both sides `SMALLEST_SIDE` or more once padded."""
        pixels = torch.from_numpy(frame).to(self.device).permute(2, 0, 1)[None].float()
        pixels = F.pad(pixels.div_(255).mul_(2).sub_(1), padding(*frame.shape[:2]), mode="replicate")
        return EncodedFrame(pixels, self.model.feature_encoder(pixels))

    @torch.inference_mode()
    def flow(self, first: EncodedFrame, second: EncodedFrame) -> NDArray[np.float32]:
        """Flow from the first frame to the second in pixels, float32 (2, rows, columns), of the padded frames."""
        from torchvision.models.optical_flow._utils import make_coords_grid, upsample_flow

        model = self.model
        model.corr_block.build_pyramid(first.features, second.features)
        size = model.update_block.hidden_state_size
        hidden, context = model.context_encoder(first.pixels).tensor_split([size], 1)
        hidden, context = hidden.tanh(), context.relu()
        start = make_coords_grid(1, *first.features.shape[-2:]).to(self.device)
        reached = start
        for _ in range(UPDATES):
            looked_up = model.corr_block.index_pyramid(centroids_coords=reached)
            hidden, step = model.update_block(hidden, context, looked_up, reached - start)
            reached = reached + step
        flow: Tensor = upsample_flow(reached - start, up_mask=model.mask_predictor(hidden))
        return flow[0].cpu().numpy()


def padding(height: int, width: int) -> tuple[int, int, int, int]:
    """Left, right, top, bottom, in pixels: to multiples of `STRIDE`, the frame in the middle.

    >>> padding(90, 128)
    (0, 0, 3, 3)
    """
    down, across = -height % STRIDE, -width % STRIDE
    return across // 2, across - across // 2, down // 2, down - down // 2


def load_raft(entry: Entry, device: str) -> Raft:
    """torchvision's `raft_large` from a state dict, such as `Raft_Large_Weights.C_T_V1`."""
    from torchvision.models.optical_flow import raft_large

    path = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, path)
    model = raft_large()
    model.load_state_dict(state_dict(path))
    return Raft(model, name=f"{entry.set_name}/raft@{digest[:8]}", device=device)
