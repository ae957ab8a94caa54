"""Helpers for images of requests: separates requests with and without images, and encodes images as PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from vbench_lite.generator import Output
from vbench_lite.records import Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def apart(requests: Sequence[Request], generate: Callable[[Sequence[Request]], list[Output]]) -> list[Output]:
    """Call `generate` separately for requests with and without an image. Outputs have the order of the requests."""
    found: dict[int, Output] = {}
    for with_image in (False, True):
        places = [place for place, request in enumerate(requests) if (request.image is not None) == with_image]
        if places:
            found |= zip(places, generate([requests[place] for place in places]), strict=True)
    return [found[place] for place in range(len(requests))]


def as_png(picture: NDArray[np.uint8]) -> bytes:
    """A picture, uint8 (height, width, 3), as the content of a PNG file.

    >>> import numpy as np
    >>> as_png(np.zeros((2, 2, 3), np.uint8))[:4]
    b'\\x89PNG'
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
