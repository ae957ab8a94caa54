"""One external program that scores clips, one clip at a time. It is restarted after a crash or a timeout.

A one-shot program is started for each clip and prints one line of JSON. A resident program is started once and prints
{"ready": true}. Then it reads a line of JSON for each clip and prints a line of JSON:

    {"id": 7, "clip": "/.../0.mp4", "prompt": "a cat", "prompt_id": "cat", "index": 0,
     "frames": 17, "fps": 8.0, "height": 64, "width": 64, "seconds": 2.125}
    {"id": 7, "scores": {"realism": 4.1, "fidelity": null}, "reasons": {"fidelity": "no prompt"}}

A program with one score may answer {"id": 7, "score": 4.1}. The answer {"id": 7, "error": "..."} gives a reason
instead of a score.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from vbench_lite.errors import MetricError, ProgramError, ProgramFailed
from vbench_lite.metrics._judge import Judge, JudgedMetric
from vbench_lite.programs.process import Start, fill, last_line, run_once
from vbench_lite.programs.resident import Resident, last_object
from vbench_lite.records import ClipKey, PromptImage

ANSWERS = ("scores", "score", "error")
FORM = ("frames", "fps", "height", "width", "seconds")


class ClipToJudge(NamedTuple):
    """One stored clip."""

    key: ClipKey
    path: Path
    sha256: str
    text: str
    """The prompt."""
    form: Mapping[str, Any]
    """frames, fps, height, width, seconds."""
    image: PromptImage | None = None
    """The image of the prompt, with an absolute path; None if the prompt has none."""

    @property
    def digest(self) -> str:
        """Digest of everything that an answer depends on, apart from the judge."""
        image = f"\n{self.image.sha256}" if self.image else ""
        return hashlib.sha256(f"{self.sha256}\n{self.text}{image}".encode()).hexdigest()


def judges_of(metrics: Sequence[Any]) -> dict[str, list[JudgedMetric]]:
    """The programs of the given metrics: name of the program -> its metrics.

    Raises:
        MetricError: Two program files have the same name.
    """
    found: dict[str, list[JudgedMetric]] = {}
    for metric in metrics:
        if isinstance(metric, JudgedMetric):
            mine = found.setdefault(metric.judge.name, [])
            if mine and mine[0].judge is not metric.judge:
                raise MetricError(f'two program files are called "{metric.judge.name}.toml". Rename one of them.')
            mine.append(metric)
    return found


def check_judges(metrics: Sequence[Any]) -> None:
    """Check before any work that each program exists and that its command has no unknown placeholder.

    Raises:
        MetricError: A program does not exist on this machine.
        UsageError: A command has an unknown placeholder.
    """
    for name, mine in judges_of(metrics).items():
        judge: Judge = mine[0].judge
        command = fill(judge.command, _placeholders(judge, "cpu", None))
        try:
            Start(judge.cwd, {}).require(command[0])
        except ProgramError as error:
            raise MetricError(f'the judge "{name}" cannot run: {error}. Change "command" in {name}.toml.') from None


class JudgeProgram:
    """One instance of the program on one device. It starts with the first clip, and again after a crash or timeout."""

    def __init__(self, judge: Judge, device: str, output: IO[bytes]) -> None:
        self._judge, self._device = judge, device
        self._start = Start(judge.cwd, judge.env, output)
        self._resident: Resident | None = None
        self._number = 0

    def ask(self, clip: ClipToJudge) -> dict[str, Any]:
        """Return the program's answer for one clip.

        Raises:
            ProgramError: The program cannot be started.
            ProgramFailed: The program ended, exceeded its time limit, or printed no answer.
        """
        return self._ask_resident(clip) if self._judge.resident else self._run(clip)

    def _run(self, clip: ClipToJudge) -> dict[str, Any]:
        command = fill(self._judge.command, _placeholders(self._judge, self._device, clip))
        printed = run_once(self._start, command, self._judge.time_limit_s)
        for line in reversed(printed.splitlines()):
            answer = last_object(line)
            if answer and any(key in answer for key in ANSWERS):
                return answer
        raise ProgramFailed(f"the program printed no line of JSON with a score: {last_line(printed)}")

    def _ask_resident(self, clip: ClipToJudge) -> dict[str, Any]:
        if self._resident is None:
            command = fill(self._judge.command, _placeholders(self._judge, self._device, None))
            self._resident = Resident(self._start, command, self._judge.load_limit_s)
        self._number += 1  # a late answer has an old number, so it is never taken for the answer of another clip
        request = {"id": self._number, **_request(clip)}
        try:
            return self._resident.ask(request, self._judge.time_limit_s)
        except ProgramFailed:
            self._resident.end(patience_s=0)
            self._resident = None
            raise

    def close(self) -> None:
        if self._resident:
            self._resident.end()


def _request(clip: ClipToJudge) -> dict[str, Any]:
    """The facts of a clip that the program receives. They do not include the generator's name."""
    key = clip.key
    return {
        "clip": str(clip.path), "prompt": clip.text, "prompt_id": key.prompt_id, "index": key.index,
        "image": clip.image.path if clip.image else "", **clip.form,
    }


def _placeholders(judge: Judge, device: str, clip: ClipToJudge | None) -> dict[str, Any]:
    """Values of the placeholders in the command. A resident program starts before the first clip and has only two."""
    shared = {"device": device, "here": str(judge.folder)}
    if judge.resident:
        return shared
    empty = ClipToJudge(ClipKey("", "", 0), Path(), "", "", dict.fromkeys(FORM, 0))
    return _request(clip or empty) | shared
