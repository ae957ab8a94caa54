"""CPU seconds and memory of scoring beside the procedure that VBench publishes, written out here for the purpose.

    python benchmarks/scoring_speed.py [--clips 16x256x256,49x512x512] [--front 129x720x1280]

Published: each dimension decodes each clip again, holds it whole as float32, and runs its network on all
frames at once, with gradients recorded (its background_consistency has no `no_grad`). Here: one streaming
pass. Both sides decode with the same libraries and run the same ViT-B/32 with random weights, so nothing is
fetched. One thread. CPU time of this process, the least of a few runs, so that a busy machine changes little;
extra memory is the peak of a process of its own over what it held before.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import click
import cv2
import numpy as np
import open_clip
import psutil
import torch
import torch.nn.functional as F
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize

from vbench_lite.backbones import Entry
from vbench_lite.backbones.image_text import OpenClipEncoder
from vbench_lite.backbones.video_encoders import ClipEncoder
from vbench_lite.features.extractor import ClipStream
from vbench_lite.features.flow import flow_size
from vbench_lite.features.image_text import ImageText
from vbench_lite.features.pixels import frame_difference
from vbench_lite.features.video import Video
from vbench_lite.video import ClipReader, encode_mp4

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
BATCH = ImageText.batch

# `open_clip` types what it makes as a plain module, which has no `encode_image`.
ClipModel = Any


class Size(NamedTuple):
    frames: int
    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}, {self.frames} frames"


def size(text: str) -> Size:
    return Size(*map(int, text.split("x")))


# The published procedure: what each dimension does before its network, and two of them to the end.


def load_video(path: Path) -> torch.Tensor:
    """Every frame, decoded and stacked, as float32 (frames, 3, height, width)."""
    with av.open(str(path)) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    return torch.Tensor(frames.astype(np.uint8)).permute(0, 3, 1, 2)


def by_opencv(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    frames: list[np.ndarray] = []
    while True:
        good, frame = video.read()
        if not good:
            return frames
        frames.append(frame)


CLIP_TRANSFORM = Compose([
    Resize(224, interpolation=InterpolationMode.BICUBIC, antialias=False), CenterCrop(224),
    lambda x: x.float().div(255.0), Normalize(MEAN, STD),
])  # fmt: skip
DINO_TRANSFORM = Compose([Resize(224, antialias=False), Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])


def temporal_flickering(path: Path) -> float:
    frames = by_opencv(path)
    errors: list[float] = [
        np.mean(cv2.absdiff(np.array(a, dtype=np.float32), np.array(b, dtype=np.float32))) for a, b in pairwise(frames)
    ]
    return (255.0 - float(np.mean(errors))) / 255.0


def background_consistency(path: Path, model: ClipModel) -> float:
    features: torch.Tensor = F.normalize(model.encode_image(CLIP_TRANSFORM(load_video(path))), dim=-1, p=2)
    total = 0.0
    for i in range(1, len(features)):
        before = max(0.0, F.cosine_similarity(features[i - 1 : i], features[i : i + 1]).item())
        first = max(0.0, F.cosine_similarity(features[:1], features[i : i + 1]).item())
        total += (before + first) / 2
    return float(total / (len(features) - 1))


def published_front(path: Path) -> None:
    """Decoding and preparing for its eight quality dimensions, one after another, as each does it."""
    by_opencv(path)  # temporal_flickering
    CLIP_TRANSFORM(load_video(path))  # background_consistency
    CLIP_TRANSFORM(load_video(path))  # aesthetic_quality
    DINO_TRANSFORM(load_video(path))  # subject_consistency
    load_video(path) / 255.0  # imaging_quality
    as_rgb = [cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in by_opencv(path)]  # motion_smoothness
    _ = [torch.tensor(frame).permute(2, 0, 1).unsqueeze(0) / 255.0 for frame in as_rgb[::2]]
    _ = [torch.from_numpy(cv2.cvtColor(f, cv2.COLOR_BGR2RGB)).permute(2, 0, 1).float()[None] for f in by_opencv(path)]
    with av.open(str(path)) as container:  # overall_consistency: 8 frames
        frames = list(container.decode(video=0))
    middle = np.linspace(0, len(frames), 9).astype(int)
    some = [frames[(a + b - 1) // 2].to_ndarray(format="rgb24") for a, b in pairwise(middle)]
    CLIP_TRANSFORM(torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2))


# The same here.


def one_pass(path: Path, encoder: OpenClipEncoder) -> tuple[float, float]:
    """temporal_flickering and clip_frames."""
    images, differences, last = ImageText(), [], None
    with ClipReader(path) as reader:
        images.start(ClipStream(reader.announced, encoder))
        for frame in reader:
            images.see(frame)
            if last is not None:
                differences.append(frame_difference(last, frame))
            last = frame
    return 1 - float(np.mean(differences)), float(images.finish()["likeness"].mean())


def our_front(path: Path, encoder: OpenClipEncoder) -> None:
    """Decodes once; every frame as CLIP and optical flow see it, and the sixteen that the video network sees."""
    entry = Entry("benchmark", "video", {"frames": 16, "size": 224}, None)
    with ClipReader(path) as reader:
        video = Video()
        video.start(ClipStream(reader.announced, ClipEncoder("none", lambda clip: clip, entry)))
        for frame in reader:
            encoder.prepare(frame)
            flow_size(frame)
            video.see(frame)


def moving_clip(shape: Size) -> bytes:
    """Soft structure that moves, with a little grain."""
    rng = np.random.default_rng(0)
    small = torch.from_numpy(rng.random((1, 3, shape.height // 16, shape.width // 16))).float() * 255
    picture = F.interpolate(small, (shape.height, shape.width), mode="bicubic")[0].permute(1, 2, 0).numpy()
    grain = rng.normal(0, 2, picture.shape)
    frame = np.clip(picture + grain, 0, 255).astype(np.uint8)
    return encode_mp4(np.stack([np.roll(frame, 3 * t, axis=1) for t in range(shape.frames)]), 16)


def random_clip_model() -> ClipModel:
    torch.manual_seed(0)
    return open_clip.create_model("ViT-B-32").eval()


def cpu_s(work: Callable[[], object], times: int) -> float:
    """Least CPU seconds of one call."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def measure(side: str, what: str, path: Path, times: int) -> dict[str, float]:
    """One side of one comparison; run in a process of its own for the sake of its memory."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = random_clip_model()
    encoder = OpenClipEncoder(model)
    works: dict[str, Callable[[], Any]] = {
        "published both": lambda: (temporal_flickering(path), background_consistency(path, model)),
        "here both": lambda: one_pass(path, encoder),
        "published front": lambda: published_front(path),
        "here front": lambda: our_front(path, encoder),
    }
    work = works[f"{side} {what}"]
    with torch.inference_mode():
        model.encode_image(torch.zeros(1, 3, 224, 224))
    before = psutil.Process().memory_info().rss
    spent = cpu_s(work, times)
    result = {"cpu_s": spent, "extra_mb": (peak_bytes() - before) / 2**20}
    if what == "both":
        result["temporal_flickering"], result["clip_frames"] = work()
    return result


def peak_bytes() -> int:
    """Of this program alone; `ru_maxrss` would begin with what its parent held when it was started."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def apart(side: str, what: str, path: Path, times: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", json.dumps([side, what, str(path), times])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def bare_network(frames: int) -> float:
    """The network alone, on batches as they are used here."""
    torch.set_num_threads(1)
    model, total = random_clip_model(), 0.0
    with torch.inference_mode():
        model.encode_image(torch.zeros(1, 3, 224, 224))
        for count in [BATCH] * bool(frames // BATCH) + [frames % BATCH] * bool(frames % BATCH):
            batch = torch.randn(count, 3, 224, 224)
            total += cpu_s(partial(model.encode_image, batch), 3) * (frames // BATCH if count == BATCH else 1)
    return total


@click.command(help=__doc__)
@click.option("--clips", default="16x256x256,49x512x512", show_default=True, help="frames x height x width, ...")
@click.option("--front", default="129x720x1280", show_default=True, help="The clip of the front end.")
@click.option("--times", default=2, show_default=True)
@click.option("--child", hidden=True)
def main(clips: str, front: str, times: int, child: str | None) -> None:
    if child:
        side, what, path, count = json.loads(child)
        click.echo(json.dumps(measure(side, what, Path(path), count)))
        return
    click.echo("| | published: CPU s | MiB | here: CPU s | MiB | here / published | here / bare network |")
    click.echo("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        for shape in map(size, filter(None, clips.split(","))):
            path.write_bytes(moving_clip(shape))
            theirs, ours = (apart(side, "both", path, times) for side in ("published", "here"))
            bare = f"{ours['cpu_s'] / bare_network(shape.frames):.2f}"
            show(f"`temporal_flickering` + `clip_frames`, {shape}", theirs, ours, bare)
            for name in ("temporal_flickering", "clip_frames"):
                assert abs(theirs[name] - ours[name]) < 1e-6, (name, theirs[name], ours[name])
        if front:
            path.write_bytes(moving_clip(size(front)))
            theirs, ours = (apart(side, "front", path, times) for side in ("published", "here"))
            show(f"decoding and resizing for all metrics, {size(front)}", theirs, ours, "")


def show(name: str, theirs: dict[str, float], ours: dict[str, float], bare: str) -> None:
    click.echo(f"| {name} | {theirs['cpu_s']:.2f} | {theirs['extra_mb']:.0f} | {ours['cpu_s']:.2f} | "
               f"{ours['extra_mb']:.0f} | {ours['cpu_s'] / theirs['cpu_s']:.2f} | {bare} |")


if __name__ == "__main__":
    main()
