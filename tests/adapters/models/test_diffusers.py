"""Every family is driven as a published checkpoint is: the true class, loaded from its saved folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.adapters.models.tiny_newer_pipelines import NEWER_FAMILIES, without_guard
from tests.adapters.models.tiny_pipelines import FAMILIES, saved
from vbench_lite.adapters.models.diffusers import DiffusersPipeline
from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.records import ClipSpec, Definition, Request

ALL_FAMILIES = {**FAMILIES, **NEWER_FAMILIES}
THOROUGHLY = ("LTXPipeline", "WanPipeline")
SETTINGS = {"num_inference_steps": 2, "guidance_scale": 3.0, "negative_prompt": ""}


def loaded(name: str, folder: Path) -> DiffusersPipeline:
    family = ALL_FAMILIES[name]
    model, settings = str(saved(name, family, folder)), {**SETTINGS, **family.settings}
    generator = DiffusersPipeline(Definition("tiny", "diffusion", "diffusers", model=model, settings=settings))
    generator.load("cpu")
    return generator


@pytest.fixture(scope="module", params=THOROUGHLY)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    generator = loaded(request.param, tmp_path_factory.mktemp("models"))
    yield generator, FAMILIES[request.param].spec
    generator.close()


def ask(spec: ClipSpec, prompt: str = "a red sneaker spins", seed: int = 7) -> Request:
    return Request("p", prompt, 0, seed, spec)


def test_clip_has_the_asked_form(family: Any) -> None:
    generator, spec = family
    (output,) = generator.generate([ask(spec)])
    assert output.failure is None
    assert output.frames.shape == (spec.frames, spec.height, spec.width, 3)
    assert output.frames.dtype == np.uint8


def test_stages_and_steps_are_accounted_for(family: Any) -> None:
    generator, spec = family
    (output,) = generator.generate([ask(spec)])
    assert output.counts["denoising_steps"] == 2
    assert output.counts["denoiser_calls"] in (2, 4)
    assert {"text_encode", "denoise", "vae_decode", "other"} <= set(output.stages_s)
    assert min(output.stages_s[s] for s in ("text_encode", "denoise", "vae_decode")) > 0


def test_same_seed_same_clip_and_other_seed_other_clip(family: Any) -> None:
    generator, spec = family
    first, again, other = (generator.generate([ask(spec, seed=s)])[0].frames for s in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_clip_does_not_depend_on_its_batch(family: Any) -> None:
    generator, spec = family
    asked = [ask(spec), ask(spec, "the cup moves up and left on a white background", 8)]
    together = generator.generate(asked)
    for request, output in zip(asked, together, strict=True):
        (alone,) = generator.generate([request])
        difference = np.abs(alone.frames.astype(int) - output.frames.astype(int))
        assert difference.max() <= 2, "more than rounding"


@pytest.mark.parametrize("name", [name for name in ALL_FAMILIES if name not in THOROUGHLY])
def test_other_families_are_driven_by_the_same_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_guard(monkeypatch, name)
    generator, spec = loaded(name, tmp_path), ALL_FAMILIES[name].spec
    asked = [ask(spec), ask(spec, "the cup moves up and left on a white background", 8)]
    together = generator.generate(asked)
    (alone,) = generator.generate(asked[1:])
    generator.close()
    assert [output.failure for output in together] == [None, None]
    assert alone.frames.shape == (spec.frames, spec.height, spec.width, 3)
    assert alone.counts["denoising_steps"] == ALL_FAMILIES[name].steps
    assert {"text_encode", "denoise", "vae_decode"} <= set(alone.stages_s)
    assert not np.array_equal(together[0].frames, together[1].frames)
    assert np.abs(alone.frames.astype(int) - together[1].frames.astype(int)).max() <= 2, "a clip depends on its batch"


@pytest.mark.parametrize("name", ["HunyuanVideo15Pipeline", "MotifVideoPipeline"])
def test_guidance_of_a_pipeline_with_a_guider_is_a_setting_like_any_other(name: str, tmp_path: Path) -> None:
    generator = loaded(name, tmp_path)
    assert generator.pipeline.guider.guidance_scale == SETTINGS["guidance_scale"]
    assert type(generator.pipeline.guider).__name__ in ("ClassifierFreeGuidance", "AdaptiveProjectedGuidance")


def test_cosmos_says_which_package_its_guard_needs(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        without_guard(patch, "CosmosTextToWorldPipeline")
        folder = saved("cosmos", ALL_FAMILIES["CosmosTextToWorldPipeline"], tmp_path)
    with pytest.raises(GeneratorError, match="pip install cosmos_guardrail"):
        DiffusersPipeline(definition(folder)).load("cpu")


def definition(folder: Path, **settings: Any) -> Definition:
    return Definition("mine", "diffusion", "diffusers", model=str(folder), settings=settings)


def test_misspelt_setting_is_named_before_weights_are_read(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanPipeline"}')
    with pytest.raises(UsageError, match=r'has no setting "guidance_scal".*Did you mean "guidance_scale"'):
        DiffusersPipeline(definition(tmp_path, guidance_scal=3)).load("cpu")


def test_folder_without_index_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=r"model_index\.json"):
        DiffusersPipeline(definition(tmp_path)).load("cpu")


def test_pipeline_for_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    with pytest.raises(GeneratorError, match="makes no video from a text"):
        DiffusersPipeline(definition(tmp_path)).load("cpu")


def test_class_of_a_newer_diffusers_is_named(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "TomorrowPipeline"}')
    with pytest.raises(GeneratorError, match=r"TomorrowPipeline.*pip install -U diffusers"):
        DiffusersPipeline(definition(tmp_path)).load("cpu")


def test_missing_folder_is_not_looked_up_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="no checkpoint"):
        DiffusersPipeline(definition(tmp_path / "nothing")).load("cpu")
