"""Kinds beside clips, suites and definitions: judges, votes, images, tables of scores, and files of a baseline."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from tests.fuzz.kind import ROOT, Kind, files_at, texts
from vbench_lite.adapters.hosted.journal import Job, Journal
from vbench_lite.distances.stored import read_features, sha256
from vbench_lite.files import to_json
from vbench_lite.gate.baselines.margins import read_margins
from vbench_lite.gate.looks.record import PlannedLooks, read_looks
from vbench_lite.gate.policy import read_policy
from vbench_lite.inputs.catalogue import check_settings
from vbench_lite.inputs.images import check_image, decode_image, find_image
from vbench_lite.inputs.score_table import read_score_table
from vbench_lite.inputs.suite_import import import_suite
from vbench_lite.inputs.suites import load_suite, load_thresholds
from vbench_lite.inputs.vbench_results import read_vbench_results
from vbench_lite.metrics._judge import judged_metrics
from vbench_lite.records import ClipSpec, Definition
from vbench_lite.review.exchange import collect
from vbench_lite.review.export import ExportKey, KeptQuestion, key_path
from vbench_lite.run.view import open_run, read_processes
from vbench_lite.run.votes import ClipRef, Vote, read_rate, read_vote

BASELINE = ROOT / "results" / "baseline"
POLICY = ROOT / "vbench_lite" / "gate" / "policies" / "default.toml"
MODELS = ROOT / "generators"
CLIP = ClipRef("ads", "a", 0, "0" * 64)
OTHER = ClipRef("ads", "b", 0, "1" * 64)
VOTE = Vote(id="vote1", rater="ann", mode="pairs", prompt_id="p", clips=(CLIP, OTHER), answers={"quality": "left"})


def baseline_file(name: str) -> Kind:
    """One of the files of a baseline in today's format."""

    def beside(folder: Path) -> None:
        for other in ("run.json", "summary.json", "clips.csv"):
            if other != name:
                shutil.copy(BASELINE / other, folder / other)

    def read(path: Path) -> Any:
        run = open_run(path.parent)
        if name == "clips.csv":
            return [grid.values("conformance").size for grid in run.grids.values()]
        return run.manifest if name == "run.json" else [run.summary, run.metrics]

    return Kind(name, files_at(BASELINE / name), read, beside)


def _votes(path: Path) -> Any:
    """Every vote of an accepted file is stored, and can be read again."""
    run = path.parent / "ads"
    counts = collect(run, ("blurred",), [path])
    stored = list((run / "votes").glob("*/*.json"))
    assert len(stored) <= sum(counts.values())
    assert bool(stored) == bool(sum(counts.values())), "votes are lost"
    return [read_vote(file) for file in stored]


def _export(folder: Path) -> None:
    """A run with the key of an export."""
    key = ExportKey("abc", "pairs", ("quality",), {"o1": KeptQuestion("vote1", "p", (CLIP, OTHER))})
    place = key_path(folder / "ads", "abc")
    place.parent.mkdir(parents=True)
    place.write_text(to_json(key))


_PAGE = {"export": "abc", "rater": "ann", "votes": [
    {"id": "o1", "answers": {"quality": "left"}, "reasons": [], "seconds": 2.5, "at": "2026-11-01T10:00:00+00:00"}]}
_TASKS = [{"data": {"export": "abc", "question": "o1"}, "annotations": [
    {"completed_by": 7, "lead_time": 3.5, "created_at": "2026-11-01", "result": [{"value": {"selected": "left"}}]}]}]
_VOTE_TABLE = (
    "rater,id,mode,prompt_id,run_1,generator_1,index_1,sha256_1,run_2,generator_2,index_2,sha256_2,quality,seconds,at\n"
    f"ann,vote1,pairs,p,ads,a,0,{'0' * 64},ads,b,0,{'1' * 64},left,2.5,2026-11-01\n"
)


def _stored_vote() -> list[bytes]:
    return [to_json(VOTE).encode()]


def _one_vote(path: Path) -> Any:
    folder = path.parent / "votes" / "ann"
    folder.mkdir(parents=True)
    return read_vote(shutil.copy(path, folder / "vote1.json"))


def _picture(kind: str, **options: Any) -> Callable[[], list[bytes]]:
    def made() -> list[bytes]:
        picture = Image.effect_noise((24, 16), 60).convert("RGB")
        buffer = io.BytesIO()
        picture.save(buffer, kind, **options)
        return [buffer.getvalue()]

    return made


def _image(path: Path) -> Any:
    found = find_image(path.parent, path.name)
    check_image(found)
    picture = decode_image(path.read_bytes())
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    return []


def _i2v(folder: Path) -> None:
    images = folder / "data" / "crop" / "16-9"
    images.mkdir(parents=True)
    for name in ("a cat.jpg", "a dog.jpg"):
        Image.new("RGB", (16, 9)).save(images / name)


