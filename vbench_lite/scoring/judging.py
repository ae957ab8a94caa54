"""Runs external programs that score clips (`--metrics judge.toml`).

Answers are stored in the run folder. A later scoring asks only for new clips and for clips without a score.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from vbench_lite import escaping
from vbench_lite.errors import ProgramError, ProgramFailed
from vbench_lite.features.extractor import ClipFeatures, NoFeatures
from vbench_lite.metrics._judge import Judge, JudgedMetric, checked_value
from vbench_lite.progress import progress
from vbench_lite.records import ClipKey, ClipRecord, Prompt, ReasonCode, Score
from vbench_lite.run.folder import RunFolder
from vbench_lite.run.images import stored_path
from vbench_lite.scoring.judge_program import FORM, ClipToJudge, JudgeProgram

log = logging.getLogger("vbench_lite.scoring.judging")
LONGEST_REASON = 300


def judge_run(
    judges: Mapping[str, Sequence[JudgedMetric]], folder: RunFolder,
    clips: Mapping[ClipKey, ClipFeatures | NoFeatures], prompts: Mapping[str, Prompt], *, device: str, part: str = "",
) -> dict[ClipKey, dict[str, Score]]:  # fmt: skip
    """Score every clip of a run with the programs. A clip that cannot be read gets a reason instead of a score.

    Args:
        judges: Result of `judges_of`.
        folder: The run.
        clips: Features of the clips, as scoring read them.
        prompts: Prompts by id.
        device: "cpu", or "cuda" for one program on each CUDA device.
        part: Suffix of the answer file of a shard; "" for the whole run.
    """
    if not judges:
        return {}
    found: dict[ClipKey, dict[str, Score]] = {key: {} for key in clips}
    readable = [
        _to_judge(folder, record, clip, prompts[key.prompt_id]) for key, clip in clips.items()
        if isinstance(clip, ClipFeatures) and (record := folder.find_record(key))
    ]  # fmt: skip
    for metrics in judges.values():
        places = cuda_devices() if device.startswith("cuda") else ["cpu"] * metrics[0].judge.workers
        scores = judge_clips(metrics, readable, folder.path, places, part)
        for key, clip in clips.items():
            if isinstance(clip, ClipFeatures):
                found[key] |= scores[key]
            else:
                found[key] |= {metric.name: Score(None, clip.reason, clip.reason_code) for metric in metrics}
    return found


def cuda_devices() -> list[str]:
    """Every CUDA device of this machine."""
    import torch

    return [f"cuda:{number}" for number in range(torch.cuda.device_count())]


def _to_judge(folder: RunFolder, record: ClipRecord, clip: ClipFeatures, prompt: Prompt) -> ClipToJudge:
    path = folder.clip_path(record)
    assert path, record.key
    seconds = clip.frames / clip.fps if clip.fps else 0.0
    form = dict(zip(FORM, (clip.frames, clip.fps, clip.height, clip.width, seconds), strict=True))
    image = prompt.image and replace(prompt.image, path=str((folder.path / stored_path(prompt.image)).resolve()))
    return ClipToJudge(record.key, path.resolve(), record.sha256 or "", prompt.text, form, image)


def judge_clips(
    metrics: Sequence[JudgedMetric], clips: Sequence[ClipToJudge], folder: Path, devices: Sequence[str], part: str = ""
) -> dict[ClipKey, dict[str, Score]]:
    """Score clips with one program. The number of devices does not change a score.

    Args:
        metrics: All metrics of the program.
        clips: The clips to score.
        folder: The run folder. Answers and the program's log are stored there.
        devices: One instance of the program is started for each entry.
        part: Suffix of the answer file of a shard; "" for the whole run.
    """
    judge: Judge = metrics[0].judge
    kept = _Kept(folder / "judges" / judge.name, judge, part)
    found = {clip.key: kept.answers[clip.digest] for clip in clips if clip.digest in kept.answers}
    scores = {key: _scores(metrics, answer) for key, answer in found.items()}
    left = [clip for clip in clips if any(s.value is None for s in scores.get(clip.key, {"": Score(None)}).values())]
    if left:
        scores |= _ask_all(metrics, left, kept, folder / "logs" / f"judge-{judge.name}.log", devices)
        _report_missing(judge, {clip.key: scores[clip.key] for clip in left})
    return scores


def _ask_all(
    metrics: Sequence[JudgedMetric], clips: Sequence[ClipToJudge], kept: _Kept, log_path: Path, devices: Sequence[str]
) -> dict[ClipKey, dict[str, Score]]:
    judge: Judge = metrics[0].judge
    waiting: SimpleQueue[ClipToJudge] = SimpleQueue()
    for clip in clips:
        waiting.put(clip)
    streak = _Streak(judge.stop_after_failures)
    found: dict[ClipKey, dict[str, Score]] = {}
    log_path.parent.mkdir(parents=True, exist_ok=True)

    def work(device: str) -> None:
        program = JudgeProgram(judge, device, output)
        try:
            while True:
                try:
                    clip = waiting.get_nowait()
                except Empty:
                    return
                found[clip.key] = _ask(program, metrics, clip, kept, streak)
                tick()
        finally:
            program.close()

    with log_path.open("ab") as output, progress(f"judge {judge.name}", len(clips)) as tick:
        places = [*devices][: len(clips)]
        with ThreadPoolExecutor(len(places)) as pool:
            for done in [pool.submit(work, device) for device in places]:
                done.result()
    return found


def _ask(
    program: JudgeProgram, metrics: Sequence[JudgedMetric], clip: ClipToJudge, kept: _Kept, streak: _Streak
) -> dict[str, Score]:
    if streak.why:
        why = f"not asked: {streak.why}"
        return {metric.name: Score(None, why, ReasonCode.NOT_SCORED) for metric in metrics}
    try:
        answer = program.ask(clip)
    except ProgramError as error:
        reason = escaping.one_line(str(error))[:LONGEST_REASON]
        code = ReasonCode(error.code) if isinstance(error, ProgramFailed) else ReasonCode.CRASHED
        streak.failed(reason, final=not isinstance(error, ProgramFailed))
        return {metric.name: Score(None, reason, code) for metric in metrics}
    streak.ended()
    scores = _scores(metrics, answer)
    if any(score.value is not None for score in scores.values()):
        kept.add(clip, {name: score.value for name, score in scores.items()}, scores)
    return scores


def _scores(metrics: Sequence[JudgedMetric], answer: Mapping[str, Any]) -> dict[str, Score]:
    """The checked scores of an answer. Each is a number inside the metric's range, or None with a reason."""
    if (error := answer.get("error")) and "scores" not in answer:
        why = escaping.one_line(str(error))[:LONGEST_REASON]
        return {metric.name: Score(None, why, ReasonCode.FAILED) for metric in metrics}
    values, reasons = answer.get("scores"), answer.get("reasons")
    if values is None and len(metrics) == 1 and "score" in answer:
        values = {metrics[0].name: answer["score"]}
    if not isinstance(values, Mapping):
        why = f"the answer has no scores: expected {{\"scores\": {{\"{metrics[0].name}\": ...}}}}"
        return {metric.name: Score(None, why, ReasonCode.BAD_SCORE) for metric in metrics}
    found = {}
    for metric in metrics:
        value, why = checked_value(values.get(metric.name), metric.range)
        if metric.name not in values:
            why = f'the answer has no score "{metric.name}"'
        elif values[metric.name] is None and isinstance(reasons, Mapping) and reasons.get(metric.name):
            why = escaping.one_line(str(reasons[metric.name]))[:LONGEST_REASON]
        found[metric.name] = Score(value, why or None, None if value is not None else ReasonCode.BAD_SCORE)
    return found


