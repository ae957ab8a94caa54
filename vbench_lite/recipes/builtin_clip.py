"""Trains the built-in CLIP: a tiny open_clip model over the world's frames and captions.

    python vbench_lite/recipes/builtin_clip.py [--steps N] [--work DIR]

It takes about ten minutes on one core. The result can be loaded with open_clip's `local-dir:` loader.
Captions that differ in motion alone look the same in one frame, so they count as the same caption.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor

from vbench_lite.recipes.batches import Batch, world_batches
from vbench_lite.recipes.tokenizer import caption_tokenizer
from vbench_lite.recipes.training import Average, MuonWithAdam, Stage
from vbench_lite.world import Composition, held_out_compositions, training_compositions

HERE = Path(__file__).parents[1] / "backbones" / "builtin" / "clip"
SEED = 20261122
CONTEXT = 16


def model_config(vocabulary: int) -> dict[str, Any]:
    return {
        "embed_dim": 64,
        "vision_cfg": {"image_size": 64, "layers": 4, "width": 128, "head_width": 32, "patch_size": 8},
        "text_cfg": {
            "context_length": CONTEXT, "vocab_size": vocabulary, "width": 128, "heads": 4, "layers": 3,
            "pool_type": "eos", "eos_id": 1,  # the default, argmax, would read at the word with the largest id
            "hf_tokenizer_name": "beside-this-file", "tokenizer_kwargs": {"clean": "lower"},
        },
    }


def looks(compositions: list[Composition]) -> Tensor:
    """A number for the content of a single frame: thing, colour and background."""
    return torch.tensor([(c.thing * 100 + c.colour) * 100 + c.background for c in compositions])


def held_out_looks() -> list[Composition]:
    """200 held-out compositions that all look different in a single frame."""
    compositions = held_out_compositions()
    by_look = dict(zip(looks(compositions).tolist(), compositions, strict=True))
    return list(by_look.values())[:200]


def frames_of(batch: Batch) -> Tensor:
    """One random frame of each clip, (batch, 3, 64, 64), in [-1, 1]."""
    places = torch.randint(batch.clips.shape[2], (len(batch.compositions),))
    return batch.clips[torch.arange(len(places)), :, places]


def contrast(image: Tensor, text: Tensor, scale: Tensor, same: Tensor) -> Tensor:
    """InfoNCE in both directions, where every equal-looking pair of the batch is a positive."""
    logits = scale * image @ text.T
    target = same.float() / same.sum(1, keepdim=True)
    losses = [-(target * side.log_softmax(1)).sum(1).mean() for side in (logits, logits.T)]
    return torch.stack(losses).mean()


@torch.no_grad()
def retrieval(model: open_clip.model.CLIP, batch: Batch, text_ids: Tensor) -> float:
    """Fraction of middle frames whose nearest caption of 200 held-out captions is right."""
    captions = held_out_looks()
    image = model.encode_image(batch.clips[:, :, batch.clips.shape[2] // 2], normalize=True)
    text = model.encode_text(text_ids, normalize=True)
    best = (image @ text.T).argmax(1)
    return float((looks(captions)[best] == looks(batch.compositions)).float().mean())


@click.command(help=__doc__)
@click.option("--steps", default=700, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("training/clip"))
@click.option("--out", type=click.Path(path_type=Path), default=HERE)
def main(steps: int, work: Path, out: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    tokenizer = caption_tokenizer()
    config = model_config(len(tokenizer))
    model = open_clip.model.CLIP(
        embed_dim=config["embed_dim"], vision_cfg=config["vision_cfg"],
        text_cfg={k: v for k, v in config["text_cfg"].items() if k not in ("hf_tokenizer_name", "tokenizer_kwargs")},
    )
    data = world_batches(training_compositions(), 64, SEED)
    unseen = next(world_batches(held_out_looks(), 192, 1))

    def ids(captions: list[str]) -> Tensor:
        return tokenizer(captions, padding="max_length", max_length=CONTEXT, return_tensors="pt").input_ids

    unseen_ids = ids([c.caption for c in held_out_looks()])

    def loss_of_step(step: int) -> dict[str, Tensor]:
        batch = next(data)
        pictures = frames_of(batch) + 0.1 * torch.rand(()) * torch.randn(())
        with torch.autocast("cpu", torch.bfloat16):
            image, text, scale = model(pictures, ids(batch.captions))[:3]
        look = looks(batch.compositions)
        return {"loss": contrast(image.float(), text.float(), scale.float().clamp(max=100), look[:, None] == look)}

    def for_adam(name: str) -> bool:
        return any(part in name for part in ("embedding", "logit_scale", "conv1", "proj"))

    optimiser = MuonWithAdam([model], 0.01, 1e-3, for_adam)
    stage = Stage(
        "clip", work, steps, {"model": model}, optimiser, Average({"model": model}, 0.99),
        evaluate=lambda: {"retrieval": retrieval(model, unseen, unseen_ids)},
    )
    stage.run(loss_of_step)
    model.eval()
    print("held-out retrieval@1 among 200:", retrieval(model, unseen, unseen_ids))
    save_file({k: v.half().contiguous() for k, v in model.state_dict().items()}, out / "open_clip_model.safetensors")
    preprocess = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "resize_mode": "squash"}
    settings = {"model_cfg": config, "preprocess_cfg": preprocess}
    (out / "open_clip_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    main()
