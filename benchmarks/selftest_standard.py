"""`vbench selftest` on the architectures of `--backbones standard`, with random weights.

    python benchmarks/selftest_standard.py --work FOLDER [--clips 8]

ViT-B/32 as open_clip draws it, and I3D with He's initialisation, its batch norms measured on reference clips
(without that its features hardly vary). Both are saved in the published forms in FOLDER and loaded by `vbench`
as the published ones are. What needs no knowledge must react as claimed; a CLIP that was never trained cannot
follow captions, and the command must say so and exit with 1. About ten minutes on two cores.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from vbench_lite.backbones import shipped_sets
from vbench_lite.features.video import spaced
from vbench_lite.world import held_out_compositions, render

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.backbones.i3d import I3D

CLIPS, BATCH = 16, 4


def reference_clips() -> torch.Tensor:
    """(clips, 3, 16, 224, 224), in [-1, 1]."""
    every = held_out_compositions()
    clips = []
    for place in np.linspace(0, len(every) - 1, CLIPS).round().astype(int):
        frames = render(every[place], seed=9)
        pixels = torch.from_numpy(frames[spaced(len(frames), 16)]).permute(0, 3, 1, 2).float()
        clips.append(F.interpolate(pixels, (224, 224), mode="bilinear", align_corners=False).transpose(0, 1))
    return torch.stack(clips) / 127.5 - 1


def measured_i3d() -> I3D:
    net = I3D()
    for part in net.modules():
        if isinstance(part, torch.nn.Conv3d):
            torch.nn.init.kaiming_normal_(part.weight)
        if isinstance(part, torch.nn.BatchNorm3d):
            part.momentum = None  # a plain mean over all batches
    net.train()
    for batch in reference_clips().split(BATCH):
        net(batch, False, False, True)
    return net.eval()


@torch.no_grad()
def make(work: Path) -> Path:
    torch.manual_seed(0)
    work.mkdir(parents=True, exist_ok=True)
    save_file(open_clip.create_model("ViT-B-32").state_dict(), work / "vit.safetensors")
    torch.jit.script(measured_i3d()).save(str(work / "i3d_torchscript.pt"))
    own = re.sub(r"^sha256 = .*\n", "", shipped_sets()["standard"].read_text(), flags=re.MULTILINE)
    (work / "random.toml").write_text(own.replace("[image]\n", '[image]\npath = "vit.safetensors"\n'))
    return work / "random.toml"


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--clips", default=8, show_default=True)
def main(work: Path, clips: int) -> None:
    toml = work / "random.toml"
    command = [sys.executable, "-c", "from vbench_lite.cli import main; main()", "selftest"]
    done = subprocess.run([*command, "--backbones", str(toml if toml.exists() else make(work)), "--clips", str(clips)])
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
