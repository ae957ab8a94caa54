"""HTTP for hosted services: https only (or loopback), no key to strangers, limits on size and time.

Standard library throughout. Redirects are never followed by themselves: the library would carry
the key along to wherever they lead.
"""

from __future__ import annotations

import errno
import http.client
import ipaddress
import json
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from vbench_lite.errors import GeneratorError

LARGEST_ANSWER = 8 << 20
REDIRECTS = 5


class UnsafeUrlError(GeneratorError):
    """An address that a key or a download must not go to."""


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
        except ValueError:
            return {}


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def checked(url: str, allow_loopback: bool) -> str:
    """The URL, if it is fit to be called.

    Raises:
        UnsafeUrlError: It is neither https nor loopback, or loopback where that is not expected.
    """
    parts = urllib.parse.urlsplit(url)
    if is_loopback(parts.hostname):
        if not allow_loopback:
            raise UnsafeUrlError(f"the service points to this very machine ({parts.hostname}), which is not followed")
        if parts.scheme in ("http", "https"):
            return url
    if parts.scheme != "https" or not parts.hostname:
        raise UnsafeUrlError(f"{_shown(url)} is not https, and nothing is sent or fetched otherwise")
    return url


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Client:
    """Calls one service."""

    def __init__(self, hosts: frozenset[str], allow_loopback: bool, timeout_s: float) -> None:
        self._hosts, self._allow_loopback, self._timeout_s = hosts, allow_loopback, timeout_s
        proxies = [urllib.request.ProxyHandler({})] if allow_loopback else []
        self._opener = urllib.request.build_opener(_NoRedirect, *proxies)

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


def _shown(url: str) -> str:
    """A URL without what may be secret in it."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
