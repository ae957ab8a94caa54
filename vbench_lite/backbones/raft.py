"""RAFT optical flow as in VBench's dynamic_degree, by torchvision's `raft_large`."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.ops import Conv2dNormActivation

from vbench_lite.backbones import Entry, check_file
from vbench_lite.backbones.dino import state_dict

UPDATES = 20
STRIDE = 8
"""Pixels per feature along each axis. Sides of frames are padded to a multiple of it."""
SMALLEST_SIDE = 128
"""Smallest side in pixels after padding, because the coarsest level of correlations needs two values per side."""


class EncodedFrame(NamedTuple):
    """The encoding of a frame, which is used for both of its pairs."""

    pixels: Tensor
    """(1, 3, rows, columns), padded, -1 to 1."""
    features: Tensor
    """(1, 256, rows / 8, columns / 8)."""


class Raft:
    """Optical flow between frames. Each frame is encoded once.

    The flow is that of the model's own forward pass up to rounding. All networks store the channels of a pixel side by
    side (`channels_last`), in which convolutions are faster.

    Args:
        model: torchvision's `raft_large`. It is copied.
        name: The name that every score states.
        device: Device of the network.
    """

    def __init__(self, model: torch.nn.Module, *, name: str = "raft", device: str = "cpu") -> None:
        network: Any = deepcopy(model).eval().to(device)
        self.model = network.to(memory_format=torch.channels_last)
        self.name, self.device = name, device
        simplify_norms(network.feature_encoder)
        simplify_norms(network.context_encoder)

    @torch.inference_mode()
    def encode(self, frame: NDArray[np.uint8]) -> EncodedFrame:
        """Encode one frame, uint8 (height, width, 3). Both sides must be `SMALLEST_SIDE` or more after padding."""
        pixels = torch.from_numpy(frame).to(self.device).permute(2, 0, 1)[None].float()
        pixels = F.pad(pixels.div_(255).mul_(2).sub_(1), padding(*frame.shape[:2]), mode="replicate")
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return EncodedFrame(pixels, self.model.feature_encoder(pixels))

    @torch.inference_mode()
    def flow(self, first: EncodedFrame, second: EncodedFrame) -> NDArray[np.float32]:
        """Flow from the first to the second frame in pixels, float32 (2, rows, columns), of the padded frames."""
        from torchvision.models.optical_flow._utils import make_coords_grid, upsample_flow

        model = self.model
        size = model.update_block.hidden_state_size
        hidden, context = model.context_encoder(first.pixels).tensor_split([size], 1)
        hidden, update = hidden.tanh(), _Update(model.update_block, context.relu())
        correlations = Correlations(first.features, second.features)
        start = make_coords_grid(1, *first.features.shape[-2:]).to(self.device)
        reached = start
        for _ in range(UPDATES):
            hidden, step = update(hidden, correlations.around(reached), reached - start)
            reached = reached + step
        del correlations  # frees most of the memory before the flow is upsampled
        flow: Tensor = upsample_flow(reached - start, up_mask=model.mask_predictor(hidden))
        return flow[0].cpu().numpy()


def simplify_norms(encoder: torch.nn.Module) -> None:
    """Replace norms by cheaper ones, in place. Batch norms are merged into the convolutions before them."""
    for block in encoder.modules():
        if isinstance(block, Conv2dNormActivation):
            if isinstance(block[1], torch.nn.BatchNorm2d):
                block[0], block[1] = fuse_conv_bn_eval(block[0], block[1]), torch.nn.Identity()
            elif isinstance(block[1], torch.nn.InstanceNorm2d):
                block[1] = _InstanceNorm(block[1].eps)


class _InstanceNorm(torch.nn.Module):
    """torch's instance norm without weights. It changes its input, and is faster if that is `channels_last`."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self._eps = eps

    def forward(self, values: Tensor) -> Tensor:
        values = values.sub_(values.mean((2, 3), keepdim=True))
        return values.mul_(values.square().mean((2, 3), keepdim=True).add_(self._eps).rsqrt_())


