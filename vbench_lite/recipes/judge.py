"""Judges generators of the built-in world: whether clips show the requested thing, colour, background and motion.

    python -m vbench_lite.recipes.judge tiny-diffusion --clips 576 --sheet sheet.png

The judge is the built-in video network, which reads whole clips. Silhouettes then show for each frame whether the thing
stays the same. Both accept blurry clips, so look at the contact sheet too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from vbench_lite.backbones import video_net
from vbench_lite.generator import Generator
from vbench_lite.inputs.catalogue import build, check_weights, find_definition
from vbench_lite.recipes.batches import to_model
from vbench_lite.records import ClipSpec, Definition, Request
from vbench_lite.world.silhouettes import thing_by_frame
from vbench_lite.world.vocabulary import (
    BACKGROUNDS,
    COLOURS,
    MOTIONS,
    THINGS,
    Composition,
    held_out_compositions,
)


class Case(NamedTuple):
    """A composition with one of its captions."""

    composition: Composition
    caption: str


WEIGHTS = Path(video_net.__file__).parent / "builtin" / "video" / "model.safetensors"


def load_judge() -> video_net.WorldVideoNet:
    net = video_net.WorldVideoNet(len(THINGS), len(COLOURS), len(BACKGROUNDS), len(MOTIONS))
    net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(WEIGHTS).items()})
    return net.eval()


def clip_tensor(clips: Sequence[Any]) -> Tensor:
    """Convert uint8 clips of one size, (frames, 64, 64, 3) each, to the network's input, (batch, 3, 8, 64, 64)."""
    stack = to_model(torch.from_numpy(np.stack(clips)))
    places = torch.linspace(0, stack.shape[2] - 1, video_net.FRAMES).round().long()
    return stack[:, :, places]


@torch.inference_mode()
def right_by_clip(judge: video_net.WorldVideoNet, clips: Sequence[Any], asked: Sequence[Composition]) -> dict[str, Any]:
    """Whether each clip shows the request, by attribute and for "all" four attributes: boolean arrays (clips,)."""
    answers = judge(clip_tensor(clips))
    right = {
        name: (answers[name].argmax(1) == torch.tensor([getattr(c, name) for c in asked])).numpy()
        for name in Composition.__dataclass_fields__
    }
    return right | {"all": np.logical_and.reduce(list(right.values()))}


def held_out_cases(count: int, seed: int) -> list[Case]:
    """Held-out captions in random order. Each wording occurs once before any is repeated."""
    cases = [Case(c, caption) for c in held_out_compositions() for caption in c.captions]
    order = np.random.default_rng(seed).permutation(len(cases))
    return [cases[order[i % len(order)]] for i in range(count)]


def make_clips(
    generator: Generator, asked: Sequence[Case], spec: ClipSpec, batch_size: int, seed: int = 0
) -> list[Any]:
    """One clip for each case, as uint8 frames."""
    clips: list[Any] = []
    for start in range(0, len(asked), batch_size):
        part = asked[start : start + batch_size]
        requests = [Request(c.caption, c.caption, 0, seed + start + i, spec) for i, c in enumerate(part)]
        clips += [output.frames for output in generator.generate(requests)]
    return clips


def share_right(definition: Definition, model: Path, clips: int = 48, seed: int = 0) -> dict[str, float]:
    """Fraction of clips of held-out captions with all four attributes right, with the weights in `model`.

    It is one point of a learning curve: the committed definition with the current weights. torch's random state is
    restored, so that the evaluation does not change the training.
    """
    generator = build(replace(definition, model=str(model)))
    asked = held_out_cases(clips, seed)
    with torch.random.fork_rng(devices=[]):
        generator.load("cpu")
        made = make_clips(generator, asked, definition.clip, int(definition.settings["batch_size"]), seed)
        right = right_by_clip(load_judge(), made, [case.composition for case in asked])
    generator.close()
    return {"all_four_right": float(right["all"].mean())}


def contact_sheet(clips: Sequence[Any], captions: Sequence[str], zoom: int = 2) -> Any:
    """A picture with one row per clip: the caption above all frames of the clip; uint8 RGB."""
    rows = []
    for clip, caption in zip(clips, captions, strict=True):
        strip = np.concatenate(list(np.pad(clip, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)), 1)
        strip = cv2.resize(strip, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
        title = np.full((18, strip.shape[1], 3), 255, np.uint8)
        cv2.putText(title, caption, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
        rows += [title, strip]
    return np.concatenate(rows)


@click.command(help=__doc__)
@click.argument("name")
@click.option("--clips", default=96, show_default=True, help="Held-out captions, each once, then again with new seeds.")
@click.option("--seed", default=0, show_default=True)
@click.option("--sheet", type=click.Path(path_type=Path), help="Write a contact sheet of the first 24 clips.")
def main(name: str, clips: int, seed: int, sheet: Path | None) -> None:
    definition = find_definition(name)
    check_weights(definition)
    generator = build(definition)
    generator.load("cpu")
    asked = held_out_cases(clips, seed)
    made = make_clips(generator, asked, definition.clip, int(definition.settings.get("batch_size", 8)), 1000 * seed)
    right = right_by_clip(load_judge(), made, [case.composition for case in asked])
    for attribute, values in right.items():
        click.echo(f"{attribute:11} {values.mean():.3f}  of {len(values)}")
    steady = np.array([thing_by_frame(clip, case.composition).mean() for clip, case in zip(made, asked, strict=True)])
    whole = (steady == 1).mean()
    click.echo(f"thing named rightly in {steady.mean():.3f} of frames, and in every frame of {whole:.3f} of clips")
    spins = np.array([MOTIONS[case.composition.motion].turn_deg > 0 for case in asked])
    if spins.any():
        click.echo(f"in spins alone: {steady[spins].mean():.3f} and {(steady[spins] == 1).mean():.3f}")
    wrong = [case.caption for case, ok in zip(asked, right["all"], strict=True) if not ok]
    click.echo("not all four right: " + ("; ".join(wrong) or "none"))
    if sheet:
        picture = contact_sheet(made[:24], [case.caption for case in asked[:24]])
        cv2.imwrite(str(sheet), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
