"""How a token transformer's next token comes about: fixed by the layout, or drawn from the clip's own stream."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList


@dataclass
class Writing:
    """What a batch of sequences is made of, token by token."""

    seeds: Sequence[int]
    codes: Tensor
    """The token of each code."""
    fixed: Sequence[int | None]
    """For each token to come: the one that stands there, or None where a code is drawn."""
    guidance_scale: float = 1.0


class SeededChoice(LogitsProcessor):
    """Draws each row's token from that row's own generator, and leaves only it.

    `generate` has one random stream for a whole batch, so that a clip would depend on its
    neighbours. With one stream a row (and the Gumbel-max trick), the same request gives the same
    clip in any batch. With guidance, the second half of the rows reads the unconditional text, and
    both halves go on with the same token. It also notes when the prompt was read: at the first call.
    """

    def __init__(self, writing: Writing, warpers: LogitsProcessorList) -> None:
        self._streams = [torch.Generator().manual_seed(seed) for seed in writing.seeds]
        self._writing, self._warpers = writing, warpers
        self._step = 0
        self.prefill_done_s: float | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self.prefill_done_s is None:
            self.prefill_done_s = time.perf_counter()
        fixed = self._writing.fixed[self._step]
        self._step += 1
        if fixed is None:
            chosen = self._drawn(input_ids, scores)
        else:
            chosen = torch.full((scores.shape[0], 1), fixed, device=scores.device)
        return torch.full_like(scores, float("-inf")).scatter_(1, chosen, 0.0)

    def _drawn(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """One token a row, (rows, 1)."""
        count, scale = len(self._streams), self._writing.guidance_scale
        guided = scores if scale == 1 else torch.lerp(scores[count:], scores[:count], scale)
        open_scores = self._warpers(input_ids[:count], guided)[:, self._writing.codes].float()
        width = open_scores.shape[1]
        waits = torch.stack([torch.empty(width).exponential_(generator=stream) for stream in self._streams])
        best = (open_scores - waits.to(scores.device).log()).argmax(1, keepdim=True)
        return self._writing.codes[best].repeat(scores.shape[0] // count, 1)
