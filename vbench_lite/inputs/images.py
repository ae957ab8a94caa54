"""Images of prompts: found beside the suite, decoded within limits, and fitted to the clip.

Every generator receives the same pixels. The steps are: apply the EXIF orientation; convert an embedded colour profile
and CMYK to sRGB; reduce 16 bits per channel to 8; put transparent parts on white. An image with another aspect ratio
than the clip is scaled until it covers the frame, and its centre is cropped.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vbench_lite.errors import UsageError, system_reason
from vbench_lite.records import PromptImage
from vbench_lite.userfile import control_character, is_there, link_problem

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 50_000_000
MOST_PIXELS = 64_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
WHITE = (255, 255, 255, 255)
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]+://|data:)", re.IGNORECASE)
_DEFECTS = (OSError, ValueError, SyntaxError, EOFError, LookupError, ArithmeticError, TypeError, struct.error)
"""Exceptions of Pillow for truncated or damaged files."""

Picture = NDArray[np.uint8]
"""(height, width, 3), RGB."""


class NotAnImageError(UsageError):
    """A prompt names an image that cannot be used."""


def find_image(folder: Path, named: str) -> PromptImage:
    """Find the image file that a prompt names. Its content is not decoded yet.

    Args:
        folder: Folder of the suite.
        named: Path in the suite, relative to `folder`.

    Raises:
        NotAnImageError: The path is a URL, or the file is missing, not a regular file, empty, or above `MOST_BYTES`.
    """
    if _URL.match(named):
        raise NotAnImageError("a URL: expected the path of a file. Download the image into the folder of the suite.")
    if not named.strip() or control_character(named):
        raise NotAnImageError("expected the path of a file, relative to the suite.")
    path = folder / named
    if problem := link_problem(path):
        raise NotAnImageError(f"{path} leads to no file: {problem}. Replace it.")
    if not is_there(path):
        raise NotAnImageError(f"there is no file {path}. The path is relative to the suite.")
    if not path.is_file():
        raise NotAnImageError(f"{path} is {'a folder' if path.is_dir() else 'not a regular file'}.")
    try:
        size = path.stat().st_size
        if not 0 < size <= MOST_BYTES:
            found = f"larger than {MOST_BYTES // 10**6} MB" if size else "empty"
            raise NotAnImageError(f"{path} is {found}.")
        return PromptImage(str(path.resolve()), hashlib.sha256(path.read_bytes()).hexdigest())
    except OSError as error:
        raise NotAnImageError(f"{path} cannot be read: {system_reason(error)}.") from None


@lru_cache(maxsize=4096)
def check_image(image: PromptImage) -> None:
    """Decode the image of a loaded suite once, so that a broken image is refused before anything is generated.

    Raises:
        NotAnImageError: The file cannot be decoded within the limits, or changed after the suite was loaded.
    """
    path = Path(image.path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotAnImageError(f"{path} cannot be read: {system_reason(error)}.") from None
    if hashlib.sha256(content).hexdigest() != image.sha256:
        raise NotAnImageError(f"{path} changed while the suite was read. Run the same command again.")
    try:
        decode_image(content)
    except NotAnImageError as error:
        raise NotAnImageError(f"{path}: {error}") from None


def decode_image(content: bytes) -> Picture:
    """The pixels of an image file: uint8, (height, width, 3), RGB.

    Raises:
        NotAnImageError: The image is damaged, truncated, animated, of an unknown format, or above `MOST_PIXELS`.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes and metadata; limits are checked here
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                _check_header(opened)
                opened.load()
                return np.ascontiguousarray(_rgb(ImageOps.exif_transpose(opened)))
    except UnidentifiedImageError:
        known = ", ".join(FORMATS)
        raise NotAnImageError(f"it is not an image of a known format: expected {known}.") from None
    except Image.DecompressionBombError:
        raise NotAnImageError(f"it has more than {MOST_PIXELS // 10**6} megapixels. Scale it down.") from None
    except _DEFECTS as error:
        raise NotAnImageError(f"it cannot be decoded: {error or type(error).__name__}.") from None


def _check_header(opened: Image) -> None:
    width, height = opened.size
    if width * height > MOST_PIXELS:
        raise NotAnImageError(f"it has {width} x {height} pixels; at most {MOST_PIXELS // 10**6} megapixels are read.")
    several = getattr(opened, "is_animated", False) and opened.format != "MPO"  # MPO: a photo with a preview
    if several:
        raise NotAnImageError("it is animated or has several pages: expected one picture. Save one frame of it.")
    if opened.mode in ("I", "F"):
        raise NotAnImageError("it has 32 bits per channel: save it with 8 or 16.")


def _rgb(upright: Image) -> NDArray[np.uint8]:
    from PIL import Image

    if upright.mode.startswith("I;16"):
        grey = (np.asarray(upright) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if not upright.has_transparency_data:
        return np.asarray(_to_srgb(upright))
    with_alpha = upright.convert("RGBA")
    colours = _to_srgb(with_alpha.convert("RGB"))
    colours.putalpha(with_alpha.getchannel("A"))
    ground = Image.new("RGBA", colours.size, WHITE)
    return np.asarray(Image.alpha_composite(ground, colours).convert("RGB"))


def _to_srgb(picture: Image) -> Image:
    """Convert to sRGB by the embedded colour profile; without a readable profile, by the colour mode."""
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        try:
            own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, own, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, *_DEFECTS):
            pass
        else:
            if converted is not None:
                return converted
    return picture.convert("RGB")


def fit_image(picture: Picture, height: int, width: int) -> Picture:
    """Scale a picture until it covers a frame of this size, and crop its centre.

    >>> fit_image(np.zeros((100, 300, 3), np.uint8), 64, 64).shape
    (64, 64, 3)
    """
    if picture.shape[:2] == (height, width):
        return picture
    from PIL import Image, ImageOps

    fitted = ImageOps.fit(Image.fromarray(picture), (width, height), Image.Resampling.LANCZOS)
    return np.ascontiguousarray(np.asarray(fitted))
