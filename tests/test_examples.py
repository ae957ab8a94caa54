"""Examples in docstrings and in docs/python.md run as they stand."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
NEEDS_AN_EXTRA = ("running/engines/ray",)


def modules_with_examples() -> list[str]:
    paths = sorted((ROOT / "vbench_lite").rglob("*.py"))
    chosen = [p.relative_to(ROOT).with_suffix("") for p in paths if "\n    >>> " in p.read_text("utf-8")]
    names = [str(p) for p in chosen if not any(extra in str(p) for extra in NEEDS_AN_EXTRA)]
    return [name.replace("/", ".").removesuffix(".__init__") for name in names]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings_give_what_they_show(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert doctest.testmod(importlib.import_module(name), optionflags=FLAGS).failed == 0


def test_the_examples_of_the_torchmetrics_classes_give_what_they_show():
    from vbench_lite import metrics

    classes = [metrics.torch_metric(metric) for metric in metrics.shipped_metrics().values()]
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(optionflags=FLAGS)
    for made in classes:
        for example in finder.find(made, made.__name__, globs={"torch_metric": metrics.torch_metric}):
            runner.run(example)
        assert "Args:" in made.__doc__
        assert "Unit: " in made.__doc__
    assert runner.tries >= len(classes)
    assert runner.failures == 0


def test_the_calls_of_the_python_page_give_what_they_show(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.testfile(str(ROOT / "docs" / "python.md"), module_relative=False, optionflags=FLAGS)
    assert found.attempted >= 12
    assert found.failed == 0
