"""No file that is passed on holds a secret of the environment or a path of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.made_clips import clip_of, moving_square

MAIN = [sys.executable, "-c", "from vbench_lite.cli import main; main()"]
SECRETS = ("hf_very_secret", "second_secret", "third_secret", "fourth_secret")
PROGRAM = """
import os, shutil, sys
assert os.environ["HF_TOKEN"] == "hf_very_secret"
shutil.copy(os.path.join(os.path.dirname(__file__), "clip.mp4"), sys.argv[sys.argv.index("--out") + 1])
"""


def secret_run(home: Path, work: Path) -> None:
    """A scored run, its page and a baseline, of a command with secrets and paths in each kind of setting."""
    tools = home / "private-folder" / "tools"
    tools.mkdir(parents=True)
    (tools / "make.py").write_text(PROGRAM)
    (tools / "clip.mp4").write_bytes(clip_of("mp4", moving_square(frames=4, height=32, width=32)))
    (home / "private-folder" / "weights").mkdir()
    (home / "private-folder" / "weights" / "w.bin").write_bytes(b"weights")
    (home / "mine.toml").write_text(f"""
route = "diffusion"
adapter = "command"
model = "{home}/private-folder/weights"
[clip]
frames = 4
fps = 8
height = 32
width = 32
[settings]
command = [
    "{sys.executable}", "{tools}/make.py", "--weights={home}/private-folder/weights", "--home",
    "~/private-folder/inner", "--api-key", "fourth_secret", "--out", "{{out}}",
]
env = {{ HF_TOKEN = "hf_very_secret", OTHER = "second_secret" }}
[about]
note = "see {home}/private-folder/notes.txt"
""")
    (home / "suite.toml").write_text(
        'title = "Small"\nclips_per_prompt = 1\n[[prompt]]\nid = "a"\ntext = "a red ball"\n'
        '[[prompt]]\nid = "b"\ntext = "a blue ball"\n'
    )
    environment = os.environ | {"HOME": str(home), "API_KEY": "third_secret", "VBENCH_CACHE": str(home / "cache")}
    for arguments in (
        [
            "run", "--suite", f"{home}/suite.toml", "-g", f"{home}/mine.toml", "--metrics", "motion", "--log-json",
            "log.jsonl", "--out", f"{work}/results/suite",
        ],
        ["baseline", "promote", "results/suite", "--reason", "first", "--by", "someone"],
    ):  # fmt: skip
        done = subprocess.run([*MAIN, *arguments], capture_output=True, text=True, cwd=work, env=environment)
        assert done.returncode == 0, done.stderr


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_secrets_and_paths_stay_out_of_everything_that_is_written(tmp_path: Path) -> None:
    home, work = tmp_path / "home-of-someone", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    secret_run(home, work)
    written = {path.relative_to(work).as_posix(): path.read_bytes() for path in files(work)}
    assert {
        "results/suite/run.json", "results/suite/clips.csv", "results/suite/summary.json", "reports/suite.html",
        "results/suite/clips/mine/a/0.json", "results/baseline/run.json", "results/baseline/history.json", "log.jsonl",
    } <= set(written)  # fmt: skip
    private = [secret.encode() for secret in (*SECRETS, str(home), str(tmp_path), "/private-folder", sys.executable)]
    found = {(name, text) for name, content in written.items() for text in private if text in content}
    assert found == set()
    assert b'"HF_TOKEN": "(set)"' in written["results/suite/run.json"]
