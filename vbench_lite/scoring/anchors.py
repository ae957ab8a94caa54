"""A few pinned clips with their known scores: every scoring looks at them, so that a drift is noticed.

The clips lie beside the built-in networks, with `expected.json`: what each set of networks gave for
them. Other versions of a library, another machine or altered code that move a value by more than
`TOLERANCE` show up in the run's notes, before anybody compares two runs.

    python -m vbench_lite.scoring.anchors [--backbones NAME]      pins the values of today's code
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
"""Relative to the expected value, or to `SMALL` where that is smaller."""
SMALL = 0.01
REAL_ENERGY = 0.002
"""A fixed stand-in for real clips' fine energy, so that `detail` has an anchor too."""
VIDEO = "video_features"
"""The name of the mean absolute feature of the video network, which is no metric."""
CAPTIONS = {
    "slide": "a red sneaker slides right on a white background",
    "zoom": "the camera zooms in on a green fish on a gray background",
    "spin": "a purple lamp spins on a pink background",
}

Scores = dict[str, dict[str, float]]


def folder() -> Path:
    return Path(str(files("vbench_lite.backbones"))) / "builtin" / "anchors"


def measure(nets: Backbones) -> Scores:
    """anchor > metric > value, on these networks."""
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
    """The networks whose expected values are meant."""
    return " + ".join(_names(nets)) or "no networks"


def _names(nets: Backbones) -> list[str]:
    return [net.name for net in (nets.image, nets.video) if net]


def known_values(nets: Backbones) -> Scores | None:
    """anchor > metric > value, of the metrics whose network is loaded; None where other networks are pinned.

    A scoring loads only the networks of its metrics, so the pinned networks may be more than the loaded ones.
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
    """networks > anchor > metric > value."""
    found: dict[str, Scores] = json.loads((folder() / "expected.json").read_text("utf-8"))
    return found


def drift(nets: Backbones) -> dict[str, Any]:
    """What a run notes of its anchors.

    Returns:
        `tolerance`; `drift`, the largest relative difference by metric, or None where nothing is
        expected of these networks; and `warning`, a sentence where the drift is too large, else None.
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
            f"(tolerance {TOLERANCE:.1%}). Compare with runs scored elsewhere only after scoring them here again."
        )
    return {"tolerance": TOLERANCE, "drift": worst, "warning": warning}


@click.command(help=__doc__)
@click.option("--backbones", default="builtin", show_default=True)
def main(backbones: str) -> None:
    """Writes the clips where they are missing, and the values of today's code."""
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
