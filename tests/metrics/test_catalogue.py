"""The catalogue of docs/metrics.md is what the metrics' files say."""

from __future__ import annotations

from pathlib import Path

from vbench_lite.metrics import shipped_metrics
from vbench_lite.metrics.registry import describe

HEAD = "| metric | of | better | unit | range | meaning | pitfalls |\n|---|---|---|---|---|---|---|\n"
BETTER = {True: "higher", False: "lower", None: "not ranked"}


def row(metric):
    low, high = (f"{side:g}".replace("inf", "∞") for side in metric.range)
    cells = (f"`{metric.name}`", metric.per, BETTER[metric.higher_is_better], metric.unit, f"{low} to {high}",
             metric.description, metric.pitfalls)  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def test_the_catalogue_is_that_of_the_files():
    expected = HEAD + "".join(map(row, shipped_metrics().values()))
    assert expected in (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8"), expected


def test_only_a_shipped_metric_has_a_description():
    assert describe("detail") == shipped_metrics()["detail"].info()
    assert describe("absent") is None


def test_every_shipped_metric_is_described_in_full():
    for metric in shipped_metrics().values():
        assert metric.title
        assert metric.pitfalls, metric.name
        assert metric.extractors, metric.name
        follows = metric.rises_with or metric.falls_with
        assert follows or metric.name in ("fvd_corrected", "conformance", "dynamic_degree")
