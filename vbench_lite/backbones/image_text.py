"""CLIP-like encoders: any open_clip model, from a folder, a file, or the Hugging Face cache."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vbench_lite.backbones import Entry, check_file, open_clip_cached
from vbench_lite.backbones.bicubic import resize_bicubic
from vbench_lite.errors import WeightsError


class OpenClipEncoder:
    """An open_clip model with a fixed preparation of frames.

    `resize="crop"` scales the short side to the network's size (bicubic) and crops the centre. With `antialias=False`,
    this is VBench's preparation for CLIP (floats from 0 to 255, not rounded or clamped). `resize="squash"` scales both
    sides to the network's size.

    Called with frames, uint8 (frames, height, width, 3), it returns their unit vectors, (frames, values).
    """

    def __init__(
        self, model: torch.nn.Module, tokenizer: Callable[[list[str]], Tensor] | None = None, *,
        name: str = "open_clip", resize: str = "crop", antialias: bool = False, device: str = "cpu",
        words: frozenset[str] | None = None, vbench: bool = False,
    ) -> None:
        self.model: Any = model.to(device).eval()
        self.vbench = vbench and resize == "crop" and not antialias
        """Whether the network and its preparation of frames are declared to be VBench's."""
        self.tokenizer, self.name, self.device, self.words = tokenizer, name, device, words
        self.resize, self.antialias = resize, antialias
        visual: Any = self.model.visual
        size = visual.image_size
        self.size = int(size[0] if isinstance(size, tuple | list) else size)
        self.mean = torch.tensor(visual.image_mean or open_clip_mean()).view(3, 1, 1)
        self.std = torch.tensor(visual.image_std or open_clip_std()).view(3, 1, 1)

    def prepare(self, frame: NDArray[np.uint8]) -> Tensor:
        """Convert one frame, uint8 (height, width, 3), to float32 (3, size, size), normalised."""
        crop = self.resize == "crop"
        if self.antialias:
            pixels = torch.from_numpy(frame).permute(2, 0, 1).float()
            pixels = fit(pixels, self.size, crop=crop, mode="bicubic", antialias=True)
        else:
            pixels = torch.from_numpy(resize_bicubic(frame, self.size, crop=crop))
        return pixels.div_(255).sub_(self.mean).div_(self.std)

    @torch.inference_mode()
    def embed_images(self, prepared: Tensor) -> NDArray[np.float64]:
        features = self.model.encode_image(prepared.to(self.device))
        return unit(features.double().cpu().numpy())

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float64]:
        if self.tokenizer is None:
            raise WeightsError(f'"{self.name}" was made without a tokenizer and cannot read texts.')
        features = self.model.encode_text(self.tokenizer(list(texts)).to(self.device))
        return unit(features.double().cpu().numpy())

    def cannot_read(self, text: str) -> str | None:
        if self.words is None:
            return None
        unknown = [word for word in plain_words(text) if word not in self.words]
        if not unknown:
            return None
        return f'{self.name} does not know "{unknown[0]}"; score it with --backbones standard'

    def truncates(self, text: str) -> str | None:
        """A note if only the first tokens of a text are read. A longer context gives the tokens for comparison."""
        if self.tokenizer is None:
            return None
        tokenizer: Any = self.tokenizer
        read = tokenizer([text])
        length = read.shape[-1]
        whole = tokenizer([text], context_length=length + len(text) + 2)
        if torch.equal(read, whole[..., :length]):
            return None
        return f"{self.name} reads only the first {length} tokens of the prompt"

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        return embed_frames(self, frames)


def plain_words(text: str) -> list[str]:
    """Lower-cased words without punctuation, as the tokenizers of the built-in networks split them.

    >>> plain_words('A "red" sneaker; spins -- on white!')
    ['a', 'red', 'sneaker', 'spins', 'on', 'white']
    """
    from tokenizers import pre_tokenizers

    split = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("removed")])
    return [word for word, _ in split.pre_tokenize_str(text.lower())]


