"""Find metrics: the shipped ones, and those of the workspace's metrics/ folder, of entry points and of `--metrics`.

This module reads classes only and does not import torch.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from vbench_lite import backbones as networks
from vbench_lite.analysis.quantities import TAKEN
from vbench_lite.backbones import KINDS, Backbones, has_networks_of_vbench
from vbench_lite.errors import MetricError, UnknownName
from vbench_lite.features.extractor import Extractor, backbone_of
from vbench_lite.metrics._judge import JudgedMetric, judged_metrics, known_judges
from vbench_lite.metrics.base import ClipMetric, Metric, SetMetric
from vbench_lite.records import QUESTIONS, MetricInfo
from vbench_lite.userfile import link_problem

GROUP = "vbench_lite.metrics"
FOLDER = Path("metrics")
"""Folder in the working folder. Every .py file in it is read."""
SETS = ("builtin", "scenario", "vbench", "all")
SEE = "See them with: vbench list metrics"
TEXTS = ("name", "title", "unit", "version", "description")

MetricClass = type[Metric]


@cache
def shipped_metrics() -> dict[str, MetricClass]:
    """The metrics of this package by name, in the order of their questions and ranks. Files `_*.py` have none.

    Example:
        >>> shipped_metrics()["motion"].unit
        'frame sides/s'
    """
    import vbench_lite.metrics as package

    names = [m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    found = [metric for module in modules for metric in _metrics_in(module)]
    return {metric.name: metric for metric in sorted(found, key=_order)}


def _order(metric: MetricClass) -> tuple[bool, int, int, str]:
    return metric.per == "set", [*QUESTIONS, ""].index(metric.question), metric.rank, metric.name


def user_metrics() -> dict[str, MetricClass]:
    """Metrics of the metrics/ folder in the working folder, and of the entry point group "vbench_lite.metrics".

    Raises:
        MetricError: A class is not a valid metric, or two metrics share a name.
    """
    files = sorted(FOLDER.glob("*.py")) if FOLDER.is_dir() else []
    found = [metric for path in files if not path.name.startswith("_") for metric in metrics_of_file(path)]
    found += [checked(point.load(), f'the entry point "{point.name}"') for point in entry_points(group=GROUP)]
    return _by_name(found)


def known_metrics() -> dict[str, MetricClass]:
    """All shipped and user-defined metrics by name."""
    return _by_name([*shipped_metrics().values(), *user_metrics().values()])


def known_programs() -> list[type[JudgedMetric]]:
    """The scores of all known programs. They are computed only if they are selected by name."""
    return [metric for path in known_judges().values() for metric in judged_metrics(path)]


def describe(name: str) -> MetricInfo | None:
    """The description of a shipped metric, or None if there is no metric of this name.

    Example:
        >>> describe("detail").title
        'Detail'
    """
    metric = shipped_metrics().get(name)
    return metric.info() if metric else None


def select(
    wanted: str | Iterable[str | MetricClass] | None = None, backbones: str = "builtin", *, images: bool = False
) -> list[Metric]:
    """The metrics that `--metrics` selects, as instances.

    Args:
        wanted: Names, sets (builtin, scenario, vbench, all), Python files, TOML files of programs that score clips,
            "pkg.mod:Class" or classes. A text may contain several, separated by commas. None is the set "builtin" and
            every Python metric of the user. If the set of backbones has a network that only VBench's dimensions use,
            None also includes the set "vbench".
        backbones: The set of backbones for scoring.
        images: Whether prompts have images. If not, named sets leave out metrics that compare with an image.

    Raises:
        UnknownName: A metric, file, module or class does not exist.
        MetricError: A class is not a valid metric, or two metrics share a name.

    Example:
        >>> [metric.name for metric in select("motion,detail")]
        ['motion', 'detail']
    """
    if wanted is None:
        found = [*_of_sets(default_sets(backbones), shipped_metrics(), images), *user_metrics().values()]
    else:
        items = wanted.split(",") if isinstance(wanted, str) else wanted
        found = [metric for item in items for metric in _named(item.strip() if isinstance(item, str) else item, images)]
    return [metric() for metric in _by_name(found).values()]


def default_sets(backbones: str) -> set[str]:
    """The default sets of metrics for a set of backbones."""
    return {"builtin", "vbench"} if has_networks_of_vbench(backbones) else {"builtin"}


def extractors_of(metrics: Iterable[Metric]) -> list[Extractor]:
    """The extractors that metrics read, without duplicates.

    Raises:
        MetricError: Two different extractors have the same name.
    """
    found: dict[str, Extractor] = {}
    for metric in metrics:
        for extractor in metric.extractors:
            if found.setdefault(extractor.name, extractor) is not extractor:
                raise MetricError(
                    f'two feature extractors are called "{extractor.name}". '
                    f'Rename the extractor of the metric "{metric.name}".'
                )
    return [*found.values()]


def networks_of(metrics: Iterable[Metric]) -> set[str]:
    """The kinds of networks that metrics need, from `backbones.KINDS`."""
    return {kind for metric in metrics for extractor in metric.extractors if (kind := backbone_of(extractor))}


def load_networks(metrics: Iterable[Metric], backbones: str, device: str = "cpu") -> Backbones:
    """Load the networks of a set that metrics need, and no others. If none is needed, torch is not imported.

    A network is left out with a reason if its weights have a wrong digest or its extra is not installed.

    Raises:
        UnknownName: The set does not exist.
        WeightsError: Weights are missing.
    """
    return networks.load(backbones, device=device, kinds=networks_of(metrics), partial=True)


def _of_sets(names: set[str], metrics: Mapping[str, MetricClass], images: bool) -> list[MetricClass]:
    """The metrics of named sets. "all" selects every metric."""
    named = [metric for metric in metrics.values() if "all" in names or names & set(metric.sets)]
    return [metric for metric in named if images or not metric.for_images]


def _named(item: str | MetricClass, images: bool) -> list[MetricClass]:
    if not isinstance(item, str):
        return [checked(item, repr(item))]
    if item.endswith(".toml"):
        if not Path(item).is_file():
            raise UnknownName("file of metrics", item, known_judges(), SEE)
        return [*judged_metrics(Path(item))]
    if item in SETS:
        return _of_sets({item}, known_metrics(), images)
    if item.endswith(".py"):
        return metrics_of_file(Path(item))
    if ":" in item:
        return [checked(_imported(item), f'"{item}"')]
    known = known_metrics()
    if item in known:
        return [known[item]]
    judges = known_judges()
    if item not in judges:
        raise UnknownName("metric or set of metrics", item, [*known, *judges, *SETS], SEE)
    return [*judged_metrics(judges[item])]


def _imported(name: str) -> Any:
    """The object that "pkg.mod:Class" names. The working folder is also searched."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    module = name.partition(":")[0]
    try:
        return pkgutil.resolve_name(name)
    except ModuleNotFoundError as error:
        if error.name and not module.startswith(error.name):
            raise
        raise UnknownName("module", module, (), f'"{name}" must be importable from {Path.cwd()}.') from None
    except AttributeError:
        known = vars(sys.modules[module])
        raise UnknownName("class", name.partition(":")[2], known, f'"{module}" was found.') from None


