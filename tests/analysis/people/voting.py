"""Votes written by hand."""

from typing import Any

from vbench_lite.run.votes import Answer, ClipRef, Vote


def look(
    prompt: str, keep: bool, *, rater: str = "ann", generator: str = "a", index: int = 0, **fields: Any
) -> Vote:
    """A vote to keep or reject one clip."""
    clips = (ClipRef("r", generator, index, "0"),)
    answers: dict[str, Answer] = {"usable": "keep" if keep else "reject"}
    return Vote(
        id=f"{generator}{prompt}{index}000", rater=rater, mode="usable", prompt_id=prompt, clips=clips, answers=answers,
        **fields,
    )  # fmt: skip


def choice(prompt: str, left: str, right: str, answer: Answer, *, rater: str = "ann", **fields: Any) -> Vote:
    """A vote on two clips beside each other; "s:a" is the generator "a" of the run "s"."""
    clips = tuple(
        ClipRef(*(name.split(":") if ":" in name else ("r", name)), index=0, sha256=name) for name in (left, right)
    )  # fmt: skip
    return Vote(
        id=f"{prompt}0000", rater=rater, mode="pairs", prompt_id=prompt, clips=clips, answers={"quality": answer},
        **fields,
    )  # fmt: skip
