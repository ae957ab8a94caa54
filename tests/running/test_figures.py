"""What a generator reports is stored and summed: it is a number, or the clip fails with the reason."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from vbench_lite.generator import Output
from vbench_lite.records import ClipSpec, Definition, Measurement, ReasonCode, Request
from vbench_lite.running.attempts import encode, take_of

REQUEST = Request("p", "a cat", 0, 1, ClipSpec())
FRAMES = np.zeros((9, 64, 64, 3), np.uint8)
MADE = Definition("mine", "diffusion", "mine:Mine")


def taken(**figures: Any) -> Any:
    return take_of(REQUEST, Output(**{"frames": FRAMES, **figures}), Measurement(wall_s=1.0, device_s=1.0))


@pytest.mark.parametrize(
    ("figures", "stored"),
    [
        ({"counts": {"denoising_steps": np.int64(50)}}, {"denoising_steps": 50}),
        ({"counts": {"tokens": np.uint16(7), 3: np.float32(2.5)}}, {"tokens": 7, "3": 2.5}),
        ({"counts": {"tokens": torch.tensor(9), "frames": np.array(4)}}, {"tokens": 9, "frames": 4}),
        ({"counts": {"a": Fraction(1, 2), "b": Decimal("1.5"), "c": np.float64(2)}}, {"a": 0.5, "b": 1.5, "c": 2.0}),
        ({"counts": {"a": None}}, {}),
        ({"counts": None}, {}),
    ],
)
def test_numbers_of_other_libraries_are_converted(figures: dict[str, Any], stored: dict[str, float]) -> None:
    take = taken(**figures)
    assert take.failure is None
    assert json.loads(json.dumps(take.measurement.counts)) == stored


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"stages_s": {"denoise": float("nan")}}, "stages_s['denoise'] is nan"),
        ({"stages_s": {"denoise": -0.1}}, "stages_s['denoise'] is -0.1"),
        ({"stages_s": {"denoise": "3 s"}}, "expected a number of seconds"),
        ({"stages_s": [1.0, 2.0]}, "stages_s is list"),
        ({"counts": {"tokens": [1, 2]}}, "counts['tokens']"),
        ({"counts": {"tokens": np.array([1, 2])}}, "counts['tokens']"),
        ({"counts": {"tokens": float("inf")}}, "counts['tokens'] is inf"),
        ({"device_s": "12s"}, "device_s is '12s'"),
        ({"device_s": np.float32("nan")}, "device_s is nan"),
        ({"device_s": True}, "device_s is 'True'"),
        ({"usd_charged": -1.0}, "usd_charged is -1"),
        ({"usd_charged": torch.tensor(float("inf"))}, "usd_charged is inf"),
        ({"fps": 0}, "fps is 0"),
        ({"fps": "8"}, "fps is '8'"),
        ({"file": "clip.mp4", "frames": None}, "file is str"),
    ],
)
def test_figure_that_is_no_number_fails_its_clip_and_names_it(figures: dict[str, Any], reason: str) -> None:
    take = taken(**figures)
    assert take.failure
    assert reason in take.failure.text
    assert take.failure.code is ReasonCode.BAD_OUTPUT
    record = encode(MADE, take).record
    assert record.status == "failed"
    assert json.dumps(record.measurement.stages_s, allow_nan=False)
    assert record.usd_charged is None
    assert record.measurement.device_s == 1.0


def test_failure_of_the_generator_is_kept_beside_a_wrong_figure() -> None:
    take = taken(failure="no memory", device_s="x")
    assert take.failure
    assert take.failure.text == "no memory"


def test_rate_and_file_of_other_types_are_used() -> None:
    assert encode(MADE, taken(fps=np.float32(8))).record.fps == 8.0
    clip = encode(MADE, taken()).clip
    assert clip
    assert encode(MADE, taken(frames=None, file=bytearray(clip))).record.frames == 9
