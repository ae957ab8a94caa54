"""A hosted service on loopback that follows a script of faults, and counts what it would bill."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-very-secret"


@dataclass
class Service:
    """What it does next, by kind of request; when a list is used up, it behaves."""

    submit: list[str] = field(default_factory=list)
    poll: list[str] = field(default_factory=list)
    result: list[str] = field(default_factory=list)
    download: list[str] = field(default_factory=list)
    upload: list[str] = field(default_factory=list)
    uploads: list[tuple[str, bytes]] = field(default_factory=list)
    """Content type and content of every image that arrived."""
    put_to: str = ""
    """The address that a prepared upload names; "" is this server's own."""
    states: list[str] = field(default_factory=lambda: ["queued", "running"])
    """Of each job before it is done."""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Every job that was created: what is billed."""
    calls: list[str] = field(default_factory=list)
    polled: threading.Event = field(default_factory=threading.Event)
    submitted: threading.Event = field(default_factory=threading.Event)
    by_header: dict[str, str] = field(default_factory=dict)
    idempotent: bool = False
    answers: dict[str, Any] = field(default_factory=dict)
    """What a kind of request is always answered with, status 200: submit, poll, result."""
    same_id: bool = False
    """Whether every submit gets the id of the first job."""
    clip: bytes = (4004).to_bytes(4, "big") + b"ftyp" + b"clip" * 999
    """As an mp4 is seen from outside: one box, its length and its kind before its contents."""
    base: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, kind: str) -> str:
        with self.lock:
            self.calls.append(kind)
            script: list[str] = getattr(self, kind)
            return script.pop(0) if script else "well"

    def create(self, body: dict[str, Any], header: str | None) -> str:
        with self.lock:
            if self.idempotent and header in self.by_header:
                return self.by_header[header]
            id_ = "job-0" if self.same_id else f"job-{len(self.jobs)}"
            self.jobs[id_] = {"body": body, "polls": 0}
            if header:
                self.by_header[header] = id_
            self.submitted.set()
            return id_


class Handler(BaseHTTPRequestHandler):
    service: Service

    def log_message(self, *args: Any) -> None:
        pass

    def reply(self, status: int, content: Any = None, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content or {}).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def misbehave(self, action: str) -> bool:
        """Faults that any request may meet; True when it is dealt with."""
        if action.isdigit():
            self.reply(int(action), {"message": f"error {action}"}, {"Retry-After": "0"} if action == "429" else None)
        elif action == "cut":
            self.close_connection = True
            self.connection.close()
        elif action == "hang":
            time.sleep(1.0)
            self.close_connection = True
        elif action == "garbage":
            self.reply(200, b"<html>gateway</html>")
        elif action == "drip":
            self.drip()
        elif action == "bomb":
            self.reply(200, b"[" * 1_000_000)
        elif action == "flood":
            self.reply(200, b" " * (9 << 20))
        elif action == "elsewhere":
            self.reply(303, None, {"Location": "/jobs"})
        elif action == "repeats the key":
            self.reply(400, {"message": "x" * 270 + f" key {self.headers.get('Authorization')} \x1b[31m is wrong"})
        else:
            return False
        return True

    def drip(self) -> None:
        """Sends the head of an answer one byte at a time, each in time, all of them never."""
        with contextlib.suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 50:
                self.connection.sendall(bytes([byte]))
                time.sleep(0.1)
        self.close_connection = True

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if "Authorization" in self.headers:
            self.reply(400, {"message": "a signed address is given no key"})
        elif not self.misbehave(self.service.take("upload")):
            self.service.uploads.append((self.headers["Content-Type"], content))
            self.reply(200)

    def uploaded(self, content: bytes) -> None:
        service = self.service
        action = service.take("upload")
        if action == "refuse":
            self.reply(422, {"message": "the image violates our content policy"})
        elif not self.misbehave(action):
            names = {"file_url": f"{service.base}/images/{len(service.uploads)}"}
            if self.path == "/prepare":
                names["upload_url"] = service.put_to or f"{service.base}/put/1?signature=x"
            else:
                service.uploads.append((self.headers["Content-Type"], content))
            self.reply(200, names)

    def do_POST(self) -> None:
        service = self.service
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path in ("/images", "/prepare"):
            self.uploaded(content)
            return
        body = json.loads(content)
        action = service.take("submit")
        if self.headers.get("Authorization") != f"Key {KEY}":
            self.reply(401, {"message": f"unknown key {self.headers.get('Authorization')}"})
        elif action == "refuse":
            self.reply(422, {"message": "the prompt violates our content policy"})
        elif action in ("429", "503", "400", "402", "repeats the key"):
            self.misbehave(action)
        elif "submit" in service.answers:
            self.reply(200, service.answers["submit"])
        elif action == "object id":
            service.create(body, None)
            self.reply(200, {"id": {"a": 1}, "status_url": "x"})
        else:
            id_ = service.create(body, self.headers.get("Idempotency-Key"))
            if not self.misbehave(action):
                self.reply(200, {"id": id_, "status_url": f"{service.base}/jobs/{id_}"})

    def do_GET(self) -> None:
        service = self.service
        _, kind, id_ = self.path.split("?")[0].split("/")[:3]
        if kind == "jobs":
            self.poll(service.take("poll"), id_)
        elif kind == "results":
            action = service.take("result")
            if action == "refuse":
                self.reply(422, {"detail": "flagged by moderation"})
            elif "result" in service.answers:
                self.reply(200, service.answers["result"])
            elif not self.misbehave(action):
                link = f"{service.base}/files/{id_}?n={len(service.calls)}"
                self.reply(200, {"video": {"url": link}, "cost": "0.25", "compute_s": 12.5})
        else:
            self.send_file(service.take("download"))

    def poll(self, action: str, id_: str) -> None:
        job = self.service.jobs[id_]
        if "poll" in self.service.answers:
            self.reply(200, self.service.answers["poll"])
            return
        if self.misbehave(action):
            return
        if action in ("failed", "refused"):
            message = "unsafe: moderation" if action == "refused" else "GPU fell over"
            self.reply(200, {"status": "failed", "error": message})
            return
        done = job["polls"] >= len(self.service.states)
        state = "done" if done else self.service.states[job["polls"]]
        job["polls"] += 1
        self.service.polled.set()
        self.reply(200, {"status": state})

    def send_file(self, action: str) -> None:
        clip = self.service.clip
        if action == "page":
            self.reply(200, b"<html>please try again later</html>")
        elif action == "cut without a length":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(clip[:500])
            self.close_connection = True
        elif action == "half":
            self.send_response(200)
            self.send_header("Content-Length", str(len(clip)))
            self.end_headers()
            self.wfile.write(clip[: len(clip) // 2])
            self.close_connection = True
        elif action == "huge":
            self.reply(200, clip, {"Content-Length": str(10**12)})
        elif action == "elsewhere":
            self.reply(302, None, {"Location": f"{self.service.base}/files/moved"})
        elif action == "insecure":
            self.reply(302, None, {"Location": "http://example.com/clip.mp4"})
        elif not self.misbehave(action):
            self.reply(200, clip)


@contextmanager
def serving(service: Service) -> Iterator[Service]:
    handler = type("Bound", (Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    service.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings(service: Service, **changes: Any) -> dict[str, Any]:
    """The description of this service, as a TOML would have it."""
    return {
        "base": service.base, "key_env": "TEST_VIDEO_KEY", "poll_every_s": 0.01, "backoff_s": 0.01, "call_limit_s": 3,
        "submit": {
            "url": "/videos", "headers": {"Authorization": "Key {key}"}, "id": "id",
            "keep": {"status_url": "status_url"}, "body": {"prompt": "{prompt}", "seed": "{small_seed}"},
        },
        "poll": {
            "url": "{status_url}", "state": "status", "queued": ["queued"], "done": ["done"], "failed": ["failed"],
            "error": "error",
        },
        "result": {"url": "/results/{id}", "error": "detail"},
        "video": {"url": "video.url", "usd": "cost", "device_s": "compute_s"},
        **changes,
    }
