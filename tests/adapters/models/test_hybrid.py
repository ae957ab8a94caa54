"""A draft of one generator goes on in a true diffusion pipeline; both are paid for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.adapters.models.tiny_pipelines import FAMILIES, saved
from vbench_lite.adapters.models.hybrid import Hybrid
from vbench_lite.adapters.models.refining import fitted
from vbench_lite.errors import UsageError
from vbench_lite.generator import Output
from vbench_lite.inputs.catalogue import build, read_definition
from vbench_lite.records import ClipSpec, Definition, Request

SPECS = {name: FAMILIES[name].spec for name in ("LTXPipeline", "WanPipeline")}


class Flat:
    """Drafts of one grey each, from the seed; a seed of 13 fails."""

    definition: Definition

    def __init__(self, definition: Definition) -> None:
        self.loaded = False

    def load(self, device: str) -> None:
        self.loaded = True

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        assert self.loaded
        return [self.one(request) for request in requests]

    def one(self, request: Request) -> Output:
        if request.seed == 13:
            return Output(failure="ran out of tokens")
        spec = request.spec
        grey = np.full((spec.frames, spec.height, spec.width, 3), int(request.prompt), np.uint8)
        return Output(frames=grey, stages_s={"decode": 0.5}, counts={"tokens": 40})

    def close(self) -> None:
        self.loaded = False


@pytest.fixture(scope="module", params=list(SPECS))
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ClipSpec]:
    return made(tmp_path_factory.mktemp("generators"), request.param), SPECS[request.param]


def made(folder: Path, name: str) -> Path:
    """A workspace with a draft and a refiner of that class."""
    saved(name, FAMILIES[name], folder)
    (folder / "draft.toml").write_text(f'route = "transformer"\nadapter = "{__name__}:Flat"\n')
    length = "max_sequence_length = 16\n" if FAMILIES[name].settings else ""
    (folder / "refiner.toml").write_text(
        f'route = "diffusion"\nadapter = "diffusers"\nmodel = "{name}"\n'
        f"[settings]\nnum_inference_steps = 4\nguidance_scale = 1.0\n{length}"
    )
    return folder


def hybrid(folder: Path, strength: float, **settings: Any) -> Hybrid:
    given = {"draft": "draft.toml", "refiner": "refiner.toml", "strength": strength, **settings}
    made = build(Definition("mixed", "hybrid", "hybrid", folder=folder, settings=given))
    made.load("cpu")
    return made


def ask(spec: ClipSpec, prompt: str = "40", seed: int = 7) -> Request:
    return Request("p", prompt, 0, seed, spec)


def test_strength_one_is_plain_diffusion(workspace: tuple[Path, ClipSpec]) -> None:
    folder, spec = workspace
    plain = build(read_definition(folder / "refiner.toml"))
    plain.load("cpu")
    alone, mixed = plain.generate([ask(spec)])[0], hybrid(folder, 1.0).generate([ask(spec)])[0]
    assert np.array_equal(alone.frames, mixed.frames)


def test_strength_zero_is_the_draft(workspace: tuple[Path, ClipSpec]) -> None:
    folder, spec = workspace
    (output,) = hybrid(folder, 0.0).generate([ask(spec)])
    assert (output.frames == 40).all()
    assert "denoising_steps" not in output.counts


def test_between_the_two_the_draft_and_the_seed_both_count(workspace: tuple[Path, ClipSpec]) -> None:
    folder, spec = workspace
    maker = hybrid(folder, 0.5)
    dark, bright, other = (
        maker.generate([ask(spec, *which)])[0].frames for which in (("40", 7), ("200", 7), ("40", 8))
    )
    assert not np.array_equal(dark, bright)
    assert not np.array_equal(dark, other)


@pytest.mark.parametrize(("strength", "steps"), [(0.25, 1), (0.5, 2), (1.0, 4)])
def test_steps_and_costs_of_both_are_counted(workspace: tuple[Path, ClipSpec], strength: float, steps: int) -> None:
    folder, spec = workspace
    (output,) = hybrid(folder, strength).generate([ask(spec)])
    assert output.counts["denoising_steps"] == steps
    assert output.counts["tokens"] == 40
    assert output.stages_s["draft_decode"] == 0.5
    assert output.stages_s["denoise"] > 0


def test_clip_does_not_depend_on_its_batch(workspace: tuple[Path, ClipSpec]) -> None:
    folder, spec = workspace
    maker = hybrid(folder, 0.5)
    asked = [ask(spec, "40", 7), ask(spec, "200", 8)]
    for request, output in zip(asked, maker.generate(asked), strict=True):
        alone = maker.generate([request])[0].frames
        assert np.abs(alone.astype(int) - output.frames.astype(int)).max() <= 2


def test_failed_draft_fails_its_clip_only(workspace: tuple[Path, ClipSpec]) -> None:
    folder, spec = workspace
    first, second = hybrid(folder, 0.5).generate([ask(spec, seed=13), ask(spec)])
    assert first.failure == "the draft: ran out of tokens"
    assert second.failure is None
    assert second.frames is not None


@pytest.mark.parametrize("name", ["CogVideoXPipeline", "AnimateDiffPipeline"])
def test_other_families_go_on_in_their_own_video_to_video_pipelines(name: str, tmp_path: Path) -> None:
    spec = FAMILIES[name].spec
    maker = hybrid(made(tmp_path, name), 0.5)
    dark, bright = (maker.generate([ask(spec, grey)])[0] for grey in ("40", "200"))
    assert dark.failure is None
    assert dark.frames.shape == (spec.frames, spec.height, spec.width, 3)
    assert dark.counts["denoising_steps"] == 2
    assert not np.array_equal(dark.frames, bright.frames)


def test_draft_of_another_form_is_fitted() -> None:
    draft = np.zeros((17, 64, 96, 3), np.uint8)
    draft[16] = 255
    made = fitted(draft, ClipSpec(9, 8.0, 32, 32))
    assert made.shape == (9, 32, 32, 3)
    assert (made[8] == 255).all()
    assert (made[:8] == 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strength": 1.5}, '"strength" is 1.5'),
        ({"draft": None}, 'lacks "draft"'),
        ({"refiner": "draft.toml"}, "not of the diffusers adapter"),
        ({"draft": "rented.toml"}, "not generated on this machine"),
    ],
)
def test_wrong_settings_are_a_sentence(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    (tmp_path / "draft.toml").write_text('route = "transformer"\nadapter = "token-transformer"\n')
    (tmp_path / "refiner.toml").write_text('route = "diffusion"\nadapter = "diffusers"\nmodel = "org/name"\n')
    (tmp_path / "rented.toml").write_text('route = "undisclosed"\nadapter = "http"\n')
    with pytest.raises(UsageError, match=message):
        hybrid(tmp_path, **{"strength": 0.5, **settings})
