"""The layout of a clip as a sequence of tokens: stacks of frames, the order of their codes, and fixed tokens.

A VQ autoencoder for pictures works for video if several frames are stacked as channels, and small blocks of pixels are
folded into channels too (`pixel_unshuffle`). A published tokenizer for pictures with three channels has 1 frame per
code and a `pixel_unshuffle` of 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vbench_lite.adapters.settings import require
from vbench_lite.errors import UsageError
from vbench_lite.records import ClipSpec

AXES = ("frame", "row", "column")


@dataclass(frozen=True)
class VideoTokenLayout:
    """The place of each code of a clip in the sequence of a language model.

    Attributes:
        frames_per_code: Number of frames that are stacked into one picture for the tokenizer.
        first_frame_alone: Whether the first stack repeats frame 0, as in causal video tokenizers.
        pixel_unshuffle: Side of the blocks of pixels that are folded into channels; 1 for none.
        rows: Rows of codes per stack.
        columns: Columns of codes per stack.
        order: The axes from the slowest to the fastest. "frame" counts stacks.
        before_frame, after_frame, before_row, after_row: Fixed tokens around each stack and row, such as an
            end of line. They are inserted, not sampled; "" for none.
    """

    frames_per_code: int = 1
    first_frame_alone: bool = False
    pixel_unshuffle: int = 1
    rows: int = 16
    columns: int = 16
    order: str = "frame row column"
    before_frame: str = ""
    after_frame: str = ""
    before_row: str = ""
    after_row: str = ""

    def __post_init__(self) -> None:
        if sorted(self.order.split()) != sorted(AXES):
            raise ValueError(f'"order" is "{self.order}": expected frame, row and column, slowest first')
        for name in ("frames_per_code", "pixel_unshuffle", "rows", "columns"):
            require(getattr(self, name) > 0, name, getattr(self, name), "a whole number, 1 or more")

    def check_size(self, name: str, spec: ClipSpec, blocks: int) -> None:
        """Check that clips have the size that a tokenizer with this number of blocks makes.

        Raises:
            UsageError: They have another size.
        """
        shrink = self.pixel_unshuffle * 2 ** (blocks - 1)
        height, width = self.rows * shrink, self.columns * shrink
        if (spec.height, spec.width) != (height, width):
            raise UsageError(
                f'"{name}" makes {height}x{width} frames only, not {spec.height}x{spec.width}. Change [clip] in its '
                "TOML."
            )

    def check_room(self, name: str, frames: int, room: int) -> None:
        """Check that the tokens of a clip fit into the positions of the language model.

        Raises:
            UsageError: The clip has more tokens.
        """
        if self.tokens_for(frames) > room:
            raise UsageError(
                f'"{name}" has room for {room} video tokens; {frames} frames need {self.tokens_for(frames)}. Lower '
                "clip.frames in its TOML."
            )

    def stacks_for(self, frames: int) -> int:
        """Number of stacks of a clip. The last stack can contain further frames."""
        rest = frames - 1 if self.first_frame_alone else frames
        return int(self.first_frame_alone) + -(-rest // self.frames_per_code)

    def pattern(self, frames: int) -> list[str]:
        """The sequence of a clip up to its last code: "" for each code, else the fixed token.

        >>> VideoTokenLayout(rows=2, columns=2, after_row="<eol>", before_frame="<f>").pattern(1)
        ['<f>', '', '', '<eol>', '', '']
        """
        sizes = {"frame": self.stacks_for(frames), "row": self.rows, "column": self.columns}

        def nested(axes: Sequence[str]) -> list[str]:
            if not axes:
                return [""]
            before, after = (getattr(self, f"{side}_{axes[0]}", "") for side in ("before", "after"))
            return [*filter(None, [before]), *nested(axes[1:]), *filter(None, [after])] * sizes[axes[0]]

        tokens = nested(self.order.split())
        while tokens[-1]:
            tokens.pop()
        return tokens

    def tokens_for(self, frames: int) -> int:
        """Number of tokens of a clip."""
        return len(self.pattern(frames))

    def in_pictures(self, codes: Tensor, frames: int) -> Tensor:
        """Reorder codes from the order of the sequence to the order stack, row, column, (batch, codes)."""
        axes = self.order.split()
        sizes = {"frame": self.stacks_for(frames), "row": self.rows, "column": self.columns}
        written = codes.reshape(-1, *(sizes[axis] for axis in axes))
        return written.permute(0, *(1 + axes.index(axis) for axis in AXES)).flatten(1)

    def as_written(self, codes: Tensor) -> Tensor:
        """The inverse of `in_pictures`: from the order stack, row, column to the order of the sequence."""
        axes = self.order.split()
        pictures = codes.reshape(codes.shape[0], -1, self.rows, self.columns)
        return pictures.permute(0, *(1 + AXES.index(axis) for axis in axes)).flatten(1)

    def still(self, pictures: Tensor) -> Tensor:
        """Repeat pictures, (batch, channels, height, width), as the shortest clips of one stack."""
        frames = 1 if self.first_frame_alone else self.frames_per_code
        return pictures[:, :, None].expand(-1, -1, frames, -1, -1).contiguous()

    def stack(self, clips: Tensor) -> Tensor:
        """(batch, channels, frames, height, width) to (batch x stacks, pictures' channels, h, w)."""
        if self.first_frame_alone:
            clips = torch.cat([clips[:, :, :1].expand(-1, -1, self.frames_per_code, -1, -1), clips[:, :, 1:]], 2)
        batch, channels, frames, height, width = clips.shape
        stacks = clips.view(batch, channels, frames // self.frames_per_code, self.frames_per_code, height, width)
        pictures = stacks.transpose(1, 2).reshape(-1, channels * self.frames_per_code, height, width)
        return F.pixel_unshuffle(pictures, self.pixel_unshuffle)

    def unfold(self, stacks: Tensor) -> Tensor:
        """(n, pictures' channels, h, w) to (n, channels, frames_per_code, height, width)."""
        pictures = F.pixel_shuffle(stacks, self.pixel_unshuffle)
        count, _, height, width = pictures.shape
        return pictures.view(count, -1, self.frames_per_code, height, width)

    def unstack(self, stacks: Tensor, batch: int) -> Tensor:
        """The inverse of `stack`: (batch, channels, frames, height, width)."""
        unfolded = self.unfold(stacks)
        clips = unfolded.view(batch, -1, *unfolded.shape[1:]).transpose(1, 2).flatten(2, 3)
        return clips[:, :, self.frames_per_code - 1 :] if self.first_frame_alone else clips
