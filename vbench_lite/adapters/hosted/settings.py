"""The TOML settings of a hosted service: where to submit, how to read answers, what to send.

    [settings]
    base = "https://queue.example.com"
    key_env = "EXAMPLE_KEY"                  # the environment variable that holds the key
    hosts = ["api.example.com"]              # its other servers, also as "host:port"; the key goes to no others
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
    running = ["processing"]
    done = ["succeed"]
    failed = ["failed"]
    error = ["data.message", "errors.*.text"]   # where errors are: one path, or several; * is every item
    [settings.result]                        # only where the finished job must be asked for apart
    url = "{response_url}"
    [settings.video]
    url = "data.videos.0.url"                # where the (last) answer holds the clip's address
    usd = "cost.credits"                     # what it says that the clip cost,
    usd_factor = 0.01                        # and how many US dollars a unit of that is
    [settings.image]                         # how {image} in the body comes about, for prompts with an image
    send = "data-url"                        # or "base64", "upload", "url": see `ImageUse`
    [settings.takes]                         # what the service takes; anything else is refused before it is sent
    seconds = [5, 10]
    prompt_characters = 1000

A placeholder that is a whole value keeps its type: seed = "{seed}" sends a number.
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
"""What printed commands say in place of a key: `export FAL_KEY=...`."""


@dataclass(frozen=True)
class Submit:
    """How a job is submitted."""

    url: str
    id: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    error: str | Sequence[str] = ()
    """Read where the answer holds no id: then there is no job, whatever the status of the answer."""
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
    running: Sequence[Any] = ()
    refused: Sequence[Any] = ()
    """States that mean moderation."""
    error: str | Sequence[str] = ()
    refusal: str | Sequence[str] = ()
    """Where reasons of moderation are: anything there means that the clip was refused."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """How the outcome of a finished job is asked for, where polling does not tell it."""

    url: str = ""
    error: str | Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Video:
    """Where the clip, its charge and its computing time stand in the last answer."""

    url: str
    usd: str = ""
    usd_factor: Number = 1.0
    device_s: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageUse:
    """How the image of a prompt reaches the service, and what {image} in the body of the submit becomes."""

    send: Literal["data-url", "base64", "upload", "url"] = "data-url"
    """data-url: the file inside the body. base64: the same without its head. upload: what the answer to a call of its
    own holds at `result`. url: `url`, an address of the user's, where {prompt_id} may stand."""
    format: Literal["png", "jpeg"] = "png"
    """jpeg is smaller."""
    most_mb: Number = 0.0
    """Largest file that the service takes; 0 for no limit."""
    url: str = ""
    """upload: where it goes."""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the upload; without any, those of the submit."""
    form_field: str = ""
    """upload: the file's field in a form; "" sends the file itself."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """upload with `put`: what the first call sends, as JSON."""
    put: str = ""
    """upload: where the first answer holds the address to which the file is then put. Its host must be in `hosts`."""
    result: str = ""
    """upload: where the answer holds the image's address or id."""

    def __post_init__(self) -> None:
        for name in {"upload": ("url", "result"), "url": ("url",)}.get(self.send, ()):
            if not getattr(self, name):
                raise ValueError(f'send = "{self.send}" needs "{name}"')


@dataclass(frozen=True)
class Takes:
    """What a service takes. Empty: anything."""

    seconds: Sequence[float] = ()
    aspect_ratios: Sequence[str] = ()
    prompt_characters: Count = 0


@dataclass(frozen=True)
class ServiceSettings:
    """A whole service."""

    base: str
    submit: Submit
    poll: Poll
    video: Video
    result: Result = Result()
    image: ImageUse = ImageUse()
    takes: Takes = Takes()
    key_env: str = ""
    secret_env: str = ""
    """For auth = "jwt-hs256": the variable that holds the secret; {key} is then a token signed with it."""
    auth: Literal["key", "jwt-hs256"] = "key"
    hosts: Sequence[str] = ()
    poll_every_s: Number = 5.0
    backoff_s: Number = 1.0
    """The first wait after a failed attempt; each next is twice as long, up to 64 of these."""
    time_limit_s: Number = 1200.0
    """From submit to finished clip; beyond it the job's id is kept, and the next run goes on polling."""
    unknown_polls: Count = 30
    """How many polls in a row may name a state that the definition does not, before the job counts as failed."""
    call_limit_s: Number = 60.0
    download_limit_s: Number = 600.0
    download_limit_mb: Number = 1000.0
    bills_failed: bool = True
    """Whether a job that failed or was refused costs money all the same."""

    @classmethod
    def of(cls, definition: Definition) -> ServiceSettings:
        """Raises UsageError for what is missing, unknown, or of another type."""
        return read_settings(cls, definition)


def address_needed(definition: Definition) -> str:
    """What to write where a definition still has a server for examples (RFC 2606), such as api.example.com; else ""."""
    hosts = definition.settings.get("hosts")
    stated = [("base", definition.settings.get("base"))]
    stated += [("hosts", host) for host in hosts] if isinstance(hosts, list) else []
    for key, address in stated:
        if _is_example(address):
            file = from_here(definition.folder / f"{definition.name}.toml")
            return f'the address of its service: write it as "{key}" in {file}, in place of {address}'
    return ""


def _is_example(address: Any) -> bool:
    host = re.sub(r"^\w+://", "", str(address)).partition("/")[0].partition(":")[0].rstrip(".").lower()
    return re.search(r"(?:^|\.)(?:example|invalid|example\.(?:com|net|org))$", host) is not None


def key_in(variable: str) -> str:
    """The key that an environment variable holds; "" where it is not set, or set to `KEY_EXAMPLE`."""
    value = os.environ.get(variable, "").strip()
    return "" if value == KEY_EXAMPLE else value


def as_paths(stated: str | Sequence[str]) -> tuple[str, ...]:
    """One path or several, as several.

    >>> as_paths("error"), as_paths(["a", "b.0"]), as_paths("")
    (('error',), ('a', 'b.0'), ())
    """
    return tuple(filter(None, [stated] if isinstance(stated, str) else stated))
