"""CPU seconds of scoring beside the procedure that VBench publishes, written out here for the purpose.

    python benchmarks/scoring_speed.py [--frames 17] [--height 256] [--width 256] [--front-frames 33]

Published: each metric decodes each clip again and holds it whole as float32. Here: one streaming
pass. Weights are random (ViT-B/32 for both sides), so nothing is fetched. Single thread; CPU time of
this process, so that a busy machine changes little.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from itertools import pairwise

import click
import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize

from vbench_lite.backbones import Backbones
from vbench_lite.backbones.image_text import OpenClipEncoder
from vbench_lite.metrics.clip_consistency import frames_consistency
from vbench_lite.metrics.features import ImagePass
from vbench_lite.metrics.fvd import frechet_distance
from vbench_lite.metrics.temporal_coherence import frame_difference
from vbench_lite.video import ClipReader, encode_mp4, read_clip

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def cpu_s(work: Callable[[], object], times: int = 1) -> float:
    """Least CPU seconds of one call."""
    found = []
    for _ in range(times):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def published(file: bytes, model: torch.nn.Module) -> tuple[float, float]:
    """temporal_flickering, then background_consistency: two decodes, the whole clip as float32."""
    frames, _ = read_clip(file)
    error = np.mean([np.mean(np.abs(a.astype(np.float32) - b)) for a, b in pairwise(frames)])
    frames, _ = read_clip(file)
    transform = Compose([
        Resize(224, interpolation=InterpolationMode.BICUBIC, antialias=False), CenterCrop(224),
        lambda x: x.float().div(255.0), Normalize(MEAN, STD),
    ])
    images = transform(torch.from_numpy(frames).permute(0, 3, 1, 2).float())
    with torch.no_grad():
        features = F.normalize(model.encode_image(images), dim=-1)  # type: ignore[operator]
    return (255 - float(error)) / 255, frames_consistency(features.double().numpy())


def ours(file: bytes, encoder: OpenClipEncoder) -> tuple[float, float]:
    """One pass for both."""
    images, differences, last = ImagePass(Backbones("benchmark", encoder)), [], None
    with ClipReader(file) as reader:
        for frame in reader:
            images.see(frame)
            if last is not None:
                differences.append(frame_difference(last, frame))
            last = frame
    return 1 - float(np.mean(differences)), frames_consistency(images.finish())


def front_end(file: bytes, encoder: OpenClipEncoder) -> None:
    """Decode and prepare every frame, keep nothing."""
    with ClipReader(file) as reader:
        for frame in reader:
            encoder.prepare(frame)


def noise_clip(frames: int, height: int, width: int) -> bytes:
    """Soft moving structure."""
    rng = np.random.default_rng(0)
    small = torch.from_numpy(rng.random((1, 3, height // 16, width // 16))).float() * 255
    picture = F.interpolate(small, (height, width), mode="bicubic").clamp(0, 255)[0].permute(1, 2, 0).byte().numpy()
    return encode_mp4(np.stack([np.roll(picture, 3 * t, axis=1) for t in range(frames)]), 16)


def torchmetrics_formula(x: np.ndarray, y: np.ndarray) -> float:
    """torchmetrics' FID from features: covariances, and the eigenvalues of their product."""
    a, b = torch.from_numpy(x), torch.from_numpy(y)
    s1, s2 = torch.cov(a.T), torch.cov(b.T)
    root = torch.linalg.eigvals(s1 @ s2).sqrt().real.sum()
    return float((a.mean(0) - b.mean(0)).square().sum() + s1.trace() + s2.trace() - 2 * root)


@click.command(help=__doc__)
@click.option("--frames", default=17, show_default=True)
@click.option("--height", default=256, show_default=True)
@click.option("--width", default=256, show_default=True)
@click.option("--front-frames", default=33, show_default=True, help="Of 1280x720, for the front end alone.")
def main(frames: int, height: int, width: int, front_frames: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32").eval()
    encoder = OpenClipEncoder(model)
    file = noise_clip(frames, height, width)
    batch = torch.randn(min(frames, 16), 3, 224, 224)
    with torch.inference_mode():
        model.encode_image(batch)
        bare = cpu_s(lambda: model.encode_image(batch), 2) * frames / len(batch)
    one, two = published(file, model), ours(file, encoder)
    click.echo(f"flicker {one[0]:.9f} and {two[0]:.9f}; clip_frames {one[1]:.9f} and {two[1]:.9f}")
    theirs, mine = cpu_s(lambda: published(file, model), 2), cpu_s(lambda: ours(file, encoder), 2)
    click.echo(f"flicker + clip_frames, {frames} frames {width}x{height}: published {theirs:.2f} CPU s, "
               f"here {mine:.2f} ({mine / theirs:.2f}), bare network {bare:.2f} ({mine / bare:.2f} times it)")
    wide, before = noise_clip(front_frames, 720, 1280), peak_mb()
    front = cpu_s(lambda: front_end(wide, encoder), 2)
    click.echo(f"front end, {front_frames} frames 1280x720: {front:.2f} CPU s, "
               f"{129 * front / front_frames:.2f} for 129 frames; {max(0.0, peak_mb() - before):.0f} MiB more")
    x, y = np.random.default_rng(1).normal(size=(2, 64, 400))
    slow = cpu_s(lambda: torchmetrics_formula(x, y), 2)
    fast = cpu_s(lambda: [frechet_distance(generated=x, reference=y) for _ in range(20)], 3) / 20
    click.echo(f"Frechet distance, 64 clips of 400 values: eigenvalues {slow * 1e3:.1f} ms, here {fast * 1e3:.2f} ms "
               f"({slow / fast:.0f} times)")


if __name__ == "__main__":
    main()
