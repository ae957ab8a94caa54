"""The architecture, held by tests: which module may import which, and what starts without torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "vbench_lite"

RECORDS = {"records", "errors", "userfile", "tomlfile"}
# The package's map, from the ground up: a part imports those before it, never those after it.
LAYERS = (
    "errors", "escaping", "environment", "userfile", "records", "formatting", "files", "arrays", "tomlfile", "stats",
    "progress", "programs", "generator", "decoding", "video", "world", "measuring", "adapters", "inputs", "run",
    "backbones", "distances", "analysis", "features", "metrics", "scoring", "running", "gate", "checks", "report",
    "review", "recipes", "jobs", "api", "cli", "__main__",
)  # fmt: skip
MAY_NOT_IMPORT = {
    # metrics do not know who made a clip; the runner does not know what a metric is; reports compute no score, but
    # read the descriptions of metrics, which `vbench_lite.metrics` gives without torch
    "metrics": {"adapters", "inputs", "measuring"},
    "running": {"metrics", "scoring", "backbones"},
    "report": {"metrics.base", "metrics.functional", "running", "adapters", "scoring", "backbones", "gate"},
    "checks": {"metrics", "adapters", "scoring", "backbones"},
    "gate": {"metrics", "running", "adapters", "scoring", "backbones", "measuring"},
    "analysis": {"metrics", "adapters", "backbones", "world", "video"},
    "distances": {"analysis", "metrics", "features", "run"},
    "adapters": {"backbones", "analysis", "measuring"},
}


def imports_of(path: Path) -> set[str]:
    """Dotted names inside vbench_lite that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.removeprefix("vbench_lite.") for name in names if name.startswith("vbench_lite.")}
    return found


def files_of(part: str) -> list[Path]:
    path = PACKAGE / part.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def test_the_map_names_every_part_of_the_package() -> None:
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts - {"__init__"} == set(LAYERS)


def test_no_folder_holds_more_than_15_modules() -> None:
    """Except the metrics, of which each is one file."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE / "metrics"}
    modules = {folder: [path for path in folder.glob("*.py") if path.stem != "__init__"] for folder in folders}
    assert [str(folder) for folder, inside in modules.items() if len(inside) > 15] == []


@pytest.mark.parametrize("part", LAYERS)
def test_imports_point_down(part: str) -> None:
    above = set(LAYERS[LAYERS.index(part) + 1 :])
    for path in files_of(part):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        wrong = {found for found in imports_of(path) if found.split(".")[0] in above}
        assert not wrong, f"{name} imports {sorted(wrong)}"


@pytest.mark.parametrize("part", MAY_NOT_IMPORT)
def test_what_must_not_know_each_other_does_not(part: str) -> None:
    for path in files_of(part):
        wrong = {
            name for name in imports_of(path) for barred in MAY_NOT_IMPORT[part]
            if name == barred or name.startswith(f"{barred}.")
        }
        assert not wrong, f"{path.relative_to(PACKAGE)} imports {sorted(wrong)}"


@pytest.mark.parametrize("part", sorted(RECORDS))
def test_the_nouns_import_nothing_of_ours_but_each_other(part: str) -> None:
    for path in files_of(part):
        assert {name.split(".")[0] for name in imports_of(path)} <= RECORDS


@pytest.mark.parametrize(
    "modules",
    [
        "cli", "cli.gate_command", "cli.compare_command", "cli.report_command", "cli.list_command", "cli.run_command",
        "cli.check_command",
        "analysis.compare, vbench_lite.gate, vbench_lite.report, vbench_lite.stats, vbench_lite.run.folder",
    ],
)
def test_what_only_reads_files_starts_without_torch(modules: str) -> None:
    code = f"import sys, vbench_lite.{modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nothing_is_named_utils() -> None:
    assert not [p for p in PACKAGE.rglob("*.py") if p.stem in ("utils", "helpers", "common", "misc")]
