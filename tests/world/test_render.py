import numpy as np
import pytest

from vbench_lite.world import BACKGROUNDS, COLOURS, MOTIONS, Composition, compositions, render, training_clips

RED_SNEAKER_SPINS = Composition(0, 0, 0, 4)


def thing_pixels(clip: np.ndarray, composition: Composition) -> np.ndarray:
    return (clip != np.array(BACKGROUNDS[composition.background].rgb, np.uint8)).any(-1)


def centres(clip: np.ndarray, composition: Composition) -> np.ndarray:
    """Centre of the thing's box in each frame, (frames, 2) as x, y."""
    boxes = [np.argwhere(mask) for mask in thing_pixels(clip, composition)]
    return np.array([(b.min(0) + b.max(0))[::-1] / 2 for b in boxes])


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    first, again, other = (render(RED_SNEAKER_SPINS, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 64, 64), (9, 64, 64), (17, 96, 128)])
def test_clips_have_the_size_asked_for(frames: int, height: int, width: int) -> None:
    clip = render(RED_SNEAKER_SPINS, 0, frames, height, width)
    assert clip.shape == (frames, height, width, 3)
    assert clip.dtype == np.uint8


@pytest.mark.parametrize(
    ("motion", "axis", "sign"),
    [("slides left", 0, -1), ("slides right", 0, 1), ("moves up", 1, -1), ("moves down", 1, 1)],
)
def test_things_move_the_way_their_caption_says(motion: str, axis: int, sign: int) -> None:
    index = [m.name for m in MOTIONS].index(motion)
    composition = Composition(1, 0, 0, index)
    path = centres(render(composition, 3), composition)
    assert sign * (path[-1] - path[0])[axis] > 10
    assert abs((path[-1] - path[0])[1 - axis]) <= 1


def test_a_zoom_makes_the_thing_grow() -> None:
    composition = Composition(2, 1, 2, 5)
    areas = thing_pixels(render(composition, 0), composition).sum((1, 2))
    assert areas[-1] > 2.5 * areas[0]
    assert (np.diff(areas) > 0).all()


def test_a_camera_that_zooms_out_makes_the_thing_shrink() -> None:
    composition = Composition(2, 1, 2, 6)
    areas = thing_pixels(render(composition, 0), composition).sum((1, 2))
    assert areas[0] > 2.5 * areas[-1]
    assert (np.diff(areas) < 0).all()


def test_a_bounce_leaves_the_ground_twice_and_comes_back() -> None:
    composition = Composition(7, 1, 0, 7)
    height = -centres(render(composition, 0), composition)[:, 1]
    ground = height[[0, 8, 16]]
    assert np.ptp(ground) <= 1
    assert (height[[4, 12]] - ground.mean() > 12).all()


def test_every_thing_stays_in_the_picture_and_fills_a_good_part_of_it() -> None:
    for composition in compositions():
        clip = render(composition, 5)
        share = thing_pixels(clip, composition).mean((1, 2))
        assert share.min() > 0.04, composition.caption


def test_a_thing_shows_its_colour_in_most_of_its_pixels() -> None:
    for colour, tint in enumerate(COLOURS):
        composition = Composition(5, colour, 0, 0)
        frame = render(composition, 0)[4]
        inside = frame[thing_pixels(frame[None], composition)[0]].astype(int)
        near = (np.abs(inside - np.array(tint.rgb)).max(1) < 12).mean()
        assert near > 0.35


def test_training_clips_come_from_the_given_compositions_alone() -> None:
    only = [RED_SNEAKER_SPINS]
    clips = training_clips(only, seed=0)
    assert all(next(clips)[0] == RED_SNEAKER_SPINS for _ in range(5))
