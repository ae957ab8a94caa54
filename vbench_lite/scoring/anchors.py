"""Anchors: pinned clips with known scores. Every scoring also scores them, so that a drift of the scorer is detected.

The clips are stored beside the built-in networks. `expected.json` has the expected scores for each set of networks.
If another library version, machine or code changes a score by more than `TOLERANCE`, the notes of the run report it.

    python -m vbench_lite.scoring.anchors [--backbones NAME]      stores the scores of the current code
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import numpy as np

from vbench_lite.backbones import Backbones, load
from vbench_lite.features.extract import extract
from vbench_lite.features.extractor import ClipFeatures
from vbench_lite.files import to_json, write_whole
from vbench_lite.metrics.base import ClipContext, ClipMetric, RealClips, score_clip
from vbench_lite.metrics.registry import shipped_metrics

TOLERANCE = 1e-3
"""Largest accepted difference, relative to the expected value, or to `SMALL` if the value is smaller."""
SMALL = 0.01
REAL_ENERGY = 0.002
"""A fixed value in place of the fine energy of real clips, so that the metric `detail` also has an anchor."""
VIDEO = "video_features"
"""Name of the mean absolute feature of the video network. It has an anchor but is not a metric."""
CAPTIONS = {
    "slide": "a red sneaker slides right on a white background",
    "zoom": "the camera zooms in on a green fish on a gray background",
    "spin": "a purple lamp spins on a pink background",
}

Scores = dict[str, dict[str, float]]


def folder() -> Path:
    return Path(str(files("vbench_lite.backbones"))) / "builtin" / "anchors"


def measure(nets: Backbones) -> Scores:
    """Scores of the anchors with these networks: anchor -> metric -> value."""
    return {name: _measure_one(name, nets) for name in CAPTIONS}


def _measure_one(name: str, nets: Backbones) -> dict[str, float]:
    shipped = [metric() for metric in shipped_metrics().values() if "builtin" in metric.sets]
    extractors = dict.fromkeys(e for metric in shipped for e in metric.extractors)
    clip = extract(folder() / f"{name}.mp4", extractors, nets)
    readable = nets.image is not None and nets.image.cannot_read(CAPTIONS[name]) is None
    text = nets.image.embed_texts([CAPTIONS[name]])[0] if nets.image and readable else None
    energy = {"pixels": {"fine_energies": np.array([REAL_ENERGY])}}
    real = RealClips([ClipFeatures(1, clip.height, clip.width, 0.0, False, energy)])
    context = ClipContext(clip, text=text, real=real)
    per_clip = [m for m in shipped if isinstance(m, ClipMetric) and all(e.name in clip.arrays for e in m.extractors)]
    scores = {metric.name: score_clip(metric, context).value for metric in per_clip}
    found = {metric: value for metric, value in scores.items() if value is not None}
    if "video" in clip.arrays:
        found[VIDEO] = float(np.abs(clip["video"]["features"]).mean())
    return found


def key(nets: Backbones) -> str:
    """The key of these networks in `expected.json`."""
    return " + ".join(_names(nets)) or "no networks"


def _names(nets: Backbones) -> list[str]:
    return [net.name for net in (nets.image, nets.video) if net]


def known_values(nets: Backbones) -> Scores | None:
    """The pinned scores of the metrics whose network is loaded; None if no scores are pinned for these networks.

    A scoring loads only the networks of its metrics, so a pinned set can have more networks than are loaded.
    """
    pinned = (scores for names, scores in expected().items() if {*_names(nets)} <= {*names.split(" + ")})
    scores = next(pinned, None)
    return scores and {
        name: {metric: value for metric, value in values.items() if not _lacks_network(metric, nets)}
        for name, values in scores.items()
    }


def _lacks_network(name: str, nets: Backbones) -> bool:
    return nets.video is None if name == VIDEO else bool(shipped_metrics()[name].unavailable(nets))


def expected() -> dict[str, Scores]:
    """The pinned scores: networks -> anchor -> metric -> value."""
    found: dict[str, Scores] = json.loads((folder() / "expected.json").read_text("utf-8"))
    return found


def drift(nets: Backbones) -> dict[str, Any]:
    """The anchor notes of a run.

    Returns:
        `tolerance`; `drift`, the largest relative difference by metric, or None if no scores are pinned for these
        networks (then `reason` says so); and `warning`, a sentence if the drift exceeds the tolerance, else None.
    """
    known = known_values(nets)
    if known is None:
        reason = f"no scores are pinned for {key(nets)}"
        return {"tolerance": TOLERANCE, "drift": None, "warning": None, "reason": reason}
    found = measure(nets)
    worst: dict[str, float] = {}
    for name, scores in known.items():
        for metric, value in scores.items():
            off = abs(found[name].get(metric, float("inf")) - value) / max(abs(value), SMALL)
            worst[metric] = max(worst.get(metric, 0.0), min(off, 1e9))
    late = {metric: off for metric, off in worst.items() if off > TOLERANCE}
    warning = None
    if late:
        metric = max(late, key=lambda name: late[name])
        warning = (
            f"scores on this machine drift: {metric} of a pinned clip is off by {late[metric]:.2%} "
            f"(tolerance {TOLERANCE:.1%}). Score other runs again on this machine before you compare with them."
        )
    return {"tolerance": TOLERANCE, "drift": worst, "warning": warning}


@click.command(help=__doc__)
@click.option("--backbones", default="builtin", show_default=True)
def main(backbones: str) -> None:
    """Write missing anchor clips, and pin the scores of the current code."""
    from vbench_lite.video import encode_mp4
    from vbench_lite.world import find_composition, render

    folder().mkdir(exist_ok=True)
    for name, caption in CAPTIONS.items():
        path, composition = folder() / f"{name}.mp4", find_composition(caption)
        if not path.exists() and composition:
            path.write_bytes(encode_mp4(render(composition, seed=7), 8.0))
    nets = load(backbones)
    path = folder() / "expected.json"
    values = expected() if path.exists() else {}
    write_whole(path, to_json(values | {key(nets): measure(nets)}))
    click.echo(f"Pinned: {path}")


if __name__ == "__main__":
    main()
