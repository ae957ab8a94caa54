"""Why something is not there: the reason codes, and the version of the file formats that store them."""

from __future__ import annotations

from enum import StrEnum

FORMAT = 2
"""Of run.json, clip records, clips.csv and summary.json.

1: first. 2: a clip is ok, failed or missing; reasons have codes; each clip record holds its device, price and cost.
"""


class ReasonCode(StrEnum):
    """Why a clip, a score or a figure is not there, or why a clip is not usable. Code decides by these, never by text.

    The list is closed: a reason that fits none of them is `OTHER`.
    """

    MISSING = "missing"
    """The clip was asked for and never generated."""
    FAILED = "failed"
    """The generator said that it could not make the clip."""
    REFUSED = "refused"
    """A service refused the prompt or the clip: moderation."""
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    """The generator's process died."""
    OUT_OF_MEMORY = "out_of_memory"
    BAD_OUTPUT = "bad_output"
    """The generator returned something that is no clip, or figures that are no numbers."""
    UNREADABLE = "unreadable"
    """The stored file cannot be decoded."""
    CHANGED = "changed"
    """The stored file is not the one that was generated: its digest differs."""
    WRONG_FORM = "wrong_form"
    """Frames, size or rate differ from what was asked for."""
    UNEVEN = "uneven"
    """Frames are shown for different lengths of time."""
    ONE_FRAME = "one_frame"
    BLACK = "black"
    BLANK = "blank"
    FROZEN = "frozen"
    REPEATED_FRAMES = "repeated_frames"
    BELOW_THRESHOLD = "below_threshold"
    ABOVE_THRESHOLD = "above_threshold"
    NOT_SCORED = "not_scored"
    BAD_SCORE = "bad_score"
    """What a program or a table gave is no number, or lies outside of the metric's range."""
    NO_BACKBONE = "no_backbone"
    """The set of backbones lacks the network that the metric needs."""
    PROMPT_UNREADABLE = "prompt_unreadable"
    """The text network cannot read the prompt."""
    PROMPT_TRUNCATED = "prompt_truncated"
    """The text network reads only the beginning of the prompt."""
    NO_REFERENCE = "no_reference"
    """There are no real clips to compare with."""
    SHARED_CLIPS = "shared_clips"
    """The set and its reference hold the same clips."""
    TOO_FEW = "too_few"
    """Too few clips, prompts or batches for the figure or its interval."""
    NO_INTERVAL = "no_interval"
    """No interval of this figure is known to cover the truth."""
    NO_PRICE = "no_price"
    NOT_MEASURED = "not_measured"
    """The device or the service does not give this reading."""
    NOT_EVALUATED = "not_evaluated"
    """Usability is not evaluated: there are no thresholds."""
    NONE_USABLE = "none_usable"
    NOT_APPLICABLE = "not_applicable"
    """The metric does not apply to this prompt."""
    OTHER = "other"
