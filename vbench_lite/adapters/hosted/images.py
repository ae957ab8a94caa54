"""Sends the image of a request to a service: in the body, by a separate upload, or as an address of the user.

Images are sent to the service's own servers only. An upload creates no job and costs nothing, so it is repeated on
failure. It happens before the submit: without the image, nothing is submitted.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vbench_lite.adapters.hosted.answers import get_path, is_refusal, response_excerpt
from vbench_lite.adapters.hosted.calls import Calls
from vbench_lite.adapters.hosted.client import Answer
from vbench_lite.adapters.hosted.job import REFUSED, NotAcceptedError, ShutError
from vbench_lite.adapters.hosted.settings import ImageUse
from vbench_lite.adapters.hosted.templates import render_template
from vbench_lite.errors import ClipFailed, GeneratorError, UsageError
from vbench_lite.records import ReasonCode, Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TYPES = {"png": "image/png", "jpeg": "image/jpeg"}
JPEG_QUALITY = 95


class ImageSender:
    """Computes the value of the placeholder {image}."""

    def __init__(self, use: ImageUse, call: Calls, submit_headers: Mapping[str, str]) -> None:
        self._use, self._call = use, call
        self._headers = use.headers or submit_headers

    def value(self, request: Request, values: Mapping[str, Any]) -> str:
        """The value for one request: a data URL, base64, or an address.

        Raises:
            NotAcceptedError: The image is too large, or the service did not accept it.
        """
        assert request.image is not None
        if self._use.send == "url":
            return str(render_template(self._use.url, {**values, "prompt_id": request.prompt_id}))
        content = encoded(request.image, self._use.format)
        if self._use.most_mb and len(content) > self._use.most_mb * 1e6:
            raise NotAcceptedError(
                f"not sent: the image is {len(content) / 1e6:.1f} MB, and the service takes {self._use.most_mb:g} MB. "
                'Write format = "jpeg" under [settings.image], or ask for smaller clips.'
            )
        if self._use.send == "upload":
            return self._uploaded(content, values)
        text = base64.b64encode(content).decode()
        return text if self._use.send == "base64" else f"data:{TYPES[self._use.format]};base64,{text}"

    def _uploaded(self, content: bytes, values: Mapping[str, Any]) -> str:
        """Upload the image. Returns the address or id of the image at the service."""
        use, kind = self._use, TYPES[self._use.format]
        try:
            if use.put:
                answer = self._taken(self._call.ask(use.method, use.url, self._headers, values, dict(use.body)))
                address = get_path(answer.json(), use.put)
                if not isinstance(address, str):
                    raise NotAcceptedError(f"the answer to the upload has no address at {use.put}")
                self._taken(self._call.ask("PUT", address, {"Content-Type": kind}, values, content))
            else:
                if use.form_field:
                    content, kind = multipart(use.form_field, content, use.format)
                headers = {**self._headers, "Content-Type": kind}
                answer = self._taken(self._call.ask(use.method, use.url, headers, values, content))
        except NotAcceptedError:
            raise
        except (ClipFailed, GeneratorError, UsageError) as error:
            raise NotAcceptedError(f"the image cannot be uploaded: {error}") from None
        found = get_path(answer.json(), use.result)
        if not isinstance(found, str | int) or isinstance(found, bool) or not str(found).strip():
            raise NotAcceptedError(f"the answer to the upload has no {use.result}: {response_excerpt(answer)}")
        return str(found)

    def _taken(self, answer: Answer) -> Answer:
        """Check the answer to an upload.

        Raises:
            NotAcceptedError: The service did not accept the upload.
        """
        if answer.ok:
            return answer
        text = self._call.without_key(response_excerpt(answer))
        if is_refusal(text):
            raise NotAcceptedError(f"{REFUSED}: {text}", ReasonCode.REFUSED)
        kind = ShutError if answer.status in (401, 402, 403) else NotAcceptedError
        raise kind(f"the service does not accept the image: it answers {answer.status}: {text}")


def encoded(picture: NDArray[np.uint8], kind: str) -> bytes:
    """A picture, uint8 (height, width, 3), as the content of an image file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind.upper(), quality=JPEG_QUALITY)
    return buffer.getvalue()


def multipart(field: str, content: bytes, kind: str) -> tuple[bytes, str]:
    """A multipart form with one file, and its content type."""
    import httpx2

    request = httpx2.Request("POST", "https://form", files={field: (f"image.{kind}", content, TYPES[kind])})
    return request.read(), request.headers["content-type"]
