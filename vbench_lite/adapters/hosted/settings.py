"""The TOML settings of a hosted service: where to submit, how to read answers, what to send.

    [settings]
    base = "https://queue.example.com"
    key_env = "EXAMPLE_KEY"                  # the environment variable of the key
    hosts = ["api.example.com"]              # its other servers, also as "host:port"; no other server gets the key
    poll_every_s = 5
    [settings.submit]
    url = "/v1/videos"
    headers = { Authorization = "Bearer {key}" }
    body = { prompt = "{prompt}", seed = "{small_seed}", duration = "{seconds}" }
    id = "data.task_id"                      # path of the job id in the answer
    keep = { status_url = "status_url" }     # further values of the answer, for later URLs
    [settings.poll]
    url = "/v1/videos/{id}"
    state = "data.status"
    queued = ["queued"]
    running = ["processing"]
    done = ["succeed"]
    failed = ["failed"]
    error = ["data.message", "errors.*.text"]   # path or paths of errors; * matches every item
    [settings.result]                        # only if the result of a finished job needs a separate call
    url = "{response_url}"
    [settings.video]
    url = "data.videos.0.url"                # path of the clip's address in the last answer
    usd = "cost.credits"                     # path of the cost of the clip
    usd_factor = 0.01                        # US dollars per unit of this cost
    [settings.image]                         # the value of {image} in the body, for prompts with an image
    send = "data-url"                        # or "base64", "upload", "url": see `ImageUse`
    [settings.takes]                         # limits of the service; other requests are refused before they are sent
    seconds = [5, 10]
    prompt_characters = 1000

A value that consists of one placeholder keeps its type: seed = "{seed}" sends a number.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vbench_lite.adapters.settings import Count, Number, read_settings
from vbench_lite.escaping import from_here
from vbench_lite.records import Definition

KEY_EXAMPLE = "..."
"""Stands for a key in printed commands: `export FAL_KEY=...`."""


@dataclass(frozen=True)
class Submit:
    """The call that submits a job."""

    url: str
    id: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    error: str | Sequence[str] = ()
    """Paths of errors in an answer without an id. Such an answer means that there is no job, with any status."""
    method: str = "POST"
    rejected: Sequence[int] = (429, 503)
    """Statuses that mean "not accepted, try again". After any other 5xx it is not known whether there is a job."""
    idempotency_header: str = ""
    """The header by which the service recognises repeated requests. With it, an unclear submit can be repeated."""


@dataclass(frozen=True)
class Poll:
    """The call that polls a job."""

    url: str
    state: str
    done: Sequence[Any]
    failed: Sequence[Any] = ()
    queued: Sequence[Any] = ()
    running: Sequence[Any] = ()
    refused: Sequence[Any] = ()
    """States of jobs refused by moderation."""
    error: str | Sequence[str] = ()
    refusal: str | Sequence[str] = ()
    """Paths of reasons of moderation. Any value there means that the clip was refused."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The call for the result of a finished job, if the answer to the poll does not contain it."""

    url: str = ""
    error: str | Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Video:
    """Paths of the clip, its charge and its computing time in the last answer."""

    url: str
    usd: str = ""
    usd_factor: Number = 1.0
    device_s: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageUse:
    """The way in which the image of a prompt is sent, and the value of {image} in the body of the submit."""

    send: Literal["data-url", "base64", "upload", "url"] = "data-url"
    """data-url: the file as a data URL. base64: the same without its header. upload: the value at `result` in the
    answer to a separate call. url: `url`, an address of the user, which may contain {prompt_id}."""
    format: Literal["png", "jpeg"] = "png"
    """jpeg is smaller."""
    most_mb: Number = 0.0
    """Maximum size of a file in MB; 0 for no limit."""
    url: str = ""
    """upload: the address."""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the upload. Default: those of the submit."""
    form_field: str = ""
    """upload: the field of the file in a form; "" sends only the file."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """upload with `put`: the JSON body of the first call."""
    put: str = ""
    """upload: path of the address in the first answer to which the file is then sent. Its host must be in `hosts`."""
    result: str = ""
    """upload: path of the address or id of the image in the answer."""

    def __post_init__(self) -> None:
        for name in {"upload": ("url", "result"), "url": ("url",)}.get(self.send, ()):
            if not getattr(self, name):
                raise ValueError(f'send = "{self.send}" needs "{name}"')


@dataclass(frozen=True)
class Takes:
    """Limits of a service. Empty: no limit."""

    seconds: Sequence[float] = ()
    aspect_ratios: Sequence[str] = ()
    prompt_characters: Count = 0


@dataclass(frozen=True)
class ServiceSettings:
    """All settings of a service."""

    base: str
    submit: Submit
    poll: Poll
    video: Video
    result: Result = Result()
    image: ImageUse = ImageUse()
    takes: Takes = Takes()
    key_env: str = ""
    secret_env: str = ""
    """For auth = "jwt-hs256": the environment variable of the secret. {key} is then a token signed with the secret."""
    auth: Literal["key", "jwt-hs256"] = "key"
    hosts: Sequence[str] = ()
    poll_every_s: Number = 5.0
    backoff_s: Number = 1.0
    """Seconds to wait after the first failed attempt. Each further wait is twice as long, up to 64 times this."""
    time_limit_s: Number = 1200.0
    """Seconds from submit to finished clip. After this time the job is kept, and the next run continues polling."""
    unknown_polls: Count = 30
    """Number of consecutive polls with a state that is not in the definition, after which the job counts as failed."""
    call_limit_s: Number = 60.0
    download_limit_s: Number = 600.0
    download_limit_mb: Number = 1000.0
    bills_failed: bool = True
    """Whether a failed or refused job is billed."""

    @classmethod
    def of(cls, definition: Definition) -> ServiceSettings:
        """Reads the settings. Raises UsageError for a setting that is missing, unknown or of the wrong type."""
        return read_settings(cls, definition)


def address_needed(definition: Definition) -> str:
    """The correction of an example server (RFC 2606) in a definition, such as api.example.com; "" if it has none."""
    hosts = definition.settings.get("hosts")
    stated = [("base", definition.settings.get("base"))]
    stated += [("hosts", host) for host in hosts] if isinstance(hosts, list) else []
    for key, address in stated:
        if _is_example(address):
            file = from_here(definition.folder / f"{definition.name}.toml")
            return f'the address of its service: write it as "{key}" in {file}, instead of {address}'
    return ""


def _is_example(address: Any) -> bool:
    host = re.sub(r"^\w+://", "", str(address)).partition("/")[0].partition(":")[0].rstrip(".").lower()
    return re.search(r"(?:^|\.)(?:example|invalid|example\.(?:com|net|org))$", host) is not None


def key_in(variable: str) -> str:
    """The key in an environment variable; "" if it is not set or is `KEY_EXAMPLE`."""
    value = os.environ.get(variable, "").strip()
    return "" if value == KEY_EXAMPLE else value


def as_paths(stated: str | Sequence[str]) -> tuple[str, ...]:
    """One or several paths as a tuple.

    >>> as_paths("error"), as_paths(["a", "b.0"]), as_paths("")
    (('error',), ('a', 'b.0'), ())
    """
    return tuple(filter(None, [stated] if isinstance(stated, str) else stated))
