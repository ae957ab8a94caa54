"""Which addresses of a hosted service are called, and what may stand in a request."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Mapping

from vbench_lite.errors import GeneratorError


class UnsafeUrlError(GeneratorError):
    """An address that a key or a download must not go to."""


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
        raise UnsafeUrlError(f"{without_query(url)} is not https, and nothing is sent or fetched otherwise")
    return url


def sendable(url: str, headers: Mapping[str, str]) -> None:
    """Sees to it that the library has nothing to object to: its words would repeat the header with the key.

    Raises:
        UnsafeUrlError: The address or a header holds what cannot be sent.
    """
    if not re.fullmatch(r"[!-~]+", url):
        raise UnsafeUrlError(f"the address {without_query(url)!r} holds characters that no address can")
    for name, value in headers.items():
        if not re.fullmatch(r"[!-9;-~]+", name) or not re.fullmatch(r"[ -~]*", str(value)):
            raise UnsafeUrlError(f"the header {name!r} holds characters that no header can")


def without_query(url: str) -> str:
    """A URL without what may be secret in it."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
