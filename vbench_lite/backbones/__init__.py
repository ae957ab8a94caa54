"""Frozen networks that metrics use, in named sets: "builtin", "standard", "vbench", or a user's TOML file.

A set has at most one network of each kind in `KINDS`. TOML files describe each network, its weights and the preparation
of frames: `builtin.toml`, `standard.toml` and `vbench.toml` beside this file have the form of a user's file
(docs/networks.md). This module reads these files. The loaders of networks are imported when a set is loaded.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from vbench_lite import environment
from vbench_lite.errors import UnknownName
from vbench_lite.files import cache_folder
from vbench_lite.tomlfile import TomlFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

LOADERS = {
    "open-clip": "vbench_lite.backbones.image_text:load_open_clip",
    "open-clip-folder": "vbench_lite.backbones.image_text:load_open_clip_folder",
    "world-video": "vbench_lite.backbones.video_encoders:load_world_video",
    "torchscript": "vbench_lite.backbones.video_encoders:load_torchscript",
    "videomae": "vbench_lite.backbones.video_encoders:load_videomae",
    "torchvision": "vbench_lite.backbones.video_encoders:load_torchvision",
    "timm-dino": "vbench_lite.backbones.dino:load_dino",
    "torchvision-raft": "vbench_lite.backbones.raft:load_raft",
    "open-clip-aesthetic": "vbench_lite.backbones.frame_quality:load_aesthetic",
    "pyiqa-musiq": "vbench_lite.backbones.frame_quality:load_musiq",
}
EXTRAS = {"pyiqa-musiq": "pyiqa"}
"""Loader -> the library of an extra that it needs."""
KINDS = {
    "image": "image-and-text network", "video": "video network", "dino": "DINO network", "raft": "RAFT network",
    "aesthetic": "network for aesthetic quality", "imaging": "network for imaging quality",
}
"""Kinds of networks (the tables of a set's TOML file) -> their names in messages."""
OF_VBENCH = ("dino", "raft", "aesthetic", "imaging")
"""Kinds that only VBench's dimensions use."""
COMMON_KEYS = ("loader", "path", "sha256", "fetch")
KEYS = {
    "image": ("model", "pretrained", "repository", "resize", "antialias", "vocabulary", "vbench"),
    "video": ("model", "frames", "size", "antialias", "arguments", "features", "layer", "mean", "std"),
    "dino": ("model", "arguments"),
    "raft": (),
    "aesthetic": ("model", "pretrained", "repository", "head", "head_sha256"),
    "imaging": (),
}
"""Kind -> the keys of its table, in addition to `COMMON_KEYS`."""


class ImageTextEncoder(Protocol):
    """Embeds frames and texts as unit vectors in one space."""

    name: str
    """The name that every score states, e.g. "builtin/clip@1a2b3c4d"."""

    def prepare(self, frame: NDArray[np.uint8]) -> Tensor:
        """Convert one frame, uint8 (height, width, 3), to the network's input, float32 (3, size, size)."""

    def embed_images(self, prepared: Tensor) -> NDArray[np.float64]:
        """Embed prepared frames, (frames, 3, size, size), as (frames, values), with rows of length 1."""

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Embed texts as (texts, values), with rows of length 1."""

    def cannot_read(self, text: str) -> str | None:
        """Why this network cannot read a text; None if it can."""

    def truncates(self, text: str) -> str | None:
        """A note that the network reads only the beginning of a text, and how much; None if it reads the whole text."""


class VideoEncoder(Protocol):
    """Embeds a clip as one vector of features."""

    name: str
    frames: int
    """Number of frames that it reads, at even distances from the first to the last."""
    protocol: str
    """Description of the network and of the preparation, which affect FVD."""

    def prepare(self, frame: NDArray[np.uint8]) -> Tensor:
        """Convert one frame, uint8 (height, width, 3), to float32 (3, size, size)."""

    def embed(self, prepared: Tensor) -> NDArray[np.float64]:
        """Embed prepared frames, (frames, 3, size, size), as (values,)."""


@dataclass(frozen=True)
class Backbones:
    """A loaded set. Any network may be missing. Its metrics then have no score, with the reason that `lacks` returns.

    >>> Backbones("none").lacks("image")
    'this set of backbones has no image-and-text network'
    """

    name: str
    image: ImageTextEncoder | None = None
    video: VideoEncoder | None = None
    missing: dict[str, str] = field(default_factory=dict)
    """Kind -> why a network of the set is missing."""
    dino: Any = None
    """A `backbones.dino.Dino`."""
    raft: Any = None
    """A `backbones.raft.Raft`."""
    aesthetic: Any = None
    """A `backbones.frame_quality.Aesthetic`."""
    imaging: Any = None
    """A `backbones.frame_quality.Musiq`."""

    def names(self) -> list[str]:
        """Of the loaded networks, with the digests of their weights."""
        return [net.name for kind in KINDS if (net := getattr(self, kind)) is not None]

    def lacks(self, kind: str) -> str | None:
        """Why there is no network of a kind; None if there is one."""
        if getattr(self, kind) is not None:
            return None
        if kind in self.missing:
            return self.missing[kind]
        where = "; score with --backbones vbench" if kind in OF_VBENCH else ""
        return f"this set of backbones has no {KINDS[kind]}{where}"


@dataclass(frozen=True)
class Entry:
    """One network of a set, as described in its TOML file. Paths of existing files are absolute."""

    set_name: str
    kind: str
    """One of `KINDS`."""
    settings: dict[str, Any]
    path: Path | None
    """Path of the weights, or of their folder; None if the library finds them."""
    head: Path | None = None
    """Path of the weights of a head on top of the network; None if there is none."""


def shipped_sets() -> dict[str, Path]:
    return {path.stem: path for path in sorted(Path(str(files("vbench_lite.backbones"))).glob("*.toml"))}


def read_set(name: str) -> list[Entry]:
    """Read the networks of a set, without loading them.

    Raises:
        UnknownName: There is no such set.
        BadFile: The file does not describe a set.
    """
    known = shipped_sets()
    path = known.get(name) or Path(name)
    if not path.is_file():
        raise UnknownName("set of backbones", name, known, "Or name a TOML file; docs/networks.md shows one.")
    file = TomlFile(path)
    file.only(("title", *KINDS))
    entries = []
    for kind in KINDS:
        settings = file.get(kind, dict, {})
        if not settings:
            continue
        file.only((*COMMON_KEYS, *KEYS[kind]), kind, settings)
        if file.get(f"{kind}.loader", str) not in LOADERS:
            expected = ", ".join(LOADERS)
            raise file.error(f"{kind}.loader", f'"loader" is {settings["loader"]!r}: expected one of {expected}.')
        own, head = (_find(settings.get(key), path.parent) for key in ("path", "head"))
        entries.append(Entry(path.stem, kind, settings, own, head))
    if not entries:
        raise file.error("image", f"expected an [image] table, a [video] table, or another of {', '.join(KINDS)}.")
    return entries


def has_networks_of_vbench(name: str) -> bool:
    """Whether a set has a network that only VBench's dimensions use."""
    return any(entry.kind in OF_VBENCH for entry in read_set(name))


def _find(path: str | None, beside: Path) -> Path | None:
    """The path of weights: beside the TOML, absolute, or in the cache's `backbones` folder."""
    if path is None:
        return None
    places = [(beside / Path(path).expanduser()), cache_folder() / "backbones" / path]
    return next((place.resolve() for place in places if place.exists()), places[-1])


class Presence(NamedTuple):
    """Whether a network of a shipped set can be used on this machine. It is not loaded."""

    name: str
    """"builtin/image"."""
    present: bool
    found: str
    """The path of its weights, or a note that they are missing."""
    fetch: str
    """The command that downloads them; "" if there is none."""


def availability() -> list[Presence]:
    """Every network of the shipped sets."""
    return [_presence(entry) for name in shipped_sets() for entry in read_set(name)]


def _presence(entry: Entry) -> Presence:
    path = entry.path or open_clip_cached(entry.settings)
    if path.is_dir():
        path = path / "open_clip_model.safetensors"
    size = f", {path.stat().st_size / 2**20:.1f} MiB" if path.is_file() else ""
    found = f"{path}{size}" if size else f"no weights at {path}"
    if entry.head and not entry.head.is_file():
        size, found = "", f"no weights at {entry.head}"
    fetch = entry.settings.get("fetch", "git checkout -- vbench_lite/backbones")
    if library := missing_library(entry):
        size, found, fetch = "", f"{library} is not installed", f"{environment.pip_install([library])} && {fetch}"
    return Presence(f"{entry.set_name}/{entry.kind}", bool(size), found, fetch)


def missing_library(entry: Entry) -> str:
    """The missing library of an extra that a network needs; "" if nothing is missing."""
    library = EXTRAS.get(entry.settings["loader"], "")
    return library if library and find_spec(library) is None else ""


def require_weights(name: str, kinds: Iterable[str] = tuple(KINDS)) -> None:
    """Check that the weights of a set are on this machine, without loading them.

    Args:
        name: As for `load`.
        kinds: Kinds of networks that will be used. Other networks may be missing, and networks whose extra is not
            installed.

    Raises:
        UnknownName: There is no such set.
        WeightsError: Weights are missing. The message contains the command that downloads them.
    """
    from vbench_lite.errors import WeightsError

    wanted = set(kinds)
    for entry in read_set(name):
        if entry.kind not in wanted or missing_library(entry):
            continue
        found = _presence(entry)
        if not found.present:
            how = f"Fetch it with: {found.fetch}" if entry.settings.get("fetch") else "Name its path in the TOML."
            raise WeightsError(f"the network {found.name}, which scores the clips, has {found.found}. {how}")


OPEN_CLIP_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def open_clip_cached(settings: dict[str, Any]) -> Path:
    """The path of a published open_clip model in the Hugging Face cache. open_clip is not imported."""
    from huggingface_hub import try_to_load_from_cache

    repository = settings.get("repository", "")
    for name in OPEN_CLIP_FILES if repository else ():
        found = try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    return Path(f"the Hugging Face cache of {repository or settings.get('model', '?')}")


def load(
    name: str = "builtin", device: str = "cpu", strict: bool = True, *, kinds: Iterable[str] = tuple(KINDS),
    partial: bool = False,
) -> Backbones:
    """Load a set.

    Args:
        name: "builtin", "standard", "vbench", or the path of a TOML file.
        device: Device of the networks.
        strict: Raise an error if weights are missing. Otherwise the network is left out and its metrics have no score.
        kinds: Kinds of networks to load. Others are left out.
        partial: Leave out a network whose weights have another digest, or whose extra is not installed, instead of
            raising an error.

    Raises:
        WeightsError: Weights are missing. The message contains the command that downloads them.
        OtherWeights: Weights have another digest than the set states.
        ExtraMissing: The extra that a network needs is not installed.
    """
    from vbench_lite.errors import ExtraMissing, OtherWeights, WeightsError

    wanted = set(kinds)
    left_out = ((OtherWeights, ExtraMissing) if partial else ()) if strict else (WeightsError,)
    loaded: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for entry in read_set(name):
        if entry.kind not in wanted:
            continue
        try:
            if library := missing_library(entry):
                install = environment.pip_install([library])
                raise ExtraMissing(f"the {KINDS[entry.kind]} needs {library}. Install it with: {install}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of libraries about themselves
                loaded[entry.kind] = _loader(entry)(entry, device)
        except left_out as error:
            missing[entry.kind] = str(error)
    return Backbones(Path(name).stem, missing=missing, **loaded)


def _loader(entry: Entry) -> Any:
    return resolve_name(LOADERS[entry.settings["loader"]])


def check_file(entry: Entry, path: Path, expected: str | None = None) -> str:
    """Compute the sha256 of a weights file, and compare it with the set's `sha256` if there is one.

    Args:
        entry: The network.
        path: The file.
        expected: The digest, or its beginning, instead of the set's `sha256`; "" for any.

    Raises:
        WeightsError: The file is missing.
        OtherWeights: The file has another digest.
    """
    from vbench_lite.errors import OtherWeights, WeightsError

    fetch = entry.settings.get("fetch")
    if not path.is_file():
        how = f"Fetch it with: {fetch}" if fetch else "Put the file there, or name its path in the TOML."
        raise WeightsError(f'the {entry.kind} network of "{entry.set_name}" lacks its weights {path}. {how}')
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    expected = entry.settings.get("sha256") if expected is None else expected
    if expected and not found.startswith(expected):
        again = f"Fetch it again with: {fetch}" if fetch else "Fetch it again"
        raise OtherWeights(
            f'{path} is not the file that "{entry.set_name}" names: its sha256 is {found[:12]}..., expected '
            f"{expected[:12]}.... {again}, or name the new digest in a TOML of your own."
        )
    return found
