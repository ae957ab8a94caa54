"""Trains the built-in video network, which judges the tiny generators and computes features for the built-in FVD.

    python vbench_lite/recipes/builtin_video.py [--steps N] [--work DIR]

It takes about six minutes on one core. Held-out compositions are not used.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from vbench_lite.backbones.video_net import FRAMES, WorldVideoNet
from vbench_lite.recipes.batches import Batch, world_batches
from vbench_lite.recipes.training import Average, MuonWithAdam, Stage
from vbench_lite.world import (
    BACKGROUNDS,
    COLOURS,
    MOTIONS,
    THINGS,
    Composition,
    held_out_compositions,
    training_compositions,
)

HERE = Path(__file__).parents[1] / "backbones" / "builtin" / "video"
SEED = 20261122
PLACES = torch.linspace(0, 16, FRAMES).round().long()


def make_net() -> WorldVideoNet:
    return WorldVideoNet(len(THINGS), len(COLOURS), len(BACKGROUNDS), len(MOTIONS))


def labels(compositions: list[Composition]) -> dict[str, Tensor]:
    return {name: torch.tensor([getattr(c, name) for c in compositions]) for name in Composition.__dataclass_fields__}


def worsen(clips: Tensor) -> Tensor:
    """Add random blur, noise and brightness, so that the network also works for imperfect clips."""
    if torch.rand(()) < 0.33:
        frames = clips.transpose(1, 2).flatten(0, 1)
        frames = F.interpolate(F.avg_pool2d(frames, 2), scale_factor=2, mode="bilinear", align_corners=False)
        clips = frames.view(clips.shape[0], -1, *frames.shape[1:]).transpose(1, 2)
    if torch.rand(()) < 0.5:
        clips = clips + 0.2 * torch.rand(()) * torch.randn_like(clips)
    return (clips * (0.85 + 0.3 * torch.rand(clips.shape[0], 1, 1, 1, 1))).clamp(-1, 1)


@torch.no_grad()
def right_shares(net: WorldVideoNet, batch: Batch) -> dict[str, float]:
    """Fraction of clips that are classified right, by attribute and for all four attributes."""
    answers, truth = net(batch.clips[:, :, PLACES]), labels(batch.compositions)
    right = {name: answers[name].argmax(1) == truth[name] for name in truth}
    right["all"] = torch.stack(list(right.values())).all(0)
    return {name: float(r.float().mean()) for name, r in right.items()}


@click.command(help=__doc__)
@click.option("--steps", default=1000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("training/video"))
@click.option("--out", type=click.Path(path_type=Path), default=HERE)
def main(steps: int, work: Path, out: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    net = make_net()
    data = world_batches(training_compositions(), 32, SEED)
    unseen = next(world_batches(held_out_compositions(), 192, 1))

    def loss_of_step(step: int) -> dict[str, Tensor]:
        batch = next(data)
        truth = labels(batch.compositions)
        with torch.autocast("cpu", torch.bfloat16):
            answers = net(worsen(batch.clips[:, :, PLACES]))
        losses = [F.cross_entropy(answers[k].float(), truth[k], label_smoothing=0.02) for k in truth]
        return {"loss": torch.stack(losses).sum()}

    def evaluate() -> dict[str, float]:
        net.eval()
        shares = right_shares(net, unseen)
        net.train()
        return shares

    optimiser = MuonWithAdam([net], 0.01, 2e-3, lambda name: "heads" in name)
    stage = Stage("video", work, steps, {"net": net}, optimiser, Average({"net": net}, 0.99), evaluate)
    stage.run(loss_of_step)
    net.eval()
    print("held-out clips named rightly:", right_shares(net, next(world_batches(held_out_compositions(), 768, 2))))
    halves = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    save_file(halves, out / "model.safetensors")


if __name__ == "__main__":
    main()