def embed_frames(encoder: Any, frames: NDArray[np.uint8], batch: int = 16) -> NDArray[np.float64]:
    """Embed (frames, height, width, 3) as (frames, values), in batches of `batch` frames."""
    parts = [
        encoder.embed_images(torch.stack([encoder.prepare(frame) for frame in frames[start : start + batch]]))
        for start in range(0, len(frames), batch)
    ]
    return np.concatenate(parts)


def fit(pixels: Tensor, size: int, *, crop: bool, mode: str, antialias: bool) -> Tensor:
    """Resize (3, height, width) to (3, size, size): scale the short side and crop the centre, or scale both sides."""
    height, width = pixels.shape[-2:]
    short = min(height, width)
    to = (size * height // short, size * width // short) if crop else (size, size)
    if to != (height, width):
        pixels = F.interpolate(pixels[None], to, mode=mode, align_corners=False, antialias=antialias)[0]
    top, left = round((to[0] - size) / 2), round((to[1] - size) / 2)
    return pixels[:, top : top + size, left : left + size].contiguous()


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale rows to length 1. A row of zeros stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def open_clip_mean() -> tuple[float, float, float]:
    from open_clip.constants import OPENAI_DATASET_MEAN

    return OPENAI_DATASET_MEAN


def open_clip_std() -> tuple[float, float, float]:
    from open_clip.constants import OPENAI_DATASET_STD

    return OPENAI_DATASET_STD


def load_open_clip_folder(entry: Entry, device: str) -> OpenClipEncoder:
    """Load a folder in open_clip's form: open_clip_config.json, open_clip_model.safetensors, tokenizer files."""
    import open_clip

    folder = entry.path or Path(entry.settings["path"])
    digest = check_file(entry, folder / "open_clip_model.safetensors")
    model = open_clip.create_model(f"local-dir:{folder}", require_pretrained=True)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    return _encoder(entry, model, tokenizer, folder.name, digest, device)


def load_open_clip(entry: Entry, device: str) -> OpenClipEncoder:
    """Load a published model by its open_clip name, from a file or the Hugging Face cache. Nothing is downloaded."""
    import open_clip

    model_name = entry.settings["model"]
    model, digest = published_model(entry)
    encoder = _encoder(entry, model, open_clip.get_tokenizer(model_name), model_name, digest, device)
    changed = [] if encoder.resize == "crop" else [encoder.resize]
    encoder.name += "".join(f"+{each}" for each in (*changed, *(["antialias"] if encoder.antialias else [])))
    return encoder


def published_model(entry: Entry) -> tuple[Any, str]:
    """An open_clip model with the weights of a file, and the digest of the file."""
    import open_clip

    path = entry.path or open_clip_cached(entry.settings)
    digest = check_file(entry, path)
    if is_torchscript(path):  # OpenAI's own files
        return open_clip.load_openai_model(str(path), precision="fp32", device="cpu"), digest
    name, how = entry.settings["model"], _quick_gelu(entry)
    return open_clip.create_model(name, pretrained=str(path), require_pretrained=True, **how), digest


def is_torchscript(path: Path) -> bool:
    """Whether a file of weights is a TorchScript archive, for which open_clip has a separate function."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _quick_gelu(entry: Entry) -> dict[str, bool]:
    """Arguments for weights that were trained with QuickGELU, according to open_clip's table."""
    import open_clip

    config = open_clip.get_pretrained_cfg(entry.settings["model"], entry.settings.get("pretrained", "")) or {}
    return {"force_quick_gelu": True} if config.get("quick_gelu") else {}


def _encoder(entry: Entry, model: Any, tokenizer: Any, short: str, digest: str, device: str) -> OpenClipEncoder:
    words = None
    if entry.settings.get("vocabulary") == "world":
        from vbench_lite.world import words as world_words

        words = frozenset(world_words())
    return OpenClipEncoder(
        model, tokenizer, name=f"{entry.set_name}/{short}@{digest[:8]}", resize=entry.settings.get("resize", "crop"),
        antialias=entry.settings.get("antialias", False), device=device, words=words,
        vbench=entry.settings.get("vbench", False),
    )
