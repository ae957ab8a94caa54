"""The images of a run's prompts, as scoring needs them: vectors of the image network, and poses of the world."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vbench_lite.backbones import Backbones
from vbench_lite.metrics.functional import picture_vector
from vbench_lite.records import ClipSpec, Prompt
from vbench_lite.run.images import load_picture
from vbench_lite.world import find_composition
from vbench_lite.world.pictures import find_pose
from vbench_lite.world.pose import Pose

DRAWN = ClipSpec()
"""The form in which the world draws pictures."""


class Pictures:
    """Reads each image once for every size of clip.

    Args:
        folder: The run, which holds the images.
        nets: The networks.
        prompts: Those that were asked for.
        wanted: Whether a metric compares with them.
    """

    def __init__(self, folder: Path, nets: Backbones, prompts: Sequence[Prompt], wanted: bool) -> None:
        self._folder, self._nets = folder, nets
        self._images = {prompt.id: prompt.image for prompt in prompts if prompt.image}
        self._wanted = wanted
        self._cached: Any = cache(self._read)

    def vector(self, prompt_id: str, height: int, width: int) -> NDArray[np.float64] | None:
        """The unit vector of a prompt's image in the size of a clip; None where it has none."""
        if not self._wanted or prompt_id not in self._images:
            return None
        found: NDArray[np.float64] | None = self._cached(prompt_id, height, width)
        return found

    def _read(self, prompt_id: str, height: int, width: int) -> NDArray[np.float64] | None:
        return picture_vector(self._nets, load_picture(self._folder, self._images[prompt_id], height, width))

    def poses(self, prompts: Sequence[Prompt]) -> dict[str, Pose]:
        """Prompt id > the pose of its image, where the built-in world drew it."""
        found = {}
        for prompt in prompts:
            composition = find_composition(prompt.text)
            if prompt.image and composition:
                picture = load_picture(self._folder, prompt.image, DRAWN.height, DRAWN.width)
                if pose := find_pose(prompt.id, composition, picture):
                    found[prompt.id] = pose
        return found
