"""Drives a VQ autoencoder and a causal language model over text and video tokens.

The folder that a definition's `model` names holds stock checkpoints: `language_model/` (any
`AutoModelForCausalLM`), `tokenizer/`, and `video_tokenizer/` (a diffusers `VQModel`). How tokens
become frames stands in the definition's `[settings]`, see `Layout` in `video_tokens.py` and
docs/generators.md, so that another checkpoint of this form needs no code.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import VQModel
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LogitsProcessor,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from vbench_lite.adapters.video_tokens import VideoTokenLayout
from vbench_lite.errors import GeneratorError
from vbench_lite.generator import Output
from vbench_lite.records import ClipSpec, Definition, Request


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn, and in what precision the networks compute."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    dtype: str = "float32"
    prompt_tokens: int = 77
    """Length that prompts are padded or cut to, special tokens included."""
    prompt_template: str = "{prompt}"
    first_code_token: str = "<v0>"
    """The token of code 0; the others follow it in the vocabulary."""


class SeededChoice(LogitsProcessor):
    """Draws each row's token from that row's own generator, and leaves only it.

    `generate` has one random stream for a whole batch, so that a clip would depend on its
    neighbours. With one stream a row (and the Gumbel-max trick), the same request gives the same
    clip in any batch. It also notes when the prompt was read: at the first call.
    """

    def __init__(self, seeds: Sequence[int], codes: slice) -> None:
        self._streams = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._codes = codes
        self.prefill_done_s: float | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self.prefill_done_s is None:
            self.prefill_done_s = time.perf_counter()
        open_scores = scores[:, self._codes].float()
        width = open_scores.shape[1]
        waits = torch.stack([torch.empty(width).exponential_(generator=stream) for stream in self._streams])
        chosen = (open_scores - waits.to(scores.device).log()).argmax(1) + self._codes.start
        return torch.full_like(scores, float("-inf")).scatter_(1, chosen[:, None], 0.0)


class TokenTransformer:
    """The `token-transformer` adapter."""

    def __init__(self, definition: Definition) -> None:
        settings = {k: v for k, v in definition.settings.items() if k not in ("batch_size", "timeout_s")}
        self._name = definition.name
        self._folder = Path(definition.model)
        self.sampling: Sampling = _take(Sampling, settings)
        self.layout: VideoTokenLayout = _take(VideoTokenLayout, settings)
        if settings:
            raise GeneratorError(
                f'"{definition.name}" has settings that the token-transformer adapter does not know: '
                f"{', '.join(settings)}. See docs/generators.md."
            )

    def load(self, device: str) -> None:
        for part in ("language_model", "tokenizer", "video_tokenizer"):
            if not (self._folder / part).is_dir():
                raise GeneratorError(f'"{self._name}" has no {part}/ in {self._folder}. Check "model" in its TOML.')
        dtype = getattr(torch, self.sampling.dtype)
        self._device = torch.device(device)
        self._tokenizer = AutoTokenizer.from_pretrained(self._folder / "tokenizer")
        self._tokenizer.padding_side = "left"
        lm = AutoModelForCausalLM.from_pretrained(self._folder / "language_model", dtype=dtype)
        self._lm = lm.to(self._device).eval()
        vq = VQModel.from_pretrained(self._folder / "video_tokenizer", torch_dtype=dtype)
        self._vq = vq.to(self._device).eval()
        first = self._tokenizer.convert_tokens_to_ids(self.sampling.first_code_token)
        self._codes = slice(first, first + self._vq.config.num_vq_embeddings)

    def warm_up(self, requests: Sequence[Request]) -> None:
        """Makes one frame, so that what only a first call costs is not billed to a clip."""
        first = requests[0]
        self.generate([replace(first, spec=replace(first.spec, frames=1))])

    @torch.inference_mode()
    def generate(self, requests: Sequence[Request]) -> list[Output]:
        spec = requests[0].spec
        self._check(spec)
        began = time.perf_counter()
        texts = [self.sampling.prompt_template.format(prompt=request.prompt) for request in requests]
        prompt = self._tokenizer(
            texts, padding="max_length", max_length=self.sampling.prompt_tokens, truncation=True, return_tensors="pt"
        ).to(self._device)
        tokens = self.layout.tokens_for(spec.frames)
        choice = SeededChoice([request.seed for request in requests], self._codes)
        sequences = self._lm.generate(
            input_ids=prompt.input_ids, attention_mask=prompt.attention_mask, use_cache=True, do_sample=False,
            min_new_tokens=tokens, max_new_tokens=tokens,
            logits_processor=LogitsProcessorList([*self._warpers(), choice]),
        )
        codes = sequences[:, -tokens:] - self._codes.start
        self._wait()
        sampled = time.perf_counter()
        frames = self._decode(codes, spec)
        ended = time.perf_counter()
        read = choice.prefill_done_s or sampled
        stages = {"prefill": read - began, "decode": sampled - read, "detokenize": ended - sampled}
        counts = {"tokens": float(tokens), "prompt_tokens": float(prompt.input_ids.shape[1])}
        return [Output(frames=clip, stages_s=stages, counts=counts) for clip in frames]

    def close(self) -> None:
        self._lm = self._vq = None

    def _warpers(self) -> list[Any]:
        chosen: list[Any] = []
        if self.sampling.temperature != 1:
            chosen.append(TemperatureLogitsWarper(self.sampling.temperature))
        if self.sampling.top_k:
            chosen.append(TopKLogitsWarper(self.sampling.top_k))
        if self.sampling.top_p < 1:
            chosen.append(TopPLogitsWarper(self.sampling.top_p))
        return chosen

    def _decode(self, codes: Tensor, spec: ClipSpec) -> Any:
        """Code indices (batch, tokens) to uint8 frames (batch, frames, height, width, 3)."""
        shape = (-1, self.layout.rows, self.layout.columns, self._vq.config.vq_embed_dim)
        latents = self._vq.quantize.embedding(codes).view(shape).permute(0, 3, 1, 2)
        pictures = self._vq.decode(latents, force_not_quantize=True).sample
        clips = self.layout.unstack(pictures, codes.shape[0])[:, :, : spec.frames]
        pixels = ((clips.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return pixels.permute(0, 2, 3, 4, 1).contiguous().cpu().numpy()

    def _check(self, spec: ClipSpec) -> None:
        shrink = self.layout.pixel_unshuffle * 2 ** (len(self._vq.config.block_out_channels) - 1)
        height, width = self.layout.rows * shrink, self.layout.columns * shrink
        if (spec.height, spec.width) != (height, width):
            raise GeneratorError(
                f'"{self._name}" makes {height}x{width} frames only, not {spec.height}x{spec.width}. '
                "Change [clip] in its TOML."
            )
        room = self._lm.config.max_position_embeddings - self.sampling.prompt_tokens
        if self.layout.tokens_for(spec.frames) > room:
            raise GeneratorError(
                f'"{self._name}" has room for {room} video tokens; {spec.frames} frames need '
                f"{self.layout.tokens_for(spec.frames)}. Lower clip.frames in its TOML."
            )

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _take(kind: type[Any], settings: dict[str, Any]) -> Any:
    """Builds a dataclass from the settings that are its own, and removes them."""
    own = {field.name: settings.pop(field.name) for field in fields(kind) if field.name in settings}
    return kind(**own)
