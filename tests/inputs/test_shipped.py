"""A package reads the generators and suites of its own installation, whatever else is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vbench_lite.inputs.shipped import PACKAGE

SHOW = """
import vbench_lite
from vbench_lite.inputs.catalogue import definition_paths
from vbench_lite.inputs.suites import suite_paths
print(vbench_lite.__file__, *definition_paths().values(), *suite_paths().values(), sep="\\n")
"""


def checkout(folder: Path, *, inside: bool) -> Path:
    """A second copy of the package with a generator and a suite of its own, as in a checkout or as in a wheel."""
    shutil.copytree(PACKAGE, folder / "vbench_lite", ignore=shutil.ignore_patterns("builtin", "__pycache__"))
    for name in ("generators", "prompts"):
        data = folder / "vbench_lite" / name if inside else folder / name
        data.mkdir()
        (data / "of-the-copy.toml").touch()
    return folder


def paths_seen(python_path: Path, cwd: Path) -> list[Path]:
    done = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=cwd, env={**os.environ, "PYTHONPATH": str(python_path)},
        capture_output=True, text=True, check=True,
    )
    return [Path(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("inside", [False, True], ids=["checkout", "wheel"])
def test_two_copies_of_the_package_never_mix_their_data(tmp_path: Path, inside: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    copy = checkout(tmp_path / "copy", inside=inside)
    seen = paths_seen(copy, elsewhere)
    assert len(seen) == 3
    assert all(path.is_relative_to(copy) for path in seen)

    seen = paths_seen(PACKAGE.parent, elsewhere)
    assert len(seen) > 3
    assert all(path.is_relative_to(PACKAGE.parent) for path in seen)


def test_the_data_inside_a_wheel_win_over_strange_folders_beside_it(tmp_path: Path) -> None:
    copy = checkout(tmp_path / "copy", inside=True)
    (copy / "generators").mkdir()
    (copy / "generators" / "of-a-stranger.toml").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert {path.stem for path in paths_seen(copy, elsewhere)} == {"__init__", "of-the-copy"}
