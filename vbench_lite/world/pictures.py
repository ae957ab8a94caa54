"""Images of prompts: the thing in a pose that is derived from the prompt's id, so that it can be drawn again."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from vbench_lite.world.pose import Pose, random_pose
from vbench_lite.world.render import render_from
from vbench_lite.world.vocabulary import Composition


def pose_of(prompt_id: str) -> Pose:
    """The pose of the thing in the image of a prompt."""
    digest = hashlib.sha256(prompt_id.encode()).digest()
    return random_pose(np.random.default_rng(int.from_bytes(digest[:8], "big")))


def find_pose(prompt_id: str, composition: Composition, picture: NDArray[np.uint8]) -> Pose | None:
    """The pose of the thing in a prompt's image, if the world drew the image; None for other images.

    Args:
        prompt_id: Id of the prompt, which determines the pose.
        composition: Content that the prompt asks for.
        picture: The image, uint8, (height, width, 3).
    """
    pose = pose_of(prompt_id)
    height, width = picture.shape[:2]
    drawn = render_from(composition, pose, 1, height, width)[0]
    return pose if np.array_equal(drawn, picture) else None
