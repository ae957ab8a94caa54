"""Adapters of models are given the image of a request: as a clean first frame, or as a prefix of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.adapters.models.test_token_transformer import SPEC, definition, folder, loaded, requests
from tests.adapters.models.tiny_pipelines import FAMILIES, saved
from vbench_lite.adapters.models.diffusers import DiffusersPipeline
from vbench_lite.adapters.models.hybrid import Hybrid
from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.generator import Output
from vbench_lite.records import ClipSpec, Definition, Request

__all__ = ["definition", "folder"]  # fixtures

BOTH = (("text",), ("image", "text"))
LTX = FAMILIES["LTXPipeline"].spec


def picture(spec: ClipSpec, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (spec.height, spec.width, 3), np.uint8)


def with_images(asked: Sequence[Request]) -> list[Request]:
    return [replace(request, image=picture(request.spec, place)) for place, request in enumerate(asked)]


def test_the_first_tokens_are_those_of_the_image_and_the_others_follow_the_seed(definition: Definition) -> None:
    generator = loaded(definition)
    asked = with_images(requests(3))
    outputs = generator.generate(asked)
    pixels = torch.from_numpy(np.stack([r.image for r in asked])).permute(0, 3, 1, 2)[:, :, None] / 127.5 - 1
    with torch.no_grad():
        codes = generator._vq.quantize(generator._vq.encode(generator.layout.stack(pixels)).latents)[2][2].view(3, -1)
        expected = generator._decode(codes, replace(SPEC, frames=1))
    assert np.array_equal(np.stack([output.frames[0] for output in outputs]), expected[:, 0])
    assert len({output.frames[0].tobytes() for output in outputs}) > 1
    assert outputs[0].counts["tokens"] == 2 * 4
    assert outputs[0].counts["prompt_tokens"] == 16 + 4
    (alone,) = generator.generate(asked[1:2])
    assert np.array_equal(alone.frames, outputs[1].frames)
    other_seed = generator.generate([replace(asked[0], seed=999)])[0].frames
    assert not np.array_equal(other_seed[1:], outputs[0].frames[1:])


def test_texts_and_images_in_one_batch_do_not_touch_each_other(definition: Definition) -> None:
    generator = loaded(definition)
    plain, with_image = requests(2)[0], with_images(requests(2))[1]
    mixed = generator.generate([with_image, plain])
    assert np.array_equal(mixed[1].frames, generator.generate([plain])[0].frames)
    assert np.array_equal(mixed[0].frames, generator.generate([with_image])[0].frames)


def test_guidance_and_tokens_between_frames_leave_the_image_where_it_is(definition: Definition) -> None:
    plain = loaded(definition).generate(with_images(requests(2)))
    settings = {**definition.settings, "guidance_scale": 2.0, "before_frame": "<v1>", "after_row": "<v2>"}
    guided = loaded(replace(definition, settings=settings)).generate(with_images(requests(2)))
    for one, other in zip(plain, guided, strict=True):
        assert np.array_equal(one.frames[0], other.frames[0])


def test_an_order_whose_first_frame_is_no_prefix_is_refused(definition: Definition) -> None:
    settings = {**definition.settings, "order": "row column frame"}
    with pytest.raises(GeneratorError, match="cannot start from an image"):
        loaded(replace(definition, settings=settings)).generate(with_images(requests(1)))


def ltx(model: Path, name: str = "ltx", **settings: Any) -> Definition:
    given = {"num_inference_steps": 3, "guidance_scale": 1.0, "max_sequence_length": 16, **settings}
    return Definition(name, "diffusion", "diffusers", model=str(model), clip=LTX, inputs=BOTH, settings=given)


def ask(seed: int = 7) -> Request:
    return Request("p", "a red sneaker spins", 0, seed, LTX)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved("LTXPipeline", FAMILIES["LTXPipeline"], tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def diffusion(model: Path) -> DiffusersPipeline:
    generator = DiffusersPipeline(ltx(model))
    generator.load("cpu")
    return generator


def test_a_text_checkpoint_starts_from_an_image_in_its_familys_class(
    diffusion: DiffusersPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert type(diffusion.image_pipeline).__name__ == "LTXImageToVideoPipeline"
    assert diffusion.image_pipeline.transformer is diffusion.pipeline.transformer
    asked = [*with_images([ask(7), ask(8)]), ask(9)]
    together = diffusion.generate(asked)
    for request, output in zip(asked, together, strict=True):
        (alone,) = diffusion.generate([request])
        assert np.abs(alone.frames.astype(int) - output.frames.astype(int)).max() <= 2
    (other,) = diffusion.generate([replace(asked[0], image=picture(LTX, 9))])
    assert not np.array_equal(other.frames, together[0].frames)
    assert together[0].counts["denoising_steps"] == 3
    diffusion.warm_up(asked)


def test_a_class_without_a_way_to_start_from_an_image_is_refused_before_weights_are_read(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "LattePipeline"}')
    with pytest.raises(GeneratorError, match="does not accept an image"):
        DiffusersPipeline(ltx(tmp_path)).load("cpu")
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableVideoDiffusionPipeline"}')
    with pytest.raises(GeneratorError, match="which needs an image"):
        DiffusersPipeline(ltx(tmp_path)).load("cpu")


class Grey:
    """Grey drafts."""

    def __init__(self) -> None:
        self.images: list[Any] = []

    def load(self, device: str) -> None: ...

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        self.images += [request.image for request in requests]
        return [Output(np.full((LTX.frames, LTX.height, LTX.width, 3), 90, np.uint8)) for _ in requests]

    def close(self) -> None: ...


def hybrid(model: Path, strength: float, draft_inputs: Any = BOTH) -> Hybrid:
    draft = Definition("draft", "transformer", "x:Grey", clip=LTX, inputs=draft_inputs)
    own = Definition("mixed", "hybrid", "hybrid", clip=LTX, inputs=BOTH, settings={"strength": strength})
    made = Hybrid(own, parts=(draft, ltx(model)), build=lambda _: Grey(), check_weights=lambda _: None)
    made.load("cpu")
    return made


def test_the_draft_is_given_the_image_and_the_refiner_keeps_its_latents_clean(model: Path) -> None:
    made = hybrid(model, 0.7)
    seen: list[torch.Tensor] = []
    made._diffusion.pipeline.transformer.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(kwargs["hidden_states"].clone()), with_kwargs=True
    )
    asked = replace(ask(), image=picture(LTX))
    outputs = made.generate([asked, ask()])
    assert [output.failure for output in outputs] == [None, None]
    drafted = [given for given in made._draft.images if given is not None]
    assert len(made._draft.images) == 2
    assert np.array_equal(drafted, [asked.image])
    texts, images = seen[:2], seen[2:]
    frame = images[0].shape[1] // 3  # three latent frames
    assert len(images) == 2
    assert torch.equal(images[0][:, :frame], images[1][:, :frame])
    assert not torch.equal(images[0][:, frame:], images[1][:, frame:])
    assert not torch.equal(texts[0][:, :frame], texts[1][:, :frame])
    mean = made._diffusion.image_pipeline.vae.encode(
        torch.from_numpy(asked.image).permute(2, 0, 1)[None, :, None] / 127.5 - 1
    ).latent_dist.mode()
    assert torch.allclose(images[0][0, :frame], mean[0, :, 0].flatten(1).T, atol=1e-4)


def test_a_hybrid_whose_draft_takes_no_image_is_refused(model: Path) -> None:
    with pytest.raises(UsageError, match='its part "draft" does not'):
        hybrid(model, 0.5, draft_inputs=(("text",),))
