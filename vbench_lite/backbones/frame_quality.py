"""Networks that compute one score per frame: LAION's aesthetic head on CLIP, and MUSIQ."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.functional import resize

from vbench_lite.backbones import Entry, check_file
from vbench_lite.backbones.dino import state_dict
from vbench_lite.backbones.image_text import OpenClipEncoder, published_model

LONGEST_SIDE = 512
"""Largest longer side in pixels of a frame for MUSIQ."""
MUSIQ_LICENCE = (
    "imaging_quality uses pyiqa, whose licences (PolyForm Noncommercial 1.0.0 and S-Lab License 1.0) allow no "
    "commercial use"
)
log = logging.getLogger("vbench_lite.backbones")


class Aesthetic:
    """A CLIP model with a linear head on its unit embeddings.

    Args:
        clip: The encoder.
        weight: Weights of the head, (values,).
        bias: Bias of the head.
        name: The name that every score states.
    """

    def __init__(self, clip: OpenClipEncoder, weight: NDArray[np.floating], bias: float, *, name: str) -> None:
        self.clip, self.name, self.prepare = clip, name, clip.prepare
        self._weight, self._bias = np.asarray(weight, np.float64), float(bias)

    def score(self, prepared: Tensor) -> NDArray[np.float64]:
        """Score (frames, 3, size, size) as (frames,), about 1 to 10."""
        return self.clip.embed_images(prepared) @ self._weight + self._bias


def load_aesthetic(entry: Entry, device: str) -> Aesthetic:
    """Load a published CLIP model and a head in LAION's form: a linear layer with one output."""
    model, digest = published_model(entry)
    head = entry.head or Path(entry.settings["head"])
    head_digest = check_file(entry, head, entry.settings.get("head_sha256", ""))
    weights = state_dict(head)
    name = f"{entry.set_name}/{entry.settings['model']}@{digest[:8]}+head@{head_digest[:8]}"
    clip = OpenClipEncoder(model, name=name, device=device)
    return Aesthetic(clip, weights["weight"][0].numpy(), weights["bias"].item(), name=name)


class Musiq:
    """MUSIQ, with the preparation of frames of VBench.

    Args:
        model: pyiqa's `MUSIQ`.
        name: The name that every score states.
        device: Device of the network.
    """

    def __init__(self, model: torch.nn.Module, *, name: str = "musiq", device: str = "cpu") -> None:
        self.model: Any = model.to(device).eval()
        self.name, self.device = name, device

    def prepare(self, frame: NDArray[np.uint8]) -> Tensor:
        """Convert one frame, uint8 (height, width, 3), to float32 (3, rows, columns), 0 to 1, sides at most 512."""
        pixels = torch.from_numpy(frame).permute(2, 0, 1).float()
        longest = max(frame.shape[:2])
        if longest > LONGEST_SIDE:
            scale = LONGEST_SIDE / longest
            pixels = resize(pixels, [int(scale * side) for side in frame.shape[:2]], antialias=False)
        return pixels.div_(255)

    @torch.inference_mode()
    def score(self, prepared: Tensor) -> NDArray[np.float64]:
        """Score (frames, 3, rows, columns) as (frames,), about 0 to 100."""
        scores: Tensor = self.model(prepared.to(self.device))[:, 0]
        return scores.double().cpu().numpy()


def load_musiq(entry: Entry, device: str) -> Musiq:
    """Load pyiqa's MUSIQ from its file of weights, and log the licence of pyiqa."""
    from pyiqa.archs.musiq_arch import MUSIQ

    path = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, path)
    log.warning("%s", MUSIQ_LICENCE)
    model = MUSIQ(pretrained=False)
    weights = state_dict(path)
    model.load_state_dict({name.removeprefix("module."): value for name, value in weights.items()})
    return Musiq(model, name=f"{entry.set_name}/musiq@{digest[:8]}", device=device)
