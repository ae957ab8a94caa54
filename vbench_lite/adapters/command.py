"""Runs any program in its own environment, such as the script of a research repository.

    [settings]
    command = ["envs/wan/bin/python", "generate.py", "--prompt", "{prompt}", "--seed", "{seed}", "--out", "{out}"]
    cwd = "Wan2.1"              # folder of the program; "" is the folder in which vbench runs
    env = { TOKENIZERS_PARALLELISM = "false" }
    time_limit_s = 900          # limit for one clip
    resident = false            # true: the program is started once and reads lines of JSON; see `Resident`
    load_limit_s = 1800         # resident: limit until the program prints {"ready": true}
    suffix = ".mp4"             # suffix of {out}

Placeholders: {prompt} {seed} {out} {frames} {fps} {height} {width} {seconds} {prompt_file} {out_folder} {prompt_id}
{index} {image} {device} {here} (the folder of the TOML file). {image} is the path of a PNG in the size of the clip. It
is empty for a prompt without an image.

The command of a resident program can use only {device} and {here}. Each request is a line of JSON with id, prompt,
seed, out, frames, fps, height, width, prompt_id, index and image. The answer is {"id"} when the clip is written, or
{"id", "error": "..."}. It may also contain stages_s, counts, usd_charged and device_s.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vbench_lite.adapters.pictures import as_png
from vbench_lite.adapters.settings import read_settings, require
from vbench_lite.errors import ClipFailed, GeneratorError, ProgramError, ProgramFailed, UsageError
from vbench_lite.generator import Output
from vbench_lite.programs.process import Start, fill, run_once
from vbench_lite.programs.resident import Resident
from vbench_lite.records import ClipSpec, Definition, ReasonCode, Request
from vbench_lite.video import CLIP_SUFFIXES

ASKED = ("prompt", "seed", "out", "frames", "fps", "height", "width", "prompt_id", "index", "image")
IMAGE_FILE = "image.png"
LARGEST_CLIP_BYTES = 2_000_000_000


@dataclass(frozen=True)
class CommandSettings:
    """The adapter's settings; see the docstring of the module."""

    command: Sequence[str] = ()
    cwd: str = ""
    env: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    time_limit_s: float = 1500.0
    resident: bool = False
    load_limit_s: float = 1800.0
    suffix: str = ".mp4"

    def __post_init__(self) -> None:
        require(self.suffix in CLIP_SUFFIXES, "suffix", self.suffix, f"one of {', '.join(CLIP_SUFFIXES)}")

    @classmethod
    def of(cls, definition: Definition) -> CommandSettings:
        """Read and check the settings of a definition.

        Raises:
            UsageError: A setting is unknown or not valid.
        """
        name, command = definition.name, definition.settings.get("command")
        if not isinstance(command, list) or not command or not all(isinstance(a, str) for a in command):
            raise UsageError(
                f'"{name}": "command" must be a list such as ["python", "make.py", "--out", "{{out}}"], '
                f"with one string per argument. It is not run in a shell."
            )
        settings = read_settings(cls, definition)
        if not settings.resident and not any("{out}" in a or "{out_folder}" in a for a in command):
            raise UsageError(f'"{name}": the command has no {{out}}, so the program does not get its output file.')
        images = any("image" in each for each in definition.inputs)
        if images and not settings.resident and not any("{image}" in argument for argument in command):
            raise UsageError(f'"{name}" takes an image, but its command has no {{image}}. Add it to the command.')
        return settings


