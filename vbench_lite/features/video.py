"""The embedding of a whole clip by a video network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from vbench_lite.features.extractor import Arrays, Backbone, ClipStream, Frame

if TYPE_CHECKING:
    from torch import Tensor


class Video:
    """Array `features`, (values,): the clip's embedding. Keeps only the frames that the network reads."""

    name, version = "video", "1"
    backbone: ClassVar[Backbone] = "video"
    needs_frame_count = True

    def start(self, clip: ClipStream) -> None:
        self._network: Any = clip.network
        self._places = spaced(clip.frames, self._network.frames) if clip.frames else []
        self._wanted, self._kept, self._next = set(self._places), dict[int, "Tensor"](), 0

    def see(self, frame: Frame) -> None:
        if self._next in self._wanted:
            self._kept[self._next] = self._network.prepare(frame)
        self._next += 1

    def finish(self) -> Arrays:
        import torch

        return {"features": self._network.embed(torch.stack([self._kept[place] for place in self._places]))}


def spaced(count: int, wanted: int) -> list[int]:
    """`wanted` indices from 0 to count - 1 at even distances, rounded half to even. They repeat if count < wanted.

    >>> spaced(9, 8), spaced(2, 4)
    ([0, 1, 2, 3, 5, 6, 7, 8], [0, 0, 1, 1])
    """
    import torch

    return [int(place) for place in torch.linspace(0, count - 1, wanted).round()]
