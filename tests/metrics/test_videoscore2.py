"""The script that runs VideoScore2, on stand-ins of the libraries and functions that it calls."""

from __future__ import annotations

import io
import json
import sys
from importlib.resources import files
from types import ModuleType, SimpleNamespace
from unittest.mock import ANY

import pytest

SCRIPT = files("vbench_lite.metrics") / "judges" / "videoscore2_server.py"
LABELS = ("visual quality:", "text-to-video alignment:", "physical/common-sense consistency:")
ANSWER = "Visual Quality: 4, text-to-video alignment:\n5. No third rating"


class Sequences:
    def __getitem__(self, place):
        assert place == (0, slice(7, None, None))
        return SimpleNamespace(tolist=lambda: [11, 12])


class Model:
    """Notes every call; answers ANSWER."""

    def __init__(self):
        self.calls = []
        self.tokenizer = SimpleNamespace(decode=self.decode)

    def from_pretrained(self, name, **given):
        self.calls.append(("load", name, given))
        return self

    def to(self, device):
        self.calls.append(("to", device))
        return self

    def apply_chat_template(self, messages, **given):
        self.calls.append(("chat", messages, given))
        return "the chat"

    def __call__(self, **given):
        self.calls.append(("process", given))
        inputs = SimpleNamespace(shape=(1, 7))

        class Inputs(dict):
            def to(self, device):
                return {"on": device}

        return Inputs(input_ids=inputs)

    def generate(self, **given):
        self.calls.append(("generate", given))
        return SimpleNamespace(sequences=Sequences(), scores="the scores")

    def decode(self, tokens, **given):
        assert (tokens, given) == ([11, 12], {"skip_special_tokens": True})
        return ANSWER


def vision(messages):
    clip = messages[0]["content"][0]["video"]
    if clip == "broken.mp4":
        raise OSError("cannot be read")
    return None, [clip]


@pytest.fixture
def answers(tmp_path, monkeypatch):
    model, seeds = Model(), []
    (tmp_path / "vs2_inference.py").write_text('OTHER = "text"\nQUESTION = "Rate the clip of $t2v_prompt"\n')
    stand_ins = {
        "torch": {"manual_seed": seeds.append, "float32": "f4", "bfloat16": "b2"},
        "vs2_inference": {
            "__file__": str(tmp_path / "vs2_inference.py"),
            "find_score_token_index_by_prompt": lambda label, tokenizer, tokens: (
                LABELS.index(label), tokenizer is model.tokenizer, tokens,
            ),
            "ll_based_soft_score_normed": lambda rating, place, scores, tokenizer: (
                None if rating is None else [rating, *place, scores, tokenizer is model.tokenizer]
            ),
        },
        "qwen_vl_utils": {"process_vision_info": vision},
        "transformers": {"AutoModelForVision2Seq": model, "AutoProcessor": model},
    }  # fmt: skip
    for name, members in stand_ins.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*arguments, clips=()):
        lines = [json.dumps({"id": f"c{n}", "clip": clip, "prompt": "a cat"}) + "\n" for n, clip in enumerate(clips)]
        monkeypatch.setattr(sys, "argv", ["server", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(lines)))
        said = []
        space = {"__name__": "server", "print": lambda line, *, flush: said.append((line, flush))}
        exec(compile(SCRIPT.read_text("utf-8"), str(SCRIPT), "exec"), space)
        space["main"]()
        assert all(flush is True for _, flush in said)
        return [json.loads(line) for line, _ in said]

    return SimpleNamespace(run=run, calls=model.calls, seeds=seeds, folder=tmp_path)


def test_the_script_says_that_it_is_ready_and_answers_each_line(answers):
    ready, first, broken, last = answers.run("--device", "cuda:3", clips=["one.mp4", "broken.mp4", "two.mp4"])
    assert ready == {"ready": True}
    scores = {
        "videoscore2_visual_quality": [4, 0, True, [11, 12], "the scores", True],
        "videoscore2_text_alignment": [5, 1, True, [11, 12], "the scores", True],
        "videoscore2_physical_consistency": None,
    }
    reasons = first["reasons"]
    assert first == {"id": "c0", "scores": scores, "reasons": reasons}
    assert set(reasons) == set(scores)
    assert len({*reasons.values()}) == 1
    assert broken == {"id": "c1", "error": "OSError: cannot be read"}
    assert last == {"id": "c2", "scores": scores, "reasons": reasons}
    assert answers.seeds == [0, 0]


def test_the_model_is_asked_as_in_the_repositorys_script(answers):
    answers.run("--device", "cuda:3", clips=["one.mp4"])
    content = [
        {"type": "video", "video": "one.mp4", "fps": 2.0}, {"type": "text", "text": "Rate the clip of a cat"},
    ]  # fmt: skip
    assert answers.calls == [
        ("load", "TIGER-Lab/VideoScore2", {"torch_dtype": "f4"}), ("to", "cuda:3"),
        ("load", "TIGER-Lab/VideoScore2", {}),
        ("chat", [{"role": "user", "content": content}], {"tokenize": False, "add_generation_prompt": True}),
        ("process", {"text": ["the chat"], "images": None, "videos": ["one.mp4"], "fps": 2.0, "padding": True,
                     "return_tensors": "pt"}),
        ("generate", {"on": "cuda:3", "max_new_tokens": 1024, "output_scores": True, "return_dict_in_generate": True,
                      "do_sample": True, "temperature": 0.7}),
    ]  # fmt: skip


def test_model_device_and_precision_are_options(answers):
    answers.run()
    assert answers.calls[:2] == [("load", ANY, {"torch_dtype": "f4"}), ("to", "cuda:0")]
    answers.calls.clear()
    answers.run("--model", "mine", "--dtype", "bfloat16", "--device", "cpu")
    assert answers.calls == [("load", "mine", {"torch_dtype": "b2"}), ("to", "cpu"), ("load", "mine", {})]


def test_a_script_without_the_question_is_refused(answers):
    (answers.folder / "vs2_inference.py").write_text('QUESTION = "Rate $clip"\nN = 3\n')
    with pytest.raises(SystemExit, match=r"vs2_inference\.py has no question with \$t2v_prompt: use commit e6abe26"):
        answers.run()
