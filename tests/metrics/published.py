"""VBench's procedures for one clip (Vchitect/VBench at 45e79ec), written out on plain networks, frame by frame."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.models.optical_flow import raft_large
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
DINO_MEAN, DINO_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def float_frames(frames):
    """uint8 (frames, height, width, 3) as float (frames, 3, height, width), 0 to 255: what VBench's reader gives."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).float()


CLIP_TRANSFORM = Compose([
    Resize(224, interpolation=InterpolationMode.BICUBIC, antialias=False), CenterCrop(224),
    lambda x: x.float().div(255.0), Normalize(CLIP_MEAN, CLIP_STD),
])
DINO_TRANSFORM = Compose([
    Resize(224, antialias=False), lambda x: x.float().div(255.0), Normalize(DINO_MEAN, DINO_STD),
])


def consistency(embed, images):
    """The loop that subject and background consistency share, one frame at a time."""
    total, first, former = 0.0, None, None
    for image in images:
        with torch.no_grad():
            current = F.normalize(embed(image[None]), dim=-1, p=2)
        if first is None:
            first = current
        else:
            before = max(0.0, F.cosine_similarity(former, current).item())
            to_first = max(0.0, F.cosine_similarity(first, current).item())
            total += (before + to_first) / 2
        former = current
    return total / (len(images) - 1)


def background_consistency(clip_model, frames):
    return consistency(clip_model.encode_image, CLIP_TRANSFORM(float_frames(frames)))


def subject_consistency(vit, frames):
    return consistency(lambda image: dino_features(vit, image), DINO_TRANSFORM(float_frames(frames)))


def dino_features(vit, image):
    """The forward pass of DINO's own vision transformer, (1, 3, rows, columns) to (1, values), on timm's layers."""
    patches = vit.patch_embed.proj(image)
    rows, columns = patches.shape[-2:]
    table = vit.pos_embed
    if (count := table.shape[1] - 1) != rows * columns or rows != columns:
        side = int(math.sqrt(count))
        grid = table[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        scale = ((rows + 0.1) / math.sqrt(count), (columns + 0.1) / math.sqrt(count))
        grid = F.interpolate(grid, scale_factor=scale, mode="bicubic")
        table = torch.cat([table[:, :1], grid.permute(0, 2, 3, 1).reshape(1, rows * columns, -1)], dim=1)
    tokens = torch.cat([vit.cls_token, patches.flatten(2).transpose(1, 2)], dim=1) + table
    for block in vit.blocks:
        tokens = block(tokens)
    return vit.norm(tokens)[:, 0]


def dynamic_degree(raft, frames, fps):
    """The decision, and the mean of the top 5 % flow lengths of every pair."""
    sampled = [float_frames(frame[None]) for frame in frames[:: max(1, round(fps / 8))]]
    lengths = [top_flow(raft, first, second) for first, second in pairwise(sampled)]
    threshold, wanted, moving = 6.0 * (min(frames.shape[1:3]) / 256.0), round(4 * (len(sampled) / 16.0)), 0
    for length in lengths:
        moving += length > threshold
        if moving >= wanted:
            return True, lengths
    return False, lengths


def top_flow(raft, first, second):
    height, width = first.shape[-2:]
    down, across = (-height) % 8, (-width) % 8
    pad = [across // 2, across - across // 2, down // 2, down - down // 2]
    first, second = (2 * (F.pad(image, pad, mode="replicate") / 255.0) - 1.0 for image in (first, second))
    with torch.no_grad():
        flow = raft(first, second, num_flow_updates=20)[-1][0].permute(1, 2, 0).numpy()
    lengths = np.sqrt(np.square(flow[..., 0]) + np.square(flow[..., 1])).flatten()
    return float(np.mean(np.abs(np.sort(-lengths))[: int(len(lengths) * 0.05)]))


def random_raft(seed=0, gain=1.0):
    """The true architecture with random weights; `gain` scales the steps of the flow."""
    torch.manual_seed(seed)
    raft = raft_large().eval()
    with torch.no_grad():
        raft.update_block.flow_head.conv2.weight.mul_(gain)
    return raft


def aesthetic_quality(clip_model, head, frames):
    images = CLIP_TRANSFORM(float_frames(frames))
    with torch.no_grad():
        features = F.normalize(clip_model.encode_image(images).to(torch.float32), dim=-1, p=2)
        scores = head(features).squeeze(dim=-1)
    return (scores / 10).mean().item()


def imaging_quality(musiq, frames):
    """Divided by 100, as VBench divides its total; its per-clip values are not divided."""
    images = float_frames(frames)
    height, width = images.shape[-2:]
    if max(height, width) > 512:
        scale = 512.0 / max(height, width)
        images = Resize(size=(int(scale * height), int(scale * width)), antialias=False)(images)
    with torch.no_grad():
        scores = [float(musiq(image[None])) for image in images / 255.0]
    return sum(scores) / len(scores) / 100.0
