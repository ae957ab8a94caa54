"""What leaves this machine, and what is taken from a server. Real servers on loopback."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from vbench_lite.adapters.hosted.client import Answer, Client, NotSentError, UnknownFateError
from vbench_lite.adapters.hosted.urls import UnsafeUrlError, check_address, checked, own_origins, parsed
from vbench_lite.errors import GeneratorError

KEY = {"Authorization": "Key sk-very-secret"}


class Server:
    """Answers every path with the same bytes, and keeps the headers it was sent."""

    def __init__(self, status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, headers or {}
        self.seen: list[dict[str, str]] = []
        self.url = ""


@contextmanager
def running(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            server.seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(server.status)
            for name, value in {"Content-Length": str(len(server.body)), **server.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(server.body)

        def do_POST(self) -> None:
            self.do_GET()

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    server.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def test_key_is_not_sent_to_another_port_of_the_host() -> None:
    with running(Server()) as own, running(Server()) as other:
        client = Client(own.url, (), 5.0)
        assert client.call("GET", f"{own.url}/jobs", KEY).ok
        with pytest.raises(UnsafeUrlError, match="its key is not sent there"):
            client.call("GET", f"{other.url}/jobs", KEY)
        assert other.seen == []


def test_key_is_not_sent_along_with_a_redirect_to_another_port() -> None:
    with running(Server(body=b"clip")) as other, running(Server(302, headers={"Location": f"{other.url}/c"})) as own:
        answer = Client(own.url, (), 5.0).download(f"{own.url}/clip", KEY, 1000, 5.0)
    assert answer.body == b"clip"
    assert own.seen[0]["authorization"] == KEY["Authorization"]
    assert "authorization" not in other.seen[0]


def test_key_is_sent_to_a_further_server_that_the_definition_names() -> None:
    with running(Server()) as other:
        client = Client("http://127.0.0.1:1", (other.url.removeprefix("http://"),), 5.0)
        assert client.call("GET", other.url, KEY).ok
        assert other.seen[0]["authorization"] == KEY["Authorization"]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/x", "https://api.example.com:8443/x", "https://example.com/x",
        "https://api.example.com.evil.com/x", "https://api.example.com\\@evil.com/x",
    ],
)
def test_another_scheme_port_or_host_is_not_the_service(url: str) -> None:
    with pytest.raises(UnsafeUrlError, match=r"key is not sent there|user name"):
        Client("https://api.example.com", (), 5.0).call("GET", url, KEY)


def test_user_name_in_an_address_is_refused() -> None:
    with pytest.raises(UnsafeUrlError, match="contains a user name"):
        parsed("https://me:pw@api.example.com/x")


PRIVATE = [
    "10.0.0.5", "192.168.1.9", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[fe80::1]", "[fd00::1]",
    "[::ffff:10.0.0.1]", "[::]", "224.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_download_from_a_private_network_is_refused(host: str) -> None:
    with pytest.raises(UnsafeUrlError, match="private network"):
        Client("https://api.example.com", (), 5.0).download(f"https://{host}/latest/meta-data", {}, 1000, 5.0)


def test_service_in_a_private_network_is_called_where_the_user_names_it() -> None:
    (base,) = own_origins("https://10.0.0.5:8443/v1", ())
    assert checked(parsed("https://10.0.0.5:8443/clip"), False, own=True)
    assert (base.host, base.port) == ("10.0.0.5", 8443)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9", "[::ffff:127.0.0.1]", "a.localhost"])
def test_loopback_is_for_services_on_loopback_alone(host: str) -> None:
    for own in (True, False):
        with pytest.raises(UnsafeUrlError, match="this machine"):
            checked(parsed(f"https://{host}/x"), allow_loopback=False, own=own)
    assert checked(parsed(f"http://{host}/x"), allow_loopback=True, own=False)


@pytest.mark.parametrize("host", ["127.1", "2130706433"])
def test_name_that_leads_to_this_machine_is_found_before_a_byte_is_sent(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with pytest.raises(UnsafeUrlError, match="this machine"):
            Client("https://api.example.com", (), 5.0).download(
                f"https://{host}:{listening.getsockname()[1]}/x", {}, 1000, 5.0
            )
        connection, _ = listening.accept()
        connection.settimeout(2)
        assert connection.recv(100) == b""
        connection.close()


def test_public_addresses_pass() -> None:
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"):
        check_address("example.com", address, False, False)


def test_packed_clip_is_unpacked_and_its_size_is_bounded() -> None:
    packed = {"Content-Encoding": "gzip"}
    with running(Server(body=gzip.compress(b"clip" * 100), headers=packed)) as server:
        assert Client(server.url, (), 5.0).download(server.url, {}, 1000, 5.0).body == b"clip" * 100
    with running(Server(body=gzip.compress(bytes(50_000_000)), headers=packed)) as bomb:
        client = Client(bomb.url, (), 20.0)
        with pytest.raises(GeneratorError, match="larger than 1 MB"):
            client.download(bomb.url, {}, 1_000_000, 20.0)
        with pytest.raises(GeneratorError, match="larger than 8 MB"):
            client.call("GET", bomb.url, {})


def test_no_connection_is_told_apart_from_an_unclear_fate() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotSentError):
        Client(f"http://127.0.0.1:{port}", (), 5.0).call("POST", f"http://127.0.0.1:{port}/", {}, {})
    with pytest.raises(NotSentError):
        Client("https://no-such-host.invalid", (), 5.0).call("POST", "https://no-such-host.invalid/", {}, {})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(UnknownFateError):
            Client(url, (), 0.3).call("POST", url, {}, {})
        assert time.monotonic() - started < 3


def test_server_without_tls_got_no_request() -> None:
    with running(Server()) as plain:
        host = plain.url.removeprefix("http://")
        with pytest.raises(NotSentError):
            Client(f"https://{host}", (), 5.0).call("POST", f"https://{host}/", KEY, {})
        assert plain.seen == []


def drip(listening: socket.socket, head: bytes) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.sendall(head)
        for _ in range(100):
            try:
                connection.sendall(b"x")
            except OSError:
                return
            time.sleep(0.05)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_answer_in_drips_ends_at_the_deadline(head: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening, head), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(UnknownFateError, match="took too long"):
            Client(url, (), 0.5).call("GET", url, {})
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Wed, 25 Nov 2026 16:01:00 GMT", "date": "Wed, 25 Nov 2026 16:00:00 GMT"}, 60.0),
        ({"retry-after": "Wednesday, 25-Nov-26 16:01:00 GMT", "date": "Wed, 25 Nov 2026 16:00:00 GMT"}, 60.0),
        ({"retry-after": "Wed, 25 Nov 2020 16:00:00 GMT"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert Answer(429, headers).wait_s == seconds


def test_retry_after_as_a_date_counts_from_now_where_the_answer_has_no_date() -> None:
    found = Answer(503, {"retry-after": formatdate(time.time() + 30, usegmt=True)}).wait_s
    assert found == pytest.approx(30, abs=3)


def test_body_is_sent_as_json() -> None:
    with running(Server(body=json.dumps({"id": 1}).encode())) as server:
        assert Client(server.url, (), 5.0).call("POST", server.url, KEY, {"a": 1}).json() == {"id": 1}
        assert server.seen[0]["content-type"] == "application/json"
