"""The architecture, held by tests: which module may import which, and what starts without torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "vbench_lite"

RECORDS = {"records", "errors", "tomlfile"}
MAY_NOT_IMPORT = {
    # metrics do not know who made a clip; the runner does not know what a metric is; reports compute no score
    "metrics": {"adapters", "runner", "engines", "cli", "report", "gate", "compare", "catalogue"},
    "runner": {"metrics", "scoring", "cli", "report", "gate", "compare", "backbones"},
    "engines": {"metrics", "scoring", "cli", "report", "gate", "compare", "backbones"},
    "adapters": {"metrics", "scoring", "cli", "report", "gate", "compare", "runner", "backbones"},
    "report": {"metrics.fvd", "runner", "engines", "adapters", "cli", "scoring", "backbones"},
    "gate": {"runner", "engines", "adapters", "cli", "scoring", "backbones"},
    "compare": {"runner", "engines", "adapters", "cli", "scoring", "backbones"},
    "stats": {"metrics", "runner", "store", "report", "gate", "compare", "cli"},
    "store": {"metrics", "runner", "report", "gate", "compare", "cli", "adapters"},
    "world": {"metrics", "runner", "report", "gate", "compare", "cli", "scoring"},
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
    folder = PACKAGE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{part}.py"]


@pytest.mark.parametrize("part", MAY_NOT_IMPORT)
def test_imports_point_one_way(part: str) -> None:
    for path in files_of(part):
        wrong = {
            name for name in imports_of(path) for barred in MAY_NOT_IMPORT[part]
            if name == barred or name.startswith(f"{barred}.")
        }
        assert not wrong, f"{path.relative_to(PACKAGE)} imports {sorted(wrong)}"


@pytest.mark.parametrize("part", sorted(RECORDS))
def test_the_nouns_import_nothing_of_ours_but_each_other(part: str) -> None:
    assert {name.split(".")[0] for name in imports_of(PACKAGE / f"{part}.py")} <= RECORDS


@pytest.mark.parametrize(
    "modules",
    [
        "cli", "cli.gate_command", "cli.compare_command", "cli.report_command", "cli.list_command", "cli.run_command",
        "compare, vbench_lite.gate, vbench_lite.report, vbench_lite.stats, vbench_lite.store",
    ],
)
def test_what_only_reads_files_starts_without_torch(modules: str) -> None:
    code = f"import sys, vbench_lite.{modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nothing_is_named_utils() -> None:
    assert not [p for p in PACKAGE.rglob("*.py") if p.stem in ("utils", "helpers", "common", "misc")]
