"""Programs that score clips: real ones that answer, hang, die, talk nonsense, or are not there."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.built_runs import Fake, build_run
from vbench_lite.cli import group
from vbench_lite.errors import BadFile, MetricError, UnknownName, UsageError
from vbench_lite.jobs.rescoring import score_folder
from vbench_lite.metrics._judge import judged_metrics, known_judges
from vbench_lite.metrics.registry import select
from vbench_lite.records import ClipKey, PromptImage, Score
from vbench_lite.report import method
from vbench_lite.report.data import gather
from vbench_lite.scoring.judge_program import ClipToJudge, check_judges
from vbench_lite.scoring.judging import judge_clips

RESIDENT = """
import json, os, sys, time
print("loading", flush=True)
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    open(os.environ["ASKED"], "a").write(asked["prompt"] + chr(10))
    said = asked["prompt"]
    if said == "die":
        sys.exit(3)
    if said == "never":
        time.sleep(60)
    if said == "late":
        time.sleep(4)
    print("step 1/1 {50%}", end=" ", flush=True)
    answer = {"id": asked["id"], "error": "too dark"} if said == "refused" else {
        "id": asked["id"], "scores": json.loads(said) if said[0] == "{" else {"realism": len(said), "fidelity": 2.5}}
    print(json.dumps(answer), flush=True)
