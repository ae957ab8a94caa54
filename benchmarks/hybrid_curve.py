"""The hybrid from one route to the other: quality of a scored sweep over CPU seconds a clip, as a table and a picture.

    vbench run --suite ads -g tiny-hybrid --sweep strength=0,0.2,0.4,0.6,0.8,1 --out results/hybrid
    python benchmarks/hybrid_curve.py results/hybrid docs/images/hybrid.svg

Quality is the run's. Cost is measured here, on one thread in CPU seconds, because a clock means little on a machine
that does other things: it is for comparing the points of the curve, not for bills.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

CLIPS = 4
METRICS = ("clip_text", "detail", "warp_error")


def main() -> None:
    run, picture = Path(sys.argv[1]), Path(sys.argv[2])
    summary = json.loads((run / "summary.json").read_text("utf-8"))["generators"]
    known = dict(pair.split("=") for pair in sys.argv[3:])  # strength=seconds, measured before
    points = []
    for name, generator in sorted(summary.items(), key=lambda item: strength_of(item[0])):
        strength = strength_of(name)
        cost = float(known.get(f"{strength:g}") or cpu_seconds(strength))
        points.append((strength, cost, generator["scores"]))
        cells = [f"{scores['value']:.4g} ({scores['low']:.4g} to {scores['high']:.4g})" for scores in
                 (generator["scores"][metric] for metric in METRICS)]
        print(f"| {strength:g} | {cost:.2f} | {' | '.join(cells)} | {generator['usable']} of {generator['clips']} |")
    draw(points, picture)


def strength_of(name: str) -> float:
    return float(name.partition("strength=")[2])


def cpu_seconds(strength: float) -> float:
    """Of one clip, both stages, in a batch of four."""
    import torch

    from vbench_lite.inputs.catalogue import build, find_definition
    from vbench_lite.records import Request

    torch.set_num_threads(1)
    definition = find_definition("tiny-hybrid")
    generator = build(replace(definition, settings={**definition.settings, "strength": strength}))
    generator.load("cpu")
    text = "a red sneaker slides left on a white background"
    requests = [Request("p", text, k, 100 + k, definition.clip) for k in range(CLIPS)]
    start = time.process_time()
    generator.generate(requests)
    return (time.process_time() - start) / CLIPS


def draw(points: list[tuple[float, float, dict[str, Any]]], picture: Path) -> None:
    """One panel a metric: mean and interval over the cost, each point with its strength."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "vbench-lite", "svg.fonttype": "none", "font.size": 9})
    figure, panels = plt.subplots(1, len(METRICS), figsize=(10, 3.2), layout="constrained")
    for panel, metric in zip(panels, METRICS, strict=True):
        costs = [cost for _, cost, _ in points]
        scores = [score[metric] for _, _, score in points]
        means = [score["value"] for score in scores]
        panel.vlines(costs, [s["low"] for s in scores], [s["high"] for s in scores], color="#9aa5b1")
        panel.plot(costs, means, "o-", color="#2456a6")
        for (strength, cost, _), mean in zip(points, means, strict=True):
            panel.annotate(f"{strength:g}", (cost, mean), (4, 5), textcoords="offset points")
        panel.set_title(f"{metric} ({'lower' if metric == 'warp_error' else 'higher'} is better)", fontsize=9)
        panel.set_xlabel("CPU seconds a clip, one thread")
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, metadata={"Date": None, "Title": "tiny-hybrid along strength"})


if __name__ == "__main__":
    main()
