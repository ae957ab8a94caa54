"""Checks the addresses and headers of requests to a hosted service, and decides which servers receive its key."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import httpx2

from vbench_lite.errors import GeneratorError

_PORTS = {"http": 80, "https": 443}


class UnsafeUrlError(GeneratorError):
    """An address to which nothing is sent and from which nothing is downloaded."""


class Origin(NamedTuple):
    """A server, by scheme, host and port. A key belongs to servers."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def of(cls, url: httpx2.URL) -> Origin:
        return cls(url.scheme, url.host.rstrip("."), url.port or _PORTS.get(url.scheme))

    def __str__(self) -> str:
        port = "" if self.port == _PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def parsed(url: str) -> httpx2.URL:
    """Parse an address once, so that the checked address is also the called one.

    Raises:
        UnsafeUrlError: It is not an address, or contains a user name or invalid characters.
    """
    if not re.fullmatch(r"[!-~]+", url):
        raise UnsafeUrlError(f"the address {without_query(url)!r} contains invalid characters")
    try:
        found = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise UnsafeUrlError(f"{without_query(url)!r} is not an address: {error}") from None
    if found.userinfo:
        raise UnsafeUrlError(f"the address of {found.host} contains a user name, which is not sent")
    return found


def own_origins(base: str, hosts: Iterable[str]) -> frozenset[Origin]:
    """The service's own servers: from its base, and from its hosts as "host", "host:port" or "https://host:port".

    >>> sorted(map(str, own_origins("https://api.example.com/v1", ["cdn.example.com", "up.example.com:8443"])))
    ['https://api.example.com', 'https://cdn.example.com', 'https://up.example.com:8443']
    """
    scheme = parsed(base).scheme
    return frozenset(Origin.of(parsed(each if "://" in each else f"{scheme}://{each}")) for each in (base, *hosts))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by name or address."""
    address = _address(host)
    return host == "localhost" or host.endswith(".localhost") or bool(address and address.is_loopback)


def checked(url: httpx2.URL, allow_loopback: bool, own: bool) -> httpx2.URL:
    """Check that an address may be called, and return it.

    Args:
        url: The address.
        allow_loopback: Whether the service runs on this machine.
        own: Whether the address is one of the service's own servers, which the definition names.

    Raises:
        UnsafeUrlError: It is neither https nor loopback, or is in a private network.
    """
    if is_loopback(url.host) and allow_loopback and url.scheme in _PORTS:
        return url
    check_address(url.host, "127.0.0.1" if is_loopback(url.host) else url.host, allow_loopback, own)
    if url.scheme != "https" or not url.host:
        raise UnsafeUrlError(f"{without_query(str(url))} is not https, and only https is used")
    return url


def check_address(host: str, address: str, allow_loopback: bool, own: bool) -> None:
    """Check the address to which a host name was resolved.

    Raises:
        UnsafeUrlError: It is this machine, or is in a private or link-local network.
    """
    found = _address(address)
    if found is None or (found.is_global and not found.is_multicast):
        return
    if found.is_loopback:
        if not allow_loopback:
            raise UnsafeUrlError(f"the service points to this machine ({host}), which is not allowed")
    elif not own:
        raise UnsafeUrlError(
            f"the service points to a private network ({host}, {found}), which is not allowed. If the host belongs "
            "to the service, name it under hosts in [settings]."
        )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def check_headers(headers: Mapping[str, str]) -> None:
    """Check headers here, because error messages of the library would contain the header with the key.

    Raises:
        UnsafeUrlError: A header contains invalid characters.
    """
    for name, value in headers.items():
        if not re.fullmatch(r"[!-9;-~]+", name) or not re.fullmatch(r"[ -~]*", str(value)):
            raise UnsafeUrlError(f"the header {name!r} contains invalid characters")


def without_query(url: str) -> str:
    """An address without its parts that can be secret: user name, password and query.

    >>> without_query("https://user:password@example.com/clip.mp4?token=1")
    'https://example.com/clip.mp4'
    """
    return re.sub(r"^(\w+://)[^/@]*@", r"\1", re.split(r"[?#]", url, maxsplit=1)[0])