"""
TOML = """
command = {command}
resident = true
version = "1"
time_limit_s = 2
env = {asked}
{more}
[[score]]
name = "realism"
unit = "points"
range = [1, 50]
higher_is_better = true
[[score]]
name = "fidelity"
unit = "points"
range = [1, 5]
"""
FORM = {"frames": 17, "fps": 8.0, "height": 64, "width": 64, "seconds": 2.125}


def judge_file(folder: Path, script: str = RESIDENT, more: str = "", text: str = TOML) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "judge.py").write_text(script)
    command = [sys.executable, "{here}/judge.py"]
    path, asked = folder / "judge.toml", f"{{ ASKED = '{folder}/asked.txt' }}"
    path.write_text(text.replace("{command}", json.dumps(command)).replace("{more}", more).replace("{asked}", asked))
    return path


def clip(text: str, nth: int = 0) -> ClipToJudge:
    return ClipToJudge(ClipKey("g", f"p{nth}", 0), Path("clip.mp4"), f"sha{nth}", text, FORM)


def judged(path: Path, *texts: str, run: Path, devices: tuple[str, ...] = ("cpu",)) -> list[dict[str, Score]]:
    metrics = [metric() for metric in judged_metrics(path)]
    found = judge_clips(metrics, [clip(text, n) for n, text in enumerate(texts)], run, devices)
    return [found[ClipKey("g", f"p{n}", 0)] for n in range(len(texts))]


def test_each_answer_becomes_a_score_or_a_reason_and_the_program_is_started_again(tmp_path: Path) -> None:
    run = tmp_path / "run"
    texts = [
        "good", "die", "fine", "never", "late", "well", "refused", '{"realism": NaN, "fidelity": 3}',
        '{"realism": "nice", "fidelity": 7}', '{"realism": true}', '{"realism": 1e999, "fidelity": null}',
    ]
    found = judged(judge_file(tmp_path), *texts, run=run)
    values = [(scores["realism"].value, scores["fidelity"].value) for scores in found]
    assert [values[n] for n in (0, 2, 5)] == [(4.0, 2.5)] * 3
    assert values[7] == (None, 3.0)
    assert [pair for n, pair in enumerate(values) if n not in (0, 2, 5, 7)] == [(None, None)] * 7
    reasons = [scores["realism"].reason for scores in found]
    codes = [scores["realism"].reason_code for scores in found]
    assert (reasons[1], codes[1]) == ("the program ended before it answered (exit code 3)", "crashed")
    assert (reasons[3], codes[3]) == ("the program did not answer within 2 s", "timeout")
    assert reasons[4] == reasons[3]
    assert (reasons[6], codes[6]) == ("too dark", "failed")
    assert (reasons[7], codes[7]) == ("the answer is nan, which is not a number", "bad_score")
    assert reasons[8] == "the answer is 'nice', which is not a number"
    assert found[8]["fidelity"].reason == "the answer is 7, outside of 1 to 5"
    assert reasons[9] == "the answer is True, which is not a number"
    assert found[9]["fidelity"].reason == 'the answer has no score "fidelity"'
    assert reasons[10] == "the answer is inf, which is not a number"
    assert found[10]["fidelity"].reason == "the program returned no value"
    assert "loading" in (run / "logs" / "judge-judge.log").read_text()


@pytest.mark.parametrize("wrong", ['str(asked["id"])', 'asked["id"] == 1', "None"])
def test_an_answer_with_another_id_is_named_where_none_came(tmp_path: Path, wrong: str) -> None:
    script = RESIDENT.replace('"id": asked["id"], "scores"', f'"id": {wrong}, "scores"')
    path = judge_file(tmp_path, script, text=TOML.replace("limit_s = 2", "limit_s = 0.2"))
    (found,) = judged(path, "good", run=tmp_path / "run")
    assert found["realism"].value is None
    assert 'whose "id" is not 1' in str(found["realism"].reason)
    assert 'ignored, because "id" is not 1: {"id"' in (tmp_path / "run" / "logs" / "judge-judge.log").read_text()


def test_answers_are_kept_and_only_missing_ones_are_asked_again(tmp_path: Path) -> None:
    path, run = judge_file(tmp_path), tmp_path / "run"
    first = judged(path, "good", "die", "fine", run=run)
    with (run / "judges" / "judge" / "answers.jsonl").open("a") as file:
        file.write('{"judge": "torn')  # the writer was killed
    assert judged(path, "good", "die", "fine", run=run) == first
    assert judged(path, "good", "other", run=run)[0] == first[0]  # the line after the torn one is whole
    assert (tmp_path / "asked.txt").read_text().split() == ["good", "die", "fine", "die", "other"]
    assert judged(path, "good", "other", run=run)[1]["realism"].value == 5
    changed = judge_file(tmp_path, RESIDENT + "# a change")  # another script is another judge
    judged(changed, "good", run=run)
    assert (tmp_path / "asked.txt").read_text().split()[5:] == ["good"]


def test_more_programs_side_by_side_give_the_same_scores(tmp_path: Path) -> None:
    path, texts = judge_file(tmp_path), [f"text {n:0{n + 1}d}" for n in range(8)]
    one = judged(path, *texts, run=tmp_path / "one")
    assert judged(path, *texts, run=tmp_path / "two", devices=("cpu",) * 3) == one


def test_a_program_that_always_fails_is_not_asked_for_ever(tmp_path: Path) -> None:
    path = judge_file(tmp_path, "raise SystemExit('no weights')")
    found = judged(path, *"abcdef", run=tmp_path / "run")
    assert 'did not print {"ready": true}' in str(found[0]["realism"].reason)
    assert found[5]["realism"].reason == f"not asked: {found[0]['realism'].reason}"
    assert "no weights" in (tmp_path / "run" / "logs" / "judge-judge.log").read_text()
    path = judge_file(tmp_path, more="stop_after_failures = 2")
    found = judged(path, "die", "die", "good", run=tmp_path / "run")
    assert str(found[2]["realism"].reason).startswith("not asked: the program failed 2 times in a row")


def test_a_program_gets_the_image_that_a_clip_starts_from_and_another_image_is_asked_again(tmp_path: Path) -> None:
    script = """import json, sys
