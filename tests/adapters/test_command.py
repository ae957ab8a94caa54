"""Real programs: short Python scripts that write real clips, hang, crash, or talk too much."""

from __future__ import annotations

import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from vbench_lite.adapters.command import Command
from vbench_lite.errors import GeneratorError, UsageError
from vbench_lite.records import ClipSpec, Definition, Request
from vbench_lite.video import read_clip

SPEC = ClipSpec(3, 8.0, 32, 48)

WRITE = """
import sys, numpy as np
from vbench_lite.video import encode_mp4
prompt, seed, out, frames, fps, height, width = sys.argv[1:8]
clip = np.full((int(frames), int(height), int(width), 3), int(seed) % 256, np.uint8)
open(out, "wb").write(encode_mp4(clip, float(fps)))
"""
STANDARD = ["{prompt}", "{seed}", "{out}", "{frames}", "{fps}", "{height}", "{width}"]

RESIDENT = """
import json, sys, time
print("loading the model...")
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    print("chatter from a library", flush=True)
    if request["prompt"] == "die":
        sys.exit(3)
    if request["prompt"] == "hang":
        time.sleep(60)
    if request["prompt"] == "refuse":
        print(json.dumps({"id": request["id"], "error": "no such animal"}), flush=True)
        continue
    open(request["out"], "wb").write(f"{sys.argv[1]} {request['seed']}".encode())
    print(json.dumps({"id": request["id"], "stages_s": {"draw": 0.5}, "counts": {"tokens": 9}}), flush=True)
"""


def ask(prompt: str = "a cat", seed: int = 7, index: int = 0) -> Request:
    return Request("cat", prompt, index, seed, SPEC)


def command(*arguments: str, **settings: Any) -> Command:
    given = {"command": [sys.executable, *arguments], **settings}
    return Command(Definition("mine", "transformer", "command", settings=given))


def script(folder: Path, text: str) -> str:
    path = folder / "make.py"
    path.write_text(text)
    return str(path)


def test_clip_comes_back_as_it_was_written(tmp_path: Path) -> None:
    generator = command(script(tmp_path, WRITE), *STANDARD)
    generator.load("cpu")
    (output,) = generator.generate([ask(seed=200)])
    frames, info = read_clip(output.file)
    assert frames.shape == (3, 32, 48, 3)
    assert info.fps == 8
    assert abs(int(frames.mean()) - 200) <= 2


@pytest.mark.parametrize(
    "prompt", ['say "hi", twice', "$(touch pwned); `id` | cat & *", "{seed} {out}", "--help", "ein Fährrad\nzwei"]
)
def test_prompt_is_one_argument_whatever_it_holds(tmp_path: Path, prompt: str) -> None:
    text = "import sys; open(sys.argv[2], 'w', newline='').write(sys.argv[1])"
    generator = command(script(tmp_path, text), "{prompt}", "{out}", cwd=str(tmp_path))
    generator.load("cpu")
    (output,) = generator.generate([ask(prompt)])
    assert output.file == prompt.encode()
    assert not (tmp_path / "pwned").exists()


def test_environment_and_folder_are_the_programs_own(tmp_path: Path) -> None:
    text = "import os, sys; open(sys.argv[1], 'w').write(os.environ['MINE'] + ' ' + os.getcwd())"
    generator = command(script(tmp_path, text), "{out}", cwd=str(tmp_path), env={"MINE": 1})
    generator.load("cpu")
    assert generator.generate([ask()])[0].file == f"1 {tmp_path.resolve()}".encode()


def test_program_that_names_its_own_file_is_found_out(tmp_path: Path) -> None:
    text = "import sys, os; os.makedirs(sys.argv[1] + '/x'); open(sys.argv[1] + '/x/final.webm', 'w').write('clip')"
    generator = command(script(tmp_path, text), "{out_folder}")
    generator.load("cpu")
    assert generator.generate([ask()])[0].file == b"clip"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise SystemExit('no weights in ./ckpt')", "the program ended with exit code 1: no weights in ./ckpt"),
        ("pass", "the program wrote no clip"),
        ("import sys; open(sys.argv[1], 'w')", "the program wrote an empty file"),
        ("import sys; [open(sys.argv[1] + f'.{i}.mp4', 'w').write('x') for i in 'ab']", "the program wrote 2 clips"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the program ended with signal 9"),
    ],
)
def test_failure_is_told_and_the_run_goes_on(tmp_path: Path, text: str, reason: str) -> None:
    generator = command(script(tmp_path, text), "{out}")
    generator.load("cpu")
    first, second = generator.generate([ask(), ask(index=1)])
    assert first.failure.startswith(reason)
    assert second.failure.startswith(reason)


