"""Checks the output of a generator, and converts it to the bytes and the record that are stored."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

from vbench_lite.errors import UnreadableClip
from vbench_lite.generator import Output
from vbench_lite.records import ClipRecord, Definition, Measurement, ReasonCode, Request
from vbench_lite.running.figures import checked_output

SUFFIXES = {b"\x1a\x45\xdf\xa3": ".webm", b"GIF8": ".gif"}


class Finished(NamedTuple):
    """One generated or failed clip that is ready to be stored."""

    record: ClipRecord
    clip: bytes | None = None
    suffix: str = ".mp4"


class Failure(NamedTuple):
    """Why a clip could not be generated."""

    text: str
    code: ReasonCode = ReasonCode.FAILED


@dataclass(frozen=True)
class Attempt:
    """The checked and measured output of `generate` for one request, not yet encoded."""

    request: Request
    measurement: Measurement
    output: Output | None = None
    failure: Failure | None = None


def wrong_answer(outputs: Any, asked: int) -> str | None:
    if not isinstance(outputs, (list, tuple)) or not all(isinstance(o, Output) for o in outputs):
        return "generate did not return a list of Output"
    return None if len(outputs) == asked else f"generate returned {len(outputs)} clips for {asked} requests"


def take_of(request: Request, output: Output, measured: Measurement) -> Attempt:
    """Check one clip, and remove values from the measurement that do not describe the generator."""
    output = checked_output(output)
    changes: dict[str, Any] = {"stages_s": dict(output.stages_s), "counts": dict(output.counts)}
    if output.execution == "subprocess" and measured.gpu_busy_s is not None:
        changes |= dict.fromkeys(("gpu_busy_s", "peak_memory_mb", "peak_reserved_mb"))
    elif output.execution in ("remote", "precomputed"):
        changes |= dict.fromkeys(("device_s", "gpu_busy_s", "peak_memory_mb", "peak_reserved_mb", "peak_rss_mb"))
    if output.execution == "precomputed":
        changes |= {"wall_s": None, "batch_size": 1}
    if output.device_s is not None:
        changes["device_s"] = output.device_s
    return Attempt(request, dataclasses.replace(measured, **changes), output, _failure_of(output))


def _failure_of(output: Output) -> Failure | None:
    if output.failure:
        return Failure(output.failure, output.failure_code)
    wrong = None if output.file else wrong_frames(output.frames)
    return Failure(wrong, ReasonCode.BAD_OUTPUT) if wrong else None


def wrong_frames(frames: Any) -> str | None:
    """The defect of frames that a generator returned; None if there is none.

    Frames may differ from the request in number or size: the clip is kept, and its conformance score is 0.
    """
    import numpy as np

    if frames is None:
        return "no frames and no file were returned"
    if not isinstance(frames, np.ndarray):
        return f"frames are {type(frames).__name__}, expected a uint8 array (frames, height, width, 3)"
    if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
        return f"frames have the shape {frames.shape}, expected (frames, height, width, 3)"
    if frames.dtype != np.uint8:
        if np.issubdtype(frames.dtype, np.floating) and not np.isfinite(frames).all():
            return f"frames contain NaN or infinity ({frames.dtype}), expected uint8"
        return f"frames are {frames.dtype}, expected uint8"
    return None


def record_of(
    definition: Definition, request: Request, failure: Failure | None, measurement: Measurement, *,
    made_with_seed: int | None = None, **facts: Any,
) -> ClipRecord:  # fmt: skip
    """The record of one clip. `facts` are its frames, size, fps and charge.

    Args:
        made_with_seed: The seed of an existing clip, if it is known. Such a clip does not have the request's seed.
    """
    return ClipRecord(
        definition.name, definition.route, request.prompt_id, request.index,
        made_with_seed if definition.adapter == "recorded" else request.seed,
        "failed" if failure else "ok", failure.text if failure else None, failure.code if failure else None,
        measurement=measurement, **facts,
    )


def encode(definition: Definition, take: Attempt) -> Finished:
    """Return the file to store: an mp4 of the frames, or the file that the generator returned."""
    from vbench_lite import video

    request, output = take.request, take.output
    charged = output.usd_charged if output else None
    if output is None or (take.failure and not output.file):
        return Finished(record_of(definition, request, take.failure, take.measurement, usd_charged=charged))
    if output.file:
        suffix = SUFFIXES.get(output.file[:4], ".mp4")
        failure, info = take.failure, None
        try:
            with video.ClipReader(output.file) as reader:
                for _ in reader:  # the number of frames is known only at the end
                    pass
            info = reader.info()
        except UnreadableClip as error:
            failure = failure or Failure(f"the returned file cannot be read: {error}", ReasonCode.UNREADABLE)
        facts = info._asdict() if info else {}
        record = record_of(
            definition, request, failure, take.measurement, made_with_seed=output.seed, usd_charged=charged, **facts
        )
        return Finished(record, output.file, suffix)
    assert output.frames is not None
    fps = output.fps or request.spec.fps
    count, height, width = output.frames.shape[:3]
    facts = {"frames": count, "height": height, "width": width, "fps": fps, "usd_charged": charged}
    record = record_of(definition, request, None, take.measurement, **facts)
    return Finished(record, video.encode_mp4(output.frames, fps))
