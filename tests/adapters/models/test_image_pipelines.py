"""Families that start from an image are driven as published checkpoints are: the true class, from a saved folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.adapters.models.tiny_image_pipelines import IMAGE_FAMILIES
from tests.adapters.models.tiny_pipelines import saved
from vbench_lite.adapters.models.diffusers import DiffusersPipeline
from vbench_lite.adapters.models.families import call_arguments
from vbench_lite.records import Definition, Request

SETTINGS = {"num_inference_steps": 2, "guidance_scale": 3.0, "negative_prompt": ""}


def loaded(name: str, folder: Path) -> DiffusersPipeline:
    family = IMAGE_FAMILIES[name]
    model, settings = str(saved("model", family, folder)), {**SETTINGS, **family.settings}
    reads_text = name != "StableVideoDiffusionPipeline"
    if not reads_text:
        settings = {key: value for key, value in settings.items() if key not in ("guidance_scale", "negative_prompt")}
    inputs = (("image", "text"),) if reads_text else (("image",),)
    definition = Definition("tiny", "diffusion", "diffusers", model=model, inputs=inputs, settings=settings)
    generator = DiffusersPipeline(definition)
    generator.load("cpu")
    return generator


@pytest.mark.parametrize("name", IMAGE_FAMILIES)
def test_the_true_class_makes_a_clip_that_depends_on_image_and_seed_and_on_no_other_request(
    name: str, tmp_path: Path
) -> None:
    generator, spec = loaded(name, tmp_path), IMAGE_FAMILIES[name].spec
    assert type(generator.image_pipeline).__name__ == name.split()[0]
    pictures = np.random.default_rng(0).integers(0, 256, (3, spec.height, spec.width, 3), np.uint8)
    texts = ("a red sneaker spins", "the cup moves up and left on a white background")
    asked = [Request("p", text, k, 7 + k, spec, pictures[k]) for k, text in enumerate(texts)]
    together = generator.generate(asked)
    assert [output.failure for output in together] == [None, None]
    (alone,) = generator.generate(asked[1:])
    assert alone.frames is not None
    assert alone.frames.shape == (spec.frames, spec.height, spec.width, 3)
    assert alone.counts["denoising_steps"] == IMAGE_FAMILIES[name].steps
    assert np.abs(alone.frames.astype(int) - together[1].frames.astype(int)).max() <= 2, "a clip depends on its batch"
    (other_image,) = generator.generate([replace(asked[1], image=pictures[2])])
    (other_seed,) = generator.generate([replace(asked[1], seed=99)])
    assert not np.array_equal(other_image.frames, alone.frames)
    assert not np.array_equal(other_seed.frames, alone.frames)
    assert {"vae_decode"} <= set(alone.stages_s)
    generator.close()


def test_stable_video_diffusion_is_called_without_a_text(tmp_path: Path) -> None:
    generator = loaded("StableVideoDiffusionPipeline", tmp_path)
    spec = IMAGE_FAMILIES["StableVideoDiffusionPipeline"].spec
    picture = np.zeros((spec.height, spec.width, 3), np.uint8)
    arguments = generator.arguments([Request("p", "a red sneaker spins", 0, 7, spec, picture)])
    assert set(arguments) <= call_arguments(type(generator.pipeline))
    assert "prompt" not in arguments
    assert arguments["fps"] == 8