def test_time_limit_ends_the_whole_process_tree(tmp_path: Path) -> None:
    text = f"sleep 60 & echo $! > {tmp_path}/child; sleep 60"
    given = {"command": ["sh", "-c", text, "{out}"], "time_limit_s": 1.5}
    generator = Command(Definition("mine", "transformer", "command", settings=given))
    generator.load("cpu")
    start = time.monotonic()
    (output,) = generator.generate([ask()])
    assert output.failure == "the program exceeded its limit of 1.5 s and was ended"
    assert time.monotonic() - start < 30
    child = int((tmp_path / "child").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_resident_program_loads_once_and_survives_its_own_chatter(tmp_path: Path) -> None:
    generator = command(script(tmp_path, RESIDENT), "{device}", resident=True)
    generator.load("cpu")
    first, second = generator.generate([ask(seed=1), ask(seed=2, index=1)])
    generator.close()
    assert (first.file, second.file) == (b"cpu 1", b"cpu 2")
    assert first.stages_s == {"draw": 0.5}
    assert first.counts == {"tokens": 9}


def test_resident_program_that_dies_or_hangs_is_started_again(tmp_path: Path) -> None:
    generator = command(script(tmp_path, RESIDENT), "{device}", resident=True, time_limit_s=3)
    generator.load("cpu")
    outputs = [generator.generate([ask(prompt)])[0] for prompt in ("die", "a cat", "hang", "refuse", "a cat")]
    generator.close()
    assert outputs[0].failure == "the program ended before it answered (exit code 3)"
    assert outputs[2].failure == "the program did not answer within 3 s"
    assert outputs[3].failure == "no such animal"
    assert outputs[1].file == outputs[4].file == b"cpu 7"


def test_resident_program_that_never_gets_ready_is_no_generator(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=r"did not print .*exit code 1"):
        command(script(tmp_path, "raise SystemExit(1)"), resident=True).load("cpu")


def test_missing_program_is_named_before_anything_runs() -> None:
    definition = Definition("mine", "transformer", "command", settings={"command": ["no-such-program", "{out}"]})
    with pytest.raises(GeneratorError, match='the program "no-such-program" is not installed on this machine'):
        Command(definition).load("cpu")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"command": "python make.py {out}"}, "must be a list"),
        ({"command": ["python", "make.py"]}, "has no {out}"),
        ({"command": ["python", "{out}"], "timelimit": 3}, 'no setting "timelimit".*"time_limit_s"'),
        ({"command": ["python", "{out}"], "suffix": ".txt"}, "suffix"),
    ],
)
def test_wrong_settings_are_a_sentence(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Command(Definition("mine", "transformer", "command", settings=settings))


def test_unknown_placeholder_is_refused_on_loading() -> None:
    with pytest.raises(UsageError, match=r'"\{sead\}" in the command is not known'):
        command("{sead}", "{out}").load("cpu")


PROGRESS = """
import json, sys
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    open(request["out"], "wb").write(b"clip")
    sys.stdout.write(sys.argv[1])
    print(json.dumps({"id": request["id"], "counts": {"steps": 10}}) + sys.argv[2], flush=True)
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\rstep 10/10", ""), ("{50%} ", " done"), ('{"step": 9}\r{"step": 10}', ""), ("", "\r100%|####| {"),
        ("{" * 50, ""),
    ],
)
def test_last_json_object_of_a_line_is_the_answer(tmp_path: Path, before: str, after: str) -> None:
    generator = command(script(tmp_path, PROGRESS), before, after, resident=True, time_limit_s=20)
    generator.load("cpu")
    (output,) = generator.generate([ask()])
    generator.close()
    assert (output.failure, output.counts) == (None, {"steps": 10})


LEAVES_CHILDREN = """
import subprocess, sys, time
code = "import os, time; os.fork() and os._exit(0); os.setsid(); open(PATH, 'a').write(str(os.getpid()))"
code += "; time.sleep(60)"
subprocess.Popen([sys.executable, "-c", code.replace("PATH", repr(sys.argv[2]))], start_new_session=True).wait()
while not open(sys.argv[2], "a+").tell():
    time.sleep(0.01)
open(sys.argv[1], "wb").write(b"clip")
time.sleep(float(sys.argv[3]))
"""


@pytest.mark.parametrize("seconds", [0, 60])
def test_children_in_a_session_of_their_own_end_with_the_program(tmp_path: Path, seconds: int) -> None:
    limit = 3 if seconds else 60
    generator = command(
        script(tmp_path, LEAVES_CHILDREN), "{out}", str(tmp_path / "child"), str(seconds), time_limit_s=limit
    )
    generator.load("cpu")
    (output,) = generator.generate([ask()])
    assert (output.file == b"clip") == (not seconds)
    child = int((tmp_path / "child").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_what_a_program_prints_is_passed_on_and_not_kept_in_memory(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "import sys\nfor _ in range(200):\n    sys.stderr.write('x' * 1_000_000)\nprint('the end'); sys.exit(2)\n"
    generator = command(script(tmp_path, text), "{out}")
    generator.load("cpu")
    tracemalloc.start()
    (output,) = generator.generate([ask()])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert output.failure
    assert output.failure.startswith("the program ended with exit code 2")
    assert peak < 20e6, "200 MB were printed"
    assert len(capfd.readouterr().err) >= 200_000_000


SHOW = """
import json, sys, numpy as np
from PIL import Image
from vbench_lite.video import encode_mp4
def show(out, image):
    frame = np.asarray(Image.open(image)) if image else np.zeros((32, 48, 3), np.uint8)
    open(out, "wb").write(encode_mp4(np.stack([frame] * 3), 8.0))
if len(sys.argv) > 1:
    show(*sys.argv[1:])
else:
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        show(request["out"], request["image"])
        print(json.dumps({"id": request["id"]}), flush=True)
"""


@pytest.mark.parametrize("resident", [False, True])
def test_a_program_is_given_the_image_as_a_file(tmp_path: Path, resident: bool) -> None:
    generator = command(script(tmp_path, SHOW), *([] if resident else ["{out}", "{image}"]), resident=resident)
    generator.load("cpu")
    image = np.full((32, 48, 3), (200, 60, 20), np.uint8)
    shown, black = generator.generate([replace(ask(), image=image), ask()])
    generator.close()
    assert np.abs(read_clip(shown.file)[0].astype(int) - image).max() < 12
    assert read_clip(black.file)[0].max() < 12


def test_a_command_that_takes_images_and_never_says_where_is_refused() -> None:
    both = (("text",), ("image", "text"))
    definition = Definition("mine", "diffusion", "command", inputs=both, settings={"command": ["x", "{out}"]})
    with pytest.raises(UsageError, match=r"its command has no \{image\}"):
        Command(definition)
