"""Scored runs on disk whose truth a test can set: one generator, prompts in three categories, scores by the thousand.

The files are written as the contract says, so that they are read as a real run's are.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vbench_lite.files import to_json, write_whole
from vbench_lite.run.folder import RunFolder

CATEGORIES = ("footwear", "drinks", "home", "toys", "watches")
METRICS: dict[str, tuple[float, float, bool | None]] = {
    "temporal_flickering": (0.96, 0.01, True), "clip_frames": (0.94, 0.015, True), "warp_error": (0.004, 0.0008, False),
    "detail": (0.8, 0.08, True), "clip_text": (0.3, 0.04, True), "motion": (0.12, 0.03, None),
    "conformance": (1.0, 0.0, True),
}  # fmt: skip
"""Name > typical value, spread between clips, direction."""

Scores = dict[str, np.ndarray]


@dataclass
class Release:
    """One run to be. The same `suite_seed` and `seed` give the same clips, whatever was made of them."""

    prompts: int = 40
    clips: int = 2
    seed: int = 0
    suite_seed: int = 0
    weights: str = "a"
    generator: str = "model"
    worsen: Callable[[Scores, np.ndarray], None] | None = None
    """Changes scores, shape (prompts, clips) each, in place; gets each prompt's category as well."""
    failed: Callable[[int, int], bool] = lambda prompt, clip: False
    missing: Callable[[int, int], bool] = lambda prompt, clip: False
    reason: str = "out of memory"
    sha256: Callable[[int, int], str] | None = None
    device_s: float = 0.5
    rss_mb: float = 900.0
    batch: int = 0
    """Prompts whose clips are measured as one; 0 for each clip alone."""
    fvd: tuple[float, float, float] | None = (9.0, 8.0, 10.0)
    manifest: dict[str, Any] = field(default_factory=dict)
    """Put in the manifest's place, part by part."""
    metric: dict[str, Any] = field(default_factory=dict)
    """Put into every metric's info."""
    notes: dict[str, Any] = field(default_factory=dict)
    drift: float = 0.0
    """Of the anchor clips."""


def write(path: Path, release: Release | None = None, **how: Any) -> str:
    """Writes run.json, clips.csv and summary.json; returns the folder as a run argument."""
    release = release or Release(**how)
    folder = RunFolder(path)
    write_whole(folder.manifest_path, to_json(_manifest(release)))
    scores, categories = _scores(release)
    write_whole(folder.table_path, _table(release, scores, categories))
    infos = {
        name: {"unit": "", "higher_is_better": up, "version": "1", "backbone": None, "per": "clip"} | release.metric
        for name, (_, _, up) in METRICS.items()
    }
    infos["fvd"] = {"unit": "", "higher_is_better": False, "version": "1", "backbone": "video@1", "per": "set"}
    value, low, high = release.fvd or (None, None, None)
    fvd = {"value": value, "low": low, "high": high, "n": release.prompts * release.clips, "unscored": 0}
    means = {name: {"value": float(grid.mean()), "n": grid.size} for name, grid in scores.items()}
    means["fvd"] = fvd | ({} if value else {"reason": "no"})
    clips = release.prompts * release.clips
    generator = {"route": "diffusion", "clips": clips, "failed": 0, "scores": means, "cost": {}}
    notes = {"anchors": {"drift": {"temporal_flickering": release.drift}}} | release.notes
    summary = {
        "format": 2, "suite": {"name": "ads"}, "metrics": infos, "generators": {release.generator: generator},
        "notes": notes,
    }  # fmt: skip
    write_whole(folder.summary_path, to_json(summary))
    return str(path)


def _manifest(release: Release) -> dict[str, Any]:
    prompts = [
        {"id": f"p{n:03d}", "text": f"thing {n}", "category": CATEGORIES[n % len(CATEGORIES)], "tags": []}
        for n in range(release.prompts)
    ]
    digest = hashlib.sha256(to_json(prompts).encode()).hexdigest()
    clip = {"frames": 9, "fps": 8.0, "height": 64, "width": 64}
    return {
        "format": 2, "name": "ads", "created": "2026-11-22T10:00:00Z",
        "suite": {"name": "ads", "title": "Product shots", "digest": digest, "usable": {}, "prompts": prompts},
        "plan": {"prompts": [p["id"] for p in prompts], "clips_per_prompt": release.clips, "seed": release.seed,
                 "backbones": "builtin"},
        "generators": {release.generator: {
            "name": release.generator, "route": "diffusion", "adapter": "diffusers", "model": "model", "clip": clip,
            "settings": {"num_inference_steps": 20}, "weights_digest": release.weights, "folder": ""}},
        "device": {"kind": "cpu", "name": "Test CPU", "count": 1}, "git": None,
        "prices": {release.generator: {"usd_per_device_hour": 0.1, "date": "2026-11-01", "currency": "USD"}},
    } | release.manifest  # fmt: skip


def _scores(release: Release) -> tuple[Scores, np.ndarray]:
    """Prompts differ by 0.8 of the spread; a seed is worth 0.5; weights change each clip a little, by 0.2."""
    shape = (release.prompts, release.clips)
    hard = np.random.default_rng(release.suite_seed)
    luck = np.random.default_rng([1, release.seed])
    change = np.random.default_rng([2, release.seed, *release.weights.encode()])
    categories = np.array([CATEGORIES[n % len(CATEGORIES)] for n in range(release.prompts)])
    scores = {}
    for name, (typical, spread, _) in METRICS.items():
        mix = 0.8 * hard.normal(size=(shape[0], 1)) + 0.5 * luck.normal(size=shape) + 0.2 * change.normal(size=shape)
        scores[name] = typical + spread * mix
    if release.worsen:
        release.worsen(scores, categories)
    return scores, categories


def _table(release: Release, scores: Scores, categories: np.ndarray) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ["generator", "route", "prompt_id", "category", "index", "seed", "status", "reason", "reason_code",
               "sha256", "wall_s", "device_s", "peak_rss_mb", "cost_usd", "usable", "unusable_because",
               "unusable_codes", *scores]  # fmt: skip
    writer.writerow(columns)
    clock = np.random.default_rng([3, release.seed])
    seconds = 0.0
    for prompt in range(release.prompts):
        for clip in range(release.clips):
            if not release.batch or (prompt % release.batch, clip) == (0, 0):
                seconds = release.device_s * float(clock.lognormal(0, 0.05))
            missing = release.missing(prompt, clip)
            made = not missing and not release.failed(prompt, clip)
            own = f"{release.weights}-{release.seed}-{prompt}-{clip}"
            sha = release.sha256(prompt, clip) if release.sha256 else own
            reason = "this clip was requested and never generated" if missing else "" if made else release.reason
            status = "missing" if missing else "ok" if made else "failed"
            code = "" if made else "missing" if missing else "failed"
            conforms = scores["conformance"][prompt, clip] >= 0.5
            because = f"failed: {reason}" if not made else "" if conforms else "conformance: black"
            codes = code if not made else "" if conforms else "black:conformance"
            values = [repr(float(grid[prompt, clip])) if made else "" for grid in scores.values()]
            cost = [""] * 4 if missing else [repr(seconds)] * 2 + [repr(release.rss_mb), repr(seconds * 0.1 / 3600)]
            writer.writerow([
                release.generator, "diffusion", f"p{prompt:03d}", categories[prompt], clip, 1000 * prompt + clip,
                status, reason, code, sha if made else "", *cost,
                "true" if made and conforms else "false", because, codes, *values,
            ])  # fmt: skip
    return text.getvalue()
