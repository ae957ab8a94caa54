"""Scoring in shards and in processes of their own gives the bytes of one process, also when a process is killed."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.built_runs import Fake, build_run, write_deadly_metric
from vbench_lite.errors import UnreadableClip
from vbench_lite.features import extract
from vbench_lite.jobs.rescoring import Scale, score_folder, score_shard
from vbench_lite.run.folder import RunFolder
from vbench_lite.running.batches import Shard
from vbench_lite.scoring.pool import Recipe, ScorerPool
from vbench_lite.video import encode_mp4

JUDGE = """
import json, os, sys
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    open(os.environ["ASKED"], "a").write(asked["prompt_id"] + chr(10))
    print(json.dumps({"id": asked["id"], "score": len(asked["prompt"])}), flush=True)
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: Any) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def results(run: Path) -> list[bytes]:
    return [(run / name).read_bytes() for name in ("clips.csv", "summary.json")]


def test_shards_that_are_copied_together_give_the_bytes_of_one_process(workspace: Path, monkeypatch: Any) -> None:
    (workspace / "judge.py").write_text(JUDGE)
    (workspace / "judge.toml").write_text(
        f'command = {json.dumps([sys.executable, "{here}/judge.py"])}\nresident = true\nversion = "1"\n'
        f"env = {{ ASKED = '{workspace}/asked' }}\n[[score]]\nname = \"length\"\nrange = [0, 500]\n"
    )
    chosen = "motion,conformance,judge.toml"
    build_run(workspace / "whole", prompts=3, clips=1, generators=[Fake("a", failed=[(1, 0)]), Fake("b")])
    for name in ("first", "second"):
        shutil.copytree(workspace / "whole", workspace / name)
    score_folder(RunFolder("whole"), metrics=chosen)
    (workspace / "asked").unlink()
    for nth, name in enumerate(("first", "second")):
        monkeypatch.setenv("VBENCH_CACHE", str(workspace / f"cache-{name}"))  # another machine
        assert score_shard(RunFolder(name), Shard(nth, 2), None, 1, chosen, Scale()) == (3, 2)[nth]
        assert not (workspace / name / "clips.csv").exists()
    for part in ("cache", "judges"):
        shutil.copytree(workspace / "second" / part, workspace / "first" / part, dirs_exist_ok=True)
    read: list[object] = []
    once = extract.extract
    monkeypatch.setattr(extract, "extract", lambda source, *rest: (read.append(source), once(source, *rest))[1])
    score_folder(RunFolder("first"), metrics=chosen)
    assert not [source for source in read if isinstance(source, Path)]  # only real clips, which are no files
    assert len((workspace / "asked").read_text().split()) == 5
    assert results(workspace / "first") == results(workspace / "whole")


def test_a_killed_scorer_is_replaced_and_a_clip_that_kills_it_has_a_reason(workspace: Path) -> None:
    dies = "multiprocessing.parent_process() and (frame.min() > 250 or first)"
    write_deadly_metric(Path("own.py"), Path("killed"), dies)
    clips = [encode_mp4(np.full((3, 32, 32, 3), level, np.uint8), 8) for level in (40, 90, 255)]
    from vbench_lite.metrics.registry import select

    (metric,) = select("own.py")
    nets = extract.Backbones("none")
    alone = [extract.extract(clip, metric.extractors, nets) for clip in clips[:2]]
    with ScorerPool(Recipe("builtin", "own.py"), ["cpu"]) as pool:
        found = extract.extract_all(clips, metric.extractors, nets, workers=pool.size, compute=pool.compute)
        with pytest.raises(UnreadableClip):
            pool.compute(b"no clip", ["means"])
    assert Path("killed").exists()  # by the first clip, which was tried again
    assert [f["means"]["means"].tolist() for f in found[:2]] == [f["means"]["means"].tolist() for f in alone]
    assert (found[2].reason, found[2].reason_code) == (
        "the scoring process died on this clip 2 times: its process ended with code -9", "crashed"
    )
