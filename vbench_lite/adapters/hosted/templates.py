"""Renders the addresses, headers and bodies of requests to a service: replaces their placeholders."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any

from vbench_lite.errors import UsageError
from vbench_lite.records import ClipSpec, Request

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_COMMON_RATIOS = ((16, 9), (9, 16), (4, 3), (3, 4), (1, 1), (3, 2), (2, 3), (21, 9), (9, 21), (5, 4), (4, 5))
RATIO_TOLERANCE = 0.03
"""Services call 832 x 480 "16:9"."""
SECONDS_TOLERANCE = 0.07
"""Services call 81 frames at 16 fps (5.06 s) and 121 frames at 24 fps (5.04 s) "5 s", but not 2.5 s "2 s"."""


class Unavailable(str):
    """The value of a placeholder that is not available for a request. The text is the reason."""

    __slots__ = ()


def request_values(request: Request) -> dict[str, Any]:
    """The values of the placeholders for one request. {image} is a digest here: `images.py` sends the image."""
    spec, seconds = request.spec, whole_seconds(request.spec)
    return {
        "prompt": request.prompt, "seed": request.seed, "small_seed": request.seed % 2**31, "frames": spec.frames,
        "fps": int(spec.fps) if spec.fps == int(spec.fps) else spec.fps, "height": spec.height, "width": spec.width,
        "seconds": seconds, "seconds_text": seconds if isinstance(seconds, Unavailable) else str(seconds),
        "seconds_exact": spec.seconds, "aspect_ratio": aspect_ratio(spec),
        "resolution": f"{min(spec.height, spec.width)}p", "image": _image_digest(request),
    }


def _image_digest(request: Request) -> str | Unavailable:
    if request.image is None:
        return Unavailable("the prompt has no image, and the body of the submit asks for {image}")
    return f"sha256:{hashlib.sha256(request.image.tobytes()).hexdigest()}"


def whole_seconds(spec: ClipSpec) -> int | Unavailable:
    """The length of a clip in whole seconds.

    >>> whole_seconds(ClipSpec(frames=81, fps=16))
    5
    """
    seconds = round(spec.seconds)
    if seconds >= 1 and abs(spec.seconds - seconds) <= SECONDS_TOLERANCE:
        return seconds
    return Unavailable(
        f"the clips are {spec.seconds:.4g} s long ({spec.frames} frames at {spec.fps:g} fps), but {{seconds}} is a "
        "whole number. Choose frames and fps under [clip] that give whole seconds, or send {seconds_exact} if the "
        "service accepts fractions"
    )


def aspect_ratio(spec: ClipSpec) -> str:
    """The aspect ratio of a clip: the nearest common ratio if one is within 3 %, else the exact ratio.

    >>> [aspect_ratio(ClipSpec(height=h, width=w)) for h, w in ((480, 832), (1280, 720), (500, 700))]
    ['16:9', '9:16', '7:5']
    """
    exact = spec.width / spec.height
    near = min(_COMMON_RATIOS, key=lambda ratio: abs(math.log(exact * ratio[1] / ratio[0])))
    if abs(exact * near[1] / near[0] - 1) <= RATIO_TOLERANCE:
        return f"{near[0]}:{near[1]}"
    shape = math.gcd(spec.height, spec.width)
    return f"{spec.width // shape}:{spec.height // shape}"


def render_template(template: Any, values: Mapping[str, Any]) -> Any:
    """Replace the placeholders of a template, also in lists and tables. Placeholders in inserted values are not
    replaced.

    >>> render_template({"text": "say {prompt}", "n": "{seed}"}, {"prompt": "{seed}", "seed": 3})
    {'text': 'say {seed}', 'n': 3}

    Raises:
        UsageError: A placeholder is not known, or has no value for this request.
    """
    if isinstance(template, Mapping):
        return {key: render_template(value, values) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [render_template(value, values) for value in template]
    if not isinstance(template, str):
        return template
    for name in _PLACEHOLDER.findall(template):
        if name not in values:
            raise UsageError(f'unknown placeholder "{{{name}}}". Known: {", ".join(sorted(values))}.')
        if isinstance(values[name], Unavailable):
            raise UsageError(f"{values[name]}.")
    whole = _PLACEHOLDER.fullmatch(template)
    if whole:
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), template)


def has_placeholder(template: Any) -> bool:
    return isinstance(template, str) and bool(_PLACEHOLDER.search(template))


def signed_token(key: str, secret: str, now: float | None = None) -> str:
    """A JSON web token (HS256) that is valid for half an hour."""
    issued = int(time.time() if now is None else now)
    claims = {"iss": key, "exp": issued + 1800, "nbf": issued - 5}

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{head}.{encoded(hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest())}"
