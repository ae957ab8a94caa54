"""HTTP for hosted services: https only (or loopback), keys for the service's own servers only, limits on size and time.

The client is httpx2. One deadline covers the whole exchange (name lookup, connection, header and body of the answer),
so a very slow answer ends in time. The library does not follow redirects.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import anyio
import httpx2

from vbench_lite.adapters.hosted.urls import (
    Origin,
    UnsafeUrlError,
    check_address,
    check_headers,
    checked,
    is_loopback,
    own_origins,
    parsed,
)
from vbench_lite.errors import GeneratorError

LARGEST_ANSWER = 8 << 20
REDIRECTS = 5
NEVER_SENT = (
    httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol
)
"""Errors of httpx2 that occur before the first byte of a request is sent."""


class NotSentError(Exception):
    """The request did not reach the service."""


class UnknownFateError(Exception):
    """It is not known whether the service executed the request: there is no answer, or an incomplete one."""


@dataclass(frozen=True)
class Answer:
    """The answer to a request, with any status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def try_later(self) -> bool:
        """Whether the service is overloaded or failing, so that the request should be retried."""
        return self.status in (408, 425, 429) or self.status >= 500

    @property
    def wait_s(self) -> float | None:
        """Seconds that `Retry-After` asks for, as a number or as a date; None without a usable value.

        >>> Answer(429, {"retry-after": "7"}).wait_s
        7.0
        >>> now = "Wed, 25 Nov 2026 16:00:00 GMT"
        >>> Answer(503, {"date": now, "retry-after": "Wed, 25 Nov 2026 16:00:30 GMT"}).wait_s
        30.0
        """
        text = self.headers.get("retry-after", "").strip()
        try:
            seconds = float(text)
        except ValueError:
            then, now = _date(text), _date(self.headers.get("date", "")) or datetime.now(UTC)
            seconds = (then - now).total_seconds() if then else float("nan")
        return max(0.0, seconds) if seconds < float("inf") else None

    def json(self) -> Any:
        """The body as JSON; {} if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return {}


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Client:
    """Sends requests to one service."""

    def __init__(self, base: str, hosts: tuple[str, ...], timeout_s: float) -> None:
        self._own = own_origins(base, hosts)
        self._allow_loopback, self._timeout_s = is_loopback(parsed(base).host), timeout_s
        self._tls = httpx2.create_ssl_context()
        asyncio.run(anyio.sleep(0))  # loads the backend now, because the first deadline would include the time

    def call(self, method: str, url: str, headers: Mapping[str, str], body: Any = None) -> Answer:
        """Send one request to the service. `body` is sent as JSON, bytes are sent unchanged.

        Raises:
            UnsafeUrlError: The URL is not on one of the service's own servers.
            NotSentError: No connection could be made.
            UnknownFateError: The connection was lost before an answer was complete.
        """
        target = parsed(url)
        if Origin.of(target) not in self._own:
            raise UnsafeUrlError(
                f"the service points to {Origin.of(target)}, which is not in its hosts; its key is not sent there"
            )
        sent = {"Accept": "application/json", "User-Agent": "vbench-lite", **headers}
        content = None
        if isinstance(body, bytes):
            content = body
        elif body is not None:
            sent, content = {**sent, "Content-Type": "application/json"}, json.dumps(body).encode()
        return self._exchange(method, target, sent, content, LARGEST_ANSWER, self._timeout_s)

    def download(self, url: str, headers: Mapping[str, str], largest: int, limit_s: float) -> Answer:
        """Download a whole file. `headers`, which can contain a key, are sent to the service's own servers only.

        Raises:
            UnsafeUrlError: The URL, or a redirect, leads to an address that is not allowed.
            NotSentError: No connection could be made.
            UnknownFateError: The connection was lost before the end.
            GeneratorError: The file is larger than `largest` bytes (after decompression), or redirected too often.
        """
        deadline, target = time.monotonic() + limit_s, parsed(url)
        for _ in range(REDIRECTS):
            sent = {"User-Agent": "vbench-lite", **(headers if Origin.of(target) in self._own else {})}
            answer = self._exchange("GET", target, sent, None, largest, deadline - time.monotonic())
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            target = parsed(str(target.join(answer.headers.get("location", ""))))
        raise GeneratorError(f"the download is redirected more than {REDIRECTS} times")

    def _exchange(
        self, method: str, url: httpx2.URL, headers: Mapping[str, str], content: bytes | None, largest: int,
        limit_s: float,
    ) -> Answer:
        """One request and its answer, within `limit_s` seconds in total."""
        check_headers(headers)
        own = Origin.of(url) in self._own
        checked(url, self._allow_loopback, own)
        extensions = {"trace": _PeerCheck(url.raw_host.decode(), self._allow_loopback, own)}
        request = httpx2.Request(method, url, headers=dict(headers), content=content, extensions=extensions)
        try:
            return asyncio.run(self._answer_to(request, largest, max(0.001, limit_s)))
        except NEVER_SENT as error:
            raise NotSentError(_words(error)) from None
        except TimeoutError:
            raise UnknownFateError("the answer took too long") from None
        except httpx2.HTTPError as error:
            raise UnknownFateError(_words(error)) from None

    async def _answer_to(self, request: httpx2.Request, largest: int, limit_s: float) -> Answer:
        timeout = httpx2.Timeout(min(self._timeout_s, limit_s), connect=min(self._timeout_s, limit_s) / 2)
        request.extensions["timeout"] = timeout.as_dict()
        trust_env = not self._allow_loopback  # a proxy of the environment cannot reach this machine
        async with httpx2.AsyncClient(verify=self._tls, trust_env=trust_env) as client, asyncio.timeout(limit_s):
            response = await client.send(request, stream=True)
            try:
                body = await _body(response, largest)
            finally:
                await response.aclose()
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)


async def _body(response: httpx2.Response, largest: int) -> bytes:
    """The decompressed body. A body above the limit is an error and is never truncated."""
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > largest:
        size = f"{int(announced) / 1e6:.0f} MB"
        raise GeneratorError(f"the answer is {size}; at most {largest / 1e6:.0f} MB are read")
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > largest:
            raise GeneratorError(f"the answer is larger than {largest / 1e6:.0f} MB")
    return bytes(content)


class _PeerCheck:
    """Checks the address to which a host name was resolved, before anything is sent. Addresses of proxies are
    ignored."""

    def __init__(self, host: str, allow_loopback: bool, own: bool) -> None:
        self._host, self._allow_loopback, self._own = host, allow_loopback, own
        self._direct = False

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self._direct = info.get("host") == self._host
        elif event == "connection.connect_tcp.complete" and self._direct:
            stream = info["return_value"]
            try:
                check_address(self._host, stream.get_extra_info("server_addr")[0], self._allow_loopback, self._own)
            except UnsafeUrlError:
                await stream.aclose()
                raise


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
