"""Runs a VQ autoencoder and a causal language model over text and video tokens.

The folder `model` of a definition contains stock checkpoints: `language_model/` (any `AutoModelForCausalLM`),
`tokenizer/`, and `video_tokenizer/` (a diffusers `VQModel`). `[settings]` of the definition describe the tokens of the
codes, their order, the tokens between them, and their conversion to frames: see `Sampling`, `VideoTokenLayout` in
`video_tokens.py`, and docs/generators.md. The tokens of an image are the first tokens of the clip. They follow the
prompt, and the language model continues from them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import VQModel
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from vbench_lite.adapters.models.settings import Sampling, check_token_transformer
from vbench_lite.adapters.models.token_choice import SeededChoice, Writing
from vbench_lite.adapters.models.video_tokens import VideoTokenLayout
from vbench_lite.adapters.pictures import apart
from vbench_lite.adapters.settings import take
from vbench_lite.errors import GeneratorError
from vbench_lite.generator import Output
from vbench_lite.records import ClipSpec, Definition, Request


class TokenTransformer:
    """The `token-transformer` adapter."""

    def __init__(self, definition: Definition) -> None:
        check_token_transformer(definition)
        self._name = definition.name
        self._folder = Path(definition.model)
        self.sampling, rest = take(Sampling, definition)
        self.layout, _ = take(VideoTokenLayout, definition, rest)

    def load(self, device: str) -> None:
        for part in ("language_model", "tokenizer", "video_tokenizer"):
            if not (self._folder / part).is_dir():
                raise GeneratorError(f'"{self._name}" has no {part}/ in {self._folder}. Check "model" in its TOML.')
        dtype = getattr(torch, self.sampling.dtype)
        self._device = torch.device(device)
        self._tokenizer = AutoTokenizer.from_pretrained(self._folder / "tokenizer")
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token or self._tokenizer.unk_token
        lm = AutoModelForCausalLM.from_pretrained(self._folder / "language_model", dtype=dtype)
        self._lm = lm.to(self._device).eval()
        # Defaults of the checkpoint for text (an end of text, a temperature) do not apply to clips.
        self._lm.generation_config = GenerationConfig(pad_token_id=self._tokenizer.pad_token_id)
        vq = VQModel.from_pretrained(self._folder / "video_tokenizer", torch_dtype=dtype)
        self._vq = vq.to(self._device).eval()
        self._codes = self._code_tokens(self._vq.config.num_vq_embeddings).to(self._device)
        self._code_of = torch.zeros(int(self._codes.max()) + 1, dtype=torch.long, device=self._device)
        self._code_of[self._codes] = torch.arange(len(self._codes), device=self._device)

    def _code_tokens(self, codes: int) -> Tensor:
        """The token of each code.

        Raises:
            GeneratorError: The tokenizer or the language model has no such tokens.
        """
        if self.sampling.code_token:
            numbers = [self._number(self._code_name(code)) for code in range(codes)]
        else:
            named = self.sampling.first_code_token
            first = named if isinstance(named, int) else self._number(named)
            numbers = list(range(first, first + codes))
        known = self._lm.get_input_embeddings().num_embeddings
        if not 0 <= min(numbers) <= max(numbers) < known or len(set(numbers)) < codes:
            raise GeneratorError(
                f'"{self._name}": its {codes} codes are not {codes} different tokens of the language model, which has '
                f"{known}. Check first_code_token or code_token in its TOML."
            )
        return torch.tensor(numbers)

    def _code_name(self, code: int) -> str:
        try:
            return self.sampling.code_token.format(code=code)
        except (LookupError, ValueError):
            raise GeneratorError(
                f'"{self._name}": code_token is "{self.sampling.code_token}": expected a name with {{code}} in it, '
                f'such as "<|visual token {{code:06d}}|>".'
            ) from None

    def _number(self, token: str) -> int:
        number = self._tokenizer.convert_tokens_to_ids(token)
        if number is None or (number == self._tokenizer.unk_token_id and token != self._tokenizer.unk_token):
            raise GeneratorError(f'"{self._name}": its tokenizer has no token "{token}". Check [settings] in its TOML.')
        return int(number)

    def warm_up(self, requests: Sequence[Request]) -> None:
        """Generate one frame, so that the extra cost of a first call is not billed to a clip."""
        first = requests[0]
        frames = 1 if first.image is None else min(first.spec.frames, 1 + self.layout.frames_per_code)
        self.generate([replace(first, spec=replace(first.spec, frames=frames))])

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        """Generate one clip per request. A clip starts from the image of its request, if there is one."""
        return apart(requests, self._generate)

    @torch.inference_mode()
    def _generate(self, requests: Sequence[Request]) -> list[Output]:
        spec = requests[0].spec
        self._check(spec)
        began = time.perf_counter()
        fixed = [self._number(token) if token else None for token in self.layout.pattern(spec.frames)]
        prompt = self._read(requests)
        given = self._image_tokens(requests, fixed)
        ids, mask = (
            torch.cat([each, extra.repeat(len(each) // len(requests), 1)], 1)
            for each, extra in ((prompt.input_ids, given), (prompt.attention_mask, torch.ones_like(given)))
        )
        rest = fixed[given.shape[1] :]
        writing = Writing([request.seed for request in requests], self._codes, rest, self.sampling.guidance_scale)
        choice = SeededChoice(writing, LogitsProcessorList(self._warpers()))
        sequences = ids if not rest else self._lm.generate(
            input_ids=ids, attention_mask=mask, use_cache=True, do_sample=False,
            min_new_tokens=len(rest), max_new_tokens=len(rest), logits_processor=LogitsProcessorList([choice]),
        )
        written = sequences[: len(requests), -len(fixed) :]
        drawn = torch.tensor([place for place, token in enumerate(fixed) if token is None], device=self._device)
        codes = self.layout.in_pictures(self._code_of[written[:, drawn]], spec.frames)
        self._wait()
        sampled = time.perf_counter()
        frames = self._decode(codes, spec)
        ended = time.perf_counter()
        read = choice.prefill_done_s or sampled
        stages = {"prefill": read - began, "decode": sampled - read, "detokenize": ended - sampled}
        counts = {"tokens": float(len(rest)), "prompt_tokens": float(ids.shape[1])}
        return [Output(frames=clip, stages_s=stages, counts=counts) for clip in frames]

    def _image_tokens(self, requests: Sequence[Request], fixed: Sequence[int | None]) -> Tensor:
        """The tokens of the images, (batch, tokens), with the fixed tokens of the layout; no tokens without images.

        Raises:
            GeneratorError: The layout does not have one stack of frames after the other.
        """
        pictures = [request.image for request in requests if request.image is not None]
        if not pictures:
            return torch.zeros(len(requests), 0, dtype=torch.long, device=self._device)
        if not self.layout.order.startswith("frame"):
            raise GeneratorError(
                f'"{self._name}" cannot start from an image: its order of tokens is "{self.layout.order}", so the '
                'first frame is not a prefix. Remove "image" from "inputs" in its TOML.'
            )
        pixels = torch.from_numpy(np.stack(pictures)).to(self._device).permute(0, 3, 1, 2)
        stacks = self.layout.stack(self.layout.still(pixels.to(self._vq.dtype) / 127.5 - 1))
        found = self._vq.quantize(self._vq.encode(stacks).latents)[2][2].view(len(pictures), -1)
        codes = self._codes[self.layout.as_written(found)]
        places = [place for place, token in enumerate(fixed) if token is None][: codes.shape[1]]
        tokens = torch.tensor([token or 0 for token in fixed[: places[-1] + 1]], device=self._device)
        tokens = tokens.repeat(len(pictures), 1)
        tokens[:, places] = codes
        return tokens

    def _read(self, requests: Sequence[Request]) -> Any:
        """The prompts as tokens, padded on the left. With guidance, as many unconditional texts follow them."""
        texts = [self.sampling.prompt_template.replace("{prompt}", request.prompt) for request in requests]
        if self.sampling.guidance_scale != 1:
            texts += [self.sampling.unconditional_text] * len(requests)
        return self._tokenizer(
            texts, padding="max_length", max_length=self.sampling.prompt_tokens, truncation=True, return_tensors="pt"
        ).to(self._device)

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
        self.layout.check_size(self._name, spec, len(self._vq.config.block_out_channels))
        positions = getattr(self._lm.config, "max_position_embeddings", sys.maxsize)
        self.layout.check_room(self._name, spec.frames, positions - self.sampling.prompt_tokens)

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
