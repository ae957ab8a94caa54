"""Scores single clips: the generated clips and the reference clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vbench_lite.backbones import Backbones
from vbench_lite.features.extractor import ClipFeatures, NoFeatures
from vbench_lite.metrics.base import ClipContext, ClipMetric, Metric, score_clip
from vbench_lite.records import ClipSpec, Prompt, ReasonCode, Score
from vbench_lite.run.plan import asks_for_stillness
from vbench_lite.scoring.pictures import Pictures
from vbench_lite.scoring.reference import Reference


class ClipScorer:
    """Computes all metrics of single clips, with the texts and images of the prompts.

    Args:
        metrics: The selected metrics; metrics of sets and of programs are computed elsewhere.
        nets: The networks.
        prompts: Prompts by id.
        pictures: The images of the prompts.
    """

    def __init__(
        self, metrics: Sequence[Metric], nets: Backbones, prompts: Mapping[str, Prompt], pictures: Pictures
    ) -> None:
        self._metrics = [metric for metric in metrics if isinstance(metric, ClipMetric)]
        self._prompts, self._pictures = prompts, pictures
        self._unavailable = {metric.name: why for metric in metrics if (why := metric.unavailable(nets))}
        reads_text = any(metric.backbone() == "image" for metric in metrics)
        self._texts, self._text_problems = _read_prompts(nets, prompts.values()) if reads_text else ({}, {})
        self.truncated = {
            id_: why for id_ in self._texts if nets.image and (why := nets.image.truncates(prompts[id_].text))
        }
        """Prompt id -> a note, for prompts that are too long for the text network, which reads only the beginning."""

    def score(
        self, clip: ClipFeatures | NoFeatures, prompt_id: str, spec: ClipSpec | None, reference: Reference
    ) -> dict[str, Score]:
        """Metric > score of one generated clip."""
        if isinstance(clip, NoFeatures):
            return {m.name: Score(m.undecodable, clip.reason, clip.reason_code) for m in self._metrics}
        return self._score(clip, self._prompts[prompt_id], spec, reference)

    def score_real(self, references: Iterable[Reference]) -> dict[str, tuple[Score, ...]]:
        """Metric > scores of all real clips, from which thresholds of usable clips are derived."""
        scores: dict[str, list[Score]] = {metric.name: [] for metric in self._metrics}
        for reference in {id(r): r for r in references}.values():
            for clip, prompt_id in zip(reference.clips, reference.prompts, strict=True):
                prompt = self._prompts.get(prompt_id, Prompt("", ""))
                for name, score in self._score(clip, prompt, None, reference).items():
                    scores[name].append(score)
        return {name: tuple(found) for name, found in scores.items() if any(s.value is not None for s in found)}

    def _score(
        self, clip: ClipFeatures, prompt: Prompt, spec: ClipSpec | None, reference: Reference
    ) -> dict[str, Score]:
        context = ClipContext(
            clip, prompt, self._texts.get(prompt.id), self._text_problems.get(prompt.id, "there is no prompt"),
            self.truncated.get(prompt.id, ""), spec,
            still_requested=asks_for_stillness(prompt), real=reference.of_prompt(prompt.id),
            picture=self._pictures.vector(prompt.id, clip.height, clip.width),
        )
        return {metric.name: self._score_metric(metric, context) for metric in self._metrics}

    def _score_metric(self, metric: ClipMetric, context: ClipContext) -> Score:
        if why := self._unavailable.get(metric.name):
            return Score(None, why, ReasonCode.NO_BACKBONE)
        return score_clip(metric, context)


def _read_prompts(
    nets: Backbones, prompts: Iterable[Prompt]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """Prompt id -> text embedding, and prompt id -> why the network cannot read the prompt."""
    net = nets.image
    if net is None:
        return {}, {}
    problems = {p.id: why for p in prompts if (why := net.cannot_read(p.text))}
    readable = [p for p in prompts if p.id not in problems]
    vectors = net.embed_texts([p.text for p in readable]) if readable else np.zeros((0, 0))
    return {p.id: vector for p, vector in zip(readable, vectors, strict=True)}, problems