_I2V = json.dumps([
    {"prompt_en": "a cat", "dimension": ["i2v_subject"], "image_type": "animal", "image_name": "a cat.jpg"},
    {"prompt_en": "a cat, camera pans left", "dimension": ["camera_motion"]},
    {"prompt_en": "a dog", "dimension": ["i2v_subject"], "image_name": "a dog.jpg"},
])
_JUDGE = """command = ["python", "{here}/judge.py"]
resident = true
version = "1"
time_limit_s = 30
[[score]]
name = "sharpness"
range = [0, "inf"]
higher_is_better = true
[[score]]
name = "faces"
range = [0, 10]
unit = "faces"
"""
_SCORES = (
    "generator,prompt_id,index,metric,value,unit,higher_is_better\na,p,0,realism,4.5,points,true\na,p,1,realism,nan,points,true\n"
)
_RESULTS = json.dumps({"subject_consistency": [0.9, [
    {"video_path": "v/a cat-0.mp4", "video_results": 0.95}, {"video_path": "v/a dog-0.mp4", "video_results": 0.85}]]})


def _beside_texts(folder: Path) -> None:
    (folder / "list.txt").write_text("a cat\na dog\n")


def _transformer(path: Path) -> Any:
    """Of a copy of the built-in checkpoint, the mutated configuration alone."""
    settings = {"frames_per_code": 4, "first_frame_alone": True, "pixel_unshuffle": 4, "rows": 8, "columns": 8}
    folder = path.parent / "model" / "video_tokenizer"
    folder.mkdir(parents=True)
    path.rename(folder / "config.json")
    model = str(path.parent / "model")
    check_settings(Definition("g", "transformer", "token-transformer", model, clip=ClipSpec(17, 8, 64, 64),
                              settings=settings, folder=path.parent))  # fmt: skip


def _diffusers(path: Path) -> Any:
    settings = {"num_inference_steps": 4}
    check_settings(Definition("g", "diffusion", "diffusers", str(path.parent), settings=settings, folder=path.parent))


def _features(path: Path) -> None:
    read_features(path, sha256(path.read_bytes()))


def _looks() -> list[bytes]:
    return [to_json(PlannedLooks(baseline="b", baseline_digest="0", policy="1", order=("p", "q"))).encode()]


def _job() -> list[bytes]:
    return [to_json(Job(state="queued", id="7", kept={"url": "https://x"}, submits=1, usd=0.2)).encode()]


MORE: dict[str, Kind] = {
    "judge": Kind("judge.toml", texts(_JUDGE), lambda path: [metric.name for metric in judged_metrics(path)]),
    "thresholds": Kind("t.toml", texts("[usable]\ndetail = { min = 0.3 }\nmotion = { min = 0.1, max = 2 }\n"),
                       lambda path: load_thresholds(str(path))),
    "votes of a page": Kind("votes.json", texts(json.dumps(_PAGE)), _votes, _export),
    "votes of Label Studio": Kind("votes.json", texts(json.dumps(_TASKS)), _votes, _export),
    "votes, CSV": Kind("votes.csv", texts(_VOTE_TABLE), _votes, _export),
    "stored vote": Kind("v.json", _stored_vote, _one_vote),
    "rate of reviewers": Kind("rate.json", texts('{"usd_per_hour": 20.0, "date": "2026-11-01", "format": 1}'),
                              lambda path: read_rate(_moved(path, "votes/rate.json"))),
    **{f"image, {kind}": Kind(f"i.{kind.lower()}", _picture(kind), _image) for kind in ("PNG", "JPEG", "WEBP", "GIF")},
    "prompts, VBench-I2V": Kind("full.json", texts(_I2V), lambda path: load_suite(str(path)), _i2v),
    "suite with images": Kind("s.toml", texts(
        'title = "s"\nclips_per_prompt = 1\n[[prompt]]\nid = "p"\ntext = "a cat"\n'
        'image = "data/crop/16-9/a cat.jpg"\n'), lambda path: load_suite(str(path)), _i2v),
    "generator texts": Kind("t.txt", texts("a small cat\na big dog\n"),
                            lambda path: import_suite(path.parent / "list.txt", path), _beside_texts),
    "scores, CSV": Kind("scores.csv", texts(_SCORES), lambda path: [read_score_table(path).rows]),
    "scores, VBench": Kind("r_eval_results.json", texts(_RESULTS),
                           lambda path: [read_vbench_results(path), read_score_table(path)]),
    "baseline's run.json": baseline_file("run.json"),
    "baseline's summary.json": baseline_file("summary.json"),
    "baseline's clips.csv": baseline_file("clips.csv"),
    "margins.json": Kind("margins.json", files_at(BASELINE / "margins.json"),
                         lambda path: read_margins(path.parent, read_policy(POLICY))),
    "looks.json": Kind("looks.json", _looks, lambda path: read_looks(path.parent)),
    "stored features": Kind("f.npz", files_at(ROOT / "tests/data/format1/run/features/tiny-diffusion.npz"),
                            _features),
    "timings": Kind("timings.json", texts('{"format": 2, "processes": [{"number": 0, "load_s": 1.5}]}'),
                    read_processes),
    "hosted job": Kind("0-abc.json", _job, lambda path: Journal(path.parent).read(path)),
    "config of a tokenizer": Kind("config.json",
        files_at(MODELS / "tiny-transformer/model/video_tokenizer/config.json"), _transformer),
    "index of a checkpoint": Kind("model_index.json",
        files_at(MODELS / "tiny-diffusion/model/model_index.json"), _diffusers),
}  # fmt: skip


def _moved(path: Path, to: str) -> Path:
    """The run folder, with the file at its place in it."""
    place = path.parent / to
    place.parent.mkdir(parents=True)
    path.rename(place)
    return path.parent
