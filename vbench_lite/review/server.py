"""The local server of a review: the page, its votes and its clips. It serves only files of the review.

It listens on this machine only, unless a host is named. Then every request needs the token of the link. Requests for
other host names (DNS rebinding) and from pages of other origins are refused.
"""

from __future__ import annotations

import errno
import hmac
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from vbench_lite.environment import extra
from vbench_lite.errors import StoreError, UsageError, VbenchError
from vbench_lite.review.page import asset, page_html
from vbench_lite.review.session import Review

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "vbench_review"
LARGEST_BODY = 10_000
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
_ASSETS = {"review.css": "text/css", "review.js": "text/javascript"}


@dataclass(frozen=True)
class Door:
    """The address of the server and its access rules."""

    host: str = "127.0.0.1"
    port: int = 0
    token: str = ""
    """Required in every request; "" if only this machine has access."""
    names: tuple[str, ...] = LOOPBACK
    """Host names that requests may carry."""

    @classmethod
    def of(cls, host: str | None, port: int = 0) -> Door:
        """The access rules for `--host`; None allows this machine only."""
        if host is None or host in LOOPBACK:
            return cls(host or "127.0.0.1", port)
        names = {*LOOPBACK, host} if host not in ("0.0.0.0", "::") else {*LOOPBACK, *_own_names()}
        return cls(host, port, secrets.token_urlsafe(18), tuple(sorted(names)))

    def link(self, port: int) -> str:
        """The link that a rater opens."""
        host = self.host
        if host in ("0.0.0.0", "::"):
            host = _reachable(self.names)
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}/" + (f"?token={self.token}" if self.token else "")


def _own_names() -> set[str]:
    """Names and addresses of this machine."""
    found = {
        address.address.partition("%")[0] for each in psutil.net_if_addrs().values() for address in each
        if address.family in (socket.AF_INET, socket.AF_INET6)
    }  # fmt: skip
    return {socket.gethostname().lower(), *found}


def _reachable(names: Sequence[str]) -> str:
    """The most likely address for other devices: an address in a network, else the name of this machine."""
    own = ("127.", "169.254.")
    networks = [name for name in names if name[:1].isdigit() and "." in name and not name.startswith(own)]
    return next(iter(networks), socket.gethostname())


def make_app(review: Review, door: Door) -> Starlette:
    """The web application.

    Args:
        review: The review to serve.
        door: The access rules.

    Raises:
        LibraryError: Starlette is not installed.
    """
    with extra("review"):
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.routing import Route
    handlers = _Handlers(review, door)
    return Starlette(
        routes=[
            Route("/", handlers.page), Route("/{name}", handlers.asset),
            Route("/api/{action}", handlers.api, methods=["POST"]), Route("/clip/{address}.mp4", handlers.clip),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(door.names), www_redirect=False),
            Middleware(_Guard, door=door),
        ],
    )  # fmt: skip


@dataclass(frozen=True)
class _Handlers:
    """The request handlers."""

    review: Review
    door: Door

    async def page(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse, RedirectResponse

        if request.query_params.get("token"):  # the guard has checked it
            answer = RedirectResponse("/", 303)
            answer.set_cookie(COOKIE, self.door.token, httponly=True, samesite="strict")
            return answer
        return HTMLResponse(page_html(self.review.material, self.review.settings))

    async def asset(self, request: Request) -> Response:
        from starlette.responses import PlainTextResponse, Response

        name = request.path_params["name"]
        if name not in _ASSETS:
            return PlainTextResponse("there is no such file", 404)
        return Response(asset(name), media_type=_ASSETS[name])

    async def api(self, request: Request) -> Response:
        """Handles next, vote and undo. The body names the rater."""
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse

        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"error": "expected application/json"}, 415)
        if int(request.headers.get("content-length") or LARGEST_BODY + 1) > LARGEST_BODY:
            return JSONResponse({"error": "the request is too large"}, 413)
        try:
            body = await request.body()
            return JSONResponse(await run_in_threadpool(self._act, request.path_params["action"], body))
        except UsageError as error:
            return JSONResponse({"error": str(error)}, 400)
        except VbenchError as error:
            return JSONResponse({"error": str(error)}, 500)

    def _act(self, action: str, body: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(body)
            rater = asked["rater"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise UsageError("expected a JSON object with a rater.") from None
        if not isinstance(rater, str):
            raise UsageError("the rater must be text.")
        actions: dict[str, Callable[[], dict[str, Any]]] = {
            "next": lambda: self.review.next(rater), "vote": lambda: self.review.vote(rater, asked),
            "undo": lambda: self.review.undo(rater),
        }  # fmt: skip
        if action not in actions:
            raise UsageError("expected one of next, vote, undo.")
        return actions[action]()

    async def clip(self, request: Request) -> Response:
        from starlette.responses import FileResponse, PlainTextResponse

        try:
            return FileResponse(self.review.clip(request.path_params["address"]), media_type="video/mp4")
        except StoreError as error:
            return PlainTextResponse(str(error), 404)


class _Guard:
    """Refuses requests without the token or from other origins, and adds security headers."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        from starlette.datastructures import MutableHeaders
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = self._refusal(Request(scope))
        answer = self.app if refusal is None else PlainTextResponse(refusal, 403)
        await answer(scope, receive, with_headers)

    def _refusal(self, request: Request) -> str | None:
        origin, own = request.headers.get("origin"), f"{request.url.scheme}://{request.headers.get('host', '')}"
        if origin is not None and origin != own:
            return "requests of other origins are refused"
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "requests of other sites are refused"
        if not self.door.token:
            return None
        in_link = request.query_params.get("token", "") if request.url.path == "/" else ""
        for given in (in_link, request.cookies.get(COOKIE, "")):
            if hmac.compare_digest(given.encode(), self.door.token.encode()):
                return None
        return "open the whole link, with its token"


@dataclass
class Running:
    """A server in a thread of this process."""

    link: str
    port: int
    stop: Callable[[], None]
    wait: Callable[[float | None], bool]


def start(review: Review, door: Door) -> Running:
    """Starts the server in a thread, and returns when it listens.

    Raises:
        LibraryError: Starlette or uvicorn is not installed.
        UsageError: The server cannot listen on the host or the port.
    """
    app = make_app(review, door)
    with extra("review"):
        import uvicorn
    listening = _listen(door)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", server_header=False,
        timeout_graceful_shutdown=2,
    )
    server, ended = uvicorn.Server(config), threading.Event()  # Thread.join returns early after Ctrl-C

    def run() -> None:
        try:
            server.run(sockets=[listening])
        finally:
            ended.set()

    port = int(listening.getsockname()[1])
    threading.Thread(target=run, daemon=True, name="vbench-review").start()

    def stop() -> None:
        server.should_exit = True
        ended.wait(10)
        listening.close()

    return Running(door.link(port), port, stop, ended.wait)


def _listen(door: Door) -> socket.socket:
    everywhere = "Use --host 0.0.0.0 for all addresses of this machine."
    try:
        socket.getaddrinfo(door.host, None)
        family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
        return socket.create_server((door.host, door.port), family=family, backlog=64)
    except (socket.gaierror, UnicodeError):
        raise UsageError(f'"{door.host}" is not a name or address of a machine. {everywhere}') from None
    except OverflowError:
        raise UsageError(f"there is no port {door.port}. Name one from 1 to 65535 with --port.") from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise UsageError(f"{door.host} is not an address of this machine. {everywhere}") from None
        why = os.strerror(error.errno or 0).lower()
        raise UsageError(f"{door.host}, port {door.port}: {why}. Name another port with --port.") from None