def _report_missing(judge: Judge, scores: Mapping[ClipKey, Mapping[str, Score]]) -> None:
    """Log one warning for each reason why clips have no score."""
    by_reason: dict[str, list[ClipKey]] = {}
    for key, found in scores.items():
        for why in dict.fromkeys(score.reason or "" for score in found.values() if score.value is None):
            by_reason.setdefault(why, []).append(key)
    for why, keys in by_reason.items():
        log.warning(
            "judge %s: no score for %d of %d clips, e.g. %s, %s #%d: %s. Its output is in logs/judge-%s.log.",
            judge.name, len(keys), len(scores), *keys[0], why, judge.name,
        )


@dataclass
class _Streak:
    """Consecutive failures over all instances of a program."""

    limit: int
    length: int = 0
    why: str = ""
    """Why no more clips are asked; "" while they are."""
    _lock: Lock = field(default_factory=Lock)

    def failed(self, reason: str, final: bool) -> None:
        with self._lock:
            self.length += 1
            if final:
                self.why = reason
            elif self.length >= self.limit:
                self.why = f"the program failed {self.length} times in a row, the last time: {reason}"

    def ended(self) -> None:
        with self._lock:
            self.length = 0


class _Kept:
    """Stored answers: lines of JSON in `judges/<name>/*.jsonl` of the run folder. Each shard has its own file."""

    def __init__(self, folder: Path, judge: Judge, part: str) -> None:
        self._path, self._judge, self._lock = folder / f"answers{part}.jsonl", judge, Lock()
        self.answers: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.glob("*.jsonl")):
            for entry in _entries(path):
                if entry.get("judge") == judge.identity and isinstance(entry.get("clip"), str):
                    self.answers[entry["clip"]] = entry

    def add(self, clip: ClipToJudge, values: Mapping[str, float | None], scores: Mapping[str, Score]) -> None:
        reasons = {name: score.reason for name, score in scores.items() if score.reason}
        entry = {"judge": self._judge.identity, "clip": clip.digest, "scores": values} | (
            {"reasons": reasons} if reasons else {}
        )
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(b"\n" if _torn(self._path) else b"")
                file.write(json.dumps(entry).encode() + b"\n")


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """All complete lines of a file of answers, as objects."""
    with path.open("rb") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict):
                yield entry


def _torn(path: Path) -> bool:
    """Whether the file ends with an incomplete line, because a writer was killed."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 1))
        return size > 0 and file.read(1) != b"\n"