class Command:
    """A generator that runs a program."""

    def __init__(self, definition: Definition) -> None:
        self.name = definition.name
        self.settings = CommandSettings.of(definition)
        self._start = Start(self.settings.cwd, {k: str(v) for k, v in self.settings.env.items()})
        self._resident: Resident | None = None
        self._device, self._here = "cpu", str(definition.folder)

    def load(self, device: str) -> None:
        """Check that the program exists, and start it if it is resident.

        Raises:
            GeneratorError: The program does not exist, or does not become ready.
            UsageError: The command has an unknown placeholder.
        """
        self._device = device
        try:
            self._start.require(self.settings.command[0])
        except ProgramError as error:
            raise GeneratorError(f'"{self.name}" cannot run: {error}.') from None
        if self.settings.resident:
            self._begin_resident()
        else:
            fill(self.settings.command, self._values(Request("", "", 0, 0, ClipSpec()), Path(), Path()))

    def _begin_resident(self) -> Resident:
        command = fill(self.settings.command, {"device": self._device, "here": self._here})
        try:
            self._resident = Resident(self._start, command, self.settings.load_limit_s)
        except ProgramError as error:
            raise GeneratorError(str(error)) from None
        return self._resident

    def generate(self, requests: Sequence[Request]) -> list[Output]:
        return [self._make(request) for request in requests]

    def _make(self, request: Request) -> Output:
        with tempfile.TemporaryDirectory(prefix="vbench-") as name:
            folder = Path(name)
            out = folder / f"clip{self.settings.suffix}"
            try:
                facts = self._ask_resident(request, out) if self.settings.resident else self._run(request, folder, out)
                clip = only_clip(folder, out, CLIP_SUFFIXES)
                if clip.stat().st_size > LARGEST_CLIP_BYTES:
                    raise ClipFailed(f"the program wrote {clip.stat().st_size / 1e9:.1f} GB; at most 2 GB are read")
                return Output(file=clip.read_bytes(), execution="subprocess", **facts)
            except (ClipFailed, ProgramFailed) as error:
                return Output(failure=str(error), failure_code=ReasonCode(error.code), execution="subprocess")
            except ProgramError as error:
                raise GeneratorError(str(error)) from None

    def _run(self, request: Request, folder: Path, out: Path) -> dict[str, Any]:
        prompt_file = folder / "prompt.txt"
        prompt_file.write_text(request.prompt, "utf-8")
        command = fill(self.settings.command, self._values(request, out, prompt_file))
        run_once(self._start, command, self.settings.time_limit_s)
        return {}

    def _ask_resident(self, request: Request, out: Path) -> dict[str, Any]:
        values = self._values(request, out, Path())
        asked = {k: values[k] for k in ASKED}
        asked["id"] = f"{request.prompt_id}/{request.index}"
        resident = self._resident or self._begin_resident()
        try:
            answer = resident.ask(asked, self.settings.time_limit_s)
        except ProgramFailed:
            resident.end(patience_s=0)
            self._resident = None  # the next clip starts it again
            raise
        if answer.get("error"):
            raise ClipFailed(str(answer["error"])[:500])
        return {k: answer[k] for k in ("stages_s", "counts", "usd_charged", "device_s") if answer.get(k) is not None}

    def _values(self, request: Request, out: Path, prompt_file: Path) -> dict[str, Any]:
        spec = request.spec
        return {
            "prompt": request.prompt, "seed": request.seed, "out": str(out), "out_folder": str(out.parent),
            "frames": spec.frames, "fps": int(spec.fps) if spec.fps == int(spec.fps) else spec.fps,
            "height": spec.height, "width": spec.width, "seconds": f"{spec.seconds:g}",
            "prompt_file": str(prompt_file), "prompt_id": request.prompt_id, "index": request.index,
            "image": _written_image(request, out.parent), "device": self._device, "here": self._here,
        }

    def close(self) -> None:
        if self._resident:
            self._resident.end()
            self._resident = None


def only_clip(folder: Path, expected: Path, suffixes: Sequence[str]) -> Path:
    """Return the clip that a program wrote: the expected path, or the only clip in the folder.

    Raises:
        ClipFailed: There is no clip, more than one, or an empty one.
    """
    found = [expected] if expected.exists() else sorted(p for p in folder.rglob("*") if p.suffix.lower() in suffixes)
    if not found:
        raise ClipFailed(f"the program wrote no clip to {{out}} ({expected.name})")
    if len(found) > 1:
        raise ClipFailed(f"the program wrote {len(found)} clips: {', '.join(p.name for p in found[:5])}")
    if not found[0].is_file() or not found[0].stat().st_size:
        raise ClipFailed(f"the program wrote an empty file: {found[0].name}")
    return found[0]


def _written_image(request: Request, folder: Path) -> str:
    """Write the request's image into the folder of the clip. Returns its path, or "" if there is no image."""
    if request.image is None:
        return ""
    path = folder / IMAGE_FILE
    path.write_bytes(as_png(request.image))
    return str(path)
