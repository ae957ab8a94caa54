"""Follows one clip's job to its end."""

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
"""How often a job may be unknown to polling right after it was taken: services forget for a moment."""
NO_SUCH_JOB = (400, 404, 410, 422)
"""Answers to a poll that mean that the job is not there any more, once it was there."""


class Polling:
    """The way of one clip from its job to the answer that names the clip."""

    def __init__(self, clip: ClipJob) -> None:
        self._clip = clip

    def finished(self) -> Any:
        """Polls until the job is over; returns the answer that names the clip.

        Raises:
            JobFailedError: It failed, was refused, is not there any more, or stays in a state that is not known.
            ClipFailed: It still runs at the time limit; the job is kept.
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
        """Notes once that polling knows the job: when it does not any more, the job is over."""
        if not self._clip.entry.seen:
            self._clip.note(seen=True)

    def _check_absent(self, answer: Answer, times: int) -> None:
        """A poll that is answered with an error status."""
        error = read_error(answer.json(), self._clip.settings.poll.error)
        text = self._clip.call.without_key(error.message)[:300] or response_excerpt(answer)
        if error.refused or is_refusal(text):
            raise self._clip.failed(text, True)
        if answer.status == 404 and times <= UNKNOWN_AT_FIRST:
            return
        if answer.status == 410 or (self._clip.entry.seen and answer.status in NO_SUCH_JOB):
            gone = f"job {self._clip.entry.id} is not there any more: polling answers {answer.status}: {text}"
            raise self._clip.failed(gone, False)
        raise ClipFailed(f"polling answers {answer.status}: {text}; {self._clip.kept()}")

    def _never_known(self, word: str, error: str) -> ClipFailed:
        """A job whose state stays unknown; one that names no state at all may still be at work."""
        if not word:
            where = self._clip.settings.poll.state
            return ClipFailed(f"polling names no state at {where} (settings.poll.state); {self._clip.kept()}")
        tail = f", with the error {error}" if error else ""
        remedy = f'If it is at work then, add "{word}" to running under [settings.poll]'
        return self._clip.failed(f'job {self._clip.entry.id} stays in the state "{word}"{tail}. {remedy}', False)

    def _result(self) -> Any:
        """The answer that names the clip of a finished job, where it is asked for apart."""
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
