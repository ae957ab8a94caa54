"""Checks before anything is sent or paid that a service is asked for the clips of the plan."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vbench_lite.adapters.hosted.settings import ServiceSettings
from vbench_lite.adapters.hosted.templates import (
    SECONDS_TOLERANCE,
    Unavailable,
    has_placeholder,
    render_template,
    request_values,
)
from vbench_lite.errors import UsageError
from vbench_lite.records import ClipSpec, Definition, Request

FIXED_RATIO_TOLERANCE = 0.05
_SHORTER_SIDES = {"1k": 1024, "2k": 1440, "4k": 2160, "8k": 4320, "hd": 720, "fhd": 1080, "uhd": 2160}


class Fixed(NamedTuple):
    """A fixed value in a body that determines the length or size of the clip."""

    fits: bool
    asked: str
    """The value that the plan asks for."""
    placeholder: str
    """The placeholder to write instead of the value."""


def check_definition(definition: Definition) -> None:
    """Check a hosted definition as far as possible without calling the service.

    Raises:
        UsageError: The settings are incomplete, or the body asks for other clips than the plan.
    """
    settings = ServiceSettings.of(definition)
    probe = Request("", "", 0, 0, definition.clip)
    try:
        values = request_values(probe)
        if _asks_for_image(definition, settings):
            values["image"] = "an image"
        render_template(settings.submit.body, values)
        render_template(settings.submit.url, values)
        check_request(settings, probe)
    except UsageError as error:
        raise UsageError(f'"{definition.name}": {error}') from None
    check_fixed_values(definition.name, settings.submit.body, definition.clip)
    check_sweep(definition, settings)


def _asks_for_image(definition: Definition, settings: ServiceSettings) -> bool:
    """Whether the body contains {image}.

    Raises:
        UsageError: The body contradicts the definition's `inputs`.
    """
    asked = "{image}" in json.dumps(settings.submit.body, default=str)
    taken = any("image" in each for each in definition.inputs)
    if taken and not asked:
        raise UsageError("it takes an image, but its body under [settings.submit] has no {image}.")
    if asked and not taken:
        raise UsageError('its body has {image}. Write inputs = ["image", "text"] at the top of its TOML.')
    return asked


def check_request(settings: ServiceSettings, request: Request) -> None:
    """Check that a service accepts a request.

    Raises:
        UsageError: The definition excludes the request under [settings.takes].
    """
    takes, values = settings.takes, request_values(request)
    seconds = request.spec.seconds
    if takes.seconds and not any(abs(seconds - each) <= SECONDS_TOLERANCE for each in takes.seconds):
        listed = ", ".join(f"{each:g}" for each in takes.seconds)
        raise UsageError(f"the clips are {seconds:.4g} s long, and the service makes clips of {listed} s.")
    if takes.aspect_ratios and values["aspect_ratio"] not in takes.aspect_ratios:
        listed = ", ".join(takes.aspect_ratios)
        raise UsageError(f"the clips are {values['aspect_ratio']}, and the service makes {listed}.")
    if takes.prompt_characters and len(request.prompt) > takes.prompt_characters:
        raise UsageError(
            f"the prompt has {len(request.prompt)} characters, and the service takes {takes.prompt_characters}."
        )


def check_fixed_values(name: str, body: Any, spec: ClipSpec) -> None:
    """Check that fixed lengths and sizes in a body equal those of the plan.

    Raises:
        UsageError: A value differs. The message names it and the placeholder to write instead.
    """
    for path, value in _leaves(body):
        fixed = _fixed(path.rpartition(".")[2], value, spec)
        if fixed and not fixed.fits:
            raise UsageError(
                f'"{name}": its body has the fixed value {path} = {value!r}, but the requested clips have '
                f'{fixed.asked}. Write "{fixed.placeholder}" there, or choose the same value under [clip].'
            )


def check_sweep(definition: Definition, settings: ServiceSettings) -> None:
    """Check that the values of a sweep over the clip's form reach the service.

    Raises:
        UsageError: The body is the same for all values.
    """
    swept = [key for key in definition.about.get("sweep", {}) if key.startswith("clip.")]
    for key in swept:
        part = key.removeprefix("clip.")
        other = dataclasses.replace(definition.clip, **{part: getattr(definition.clip, part) * 2})
        if _sent(settings, definition.clip) == _sent(settings, other):
            raise UsageError(
                f'"{definition.name}": --sweep {key} does not change the requests to the service, so every value '
                f'would be billed for the same clips. Put "{{{part}}}" (or {{seconds}}, {{resolution}}, '
                "{aspect_ratio}) into the body under [settings.submit]."
            )


def _sent(settings: ServiceSettings, spec: ClipSpec) -> Any:
    values = {
        name: str(value) if isinstance(value, Unavailable) else value
        for name, value in request_values(Request("", "", 0, 0, spec)).items()
    }
    return render_template([settings.submit.body, settings.submit.url], values)


def _leaves(body: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a body without placeholders, each with its path."""
    if isinstance(body, Mapping):
        for key, value in body.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(body, list | tuple):
        for place, value in enumerate(body):
            yield from _leaves(value, f"{path}.{place}")
    elif not has_placeholder(body):
        yield path, body


def _fixed(key: str, value: Any, spec: ClipSpec) -> Fixed | None:
    """Compare a fixed value with the form of a clip; None if its key has no known meaning."""
    name = re.sub(r"[^a-z]", "", key.lower())
    figure = _figure(value)
    if "duration" in name or name in ("seconds", "length", "videolength", "cliplength", "lengthseconds"):
        fits = figure is not None and abs(figure - spec.seconds) <= SECONDS_TOLERANCE
        return Fixed(fits, f"{spec.seconds:.4g} s", "{seconds}") if figure is not None else None
    for part, names in (
        ("frames", ("frames", "numframes", "framecount", "nframes", "videoframes")),
        ("fps", ("fps", "framerate", "framespersecond")), ("height", ("height",)), ("width", ("width",)),
    ):
        if name in names and figure is not None:
            asked = getattr(spec, part)
            return Fixed(abs(figure - asked) < 1e-6, f"{part} {asked:g}", f"{{{part}}}")
    if isinstance(value, str) and any(word in name for word in ("resolution", "size", "dimension", "ratio", "aspect")):
        return _fixed_size(value, spec)
    return None


def _fixed_size(text: str, spec: ClipSpec) -> Fixed | None:
    size = f"{spec.width} x {spec.height}"
    lines = re.fullmatch(r"(\d{3,4})[pi]?", text.strip().lower())
    shorter = int(lines[1]) if lines else _SHORTER_SIDES.get(text.strip().lower())
    if shorter:
        return Fixed(abs(shorter - min(spec.height, spec.width)) <= 0.05 * shorter, size, "{resolution}")
    sides = re.fullmatch(r"(\d+)\s*[x*:/]\s*(\d+)", text.strip().lower())
    if not sides or not int(sides[2]):
        return None
    width, height = int(sides[1]), int(sides[2])
    if max(width, height) > 64:
        return Fixed((width, height) == (spec.width, spec.height), size, "{width}x{height}")
    fits = abs(spec.width / spec.height * height / width - 1) <= FIXED_RATIO_TOLERANCE
    return Fixed(fits, size, "{aspect_ratio}")


def _figure(value: Any) -> float | None:
    """5, "5", "5s" or "5 seconds" as a number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:s|secs?|seconds?)?", str(value).strip().lower())
    return float(found[1]) if found else None
