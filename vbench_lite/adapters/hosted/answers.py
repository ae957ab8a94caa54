"""Reads the answers of a hosted service: the state of a job, errors, amounts, and whether a file is a clip.

The same code reads answers to submits, polls and results. Errors are searched at the paths of the definition (`error`)
and, unless the job is active, in the fields that services commonly use. The HTTP status does not matter. States are
compared without case. A state that the definition does not name is judged by its error and by common words. Otherwise
it is `UNKNOWN`, and the caller limits how long a job may be in this state.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from vbench_lite.adapters.hosted.client import Answer
from vbench_lite.adapters.hosted.settings import Poll, as_paths

ERROR_FIELDS = ("error", "errors", "detail", "failure", "failure_reason", "error_message", "errorMessage")
"""Fields in which services commonly report errors. They are read in addition to those of the definition."""
REFUSAL_WORDS = (
    "moderat", "content policy", "content_policy", "contentpolicy", "content filter", "content_filter", "safety",
    "sensitive", "nsfw", "prohibited", "usage polic", "usage guideline", "community guideline", "violates", "flagged",
)
_ACTIVE = {
    "queued", "in_queue", "inqueue", "pending", "waiting", "submitted", "created", "scheduled", "starting", "started",
    "accepted", "running", "processing", "in_progress", "inprogress", "progress", "working", "active", "generating",
    "rendering", "dreaming", "preparing", "throttled", "uploading", "encoding",
}
_OVER = (
    "fail", "error", "cancel", "expire", "reject", "timeout", "timed_out", "abort", "block", "filtered", "violat",
    "moderat", "refus", "denied", "invalid", "terminated", "deleted", "crash",
)
_FINISHED = {"done", "completed", "complete", "succeeded", "succeed", "success", "finished", "ready"}
_NO_ERROR = {"", "0", "none", "null", "ok", "success", "succeed", "succeeded", "no error", "false"}
_TEXT_FIELDS = ("message", "msg", "detail", "description", "reason", "error", "title", "code", "type")


class JobState(Enum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class ErrorText(NamedTuple):
    """An error in an answer; its message is "" if there is none."""

    message: str
    refused: bool = False
    """Whether the service refused the clip by moderation."""


class JobReading(NamedTuple):
    """The result of one poll."""

    state: JobState
    word: str
    """The service's name of the state."""
    error: str = ""


def get_paths(answer: Any, path: str) -> list[Any]:
    """All values at a path such as "data.videos.0.url". `*` matches every item of a list or table.

    >>> get_paths({"errors": [{"msg": "a"}, {"msg": "b"}]}, "errors.*.msg")
    ['a', 'b']
    """
    found = [answer] if path else []
    for part in path.replace("[", ".").replace("]", "").split("."):
        found = [value for each in found for value in _step(each, part)]
    return found


def _step(value: Any, part: str) -> list[Any]:
    if part == "*":
        return list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
    if isinstance(value, Mapping):
        return [value[part]] if part in value else []
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return [value[int(part)]]
    return []


def get_path(answer: Any, path: str) -> Any:
    """The first value at a path; None if there is none."""
    return next((value for value in get_paths(answer, path) if value is not None), None)


def read_error(content: Any, paths: str | Sequence[str] = (), common: bool = True) -> ErrorText:
    """The error that an answer reports.

    Args:
        content: The answer's JSON.
        paths: Paths of errors in the definition.
        common: Whether to search `ERROR_FIELDS` too.

    >>> read_error({"detail": [{"msg": "flagged", "type": "content_policy_violation"}]}, "detail.0.msg")
    ErrorText(message='flagged', refused=True)
    >>> read_error({"error": {"code": 0, "message": ""}, "errors": []}).message
    ''
    """
    wanted = (*as_paths(paths), *(ERROR_FIELDS if common else ()))
    values = [value for path in wanted for value in get_paths(content, path)]
    texts = list(dict.fromkeys(text for value in values if (text := _text_of(value))))
    if not texts:
        return ErrorText("")
    if texts == ["true"]:  # {"error": true, "message": "..."}
        texts = [_text_of(get_path(content, "message") or get_path(content, "msg")) or "the service reports an error"]
    types = [json.dumps(get_path(content, field)) for field in ERROR_FIELDS if get_path(content, field)]
    return ErrorText(printable("; ".join(texts[:3])), is_refusal(" ".join([*texts, *types])))


def _text_of(value: Any, depth: int = 0) -> str:
    """The text of an error value; "" for values that mean no error."""
    if isinstance(value, str):
        return "" if value.strip().lower() in _NO_ERROR else value.strip()
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, int | float):
        return f"{value:g}" if value and math.isfinite(value) else ""
    if depth > 4 or not isinstance(value, Mapping | list):
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_text_of(each, depth + 1) for each in value[:3])))
    named = (_text_of(value[name], depth + 1) for name in _TEXT_FIELDS if name in value)
    text = next(filter(None, named), "")
    return text or next(filter(None, (_text_of(each, depth + 1) for each in value.values())), "")


