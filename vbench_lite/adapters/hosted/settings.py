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

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, cast

from vbench_lite.adapters.settings import own_settings
from vbench_lite.errors import UsageError
from vbench_lite.escaping import from_here
from vbench_lite.records import Definition

Section = TypeVar("Section")
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
    usd_factor: float = 1.0
    device_s: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageUse:
    """How the image of a prompt reaches the service, and what {image} in the body of the submit becomes."""

    send: str = "data-url"
    """data-url: the file inside the body. base64: the same without its head. upload: what the answer to a call of its
    own holds at `result`. url: `url`, an address of the user's, where {prompt_id} may stand."""
    format: str = "png"
    """Or jpeg, which is smaller."""
    most_mb: float = 0.0
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


@dataclass(frozen=True)
class Takes:
    """What a service takes. Empty: anything."""

    seconds: Sequence[float] = ()
    aspect_ratios: Sequence[str] = ()
    prompt_characters: int = 0


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
    auth: str = "key"
    hosts: Sequence[str] = ()
    poll_every_s: float = 5.0
    backoff_s: float = 1.0
    """The first wait after a failed attempt; each next is twice as long, up to 64 of these."""
    time_limit_s: float = 1200.0
    """From submit to finished clip; beyond it the job's id is kept, and the next run goes on polling."""
    unknown_polls: int = 30
    """How many polls in a row may name a state that the definition does not, before the job counts as failed."""
    call_limit_s: float = 60.0
    download_limit_s: float = 600.0
    download_limit_mb: float = 1000.0
    bills_failed: bool = True
    """Whether a job that failed or was refused costs money all the same."""

    @classmethod
    def of(cls, definition: Definition) -> ServiceSettings:
        """Raises UsageError for what is missing, unknown, or of another type."""
        given = own_settings(definition)
        sections = {"submit": Submit, "poll": Poll, "result": Result, "video": Video, "image": ImageUse, "takes": Takes}
        for name, section in sections.items():
            if name in given or section not in (Result, ImageUse, Takes):
                given[name] = _section(definition.name, cast(Any, section), given.get(name), f"settings.{name}")
        settings = _section(definition.name, cls, given, "settings")
        if settings.auth not in ("key", "jwt-hs256"):
            raise UsageError(f'"{definition.name}": auth is "{settings.auth}": expected key or jwt-hs256.')
        _check_image(definition.name, settings.image)
        return settings


def _check_image(name: str, use: ImageUse) -> None:
    """Refuses a way to send images that is not complete."""
    needed = {"upload": ("url", "result"), "url": ("url",)}.get(use.send, ())
    if use.send not in ("data-url", "base64", "upload", "url"):
        problem = f'send is "{use.send}": expected data-url, base64, upload or url'
    elif use.format not in ("png", "jpeg"):
        problem = f'format is "{use.format}": expected png or jpeg'
    elif missing := [key for key in needed if not getattr(use, key)]:
        problem = f'send = "{use.send}" needs "{missing[0]}"'
    else:
        return
    raise UsageError(f'"{name}": [settings.image]: {problem}.')


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


def _section(name: str, kind: type[Section], given: Any, where: str) -> Section:
    if not isinstance(given, dict):
        raise UsageError(f'"{name}": [{where}] is missing. See docs/hosted.md for a hosted service\'s description.')
    known = {f.name: f for f in fields(cast(Any, kind))}
    unknown = [key for key in given if key not in known]
    if unknown:
        raise UsageError(f'"{name}": [{where}] has no key "{unknown[0]}". Known: {", ".join(sorted(known))}.')
    missing = [
        key for key, f in known.items() if f.default is MISSING and f.default_factory is MISSING and key not in given
    ]
    if missing:
        raise UsageError(f'"{name}": [{where}] lacks "{missing[0]}".')
    for key, value in given.items():
        if expected := _expected(str(known[key].type), value):
            raise UsageError(f'"{name}": "{key}" in [{where}] is {value!r}: expected {expected}.')
    return kind(**given)


def _expected(annotation: str, value: Any) -> str:
    """What a value of this annotation must be; "" if it is."""
    texts = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    tests = {
        "str": (isinstance(value, str), "a string"),
        "bool": (isinstance(value, bool), "true or false"),
        "int": (number and isinstance(value, int) and value >= 0, "a whole number, 0 or more"),
        "float": (number and value >= 0, "a number, 0 or more"),
        "str | Sequence[str]": (isinstance(value, str) or texts, "a string or a list of strings"),
        "Sequence[str]": (texts, "a list of strings"),
        "Sequence[float]": (
            isinstance(value, list | tuple) and all(isinstance(v, int | float) for v in value), "a list of numbers",
        ),
        "Sequence[int]": (
            isinstance(value, list | tuple) and all(isinstance(v, int) for v in value), "a list of whole numbers",
        ),
        "Sequence[Any]": (isinstance(value, list | tuple), "a list"),
    }
    if annotation.startswith("Mapping"):
        return "" if isinstance(value, Mapping) else "a table"
    fits, expected = tests.get(annotation, (True, ""))
    return "" if fits else expected
