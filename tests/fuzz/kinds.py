"""Every kind of file that a user supplies: whole examples of it, and how the product reads it.

To fuzz another kind of file, add one `Kind` here or to `MORE`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.fuzz.kind import ROOT, Kind, files_at, texts
from tests.fuzz.more_kinds import MORE, POLICY
from tests.made_clips import CONTAINERS, clip_of, moving_square
from vbench_lite.inputs.catalogue import read_definition
from vbench_lite.inputs.clipnames import match_folder
from vbench_lite.inputs.readiness import what_is_missing
from vbench_lite.inputs.suites import load_suite
from vbench_lite.measuring.prices import PriceList
from vbench_lite.records import Prompt

RUN = ROOT / "tests" / "data" / "format1" / "run"


def _clip(path: Path) -> Any:
    from vbench_lite.video import ClipReader

    with ClipReader(path) as reader:
        shapes = {frame.shape for frame in reader}
    info = reader.info()
    assert info.frames > 0, "a clip without frames is read"
    assert shapes == {(info.height, info.width, 3)}, "frames are lost"
    return [info, reader.uneven()]


def _suite(path: Path) -> Any:
    return load_suite(str(path))


def _definition(path: Path) -> Any:
    definition = read_definition(path)
    return [definition, what_is_missing(definition)]


def _policy(path: Path) -> Any:
    from vbench_lite.gate.policy import read_policy

    return read_policy(path)


def _run_file(name: str) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        from vbench_lite.run.view import open_run

        run = open_run(path.parent)
        if name == "clips.csv":
            return [len(grid.prompts) for grid in run.grids.values()]
        return run.manifest if name == "run.json" else run.summary

    return read


def _history(path: Path) -> Any:
    from vbench_lite.analysis.promotions import read_history

    return list(read_history(path.parent))


def _record(path: Path) -> Any:
    from vbench_lite.run.folder import RunFolder

    return RunFolder(path.parent).read_record(path)


PROMPTS = [Prompt("p0", "a cat"), Prompt("p1", "a dog"), Prompt("p2", "a hen, asleep")]


def _folder_of_clips(folder: Path) -> None:
    for name in ("a cat-0.mp4", "a dog-1.mp4", "0000.mp4", "0001.mp4"):
        (folder / name).write_bytes(b"clip")


def _folder(path: Path) -> Any:
    """A folder in which one file was altered: every file is matched or named."""
    matched = match_folder(path.parent, PROMPTS)
    known = {clip.path.name for clip in matched.clips.values()} | {file.name for file, _ in matched.unmatched}
    companions = {"clips.csv", "prompts.txt", "prompts"}
    lost = {file.name for file in path.parent.iterdir()} - known - companions
    assert not lost, f"silently dropped: {lost}"
    return [[clip.seed, clip.usd, clip.device_s] for clip in matched.clips.values()]


@cache
def _clips(name: str) -> list[bytes]:
    return [clip_of(name, moving_square(8, 32, 32))]


def _run_beside(folder: Path) -> None:
    for name in ("run.json", "summary.json", "clips.csv"):
        if not (folder / name).exists():
            shutil.copy(RUN / name, folder / name)


_SUFFIXES = {name: name for name in ("mp4", "gif", "avi", "mov", "flv", "ogg")} | {"fragmented mp4": "mp4"}
_VBENCH = json.dumps([
    {"prompt_en": "a cat", "dimension": ["subject_consistency", "motion_smoothness"], "auxiliary_info": {"x": 1}},
    {"prompt_en": "a dog", "dimension": ["temporal_flickering"]},
])
_JSONL = '{"prompt": "a cat", "id": "c", "category": "x", "tags": ["still"]}\n"a dog"\n'
_TABLE = "file,prompt,index,seed,usd,device_s\na cat-0.mp4,a cat,0,7,0.2,3.5\na dog-1.mp4,a dog,1,-8,,\n"
_GENERATORS = ROOT / "generators"

KINDS: dict[str, Kind] = {
    **{
        f"clip, {name}": Kind(f"clip.{_SUFFIXES.get(name, 'mkv')}", lambda name=name: _clips(name), _clip)
        for name in CONTAINERS
    },
    "suite, TOML": Kind("s.toml", files_at(ROOT / "prompts" / "ads.toml"), _suite),
    "suite, TOML with thresholds": Kind("s.toml", texts(
        'title = "s"\nclips_per_prompt = 2\nreference = "world"\n[usable]\nclip_text = { min = 0.2, max = 0.9 }\n'
        '[[prompt]]\nid = "p"\ntext = "a cat"\ncategory = "x"\ntags = ["still"]\n'), _suite),
    "prompts, text": Kind("s.txt", texts("a cat\na dog\r\na hen, asleep\n"), _suite),
    "prompts, CSV": Kind("s.csv", texts('id,prompt,category,tags\nc,"a cat, asleep",x,"still;y"\nd,a dog,,\n'), _suite),
    "prompts, JSON lines": Kind("s.jsonl", texts(_JSONL), _suite),
    "prompts, VBench's JSON": Kind("s.json", texts(_VBENCH), _suite),
    "generator": Kind("g.toml", lambda: [p.read_bytes() for p in sorted(_GENERATORS.glob("*.toml"))[:12]], _definition),
    "prices": Kind("p.toml", files_at(Path(str(files("vbench_lite.measuring") / "prices.toml"))), PriceList),
    "policy": Kind("policy.toml", files_at(POLICY), _policy),
    "run.json": Kind("run.json", files_at(RUN / "run.json"), _run_file("run.json")),
    "summary.json": Kind("summary.json", files_at(RUN / "summary.json"), _run_file("summary.json"), _run_beside),
    "clips.csv of a run": Kind("clips.csv", files_at(RUN / "clips.csv"), _run_file("clips.csv"), _run_beside),
    "history.json": Kind("history.json", files_at(RUN.parent / "baseline" / "history.json"), _history),
    "clip record": Kind("0.json", lambda: [p.read_bytes() for p in sorted(RUN.glob("clips/*/*/0.json"))[:4]], _record),
    "clips.csv of a folder": Kind("clips.csv", texts(_TABLE), _folder, _folder_of_clips),
    "prompts.txt of a folder": Kind("prompts.txt", texts("a cat\na dog\n"), _folder, _folder_of_clips),
    "file in a folder": Kind("a cat-1", lambda: [*_clips("mp4"), b"notes"], _folder, _folder_of_clips),
    **MORE,
}
