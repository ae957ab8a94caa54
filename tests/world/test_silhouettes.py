import numpy as np
import pytest

from vbench_lite.video import encode_mp4, read_clip
from vbench_lite.world import Composition, held_out_compositions, render
from vbench_lite.world.silhouettes import thing_by_frame

BOTTLE, DUCK = (Composition(thing, 0, 0, 4) for thing in (1, 7))


def test_held_out_clips_are_named_in_their_frames_even_after_the_codec() -> None:
    asked = held_out_compositions()[::6]
    named = [thing_by_frame(read_clip(encode_mp4(render(c, 7), 8))[0], c) for c in asked]
    assert np.mean(named) >= 0.98


def test_a_thing_that_turns_into_another_is_noticed_from_that_frame_on() -> None:
    changed = np.concatenate([render(BOTTLE, 7)[:8], render(DUCK, 7)[8:]])
    assert thing_by_frame(changed, BOTTLE).tolist() == [True] * 8 + [False] * 9


def test_a_thing_that_leaves_the_picture_is_not_named() -> None:
    clip = render(BOTTLE, 7)
    clip[12:] = clip[0, 0, 0]
    assert thing_by_frame(clip, BOTTLE).tolist() == [True] * 12 + [False] * 5


@pytest.mark.parametrize("shift", [-6, 6])
def test_place_does_not_matter(shift: int) -> None:
    assert thing_by_frame(np.roll(render(DUCK, 7), shift, axis=2), DUCK).all()
