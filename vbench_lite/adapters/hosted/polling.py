"""Polls the job of one clip until it ends."""

from __future__ import annotations

import time
from typing import Any

from vbench_lite.adapters.hosted.answers import (
    JobState,
    get_path,
    is_refusal,
    read_error,
    read_state,
    response_excerpt,
)
from vbench_lite.adapters.hosted.client import Answer
from vbench_lite.adapters.hosted.job import ClipJob
from vbench_lite.errors import ClipFailed
from vbench_lite.records import ReasonCode

UNKNOWN_AT_FIRST = 3
"""How often polling may answer 404 for a new job, because some services need a moment to know it."""
NO_SUCH_JOB = (400, 404, 410, 422)
"""Statuses of a poll that mean that a job no longer exists, if an earlier poll found it."""


class Polling:
    """Polls one job until an answer names the clip."""

    def __init__(self, clip: ClipJob) -> None:
        self._clip = clip

    def finished(self) -> Any:
        """Poll until the job ends. Returns the answer that names the clip.

        Raises:
            JobFailedError: The job failed, was refused, no longer exists, or stays in an unknown state.
            ClipFailed: The job still runs at the time limit, or polling failed. The job is kept.
        """
        poll, limits = self._clip.settings.poll, self._clip.settings
        deadline = time.monotonic() + limits.time_limit_s
        absent = unknown = 0
        while True:
            start = time.monotonic()
            answer = self._clip.call.get(poll.url, poll.headers, self._clip.values)
            content = answer.json()
            state, word = JobState.UNKNOWN, ""
            if not answer.ok:
                absent += 1
                self._check_absent(answer, absent)
            elif content:
                has_clip = bool(limits.result.url) or isinstance(get_path(content, limits.video.url), str)
                state, word, error = read_state(content, poll, has_clip)
                if state in (JobState.FAILED, JobState.REFUSED):
                    raise self._clip.failed(error, state is JobState.REFUSED)
                if state is JobState.DONE:
                    return self._result() if limits.result.url else content
                unknown = unknown + 1 if state is JobState.UNKNOWN else 0
                if unknown >= max(1, limits.unknown_polls):
                    raise self._never_known(word, error)
                self._seen()
            if time.monotonic() > deadline:
                limit = f"{limits.time_limit_s:g} s"
                raise ClipFailed(
                    f"the job is still {word or 'unknown'} after {limit}; {self._clip.kept()}", ReasonCode.TIMEOUT
                )
            time.sleep(limits.poll_every_s)
            stage = "queue" if state is JobState.QUEUED else "work"
            setattr(self._clip.timing, stage, getattr(self._clip.timing, stage) + time.monotonic() - start)

    def _seen(self) -> None:
        """Record once that polling found the job. If a later poll does not find it, the job has ended."""
        if not self._clip.entry.seen:
            self._clip.note(seen=True)

    def _check_absent(self, answer: Answer, times: int) -> None:
        """Handle a poll with an error status."""
        error = read_error(answer.json(), self._clip.settings.poll.error)
        text = self._clip.call.without_key(error.message)[:300] or response_excerpt(answer)
        if error.refused or is_refusal(text):
            raise self._clip.failed(text, True)
        if answer.status == 404 and times <= UNKNOWN_AT_FIRST:
            return
        if answer.status == 410 or (self._clip.entry.seen and answer.status in NO_SUCH_JOB):
            gone = f"job {self._clip.entry.id} no longer exists: polling answers {answer.status}: {text}"
            raise self._clip.failed(gone, False)
        raise ClipFailed(f"polling answers {answer.status}: {text}; {self._clip.kept()}")

    def _never_known(self, word: str, error: str) -> ClipFailed:
        """The error of a job whose state stays unknown. A job without any state may still be running, so it is kept."""
        if not word:
            where = self._clip.settings.poll.state
            return ClipFailed(f"polling names no state at {where} (settings.poll.state); {self._clip.kept()}")
        tail = f", with the error {error}" if error else ""
        remedy = f'If this state means that it is running, add "{word}" to running under [settings.poll]'
        return self._clip.failed(f'job {self._clip.entry.id} stays in the state "{word}"{tail}. {remedy}', False)

    def _result(self) -> Any:
        """The answer that names the clip of a finished job, for services with a separate call for results."""
        result, video = self._clip.settings.result, self._clip.settings.video
        answer = self._clip.call.get(result.url, result.headers, self._clip.values)
        content = answer.json()
        stated, anywhere = read_error(content, result.error, common=False), read_error(content, result.error)
        if answer.status in (400, 403, 409, 410, 422, 451) or (answer.ok and stated.message):
            error = stated if stated.message else anywhere
            text = error.message or response_excerpt(answer)
            raise self._clip.failed(text, error.refused or is_refusal(text))
        if not answer.ok:
            raise ClipFailed(
                f"asking for the result answers {answer.status}: {response_excerpt(answer)}; {self._clip.kept()}"
            )
        if anywhere.message and not isinstance(get_path(content, video.url), str):
            raise self._clip.failed(anywhere.message, anywhere.refused)
        return content