def metrics_of_file(path: Path) -> list[MetricClass]:
    """The metrics that a Python file defines.

    Raises:
        UnknownName: The file does not exist.
        MetricError: The file cannot be read, or defines no metric or an invalid one.
    """
    if problem := link_problem(path):
        raise MetricError(f"{path} cannot be read: {problem}.")
    if not path.is_file():
        raise UnknownName("file of metrics", str(path), (), SEE)
    found = _metrics_in(_module_of(path.resolve(), path.stat().st_mtime_ns), str(path))
    if not found:
        raise MetricError(f"{path} defines no metric: expected a subclass of ClipMetric or SetMetric.")
    return found


@cache
def _module_of(path: Path, _changed_ns: int) -> ModuleType:
    """The executed file. It is executed again if the file was changed."""
    name = f"metrics_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec, path
    assert spec.loader, path
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _metrics_in(module: ModuleType, where: str = "") -> list[MetricClass]:
    """The metric classes that a module defines. Imported classes are left out."""
    own = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
    classes = [v for v in own if issubclass(v, Metric) and v not in (Metric, ClipMetric, SetMetric)]
    return [checked(v, f"{where or module.__name__}: class {v.__name__}") for v in classes]


def _by_name(metrics: Iterable[MetricClass]) -> dict[str, MetricClass]:
    found: dict[str, MetricClass] = {}
    for metric in metrics:
        other = found.setdefault(metric.name, metric)
        if other is not metric:
            raise MetricError(
                f'two metrics are called "{metric.name}": {_place(other)} and {_place(metric)}. Rename one of them.'
            )
    return found