def is_refusal(text: str) -> bool:
    """Whether an error text means that the service refuses this clip by moderation."""
    return any(word in text.lower() for word in REFUSAL_WORDS)


def read_state(content: Any, poll: Poll, has_clip: bool) -> JobReading:
    """Read the state of a job from the answer to a poll.

    Args:
        content: The answer's JSON.
        poll: The settings of polling, with the service's names of states.
        has_clip: Whether the answer names a clip, or a separate call asks for the result.
    """
    word = get_path(content, poll.state)
    name = printable(str(word))[:60] if word is not None else ""
    refusal = read_error(content, poll.refusal, common=False)
    stated, anywhere = read_error(content, poll.error, common=False), read_error(content, poll.error)
    if refusal.message:
        return JobReading(JobState.REFUSED, name, refusal.message)
    if _is_one_of(word, poll.refused):
        return JobReading(JobState.REFUSED, name, anywhere.message or name)
    if _is_one_of(word, poll.failed):
        return _failed(name, anywhere)
    if _is_one_of(word, poll.done):
        problem = stated if stated.message or has_clip else anywhere
        return _failed(name, problem) if problem.message else JobReading(JobState.DONE, name)
    if _is_active(word, poll):
        problem = stated if stated.message else read_error(content, "error", common=False)
        state = JobState.QUEUED if _is_one_of(word, poll.queued) else JobState.RUNNING
        return JobReading(JobState.UNKNOWN if problem.message else state, name, problem.message)
    return _unlisted(word, name, anywhere, has_clip)


def _unlisted(word: Any, name: str, error: ErrorText, has_clip: bool) -> JobReading:
    """Judge a state that the definition does not name."""
    plain = _plain(word)
    if error.message or (isinstance(word, str) and any(part in plain for part in _OVER)):
        refused = error.refused or is_refusal(name)
        return JobReading(JobState.REFUSED if refused else JobState.FAILED, name, error.message or name)
    if has_clip and plain in _FINISHED:
        return JobReading(JobState.DONE, name)
    return JobReading(JobState.UNKNOWN, name)


def _failed(name: str, error: ErrorText) -> JobReading:
    return JobReading(JobState.REFUSED if error.refused else JobState.FAILED, name, error.message or name)


def _is_active(word: Any, poll: Poll) -> bool:
    if _is_one_of(word, (*poll.queued, *poll.running)) or _plain(word) in _ACTIVE:
        return True
    flags = any(isinstance(each, bool) for each in poll.done)  # {"done": true}: before, the field is false or absent
    return flags and word in (None, False)


def _is_one_of(word: Any, names: Iterable[Any]) -> bool:
    if isinstance(word, bool) or word is None:
        return any(word is each for each in names)
    return any(not isinstance(each, bool) and _plain(word) == _plain(each) for each in names)


def _plain(word: Any) -> str:
    return str(word).strip().lower().replace("-", "_").replace(" ", "_")


def response_excerpt(answer: Answer) -> str:
    """The beginning of an answer's body, as one line that is safe to print."""
    return printable(answer.body[:4000].decode("utf-8", "replace"))[:300] or "(nothing)"


def printable(text: str) -> str:
    """A text from another program as one line without control characters.

    >>> printable("two\\nlines\\x1b[31m")
    'two lines?[31m'
    """
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


def parse_amount(value: Any) -> float | None:
    """An amount in an answer: a number of 0 or more, also as text; None for other values."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = float(value)
    except (ValueError, OverflowError):
        return None
    return amount if 0 <= amount < math.inf else None


def video_defect(clip: bytes) -> str:
    """Why a file is not a complete clip, by its first bytes and its MP4 boxes; "" if no defect is found.

    A downloaded clip is stored and not downloaded again. So an error page must not be stored as a clip.
    """
    if clip[:4] in (b"\x1aE\xdf\xa3", b"GIF8", b"RIFF"):
        return ""
    if clip[4:8] not in (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide"):
        return f"the download is not a video: {printable(clip[:60].decode('utf-8', 'replace'))!r}"
    place = 0
    while place < len(clip) and clip[place : place + 8].strip(b"\0\r\n\t "):
        size = int.from_bytes(clip[place : place + 4], "big")
        if size == 1:
            size = int.from_bytes(clip[place + 8 : place + 16], "big")
        if size == 0:
            return ""  # size 0 means that the box extends to the end of the file
        place += max(size, 8)
    return "" if place <= len(clip) else f"the video is incomplete: {len(clip)} of at least {place} bytes"
