"""The documentation site: its pages and its navigation. `.ci/run` builds it."""

import importlib.util
from pathlib import Path
from typing import Any

import yaml

from vbench_lite.inputs.catalogue import definition_paths
from vbench_lite.metrics import shipped_metrics

ROOT = Path(__file__).parents[1]
NAV: list[Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]


def hooks() -> Any:
    spec = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "site_hooks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_generator_that_ships_has_a_page_with_its_definition(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    pages = dict(hooks().generator_pages())
    assert {Path(uri).stem for uri in pages} == set(definition_paths())
    for name, path in definition_paths().items():
        text = pages[f"reference/generators/{name}.md"]
        assert path.read_text("utf-8").strip() in text
        assert f"vbench run --suite ads -g {name}" in text


def test_every_metric_that_ships_has_a_page_with_its_pitfalls_and_its_function() -> None:
    pages = dict(hooks().metric_pages())
    assert {Path(uri).stem for uri in pages} == set(shipped_metrics())
    for name, metric in shipped_metrics().items():
        text = pages[f"reference/metrics/{name}.md"]
        assert metric.description in text
        assert metric.pitfalls in text
        assert f"::: {metric.__module__}.{name}" in text


def test_every_page_of_the_navigation_exists() -> None:
    names = [name for name in hooks().names_in(NAV) if name not in ("generators/", "metrics/")]
    assert len(names) > 20
    assert [name for name in names if not (ROOT / "docs" / name).is_file()] == []


def test_a_page_that_the_navigation_does_not_name_is_a_how_to_guide() -> None:
    nav = hooks().with_generated(NAV, {"metrics/": ["m.md"], "generators/": ["g.md"]}, ["new.md"])
    titled = {title: value for entry in nav if isinstance(entry, dict) for title, value in entry.items()}
    assert titled["How-to guides"][-1] == "new.md"
    assert {"Metrics, one by one": ["m.md"]} in titled["Reference"]


def test_links_that_leave_the_pages_lead_to_the_repository_and_pictures_are_copied() -> None:
    text = "[a](../README.md) ![b](../generators/x/b.jpg) [c](cli.md)"
    assert hooks().with_links_out(text, "world.md") == (
        f"[a]({hooks().REPOSITORY}/blob/main/README.md) ![b](generators/x/b.jpg) [c](cli.md)"
    )
    assert hooks().pictures_outside(text, "world.md") == ["generators/x/b.jpg"]
    assert hooks().with_links_out("[a](../cli.md)", "tutorials/x.md") == "[a](../cli.md)"
