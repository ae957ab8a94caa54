"""Warm-up questions with known answers: a real clip, and the same clip with strong damage."""

from __future__ import annotations

from pathlib import Path

from vbench_lite.files import write_whole
from vbench_lite.records import Suite
from vbench_lite.review.questions import Question
from vbench_lite.run.votes import Answer, ClipRef, Mode
from vbench_lite.scoring.damage import noise, shuffle
from vbench_lite.scoring.reference import SEEDS, clip_files
from vbench_lite.video import Frames, encode_mp4, read_clip
from vbench_lite.world import find_composition, render

NOT_A_RUN = "warm-up"
"""Stands for the name of the run, because these clips belong to no run."""
LARGER = 4
"""Warm-up clips of the world are rendered larger by this factor."""


def warm_up_questions(suite: Suite, mode: Mode, cache: Path) -> list[Question]:
    """Two questions with known answers; none if the suite has no real clips.

    Args:
        suite: The suite; its reference is the source of the real clip.
        mode: The mode of the session.
        cache: The folder of the clips.
    """
    found = _real_clip(suite)
    if found is None:
        return []
    prompt_id, text, frames, fps = found
    real, broken = cache / "warm-up-real.mp4", cache / "warm-up-broken.mp4"
    for path, pictures in ((real, frames), (broken, noise(shuffle(frames, 5), 5))):
        if not path.exists():
            write_whole(path, encode_mp4(pictures, fps))

    def question(nth: int, paths: tuple[Path, ...], expected: Answer) -> Question:
        clips = tuple(ClipRef(NOT_A_RUN, path.stem.removeprefix("warm-up-"), 0, "") for path in paths)
        return Question(
            id=f"warmup{mode}{nth}", mode=mode, prompt_id=prompt_id, text=text, clips=clips, expected=expected,
            files=paths,
        )

    if mode == "usable":
        return [question(0, (real,), "keep"), question(1, (broken,), "reject")]
    return [question(0, (real, broken), "left"), question(1, (broken, real), "right")]


def _real_clip(suite: Suite) -> tuple[str, str, Frames, float] | None:
    """(prompt, its text, frames, rate) of one real clip."""
    if suite.reference == "world":
        for prompt in suite.prompts:
            if composition := find_composition(prompt.text):
                frames = render(composition, SEEDS.start, 17, 64, 64)
                return prompt.id, prompt.text, frames.repeat(LARGER, 1).repeat(LARGER, 2), 8.0
    elif suite.reference and (paths := clip_files(Path(suite.reference))):
        frames, info = read_clip(paths[0])
        return "", "Would you keep this clip?", frames, info.fps or 8.0
    return None
