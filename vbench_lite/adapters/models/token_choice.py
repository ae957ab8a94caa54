"""Chooses the next token of a token transformer: a fixed token of the layout, or a code drawn with the clip's seed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList


@dataclass
class Writing:
    """The seeds, codes and fixed tokens of a batch of sequences."""

    seeds: Sequence[int]
    codes: Tensor
    """The token of each code."""
    fixed: Sequence[int | None]
    """For each new token: the fixed token, or None if a code is drawn."""
    guidance_scale: float = 1.0


class SeededChoice(LogitsProcessor):
    """Draws the token of each row with the row's own random generator, and excludes all other tokens.

    transformers' `generate` has one random stream for a whole batch, so a clip would depend on the other clips. With
    one stream per row (and the Gumbel-max trick), a request gives the same clip in any batch. With guidance, the second
    half of the rows has the unconditional text, and both halves continue with the same token. The time of the first
    call is the end of the prefill.
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
        """Draw one token per row, (rows, 1)."""
        count, scale = len(self._streams), self._writing.guidance_scale
        guided = scores if scale == 1 else torch.lerp(scores[count:], scores[:count], scale)
        open_scores = self._warpers(input_ids[:count], guided)[:, self._writing.codes].float()
        width = open_scores.shape[1]
        waits = torch.stack([torch.empty(width).exponential_(generator=stream) for stream in self._streams])
        best = (open_scores - waits.to(scores.device).log()).argmax(1, keepdim=True)
        return self._writing.codes[best].repeat(scores.shape[0] // count, 1)
