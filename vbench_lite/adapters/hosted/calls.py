"""Authenticated calls to one hosted service: keys, waiting times, and retries of calls that are safe to repeat."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote, urljoin

from vbench_lite.adapters.hosted.client import Answer, Client, NotSentError, UnknownFateError
from vbench_lite.adapters.hosted.settings import KEY_EXAMPLE, ServiceSettings, key_in
from vbench_lite.adapters.hosted.templates import render_template, signed_token
from vbench_lite.errors import ClipFailed, GeneratorError

ATTEMPTS = 8
"""Highest number of attempts of a call that is safe to repeat."""
LONGEST_WAIT_S = 300.0
KEPT = "The job is kept: run again with --retry-failed."
Text = TypeVar("Text", str, bytes)


class Calls:
    """Calls to one service, as its settings describe."""

    def __init__(self, name: str, settings: ServiceSettings) -> None:
        self._name, self._settings = name, settings
        self._client = Client(settings.base, tuple(settings.hosts), settings.call_limit_s)
        self._key = self._secret = ""
        self._tokens: deque[str] = deque(maxlen=64)
        """Recently signed tokens, which are secret because they are valid for half an hour."""

    def read_keys(self) -> None:
        """Read the keys from the environment. Nothing is sent.

        Raises:
            GeneratorError: A key is not set, or contains unprintable characters.
        """
        self._key, self._secret = self._variable(self._settings.key_env), self._variable(self._settings.secret_env)

    def forget_keys(self) -> None:
        self._key = self._secret = ""
        self._tokens.clear()

    def _variable(self, name: str) -> str:
        if not name:
            return ""
        value = key_in(name)
        if not value:
            dots = f"export {name}={KEY_EXAMPLE} with the key for the dots"
            raise GeneratorError(f'"{self._name}" needs its key: {dots} (it is never stored).')
        if not value.isascii() or not value.isprintable():
            raise GeneratorError(f'"{self._name}": the value of {name} is not a key: it has unprintable characters.')
        return value

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], values: Mapping[str, Any], body: Any = None
    ) -> Answer:
        """Send one request to the service. Only this method and `download` insert `{key}` into headers."""
        address = urljoin(self._settings.base.rstrip("/") + "/", str(render_template(url, values)).lstrip("/"))
        answer = self._client.call(method, address, self._with_key(headers, values), body)
        return replace(answer, body=self.without_key(answer.body))

    def get(self, url: str, headers: Mapping[str, str], values: Mapping[str, Any]) -> Answer:
        """A GET call, repeated on failure. Without headers, it uses the headers of the submit."""
        headers = headers or self._settings.submit.headers
        return self._repeated(lambda: self("GET", url, headers, values))

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], values: Mapping[str, Any], body: Any = None
    ) -> Answer:
        """A call that creates no job, such as an upload, repeated on failure. Bytes are sent unchanged."""
        return self._repeated(lambda: self(method, url, headers, values, body), "Nothing was submitted.")

    def download(self, url: str, headers: Mapping[str, str], values: Mapping[str, Any]) -> Answer:
        """Download a finished clip, repeated on failure."""
        largest, limit_s = int(self._settings.download_limit_mb * 1e6), self._settings.download_limit_s
        return self._repeated(lambda: self._client.download(url, self._with_key(headers, values), largest, limit_s))

    def _with_key(self, headers: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
        token = self._key
        if self._settings.auth == "jwt-hs256":
            token = signed_token(self._key, self._secret)
            self._tokens.append(token)
        sent: dict[str, str] = render_template(headers, {**values, "key": token})
        return sent

    def _repeated(self, call: Callable[[], Answer], then: str = KEPT) -> Answer:
        """Repeat a call while the service is busy or the connection fails."""
        for attempt in range(ATTEMPTS):
            try:
                answer = call()
                if not answer.try_later or attempt == ATTEMPTS - 1:
                    return answer
                self.wait(attempt, answer)
            except (NotSentError, UnknownFateError) as error:
                if attempt == ATTEMPTS - 1:
                    raise ClipFailed(f"the service cannot be reached: {error}. {then}") from None
                self.wait(attempt)
        raise AssertionError("unreachable")

    def wait(self, attempt: int, answer: Answer | None = None) -> None:
        """Wait as long as the service asks, else twice as long with each attempt."""
        asked = answer.wait_s if answer else None
        time.sleep(min(LONGEST_WAIT_S, self._settings.backoff_s * 2 ** min(attempt, 6) if asked is None else asked))

    def without_key(self, text: Text) -> Text:
        """A text of the service with keys replaced by "***", because services repeat keys in their errors."""
        for secret in filter(None, (self._key, self._secret, *self._tokens)):
            for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
                text = text.replace(form, "***") if isinstance(text, str) else text.replace(form.encode(), b"***")
        return text
