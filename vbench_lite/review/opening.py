"""Builds a review and its server from the user's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vbench_lite.errors import UsageError
from vbench_lite.escaping import vbench_command
from vbench_lite.review.material import Material, gather
from vbench_lite.review.questions import Weights
from vbench_lite.review.server import Door, Running, start
from vbench_lite.review.session import Review, Settings, review_cache
from vbench_lite.run.view import Run
from vbench_lite.run.votes import Mode


@dataclass(frozen=True)
class ReviewOrder:
    """The options of a review. See `vbench review --help` for each option."""

    mode: Mode = "usable"
    prompt_adherence: bool = False
    limit: int | None = None
    seed: int = 0
    warm_up: bool = False
    host: str | None = None
    port: int = 0

    def __post_init__(self) -> None:
        if self.prompt_adherence and self.mode != "pairs":
            raise UsageError("the question of prompt adherence compares two clips: add --pairs.")


def open_material(runs: Sequence[Run], order: ReviewOrder) -> Material:
    """The clips of a review.

    Raises:
        UsageError: There is nothing to ask.
        StoreError: A run has no clips.
    """
    material = gather(runs)
    if order.mode == "pairs" and not any(any(True for _ in material.pair_items(pair)) for pair in material.pairs()):
        holds = f"{runs[0].label} has no two different clips of one prompt and index by two generators."
        if material.several_runs:
            holds = f"{' and '.join(run.label for run in runs)} have no two different clips of one prompt and index."
        raise UsageError(
            f"{holds} Judge single clips instead: {vbench_command('review', runs[0].label, '--usable')}"
        )
    return material


def settings_of(runs: Sequence[Run], order: ReviewOrder, weights: Weights | None = None) -> Settings:
    """The settings of a review."""
    from vbench_lite.review.warm_up import warm_up_questions

    warm_up = warm_up_questions(runs[0].manifest.suite, order.mode, review_cache(runs[0].path)) if order.warm_up else []
    if order.warm_up and not warm_up:
        raise UsageError("--warm-up needs real clips, but the suite has no reference. Leave the option out.")
    return Settings(
        mode=order.mode, seed=order.seed, limit=order.limit, prompt_adherence=order.prompt_adherence,
        warm_up=tuple(warm_up), weights=weights or {},
    )


def open_review(runs: Sequence[Run], order: ReviewOrder, weights: Weights | None = None) -> Review:
    """The review of some runs. The first run stores the votes."""
    return Review(open_material(runs, order), settings_of(runs, order, weights))


def serve(review: Review, order: ReviewOrder) -> Running:
    """Starts the server of a review."""
    return start(review, Door.of(order.host, order.port))
