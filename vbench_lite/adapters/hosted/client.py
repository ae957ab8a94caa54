"""HTTP for hosted services: https only (or loopback), no key to strangers, limits on size and time.

Standard library throughout. Redirects are never followed by themselves: the library would carry
the key along to wherever they lead.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from vbench_lite.adapters.hosted.urls import UnsafeUrlError, checked, sendable
from vbench_lite.errors import GeneratorError

LARGEST_ANSWER = 8 << 20
REDIRECTS = 5


class NotSentError(Exception):
    """The request certainly did not reach the service."""


class UnknownFateError(Exception):
    """The request may or may not have been carried out: no answer, or a cut one."""


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def try_later(self) -> bool:
        """The service is busy or ill, and asking again is what it wants."""
        return self.status in (408, 425, 429) or self.status >= 500

    @property
    def wait_s(self) -> float | None:
        """What `Retry-After` says, in seconds."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None  # absent, or a date: the caller's own backoff serves

    def json(self) -> Any:
        """The body as JSON; {} where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return {}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class _Connection(http.client.HTTPConnection):
    """Waits for the whole head of an answer no longer than for any one byte: a service may send it in drips."""

    def getresponse(self) -> http.client.HTTPResponse:
        end = threading.Timer(float(self.timeout or 60), _hang_up, (self.sock,))
        end.daemon = True
        end.start()
        try:
            return super().getresponse()
        finally:
            end.cancel()


class _SecureConnection(_Connection, http.client.HTTPSConnection):
    pass


def _hang_up(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # not the secure socket's own: it is in use by the reader


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req)


class Client:
    """Calls one service."""

    def __init__(self, hosts: frozenset[str], allow_loopback: bool, timeout_s: float) -> None:
        self._hosts, self._allow_loopback, self._timeout_s = hosts, allow_loopback, timeout_s
        proxies = [urllib.request.ProxyHandler({})] if allow_loopback else []
        self._opener = urllib.request.build_opener(_NoRedirect, _Http, _Https, *proxies)

    def call(self, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> Answer:
        """One request to the service itself; `body` is sent as JSON.

        Raises:
            UnsafeUrlError: The URL is not one of the service's own hosts.
            NotSentError: No connection could be made.
            UnknownFateError: The connection was lost before an answer was complete.
        """
        host = urllib.parse.urlsplit(url).hostname
        if host not in self._hosts:
            raise UnsafeUrlError(f"the service points to {host}, which is not in its hosts; its key is not sent there")
        data = None if body is None else json.dumps(body).encode()
        sent = {"Accept": "application/json", "User-Agent": "vbench-lite", **headers}
        if data is not None:
            sent["Content-Type"] = "application/json"
        with self._open(method, url, sent, data, time.monotonic() + self._timeout_s) as (response, deadline):
            content = b"".join(_chunks(response, LARGEST_ANSWER, deadline))
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, content)

    def download(self, url: str, headers: Mapping[str, str], largest: int, limit_s: float) -> Answer:
        """A whole file. `headers` (with a key, perhaps) go to the service's own hosts only.

        Raises:
            UnsafeUrlError: It leads to where nothing is fetched from.
            NotSentError, UnknownFateError: The connection failed, or was cut before the end.
            GeneratorError: It is larger than `largest` bytes.
        """
        deadline = time.monotonic() + limit_s
        for _ in range(REDIRECTS):
            own = urllib.parse.urlsplit(url).hostname in self._hosts
            with self._open("GET", url, dict(headers) if own else {}, None, deadline) as (response, _):
                if response.status not in (301, 302, 303, 307, 308):
                    content = b"".join(_chunks(response, largest, deadline))
                    return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, content)
                url = urllib.parse.urljoin(url, response.headers.get("Location", ""))
        raise GeneratorError(f"the download is redirected more than {REDIRECTS} times")

    def _open(self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, deadline: float) -> _Opened:
        sendable(url, headers)
        request = urllib.request.Request(checked(url, self._allow_loopback), data, dict(headers), method=method)
        timeout = max(0.001, min(self._timeout_s, deadline - time.monotonic()))
        try:
            return _Opened(self._opener.open(request, timeout=timeout), deadline)
        except urllib.error.HTTPError as error:
            return _Opened(error, deadline)
        except urllib.error.URLError as error:
            never = isinstance(error.reason, (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError))
            never = never or getattr(error.reason, "errno", None) in (errno.ENETUNREACH, errno.EHOSTUNREACH)
            raise (NotSentError if never else UnknownFateError)(str(error.reason)) from None
        except (OSError, http.client.HTTPException) as error:
            raise UnknownFateError(f"{type(error).__name__}: {error}") from None


class _Opened:
    """A response with its deadline, closed at the end of the block."""

    def __init__(self, response: Any, deadline: float) -> None:
        self._response, self._deadline = response, deadline

    def __enter__(self) -> tuple[Any, float]:
        return self._response, self._deadline

    def __exit__(self, *error: object) -> None:
        self._response.close()


def _chunks(response: Any, largest: int, deadline: float) -> Iterator[bytes]:
    """The body, piece by piece; too much, too slow or cut is an error, never a short body."""
    total, announced = 0, response.headers.get("Content-Length")
    if announced and announced.isdigit() and int(announced) > largest:
        size = f"{int(announced) / 1e6:.0f} MB"
        raise GeneratorError(f"the answer is {size}; more than {largest / 1e6:.0f} MB is not taken")
    source: IO[bytes] = response
    while True:
        if time.monotonic() > deadline:
            raise UnknownFateError("the answer took too long")
        try:
            piece = source.read1(1 << 16) if hasattr(source, "read1") else source.read(1 << 16)
        except (OSError, http.client.HTTPException) as error:
            raise UnknownFateError(f"the answer was cut: {type(error).__name__}") from None
        if not piece:
            break
        total += len(piece)
        if total > largest:
            raise GeneratorError(f"the answer is larger than {largest / 1e6:.0f} MB")
        yield piece
    if announced and announced.isdigit() and total != int(announced):
        raise UnknownFateError(f"the answer was cut after {total} of {announced} bytes")
