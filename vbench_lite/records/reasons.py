"""The codes of reasons for missing values, and the version of the file formats that store them."""

from __future__ import annotations

from enum import StrEnum

FORMAT = 2
"""Version of run.json, clip records, clips.csv and summary.json.

1: first. 2: a clip is ok, failed or missing; reasons have codes; each clip record holds its device, price and cost.
"""


class ReasonCode(StrEnum):
    """Why a clip, score or figure is missing, or why a clip is not usable. Code decides by these codes, never by text.

    The list is complete: any other reason is `OTHER`.
    """

    MISSING = "missing"
    """The clip was requested but never generated."""
    FAILED = "failed"
    """The generator reported that it could not generate the clip."""
    REFUSED = "refused"
    """A service refused the prompt or the clip: moderation."""
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    """The generator's process died."""
    OUT_OF_MEMORY = "out_of_memory"
    BAD_OUTPUT = "bad_output"
    """The generator returned an invalid clip or invalid numbers."""
    UNREADABLE = "unreadable"
    """The stored file cannot be decoded."""
    CHANGED = "changed"
    """The stored file is not the generated file: its digest differs."""
    WRONG_FORM = "wrong_form"
    """Number of frames, size or frame rate differ from the request."""
    UNEVEN = "uneven"
    """Frames have different durations."""
    ONE_FRAME = "one_frame"
    BLACK = "black"
    BLANK = "blank"
    FROZEN = "frozen"
    REPEATED_FRAMES = "repeated_frames"
    BELOW_THRESHOLD = "below_threshold"
    ABOVE_THRESHOLD = "above_threshold"
    NOT_SCORED = "not_scored"
    BAD_SCORE = "bad_score"
    """The value from a program or a table is not a number, or is outside the metric's range."""
    NO_BACKBONE = "no_backbone"
    """The set of backbones lacks the network that the metric needs."""
    PROMPT_UNREADABLE = "prompt_unreadable"
    """The text network cannot read the prompt."""
    PROMPT_TRUNCATED = "prompt_truncated"
    """The prompt is too long: the text network reads only its beginning."""
    NO_REFERENCE = "no_reference"
    """There are no real clips to compare with."""
    SHARED_CLIPS = "shared_clips"
    """The set and its reference contain the same clips."""
    TOO_FEW = "too_few"
    """Too few clips, prompts or batches for the figure or its interval."""
    NO_INTERVAL = "no_interval"
    """No valid interval is known for this figure."""
    NO_PRICE = "no_price"
    NOT_MEASURED = "not_measured"
    """The device or the service does not support this measurement."""
    NOT_EVALUATED = "not_evaluated"
    """Usability is not evaluated: there are no thresholds."""
    NONE_USABLE = "none_usable"
    NOT_APPLICABLE = "not_applicable"
    """The metric does not apply to this prompt."""
    OTHER = "other"
