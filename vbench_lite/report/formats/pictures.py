"""Images of prompts for the page: small pictures as data URIs."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from vbench_lite.errors import StoreError
from vbench_lite.records import PromptImage
from vbench_lite.run.images import load_original

SIDE = 256


def picture_uri(run: Path, image: PromptImage | None) -> str:
    """A picture of at most `SIDE` pixels as a JPEG in a data URI; "" if the run does not have it, like a baseline."""
    if image is None:
        return ""
    from PIL import Image

    try:
        shown = Image.fromarray(load_original(run, image))
    except StoreError:
        return ""
    shown.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
