"""The servers that ship beside definitions, each against a stand-in that has its repository's functions and no model.

What is held: they start, say that they are ready, hand over prompt, seed and size, write the clip where it is asked
for, and make an error of the model that clip's own. The models themselves were not run.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vbench_lite.adapters.command import Command
from vbench_lite.generator import Output
from vbench_lite.inputs.catalogue import find_definition
from vbench_lite.records import Request

NOTE = """
import json, pathlib
def note(path, **said):
    if "explode" in said["prompt"]:
        raise RuntimeError("out of memory")
    pathlib.Path(path).write_text(json.dumps(said))
"""

INFINITYSTAR = {
    "infinity/utils/arg_util.py": "class Args: pass",
    "tools/infer_video_720p.py": """
from note import note
class InferencePipe:
    def __init__(self, args):
        assert args.model_path == "checkpoints/infinitystar_8b_720p_weights", args.model_path
def perform_inference(pipe, data, args):
    return {"output": {**data, "pn": args.pn}, "elapsed_time": 1}
def save_video(output, fps, save_filepath):
    print("noise of a repository")
    note(save_filepath, fps=fps, **output)
""",
}
LUMOS = {
    "torch.py": "def manual_seed(seed): assert seed < 2**32",
    "inference_t2v.py": """
from note import note
def obtain_compression_ratio(tokenizer): return [8, 4]
class FlexARVidInferenceSolver:
    def __init__(self, model_path, precision, target_fps, duration, visual_tokenizer, target_size, vae_st_compress):
        assert (target_size, vae_st_compress) == (528, [8, 4])
def test_one_video_prediction_vbench(
    caption, inference_solver, model_type, generation_task, partial_videos, save_path, vp_mode, cfg, target_size,
    mask_history_ratio=None, caption_as_name=False, caption_file_name=None, duration_placeholder=2,
    fps_placeholder=16, timesteps=18,
):
    note(f"{save_path}/{caption_file_name}", prompt=caption, cfg=cfg, steps=timesteps)
""",
}
DIFFNEXT = {
    "torch.py": """
float16 = "float16"
device = str
class Generator:
    def __init__(self, device): pass
    def manual_seed(self, seed): self.seed = seed; return self
""",
    "diffnext/__init__.py": "",
    "diffnext/utils.py": """
from note import note
def export_to_video(frames, path, fps): note(path, fps=fps, **frames)
""",
    "diffnext/pipelines.py": """
class URSAPipeline:
    @classmethod
    def from_pretrained(cls, model, revision, torch_dtype, trust_remote_code): return cls()
    def to(self, device): return self
    def __call__(self, generator, **said):
        from types import SimpleNamespace
        return SimpleNamespace(frames=[{**said, "seed": generator.seed}])
NOVAPipeline = URSAPipeline
""",
}
SERVERS = {
    "infinitystar-8b": (INFINITYSTAR, {"prompt": "a cat", "seed": 7, "image_path": None, "pn": "0.90M", "fps": 16}),
    "lumos-1-3b": (LUMOS, {"prompt": "a cat", "cfg": 15.0, "steps": 50}),
    "ursa-0.6b": (DIFFNEXT, {"prompt": "motion=9.0, a cat", "seed": 7, "num_frames": 49, "height": 320, "width": 512}),
    "nova-0.6b": (DIFFNEXT, {"prompt": "a cat", "seed": 7, "max_latent_length": 9}),
}


def served(name: str, clone: Path) -> tuple[Command, Any]:
    """The shipped definition, its environment's python replaced by ours and its clone by a stand-in."""
    for path, text in {**SERVERS[name][0], "note.py": NOTE}.items():
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_text(text)
    definition = find_definition(name)
    settings = {
        **definition.settings, "command": [sys.executable, *definition.settings["command"][1:]], "cwd": str(clone),
        "env": {"PYTHONPATH": str(clone)},
    }
    return Command(replace(definition, settings=settings)), definition.clip


@pytest.mark.parametrize("name", SERVERS)
def test_server_hands_a_request_over_to_its_repository(name: str, tmp_path: Path) -> None:
    generator, spec = served(name, tmp_path)
    generator.load("cpu")
    outputs: list[Output] = []
    for prompt in ("a cat", "explode", "a cat"):
        outputs += generator.generate([Request("p", prompt, 0, 7, spec)])
    generator.close()
    assert [output.failure for output in outputs] == [None, "RuntimeError: out of memory", None]
    assert outputs[0].file is not None
    said = json.loads(outputs[0].file)
    assert {key: said[key] for key in SERVERS[name][1]} == SERVERS[name][1]
