import tomllib
from pathlib import Path

import cv2
import numpy as np

from vbench_lite.recipes.product_shots import picture_of, pose_of
from vbench_lite.world import find_composition

PROMPTS = Path(__file__).parents[2] / "prompts"


def test_every_committed_picture_is_the_one_that_the_script_draws() -> None:
    suite = tomllib.loads((PROMPTS / "product-shots.toml").read_text("utf-8"))
    assert len(suite["prompt"]) >= 24
    for prompt in suite["prompt"]:
        stored = cv2.cvtColor(cv2.imread(str(PROMPTS / prompt["image"])), cv2.COLOR_BGR2RGB)
        assert np.array_equal(stored, picture_of(prompt["id"], prompt["text"])), prompt["id"]


def test_all_prompts_are_held_out_and_no_two_pictures_share_a_pose() -> None:
    prompts = tomllib.loads((PROMPTS / "product-shots.toml").read_text("utf-8"))["prompt"]
    asked = [find_composition(prompt["text"]) for prompt in prompts]
    assert all(composition is not None and composition.held_out for composition in asked)
    assert len({pose_of(prompt["id"]) for prompt in prompts}) == len(prompts)


def test_there_is_no_picture_that_no_prompt_names() -> None:
    prompts = tomllib.loads((PROMPTS / "product-shots.toml").read_text("utf-8"))["prompt"]
    assert {p.name for p in (PROMPTS / "product-shots").iterdir()} == {Path(prompt["image"]).name for prompt in prompts}
