"""CPU seconds and memory of VBench's dimensions here, beside the bare networks and the published procedure.

    python benchmarks/vbench_dimensions.py [--clips 49x512x512,33x720x1280] [--no-memory]

The five dimensions are subject_consistency, background_consistency, temporal_flickering, dynamic_degree and
aesthetic_quality, with the published architectures and random weights. One thread; CPU time of this process, the least
of two runs (`--runs`) that alternate between the sides, so that a busy machine changes little.

Decoding and preparing frames is run in full. Forward passes are timed for a few frames or one pair and multiplied by
the number that each side needs, because RAFT takes minutes a clip on one core:

- bare: every frame through the three vision transformers, every pair through RAFT's own forward pass.
- published: the same passes; each dimension decodes the clip again and holds it whole as float32.
- here: one streaming decode; each frame is encoded once for RAFT, and pairs are compared until the decision is known.
  "moving" is a clip in which every pair moves, "still" one in which none does.

Memory: peak of a process of its own over what it held with its networks loaded. Published: background_consistency,
which takes the most (49 frames at once, gradients recorded). Here: all five dimensions on 17 frames (one batch and one
frame more), RAFT with two of its twenty updates, which need no less memory.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import open_clip
import psutil
import timm
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torchvision.models.optical_flow import raft_large
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize

from vbench_lite.backbones import Backbones, raft
from vbench_lite.backbones.dino import Dino
from vbench_lite.backbones.frame_quality import Aesthetic
from vbench_lite.backbones.image_text import OpenClipEncoder
from vbench_lite.features.aesthetic import AestheticFrames
from vbench_lite.features.dino import DinoFrames
from vbench_lite.features.extract import extract
from vbench_lite.features.image_text import ImageText
from vbench_lite.features.pixels import Pixels
from vbench_lite.features.raft import SAMPLED_FPS, RaftMotion
from vbench_lite.video import Frames, encode_mp4, read_clip

FPS = SAMPLED_FPS
CLIP = Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
FOR_CLIP = Compose([
    Resize(224, interpolation=InterpolationMode.BICUBIC, antialias=False), CenterCrop(224), lambda x: x / 255, CLIP,
])
FOR_DINO = Compose([
    Resize(224, antialias=False), lambda x: x / 255, Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
])


class Units(NamedTuple):
    """CPU seconds of one frame or one pair."""

    transformers: float
    pair: float
    our_pair: float
    encoding: float


def clip_of(frames: int, height: int, width: int) -> Frames:
    """A textured picture that slides."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    return np.stack([np.roll(picture, 3 * n, 1)[:height, :width] for n in range(frames)])


def cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def networks() -> Backbones:
    torch.manual_seed(0)
    small, large = open_clip.create_model("ViT-B-32"), open_clip.create_model("ViT-L-14")
    dino = Dino(timm.create_model("vit_base_patch16_224.dino", pretrained=False, num_classes=0))
    judge = Aesthetic(OpenClipEncoder(large), np.ones(768), 0.0, name="random")
    image = OpenClipEncoder(small, vbench=True)
    return Backbones("random", image, dino=dino, raft=raft.Raft(raft_large()), aesthetic=judge)


def units_of(nets: Backbones, frames: Frames, count: int) -> Units:
    """Forward passes, the least of some runs each."""
    few = {net: torch.stack([net.prepare(frame) for frame in frames[:2]]) for net in (nets.image, nets.dino)}
    flow, plain = nets.raft, raft_large().eval()
    first, second = flow.encode(frames[0]), flow.encode(frames[1])
    works: dict[str, Callable[[], Any]] = {
        "clip": lambda: nets.image.embed_images(few[nets.image]),
        "dino": lambda: nets.dino.embed_images(few[nets.dino]),
        "large": lambda: nets.aesthetic.score(few[nets.image]),
        "pair": lambda: plain(first.pixels, second.pixels, num_flow_updates=raft.UPDATES),
        "our pair": lambda: flow.flow(first, second),
        "encoding": lambda: flow.encode(frames[0]),
    }
    with torch.inference_mode():
        runs = [{name: cpu_s(work) for name, work in works.items()} for _ in range(count)]
    least = {name: min(run[name] for run in runs) for name in works}
    transformers = (least["clip"] + least["dino"] + least["large"]) / 2
    return Units(transformers, least["pair"], least["our pair"], least["encoding"])


