"""Video networks, which compute the features of whole clips for FVD and KVD."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vbench_lite.backbones import Entry, check_file
from vbench_lite.backbones.image_text import fit
from vbench_lite.errors import WeightsError


class ClipEncoder:
    """A network with its preparation of clips.

    Frames are scaled to a square (bilinear, align_corners=False), as in cd-fvd and FastVideo. On wide clips, a centre
    crop gives features that differ by a quarter or more.
    """

    def __init__(self, name: str, run: Callable[[Tensor], Tensor], entry: Entry, device: str = "cpu") -> None:
        settings = entry.settings
        self.name, self.run, self.device = name, run, device
        self.frames, self.size = int(settings.get("frames", 16)), int(settings.get("size", 224))
        self.antialias = bool(settings.get("antialias", False))
        self.features = settings.get("features")
        self.mean = torch.tensor(settings.get("mean", [0.5, 0.5, 0.5])).view(3, 1, 1)
        self.std = torch.tensor(settings.get("std", [0.5, 0.5, 0.5])).view(3, 1, 1)
        scale = "[-1, 1]" if "mean" not in settings else f"mean {settings['mean']} std {settings.get('std')}"
        self.protocol = (
            f"{name}; {self.frames} frames evenly from first to last; squashed to {self.size}x{self.size} bilinear"
            f"{' antialiased' if self.antialias else ''}; range {scale}"
        )

    def prepare(self, frame: NDArray[np.uint8]) -> Tensor:
        pixels = torch.from_numpy(frame).permute(2, 0, 1).float()
        pixels = fit(pixels, self.size, crop=False, mode="bilinear", antialias=self.antialias)
        return pixels.div_(255).sub_(self.mean).div_(self.std)

    @torch.inference_mode()
    def embed(self, prepared: Tensor) -> NDArray[np.float64]:
        """Embed float32 (frames, 3, size, size) as float64 (values,)."""
        output = self.run(prepared.transpose(0, 1)[None].to(self.device))
        features: NDArray[np.float64] = output.double().cpu().numpy().reshape(-1)
        if self.features and len(features) != self.features:
            raise WeightsError(
                f"{self.name} gives {len(features)} features per clip, not {self.features}: it is another network."
            )
        return features


def load_world_video(entry: Entry, device: str) -> ClipEncoder:
    """Load the video network of the built-in world. Its weights are part of the package."""
    from safetensors.torch import load_file

    from vbench_lite.backbones.video_net import WorldVideoNet

    path = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, path)
    weights = {name: value.float() if value.is_floating_point() else value for name, value in load_file(path).items()}
    sizes = [weights[f"heads.{name}.bias"].shape[0] for name in ("thing", "colour", "background", "motion")]
    net = WorldVideoNet(*sizes)
    net.load_state_dict(weights)
    net.to(device).eval()
    return ClipEncoder(f"{entry.set_name}/video@{digest[:8]}", net.features, entry, device)


def load_torchscript(entry: Entry, device: str) -> ClipEncoder:
    """Load a TorchScript file, such as the I3D network (Kinetics-400 logits) of the published FVD."""
    path = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, path)
    read: Any = torch.jit.load  # has no types
    net = read(str(path), map_location=device).eval()
    arguments = entry.settings.get("arguments", {})
    return ClipEncoder(
        f"{entry.set_name}/{path.stem}@{digest[:8]}", lambda clip: net(clip, **arguments), entry, device
    )


def load_videomae(entry: Entry, device: str) -> ClipEncoder:
    """Load a VideoMAE folder of `transformers`. The features are the mean of the last tokens."""
    from transformers import VideoMAEModel

    folder = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, folder / "model.safetensors")
    net = VideoMAEModel.from_pretrained(folder, local_files_only=True).to(device).eval()

    def run(clip: Tensor) -> Tensor:
        return net(clip.transpose(1, 2)).last_hidden_state.mean(1)

    return ClipEncoder(f"{entry.set_name}/{folder.name}@{digest[:8]}", run, entry, device)


def load_torchvision(entry: Entry, device: str) -> ClipEncoder:
    """Load a video network of torchvision (`r3d_18`, `mvit_v2_s`, ...) from a state dict. Its logits are the
    features."""
    from torchvision.models import get_model

    path = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, path)
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        weights = load_file(path)
    else:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    net = get_model(entry.settings["model"], num_classes=weights[_last_bias(weights)].shape[0])
    net.load_state_dict(weights)
    net.to(device).eval()
    return ClipEncoder(f"{entry.set_name}/{entry.settings['model']}@{digest[:8]}", net, entry, device)


def _last_bias(weights: dict[str, Tensor]) -> str:
    return [name for name in weights if name.endswith("bias")][-1]
