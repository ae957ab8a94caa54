"""What a TOML says of a hosted service: where to submit, what its answers mean, what it is given.

    [settings]
    base = "https://queue.example.com"
    key_env = "EXAMPLE_KEY"                  # the environment variable that holds the key
    hosts = ["api.example.com"]              # others of its own hosts; the key goes to no one else
    poll_every_s = 5
    [settings.submit]
    url = "/v1/videos"
    headers = { Authorization = "Bearer {key}" }
    body = { prompt = "{prompt}", seed = "{small_seed}", duration = "{seconds}" }
    id = "data.task_id"                      # where the answer holds the job's id
    keep = { status_url = "status_url" }     # what else of the answer later URLs need
    [settings.poll]
    url = "/v1/videos/{id}"
    state = "data.status"
    queued = ["queued"]
    done = ["succeed"]
    failed = ["failed"]
    error = "data.message"
    [settings.result]                        # only where the finished job must be asked for apart
    url = "{response_url}"
    [settings.video]
    url = "data.videos.0.url"                # where the (last) answer holds the clip's address

A placeholder that is a whole value keeps its type: seed = "{seed}" sends a number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, cast

from vbench_lite.errors import UsageError
from vbench_lite.generator import RUNNER_SETTINGS
from vbench_lite.records import Definition, Request

REFUSAL_WORDS = ("moderat", "content policy", "content_policy", "safety", "sensitive", "nsfw", "prohibited")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
Section = TypeVar("Section")


@dataclass(frozen=True)
class Submit:
    """How a job is handed in."""

    url: str
    id: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    rejected: Sequence[int] = (429, 503)
    """Statuses that certainly mean "not accepted, come again"; every other 5xx leaves the job's fate open."""
    idempotency_header: str = ""
    """Where the service knows repeated requests by a header, an unclear submit is safely repeated."""


@dataclass(frozen=True)
class Poll:
    """How a job is followed."""

    url: str
    state: str
    done: Sequence[Any]
    failed: Sequence[Any] = ()
    queued: Sequence[Any] = ()
    refused: Sequence[Any] = ()
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How the outcome of a finished job is asked for, where polling does not tell it."""

    url: str = ""
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Video:
    """Where the clip, its charge and its computing time stand in the last answer."""

    url: str
    usd: str = ""
    device_s: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceSettings:
    """A whole service."""

    base: str
    submit: Submit
    poll: Poll
    video: Video
    result: Result = Result()
    key_env: str = ""
    secret_env: str = ""
    """For auth = "jwt-hs256": the variable that holds the secret; {key} is then a token signed with it."""
    auth: str = "key"
    hosts: Sequence[str] = ()
    poll_every_s: float = 5.0
    backoff_s: float = 1.0
    """The first wait after a failed attempt; each next is twice as long, up to 64 of these."""
    time_limit_s: float = 1200.0
    """From submit to finished clip; beyond it the job's id is kept, and the next run goes on polling."""
    call_limit_s: float = 60.0
    download_limit_s: float = 600.0
    download_limit_mb: float = 1000.0
    bills_failed: bool = True
    """Whether a job that failed or was refused costs money all the same."""

    @classmethod
    def of(cls, definition: Definition) -> ServiceSettings:
        """Raises UsageError for what is missing or means nothing."""
        given = {k: v for k, v in definition.settings.items() if k not in RUNNER_SETTINGS}
        for name, section in (("submit", Submit), ("poll", Poll), ("result", Result), ("video", Video)):
            if name in given or section is not Result:
                given[name] = _section(definition.name, section, given.get(name), f"settings.{name}")
        settings = _section(definition.name, cls, given, "settings")
        if settings.auth not in ("key", "jwt-hs256"):
            raise UsageError(f'"{definition.name}": auth is "{settings.auth}": expected key or jwt-hs256.')
        return settings


def _section(name: str, kind: type[Section], given: Any, where: str) -> Section:
    if not isinstance(given, dict):
        raise UsageError(f'"{name}": [{where}] is missing. See docs/generators.md for a hosted service\'s description.')
    known = {f.name: f for f in fields(cast(Any, kind))}
    unknown = [key for key in given if key not in known]
    if unknown:
        raise UsageError(f'"{name}": [{where}] has no key "{unknown[0]}". Known: {", ".join(sorted(known))}.')
    missing = [
        key for key, f in known.items() if f.default is MISSING and f.default_factory is MISSING and key not in given
    ]
    if missing:
        raise UsageError(f'"{name}": [{where}] lacks "{missing[0]}".')
    return kind(**given)


def values_of(request: Request) -> dict[str, Any]:
    """What a body may ask for."""
    spec = request.spec
    shape = math.gcd(spec.height, spec.width)
    seconds = spec.seconds
    return {
        "prompt": request.prompt, "seed": request.seed, "small_seed": request.seed % 2**31, "frames": spec.frames,
        "fps": int(spec.fps) if spec.fps == int(spec.fps) else spec.fps, "height": spec.height, "width": spec.width,
        "seconds": round(seconds), "aspect_ratio": f"{spec.width // shape}:{spec.height // shape}",
    }


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """A template with its placeholders filled in, lists and tables included.

    >>> filled({"text": "say {prompt}", "n": "{seed}"}, {"prompt": "{seed}", "seed": 3})
    {'text': 'say {seed}', 'n': 3}

    Raises:
        UsageError: A placeholder that means nothing.
    """
    if isinstance(template, Mapping):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [filled(value, values) for value in template]
    if not isinstance(template, str):
        return template
    for name in _PLACEHOLDER.findall(template):
        if name not in values:
            raise UsageError(f'"{{{name}}}" means nothing here. Known: {", ".join(sorted(values))}.')
    whole = _PLACEHOLDER.fullmatch(template)
    if whole:
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), template)


def found(answer: Any, path: str) -> Any:
    """The value at "data.videos.0.url" in an answer; None where there is none."""
    for part in path.split(".") if path else ():
        if isinstance(answer, Mapping):
            answer = answer.get(part)
        elif isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return None
    return answer if path else None


def is_refusal(text: str) -> bool:
    """Whether a service's words say that it will not, rather than cannot, make this clip."""
    return any(word in text.lower() for word in REFUSAL_WORDS)


def signed_token(key: str, secret: str, now: float | None = None) -> str:
    """A JSON web token, HS256, valid for half an hour."""
    issued = int(time.time() if now is None else now)
    claims = {"iss": key, "exp": issued + 1800, "nbf": issued - 5}

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{head}.{encoded(hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest())}"