def _place(metric: MetricClass) -> str:
    if issubclass(metric, JudgedMetric):
        return f"a score of {metric.judge.name}.toml"
    module = sys.modules[metric.__module__]
    return f"{metric.__name__} in {getattr(module, '__file__', None) or metric.__module__}"


def checked(metric: Any, where: str) -> MetricClass:
    """The class, if it is a valid metric.

    Raises:
        MetricError: It is not valid. The message names the place, the attribute and the expected value.
    """
    if not (isinstance(metric, type) and issubclass(metric, (ClipMetric, SetMetric))):
        raise MetricError(
            f"{where} is not a metric: expected a subclass of ClipMetric or SetMetric of vbench_lite.metrics."
        )
    for attribute, value, expected in _defects(metric):
        said = "is missing" if value is None else f"is {value!r}"
        raise MetricError(f'{where}: "{attribute}" {said}: expected {expected}. See docs/metrics.md.')
    return metric


def _defects(metric: MetricClass) -> Iterable[tuple[str, Any, str]]:
    """(attribute, value, expected value) of each invalid attribute."""
    for attribute in TEXTS:
        value = getattr(metric, attribute, None)
        if not isinstance(value, str) or not value.strip():
            yield attribute, value, "a text"
    name = str(getattr(metric, "name", ""))
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name) or name in SETS or name in TAKEN:
        expected = "up to 60 lower-case letters, digits and _, and not the name of a set or of a column of clips.csv"
        yield "name", name, expected
    if not isinstance(getattr(metric, "higher_is_better", ...), bool | None):
        yield "higher_is_better", None, "True, False, or None for a metric that is not ranked"
    if metric.question not in ("", *QUESTIONS):
        yield "question", metric.question, f'one of {", ".join(QUESTIONS)}, or "" for none'
    limits = getattr(metric, "range", None)
    if not (isinstance(limits, tuple) and len(limits) == 2 and all(isinstance(v, int | float) for v in limits)
            and limits[0] < limits[1]):  # fmt: skip
        yield "range", limits, "(smallest, largest) possible value; float('inf') if there is no limit"
    if metric.score in (ClipMetric.score, SetMetric.score):  # type: ignore[attr-defined]
        yield "score", None, "a method score(self, context)"
    yield from _extractor_defects(metric)


def _extractor_defects(metric: MetricClass) -> Iterable[tuple[str, Any, str]]:
    extractors = metric.extractors
    if not isinstance(extractors, tuple) or not all(isinstance(e, type) for e in extractors):
        yield "extractors", extractors, "a tuple of classes; write (Name,) for a single one"
        return
    for extractor in extractors:
        for attribute in ("name", "version"):
            if not isinstance(getattr(extractor, attribute, None), str):
                yield f"extractors: {extractor.__name__}.{attribute}", getattr(extractor, attribute, None), "a text"
        for method in ("start", "see", "finish"):
            if not callable(getattr(extractor, method, None)):
                yield f"extractors: {extractor.__name__}.{method}", None, "a method"
        if getattr(extractor, "backbone", None) not in (None, *KINDS):
            yield f"extractors: {extractor.__name__}.backbone", extractor.backbone, f"one of {', '.join(KINDS)}"  # type: ignore[attr-defined]