class Correlations:
    """Correlations of all features of two frames at four resolutions, read around points of the second frame.

    torchvision averages the correlations of neighbours for the coarser levels. Here their features are averaged, which
    is the same and reads less memory. torchvision samples each of the 81 points of a level separately. The points are
    one pixel apart, so they have the same four bilinear weights. So 10 x 10 values are read and blended, instead of 324
    values. Each level has a border of zeros, from which all places outside of the frame are read.
    """

    LEVELS, RADIUS = 4, 4

    def __init__(self, first: Tensor, second: Tensor) -> None:
        features = first.flatten(2)[0].T / first.shape[1] ** 0.5
        self.levels = []
        for level in range(self.LEVELS):
            second = F.avg_pool2d(second, 2) if level else second
            bordered = F.pad(second, (1, 1, 1, 1))
            self.levels.append((features @ bordered.flatten(2)[0], *bordered.shape[-2:]))
        self._offsets = torch.arange(-self.RADIUS, self.RADIUS + 2, device=first.device)

    def around(self, points: Tensor) -> Tensor:
        """Correlations, (1, levels * 81, rows, columns), around points, (1, 2, rows, columns), x before y.

        Outside of the frame they are 0.
        """
        x, y = points[0].flatten(1)
        found = [self._window(n, x / 2**n, y / 2**n) for n in range(self.LEVELS)]
        return torch.cat(found, 1).view(1, *points.shape[-2:], -1).permute(0, 3, 1, 2)

    def _window(self, level: int, x: Tensor, y: Tensor) -> Tensor:
        """Values of one level as (points, 81). The offset in x is the slowest axis."""
        values, rows, columns = self.levels[level]
        left, top = x.floor(), y.floor()
        across, down = ((corner.long()[:, None] + self._offsets + 1) for corner in (left, top))
        places = across.clamp_(0, columns - 1)[:, :, None] + columns * down.clamp_(0, rows - 1)[:, None, :]
        values = values.gather(1, places.flatten(1)).view_as(places)
        right, below = (x - left)[:, None, None], (y - top)[:, None, None]
        values = torch.lerp(values[:, :-1], values[:, 1:], right)
        return torch.lerp(values[:, :, :-1], values[:, :, 1:], below).flatten(1)


class _Update:
    """RAFT's update block for one pair. The part of the recurrent units that reads the context is computed once."""

    def __init__(self, block: Any, context: Tensor) -> None:
        self._motion, self._head = block.motion_encoder, block.flow_head
        units = (block.recurrent_block.convgru1, block.recurrent_block.convgru2)
        self._units = [_RecurrentUnit(unit, context) for unit in units]

    def __call__(self, hidden: Tensor, looked_up: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
        motion = self._motion(flow, looked_up)
        for unit in self._units:
            hidden = unit(hidden, motion)
        return hidden, self._head(hidden)


class _RecurrentUnit:
    """A convolutional GRU with the inputs (hidden, context, motion). The part of the context is computed in advance."""

    def __init__(self, unit: Any, context: Tensor) -> None:
        self._size, self._padding = unit.convz.out_channels, unit.convz.padding
        gates = torch.cat([unit.convz.weight, unit.convr.weight])
        self._gates, of_gates = self._split(gates, context.shape[1])
        self._candidate, of_candidate = self._split(unit.convq.weight, context.shape[1])
        bias = torch.cat([unit.convz.bias, unit.convr.bias])
        self._fixed_gates = F.conv2d(context, of_gates, bias, padding=self._padding)
        self._fixed_candidate = F.conv2d(context, of_candidate, unit.convq.bias, padding=self._padding)

    def _split(self, weight: Tensor, context: int) -> tuple[Tensor, Tensor]:
        """The weights of (hidden, motion) and of the context."""
        hidden, of_context, motion = weight.tensor_split([self._size, self._size + context], 1)
        return torch.cat([hidden, motion], 1), of_context

    def __call__(self, hidden: Tensor, motion: Tensor) -> Tensor:
        inputs = torch.cat([hidden, motion], 1)
        gates = F.conv2d(inputs, self._gates, padding=self._padding).add_(self._fixed_gates)
        keep, reset = gates.sigmoid_().tensor_split(2, 1)
        inputs[:, : self._size].mul_(reset)
        candidate = F.conv2d(inputs, self._candidate, padding=self._padding).add_(self._fixed_candidate)
        return torch.lerp(hidden, candidate.tanh_(), keep)


def padding(height: int, width: int) -> tuple[int, int, int, int]:
    """Padding (left, right, top, bottom) in pixels to multiples of `STRIDE`, with the frame in the centre.

    >>> padding(90, 128)
    (0, 0, 3, 3)
    """
    down, across = -height % STRIDE, -width % STRIDE
    return across // 2, across - across // 2, down // 2, down - down // 2


def load_raft(entry: Entry, device: str) -> Raft:
    """Load torchvision's `raft_large` from a state dict, such as `Raft_Large_Weights.C_T_V1`."""
    from torchvision.models.optical_flow import raft_large

    path = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, path)
    model = raft_large()
    model.load_state_dict(state_dict(path))
    return Raft(model, name=f"{entry.set_name}/raft@{digest[:8]}", device=device)
