"""The examples in docstrings of metrics and feature extractors run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import vbench_lite.features
import vbench_lite.metrics

MODULES = [
    f"{package.__name__}.{found.name}"
    for package in (vbench_lite.features, vbench_lite.metrics) for found in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0


def test_every_metric_has_an_example():
    for name in vbench_lite.metrics.shipped_metrics():
        assert ">>>" in getattr(vbench_lite.metrics, name).__doc__, name