class Nothing:
    """A network's preparation of frames without its forward pass."""

    def __init__(self, net: Any) -> None:
        self.name, self.prepare = "nothing", getattr(net, "prepare", None)

    def embed_images(self, prepared: torch.Tensor) -> NDArray[np.float64]:
        return np.ones((len(prepared), 4))

    def score(self, prepared: torch.Tensor) -> NDArray[np.float64]:
        return np.ones(len(prepared))


def our_front_end(path: Path, nets: Backbones) -> None:
    idle = Backbones("idle", Nothing(nets.image), dino=Nothing(nets.dino), aesthetic=Nothing(nets.aesthetic))
    extract(path, [Pixels, ImageText, DinoFrames, AestheticFrames], idle)


def published_front_end(path: Path) -> None:
    """Decoding and preparing, dimension by dimension."""
    for prepare in (FOR_CLIP, FOR_CLIP, FOR_DINO):
        prepare(torch.from_numpy(read_clip(path)[0]).permute(0, 3, 1, 2).float())
    frames = read_clip(path)[0].astype(np.float32)
    for before, after in pairwise(frames):
        np.abs(before - after).mean()
    [torch.from_numpy(frame).permute(2, 0, 1).float()[None] for frame in read_clip(path)[0]]


def table_row(nets: Backbones, frames: int, height: int, width: int, runs: int) -> str:
    clip = clip_of(frames, height, width)
    units = units_of(nets, clip, runs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        path.write_bytes(encode_mp4(clip, FPS))
        ours = min(cpu_s(lambda: our_front_end(path, nets)) for _ in range(2))
        theirs = min(cpu_s(lambda: published_front_end(path)) for _ in range(2))
    wanted = round(4 * frames / 16)
    bare = frames * units.transformers + (frames - 1) * units.pair
    published = bare + theirs
    here = {
        name: frames * units.transformers + pairs * units.our_pair + (pairs + 1) * units.encoding + ours
        for name, pairs in (("moving", wanted), ("still", frames - wanted))
    }
    cells = [f"{width}x{height}, {frames} frames", f"{bare:.0f}", f"{published:.0f}"]
    cells += [f"{here[name]:.0f} ({here[name] / bare:.2f}, {here[name] / published:.2f})" for name in here]
    cells += [f"{theirs:.2f}", f"{ours:.2f}", f"{(units.our_pair + units.encoding) / units.pair:.2f}"]
    return f"| {' | '.join(cells)} |"


def measure_memory(side: str) -> None:
    """Peak over the loaded networks, in MiB, of this process."""
    frames = clip_of(49 if side == "published" else 17, 512, 512)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        path.write_bytes(encode_mp4(frames, FPS))
        del frames
        nets = networks()
        nets.image.embed_images(torch.zeros(1, 3, 224, 224))
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts from what is held now
        held = psutil.Process().memory_info().rss
        if side == "published":
            images = FOR_CLIP(torch.from_numpy(read_clip(path)[0]).permute(0, 3, 1, 2).float())
            F.normalize(nets.image.model.train(False).requires_grad_(True).encode_image(images), dim=-1, p=2)
        else:
            raft.UPDATES = 2
            extract(path, [Pixels, ImageText, DinoFrames, AestheticFrames, RaftMotion], nets)
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    click.echo(f"{int(peak.split()[1]) / 1024 - held / 2**20:.0f}")


@click.command(help=__doc__)
@click.option("--clips", default="49x512x512,33x720x1280", show_default=True, help="FRAMESxHEIGHTxWIDTH, ...")
@click.option("--memory/--no-memory", default=True, show_default=True)
@click.option("--runs", default=2, show_default=True)
@click.option("--side", type=click.Choice(("published", "here")), hidden=True)
def main(clips: str, memory: bool, runs: int, side: str | None) -> None:
    torch.set_num_threads(1)
    if side:
        measure_memory(side)
        return
    nets = networks()
    names = ("clip", "bare", "published", "here, moving", "here, still", "front end, published", "here", "pair / bare")
    click.echo(f"| {' | '.join(names)} |")
    click.echo(f"|{'---|' * 8}")
    for text in clips.split(","):
        click.echo(table_row(nets, *map(int, text.split("x")), runs))
    for name in ("published", "here") if memory else ():
        command = [sys.executable, __file__, "--side", name]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        click.echo(f"peak memory over the networks, {name}: {found} MiB")


if __name__ == "__main__":
    main()
