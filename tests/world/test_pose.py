"""Clips that start from a picture, and the usual clips beside them."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from vbench_lite.world import BACKGROUNDS, MOTIONS, Composition, compositions, render
from vbench_lite.world.pose import PLACE, SIZES, TURN_DEG, Pose, random_pose
from vbench_lite.world.render import render_from, training_clips_from_pictures

DUCK = Composition(7, 1, 0, 0)
TILTED = Pose(turn_deg=15.0, size=0.9, x=0.03, y=-0.02)


def moving(name: str) -> Composition:
    return replace(DUCK, motion=[m.name for m in MOTIONS].index(name))


def thing_pixels(clip: np.ndarray) -> np.ndarray:
    return (clip != np.array(BACKGROUNDS[DUCK.background].rgb, np.uint8)).any(-1)


def centres(clip: np.ndarray) -> np.ndarray:
    return np.array([np.argwhere(mask).mean(0)[::-1] for mask in thing_pixels(clip)])


def test_usual_clips_are_the_pixels_that_every_built_in_network_was_trained_on() -> None:
    digest = hashlib.sha256()
    for seed, composition in enumerate(list(compositions())[::97]):
        digest.update(render(composition, seed).tobytes())
    assert digest.hexdigest() == "6972743ccb65b2b04cb0e7037cdafa2cf28015b157aa72882ef88587bcb135e3"


def test_the_first_frame_is_the_picture_and_says_nothing_about_the_motion() -> None:
    picture = render_from(DUCK, TILTED, frames=1)[0]
    for motion in range(len(MOTIONS)):
        assert np.array_equal(render_from(replace(DUCK, motion=motion), TILTED)[0], picture)


@pytest.mark.parametrize("changed", [{"turn_deg": -15.0}, {"size": 1.1}, {"x": -0.03}, {"y": 0.03}])
def test_every_part_of_a_pose_shows_in_the_picture(changed: dict[str, float]) -> None:
    usual, other = (render_from(DUCK, pose, frames=1) for pose in (TILTED, TILTED._replace(**changed)))
    assert not np.array_equal(usual, other)


@pytest.mark.parametrize(
    ("motion", "axis", "sign"),
    [("slides left", 0, -1), ("slides right", 0, 1), ("moves up", 1, -1), ("moves down", 1, 1)],
)
def test_the_thing_moves_on_from_the_picture_as_the_text_says(motion: str, axis: int, sign: int) -> None:
    path = centres(render_from(moving(motion), TILTED))
    assert sign * (path[-1] - path[0])[axis] > 8
    assert abs((path[-1] - path[0])[1 - axis]) <= 1


def test_zooms_change_the_size_that_the_picture_shows() -> None:
    areas = {
        name: thing_pixels(render_from(moving(name), TILTED)).sum((1, 2)) for name in ("zooms in on", "zooms out from")
    }
    assert areas["zooms in on"][-1] > 1.8 * areas["zooms in on"][0]
    assert areas["zooms out from"][-1] < 0.6 * areas["zooms out from"][0]


def test_a_bounce_leaves_the_place_in_the_picture_twice_and_comes_back() -> None:
    height = -centres(render_from(moving("bounces"), TILTED))[:, 1]
    assert abs(height[0] - height[-1]) < 1
    assert (height[[4, 12]] - height[[0, 8]]).min() > 6


def test_a_spin_goes_on_from_the_angle_in_the_picture() -> None:
    last = render_from(moving("spins"), TILTED)[-1]
    turned = TILTED._replace(turn_deg=TILTED.turn_deg + MOTIONS[4].turn_deg)
    assert np.array_equal(last, render_from(DUCK, turned, frames=1)[0])


def test_random_poses_stay_in_their_ranges_and_come_again_with_their_seed() -> None:
    poses = np.array([random_pose(np.random.default_rng(seed)) for seed in range(200)])
    turn, size, x, y = poses.T
    assert 20 < np.abs(turn).max() <= TURN_DEG
    assert SIZES[0] <= size.min() < 0.85
    assert 1.1 < size.max() <= SIZES[1]
    assert max(np.abs(x).max(), np.abs(y).max()) <= PLACE
    assert random_pose(np.random.default_rng(3)) == random_pose(np.random.default_rng(3))


def test_training_clips_from_pictures_come_again_with_their_seed_and_differ_in_pose() -> None:
    first, again = (training_clips_from_pictures([DUCK], seed=4) for _ in range(2))
    a, b = next(first)[1], next(first)[1]
    assert np.array_equal(next(again)[1], a)
    assert not np.array_equal(a[0], b[0])
