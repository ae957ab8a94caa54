"""Draws the images of the suite `product-shots`: the product of each prompt, each in another pose.

    python -m vbench_lite.recipes.product_shots [--suite prompts/product-shots.toml]

The pose is derived from the prompt's id, so the same suite always gives the same images.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from vbench_lite.world import find_composition
from vbench_lite.world.pictures import pose_of
from vbench_lite.world.render import render_from


def picture_of(prompt_id: str, text: str) -> NDArray[np.uint8]:
    """The image of a prompt, uint8, (64, 64, 3), RGB.

    Raises:
        ValueError: The text is not a caption of the built-in world.
    """
    composition = find_composition(text)
    if composition is None:
        raise ValueError(f"{prompt_id}: the built-in world cannot show: {text}")
    return render_from(composition, pose_of(prompt_id), frames=1)[0]


@click.command(help=__doc__)
@click.option(
    "--suite", type=click.Path(path_type=Path, exists=True), default=Path("prompts/product-shots.toml"),
    show_default=True,
)
def main(suite: Path) -> None:
    for prompt in tomllib.loads(suite.read_text("utf-8"))["prompt"]:
        path = suite.parent / prompt["image"]
        path.parent.mkdir(exist_ok=True)
        picture = picture_of(prompt["id"], prompt["text"])
        cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