print('{"ready": true}', flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({"id": asked["id"], "scores": {"realism": len(asked["image"]) + 1, "fidelity": 2}}), flush=True)
"""
    metrics = [metric() for metric in judged_metrics(judge_file(tmp_path, script))]
    given = [None, PromptImage("mug.png", "a"), PromptImage("teacup.png", "b")]
    found = [judge_clips(metrics, [clip("x")._replace(image=each)], tmp_path / "run", ("cpu",)) for each in given]
    assert [scores[ClipKey("g", "p0", 0)]["realism"].value for scores in found] == [1, 8, 11]


ONE_SHOT = """
command = {command}
version = "1"
[[score]]
name = "length"
range = [0, "inf"]
"""


def test_a_program_can_be_started_for_each_clip(tmp_path: Path) -> None:
    script = "import json, sys; print('50 %', json.dumps({'score': len(sys.argv[2]) or 'none'}))"
    command = json.dumps([sys.executable, "{here}/judge.py", "{clip}", "{prompt}"])
    path = judge_file(tmp_path, script, text=ONE_SHOT.replace("{command}", command))
    found = judged(path, "$(id) `id`", "", run=tmp_path / "run")
    assert found[0]["length"] == Score(10.0)
    assert found[1]["length"].reason == "the answer is 'none', which is not a number"
    (tmp_path / "judge.py").write_text("print('I would say 7')")
    assert "printed no line of JSON" in str(judged(path, "a", run=tmp_path / "run")[0]["length"].reason)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("command = {command}", "command = []", 2, '"command" is empty'),
        ("resident = true", "", 2, "has no {clip}"),
        ("resident = true", "residnet = true", 3, '"residnet" is not known'),
        ('version = "1"', "version = 1", 4, '"version" is 1: expected a string'),
        ("time_limit_s = 2", "time_limit_s = 0", 5, "above 0"),
        ("range = [1, 50]", "range = [50, 1]", 11, "expected [smallest, largest]"),
        ('name = "realism"', 'name = "Realism!"', 9, "lower-case letters"),
        ('name = "realism"', 'name = "fidelity"', 14, "occurs twice"),
        ('name = "realism"', 'name = "device_s"', 9, "is a column of clips.csv"),
        ("higher_is_better = true", 'higher_is_better = "yes"', 12, "expected true or false"),
    ],
)
def test_a_fault_in_the_file_names_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    path = judge_file(tmp_path, text=TOML.replace(old, new))
    with pytest.raises(BadFile) as error:
        judged_metrics(path)
    assert words in str(error.value)
    assert error.value.line == line


def test_a_program_that_is_not_there_or_a_name_that_is_taken_is_an_error_before_any_work(tmp_path: Path) -> None:
    path = judge_file(tmp_path, text=TOML.replace("{command}", '["no-such-program"]'))
    with pytest.raises(MetricError, match='"no-such-program" is not installed'):
        check_judges(select(str(path)))
    path = judge_file(tmp_path, text=TOML.replace("{command}", '["python", "{clips}"]'))
    with pytest.raises(UsageError, match=r"\{clips\}"):
        check_judges(select(str(path)))
    with pytest.raises(MetricError, match=r'two metrics are called "realism"'):
        select(f"{judge_file(tmp_path / 'a')},{judge_file(tmp_path / 'b')}")
    with pytest.raises(UnknownName, match="no file of metrics"):
        select("absent.toml")
    error = CliRunner().invoke(group, ["selftest", "--metrics", str(judge_file(tmp_path / "a"))]).exception
    assert "realism, fidelity: their values come from a program" in str(error)


DOCS = (Path(__file__).parents[2] / "docs" / "external-scores.md").read_text("utf-8")


def documented(folder: Path) -> Path:
    """The judge of the documentation, as a user would write it. It has its own name, so that it is another program."""
    script = DOCS.split('```python title="judge.py"\n')[1].split("```")[0]
    text = DOCS.split('```toml title="judge.toml"\n')[1].split("```")[0]
    assert len((script + text).splitlines()) <= 15
    (folder / "judge.py").write_text(script)
    (folder / "sharp.toml").write_text(text.replace('"python"', json.dumps(sys.executable)))
    return folder / "sharp.toml"


STAND_IN = {
    "torch.py": "float32 = 'float32'; bfloat16 = 'bfloat16'\ndef manual_seed(seed): pass",
    "qwen_vl_utils.py": "def process_vision_info(messages): return None, [messages[0]['content'][0]['video']]",
    "vs2_inference.py": """
def find_score_token_index_by_prompt(label, tokenizer, tokens):
    return tokens.index(label) + 1 if label in tokens else -1
def ll_based_soft_score_normed(rating, place, scores, tokenizer):
    return None if rating is None or place < 0 else rating * scores[place]
QUESTION = "Rate the clip of $t2v_prompt"
""",
    "transformers.py": """
class Tokenizer:
    def decode(self, tokens, skip_special_tokens): return " ".join(map(str, tokens))
class Sequences:
    def __getitem__(self, place): return self
    def tolist(self): return ["visual quality:", 4, "text-to-video alignment:", 5]
