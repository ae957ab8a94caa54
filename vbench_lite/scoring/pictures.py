"""The images of a run's prompts, as scoring needs them: embeddings by the image network, and poses in the world."""

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
"""Form in which the built-in world draws images."""


class Pictures:
    """Reads each image once for each size of clip.

    Args:
        folder: The run folder, which contains the images.
        nets: The networks.
        prompts: The prompts of the run.
        wanted: Whether any metric compares clips with images. If not, there are no embeddings.
    """

    def __init__(self, folder: Path, nets: Backbones, prompts: Sequence[Prompt], wanted: bool) -> None:
        self._folder, self._nets = folder, nets
        self._images = {prompt.id: prompt.image for prompt in prompts if prompt.image}
        self._wanted = wanted
        self._cached: Any = cache(self._read)

    def vector(self, prompt_id: str, height: int, width: int) -> NDArray[np.float64] | None:
        """The unit embedding of a prompt's image, scaled to the size of a clip; None if the prompt has no image."""
        if not self._wanted or prompt_id not in self._images:
            return None
        found: NDArray[np.float64] | None = self._cached(prompt_id, height, width)
        return found

    def _read(self, prompt_id: str, height: int, width: int) -> NDArray[np.float64] | None:
        return picture_vector(self._nets, load_picture(self._folder, self._images[prompt_id], height, width))

    def poses(self, prompts: Sequence[Prompt]) -> dict[str, Pose]:
        """Prompt id -> pose of the object in its image, for images that the built-in world drew."""
        found = {}
        for prompt in prompts:
            composition = find_composition(prompt.text)
            if prompt.image and composition:
                picture = load_picture(self._folder, prompt.image, DRAWN.height, DRAWN.width)
                if pose := find_pose(prompt.id, composition, picture):
                    found[prompt.id] = pose
        return found
