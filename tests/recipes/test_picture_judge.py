from dataclasses import replace

import numpy as np
import pytest

from vbench_lite.recipes.picture_judge import PictureCase, kept, picture_cases, shares
from vbench_lite.video import encode_mp4, read_clip
from vbench_lite.world import MOTIONS
from vbench_lite.world.render import render_from


def real_clip(case: PictureCase) -> np.ndarray:
    return render_from(case.shown, case.pose)


@pytest.fixture(scope="module")
def cases() -> list[PictureCase]:
    return picture_cases(24, seed=1)


def test_real_clips_keep_their_picture_and_move_as_asked_even_after_the_codec(cases: list[PictureCase]) -> None:
    found = shares(cases, [read_clip(encode_mp4(real_clip(c), 8))[0] for c in cases])
    assert found["both kept, frames"] >= 0.99
    assert found["motion as asked, clips"] == 1


def test_a_frozen_picture_keeps_everything_but_the_motion(cases: list[PictureCase]) -> None:
    found = shares(cases, [np.repeat(c.picture[None], 17, 0) for c in cases])
    assert found["both kept, frames"] >= 0.99
    assert found["motion as asked, clips"] <= 0.25


@pytest.mark.parametrize(("attribute", "things", "colours"), [("thing", False, True), ("colour", True, False)])
def test_another_thing_or_colour_is_noticed_from_its_frame_on(attribute: str, things: bool, colours: bool) -> None:
    case = next(c for c in picture_cases(40, seed=2) if not MOTIONS[c.asked.motion].turn_deg)
    other = replace(case.shown, **{attribute: (getattr(case.shown, attribute) + 1) % 6})
    clip = np.concatenate([real_clip(case)[:8], render_from(other, case.pose)[8:]])
    found = kept(clip, case)
    assert found.thing.tolist() == [True] * 8 + [things] * 9
    assert found.colour.tolist() == [True] * 8 + [colours] * 9


def test_another_motion_is_noticed_for_every_motion(cases: list[PictureCase]) -> None:
    case = cases[0]
    for motion in range(len(MOTIONS)):
        clip = render_from(replace(case.shown, motion=motion), case.pose)
        assert kept(clip, case).motion == (motion == case.asked.motion)


def test_an_empty_clip_keeps_nothing(cases: list[PictureCase]) -> None:
    clip = np.empty((17, 64, 64, 3), np.uint8)
    clip[:] = cases[0].picture[0, 0]
    found = kept(clip, cases[0])
    assert not found.thing.any()
    assert not found.colour.any()


def test_contradicting_pictures_show_another_thing_in_another_colour() -> None:
    for case in picture_cases(30, seed=3, contradict=True):
        assert case.shown.thing != case.asked.thing
        assert case.shown.colour != case.asked.colour
        assert (case.shown.background, case.shown.motion) == (case.asked.background, case.asked.motion)
        assert case.asked.held_out


def test_cases_come_once_before_any_comes_again_and_again_with_their_seed() -> None:
    every = picture_cases(288, seed=4)
    assert len({case.asked for case in every}) == 288
    assert picture_cases(5, seed=4) == every[:5]
