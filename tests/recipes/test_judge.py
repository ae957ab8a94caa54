from pathlib import Path

import numpy as np
import pytest
import torch

from vbench_lite.inputs.catalogue import find_definition
from vbench_lite.recipes.judge import contact_sheet, held_out_cases, load_judge, right_by_clip, share_right
from vbench_lite.video import encode_mp4, read_clip
from vbench_lite.world import Composition, held_out_compositions, render


@pytest.fixture(scope="module")
def asked() -> list[Composition]:
    return held_out_compositions()[::3]


def test_the_judge_names_what_it_was_never_trained_on_even_after_the_codec(asked: list[Composition]) -> None:
    clips = [read_clip(encode_mp4(render(c, 7), 8))[0] for c in asked]
    right = right_by_clip(load_judge(), clips, asked)
    assert all(right[name].mean() >= 0.98 for name in ("thing", "colour", "background", "motion"))


def test_the_judge_notices_what_is_wrong(asked: list[Composition]) -> None:
    judge = load_judge()
    moving = [c for c in asked if c.motion < 4]
    clips = [render(c, 7) for c in moving]
    backwards = right_by_clip(judge, [clip[::-1].copy() for clip in clips], moving)
    assert backwards["motion"].mean() < 0.05
    assert backwards["thing"].mean() > 0.95
    frozen = right_by_clip(judge, [np.repeat(clip[:1], 17, 0) for clip in clips], moving)
    assert frozen["all"].mean() < 0.5


def test_looking_at_a_generator_in_training_tells_its_share_and_leaves_the_random_numbers_alone() -> None:
    definition = find_definition("tiny-transformer")
    before = torch.get_rng_state()
    assert share_right(definition, Path(definition.model), 8)["all_four_right"] >= 0.75
    assert torch.equal(torch.get_rng_state(), before)


def test_held_out_cases_hold_every_wording_once_before_any_comes_again() -> None:
    every = held_out_cases(2 * len(held_out_compositions()), seed=3)
    assert len({case.caption for case in every}) == len(every)
    assert held_out_cases(5, seed=3) == every[:5]


def test_a_contact_sheet_shows_every_frame_of_every_clip() -> None:
    clips = [render(c, 0) for c in held_out_compositions()[:3]]
    sheet = contact_sheet(clips, ["a", "b", "c"], zoom=1)
    assert sheet.shape == (3 * (18 + 66), 17 * 66, 3)