class Inputs(dict):
    def to(self, device): return self
class Ids: shape = (1, 2)
class AutoProcessor:
    tokenizer = Tokenizer()
    @classmethod
    def from_pretrained(cls, name): return cls()
    def apply_chat_template(self, messages, tokenize, add_generation_prompt): return messages[0]["content"][1]["text"]
    def __call__(self, text, images, videos, fps, padding, return_tensors):
        assert text[0] == "Rate the clip of a cat" and videos == ["clip.mp4"] and fps == 2.0, (text, videos)
        return Inputs(input_ids=Ids())
class AutoModelForVision2Seq:
    @classmethod
    def from_pretrained(cls, name, torch_dtype):
        assert (name, torch_dtype) == ("TIGER-Lab/VideoScore2", "float32")
        return cls()
    def to(self, device): return self
    def generate(self, input_ids, do_sample, temperature, **more):
        class Made:
            sequences = Sequences()
            scores = [0, 0.75, 0, 0.5]
        return Made
""",
}


def test_the_videoscore2_script_answers_for_a_stand_in_of_its_repository(tmp_path: Path, monkeypatch: Any) -> None:
    """It takes the question and the functions from the repository's script. The model itself was not run."""
    for name, text in STAND_IN.items():
        (tmp_path / name).write_text(text)
    metrics = [metric() for metric in judged_metrics(known_judges()["videoscore2"])]
    judge = replace(metrics[0].judge, command=(sys.executable, *metrics[0].judge.command[1:]), cwd=str(tmp_path))
    for metric in metrics:
        monkeypatch.setattr(type(metric), "judge", judge)
    found = judge_clips(metrics, [clip("a cat")], tmp_path / "run", ["cpu"])[ClipKey("g", "p0", 0)]
    assert [score.value for score in found.values()] == [3.0, 2.5, None]
    assert found["videoscore2_physical_consistency"].reason == "the model's answer has no such rating"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: Any) -> Path:
    """Two runs of two prompts, scored by a judge that fails for one of them, and by the judge of the documentation."""
    folder = tmp_path_factory.mktemp("judged")
    for name, text in (("old", "a vase"), ("new", "a vase")):
        run = build_run(folder / name, prompts=2, clips=1, generators=(Fake("one"),), texts={0: text, 1: "die"})
        score_folder(run.folder, metrics=f"conformance,{judge_file(folder / 'judge')},{documented(folder)}")
    return folder


def test_scores_of_a_program_are_stored_compared_and_gated_like_others(scored: Path) -> None:
    import vbench_lite as vb

    run = vb.open_run(scored / "new")
    info = run.metrics["realism"]
    assert (info.origin, info.unit, info.range, info.version[:2]) == ("program", "points", (1.0, 50.0), "1+")
    estimate = run.summary["one"].scores["realism"]
    assert (estimate.value, estimate.n, estimate.unscored) == (6.0, 1, 1)
    with run.folder.table_path.open() as file:
        rows = {row["prompt_id"]: row for row in csv.DictReader(file)}
    assert [rows[p]["realism"] for p in ("p000", "p001")] == ["6.0", ""]
    why = "realism, fidelity: the program ended before it answered (exit code 3)"
    assert [rows[p]["unscored_because"] for p in ("p000", "p001")] == ["", why]
    facts = dict(method.facts(gather([run]).main))
    assert f"realism by a program, version {info.version}" in facts["Computed elsewhere"]
    assert str(scored) not in run.folder.manifest_path.read_text("utf-8")
    assert run.summary["one"].scores["sharpness"].n == 2
    assert 10 < float(rows["p000"]["sharpness"]) < 1e5
    (pair,) = vb.compare(scored / "old", scored / "new")
    assert {"realism", "fidelity"} <= {c.metric for c in pair.comparisons}
    assert next(c.words for c in pair.comparisons if c.metric == "fidelity") == "not judged"
    policy = scored / "policy.toml"
    policy.write_text('[[check]]\nmetric = "realism"\nrule = "non-inferior"\nmargin = 0.5\n')
    checks = vb.gate(scored / "new", scored / "old", policy).checks
    assert [check.metric for check in checks] == ["realism"]
