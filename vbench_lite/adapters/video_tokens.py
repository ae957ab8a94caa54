"""How a clip's frames are laid out before a picture tokenizer sees them.

A VQ autoencoder for pictures becomes one for video when several frames are stacked as channels
and small pixel blocks are folded into channels too (`pixel_unshuffle`). A published picture
tokenizer with three input channels is the case 1 frame per code, unshuffle 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class VideoTokenLayout:
    """The order of video tokens is time, then row, then column.

    Attributes:
        frames_per_code: Frames that are stacked into one picture for the tokenizer.
        first_frame_alone: Whether the first stack repeats frame 0, as causal video tokenizers do.
        pixel_unshuffle: Side of the pixel blocks that are folded into channels; 1 leaves them.
        rows, columns: Codes per stack.
    """

    frames_per_code: int = 1
    first_frame_alone: bool = False
    pixel_unshuffle: int = 1
    rows: int = 16
    columns: int = 16

    def stacks_for(self, frames: int) -> int:
        """Stacks that a clip of so many frames needs; the last may decode to more frames."""
        rest = frames - 1 if self.first_frame_alone else frames
        return int(self.first_frame_alone) + -(-rest // self.frames_per_code)

    def tokens_for(self, frames: int) -> int:
        return self.stacks_for(frames) * self.rows * self.columns

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
