"""Where things are kept, and how files are written."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vbench_lite.errors import StoreError
from vbench_lite.files import cache_folder, check_place, write_whole

NO_USER = "import pwd; pwd.getpwuid = lambda uid: (_ for _ in ()).throw(KeyError(uid)); "


def test_the_cache_has_a_place_for_a_user_without_a_home(tmp_path: Path) -> None:
    """As in a container that runs as a number which no list of users holds."""
    code = (
        f"{NO_USER}from vbench_lite.backbones.cache import FeatureCache; from vbench_lite.files import cache_folder; "
        "import numpy as np; cache = FeatureCache('x'); cache.put('0' * 64, {'a': np.arange(3)}); "
        "print(cache_folder(), cache.get('0' * 64)['a'].tolist())"
    )
    unset = ("HOME", "XDG_CACHE_HOME", "VBENCH_CACHE")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment | {"TMPDIR": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{tmp_path}/vbench-lite [0, 1, 2]"


def test_a_run_of_a_user_without_a_home_ends_well(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("a red ball\n")
    (tmp_path / "quick.toml").write_text(
        'route = "diffusion"\nadapter = "simulated"\n[clip]\nframes = 4\nheight = 32\nwidth = 32\n'
    )
    code = (
        f"import sys; {NO_USER}sys.argv = ['vbench', 'run', '--suite', 'one.txt', '-g', './quick.toml', '--metrics', "
        "'motion,clip_text', '--clips-per-prompt', '1']; from vbench_lite.cli import main; main()"
    )
    unset = ("HOME", "XDG_CACHE_HOME", "VBENCH_CACHE")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
        env=environment | {"TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "reports" / "one.html").exists()


def test_named_folders_come_before_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("VBENCH_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == Path("/home/someone/.cache/vbench-lite")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/vbench-lite")
    monkeypatch.setenv("VBENCH_CACHE", "/own")
    assert cache_folder() == Path("/own")


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_file_in_place_of_a_folder_is_our_own_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        write_whole(tmp_path / "file" / "x.json", "{}")


@pytest.mark.parametrize("name", ["page.html", "x" * 300])
def test_the_check_of_a_place_leaves_nothing_behind_whether_or_not_it_fails(tmp_path: Path, name: str) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(StoreError, match="cannot write") if len(name) > 255 else contextlib.nullcontext():
        check_place(tmp_path / "kept" / "new" / "deeper" / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["kept"]
