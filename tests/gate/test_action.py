"""The GitHub Action, its steps run in order as a runner would, and the documented workflows."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.gate.deciding import loses
from tests.gate.releases import write

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A clone of this repository at its last commit, with the action as it is in the working folder."""
    folder = tmp_path_factory.mktemp("runner") / "action"
    cloned = subprocess.run(["git", "clone", "-q", "--shared", str(ROOT), str(folder)], capture_output=True)
    if cloned.returncode:
        pytest.skip("this is no git checkout")
    shutil.copy(ROOT / "action.yml", folder)
    return folder


def holds(condition: str, inputs: dict[str, str], failed: bool) -> bool:
    """An `if` of a step, as the runner reads it."""
    if failed and "always()" not in condition:
        return False
    parts = (condition or "always()").replace("always()", "''==''").split("&&")
    for part in parts:
        text = re.sub(r"inputs\.([\w-]+)", lambda found: f"'{inputs[found[1]]}'", part)
        left, operator, right = re.fullmatch(r"\s*'(.*?)'\s*(==|!=)\s*'(.*?)'\s*", text).groups()
        if (left == right) is (operator == "!="):
            return False
    return True


GH = """
import os, pathlib, re, shutil, sys
call, folder = " ".join(sys.argv[1:]), pathlib.Path(os.environ["COMMENTS"])
folder.mkdir(exist_ok=True)
known = sorted(folder.iterdir(), key=lambda path: int(path.name))
if "--paginate repos/o/r/issues/7/comments " in call:
    mark = re.search(r'select\\(\\.body \\| startswith\\("(.*?)"\\)\\) \\| \\.id', call)[1]
    print(*(path.name for path in known if path.read_text().startswith(mark)), sep="\\n")
else:
    new = re.search(r"--method POST repos/o/r/issues/7/comments -F body=@(.*) --silent", call)
    old = re.search(r"--method PATCH repos/o/r/issues/comments/(\\d+) -F body=@(.*) --silent", call)
    assert new or (folder / old[1]).exists()
    shutil.copy(new[1] if new else old[2], folder / (str(len(known)) if new else old[1]))
"""
"""A `gh` that keeps the comments of pull request 7 as files, numbered from 0."""


def run_action(checkout: Path, work: Path, **given: str) -> tuple[int, dict[str, str], str]:
    """Every step of the action; returns the exit code of the first that failed, the outputs and the standard error."""
    action: dict[str, Any] = yaml.safe_load((checkout / "action.yml").read_text())
    inputs = {name: str(each.get("default", "")) for name, each in action["inputs"].items()} | given
    out, errors, code = work / "outputs", "", 0
    out.touch()
    tools = work / "tools"
    tools.mkdir(exist_ok=True)
    gh = tools / "gh"
    gh.write_text(f"#!{sys.executable}\n{GH}")
    gh.chmod(gh.stat().st_mode | stat.S_IEXEC)
    base = os.environ | {
        "COMMENTS": str(work / "comments"), "GITHUB_WORKFLOW": "gate", "GITHUB_JOB": "gate",
        "GITHUB_OUTPUT": str(out), "GITHUB_STEP_SUMMARY": str(work / "summary.md"), "GITHUB_REPOSITORY": "o/r",
        "GITHUB_ACTION_PATH": str(checkout),
        "PATH": f"{tools}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    for step in action["runs"]["steps"]:
        if holds(step.get("if", ""), inputs, code != 0):
            environment = {
                key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], value)
                for key, value in step["env"].items()
            }
            done = subprocess.run(
                [step["shell"], "-eo", "pipefail", "-c", step["run"]], env=base | environment, cwd=work,
                capture_output=True, text=True,
            )  # fmt: skip
            code, errors = code or done.returncode, errors + done.stderr
    return code, dict(line.split("=", 1) for line in out.read_text().splitlines()), errors


def test_the_action_stops_a_worse_release_and_says_so_everywhere(checkout: Path, tmp_path: Path) -> None:
    old, new = write(tmp_path / "old"), write(tmp_path / "new", weights="b", worsen=loses("clip_text", 2))
    (tmp_path / "new" / "policy.toml").write_text('[[check]]\nmetric = "detail"\nrule = "min"\nvalue = 0\n')
    given = {"candidate": new, "baseline": old, "install": "false", "comment": "7"}
    code, outputs, errors = run_action(checkout, tmp_path, **given)
    assert (code, outputs["verdict"], outputs["exit-code"]) == (3, "fail", "3")  # whatever policy the candidate brings
    assert errors.startswith("::error title=vbench gate%3A clip_text::FAIL")
    assert (tmp_path / "summary.md").read_text().startswith("## FAIL: clip_text")
    names = {path.name for path in (tmp_path / "gate").iterdir()}
    assert names == {"gate.json", "gate.md", "gate.xml", "metrics.json", "badge.svg", "comment.md"}
    assert json.loads((tmp_path / "gate" / "gate.json").read_text())["policy"]["origin"] == "the default"



def test_each_use_of_the_action_updates_its_own_comment(checkout: Path, tmp_path: Path) -> None:
    old, new, bad = (
        write(tmp_path / name, prompts=12, weights=name, worsen=worsen)
        for name, worsen in (("old", None), ("new", None), ("bad", loses("clip_text", 3)))
    )

    def comments(**given: str) -> list[str]:
        run_action(checkout, tmp_path, baseline=old, install="false", comment="7", policy="pre-merge", **given)
        return [path.read_text() for path in sorted((tmp_path / "comments").iterdir())]

    (first,) = comments(candidate=new)
    assert re.match(r"<!-- vbench gate \d+ -->\n## UNDECIDED", first)
    assert comments(candidate=new) == [first]
    _, second = comments(candidate=bad)  # another candidate
    assert "\n## FAIL" in second
    key = {"comment-key": 'a "suite" --> $(exit 1)'}
    assert len(comments(candidate=new, **key)) == 3
    assert comments(candidate=bad, **key)[:2] == [first, second]  # the same key updates the third
    assert comments(candidate=bad, **key)[2].split("\n")[1:] == second.split("\n")[1:]


def test_the_install_step_installs_the_checkout(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "python").write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    (tmp_path / "python").chmod(0o755)
    step = yaml.safe_load((checkout / "action.yml").read_text())["runs"]["steps"][0]
    for install, expected in (("", str(checkout)), ("vbench-lite torchmetrics", "vbench-lite torchmetrics")):
        environment = {"INSTALL": install, "GITHUB_ACTION_PATH": str(checkout), "PATH": f"{tmp_path}:{os.defpath}"}
        subprocess.run(["bash", "-eo", "pipefail", "-c", step["run"]], env=environment, check=True)
        assert (tmp_path / "called").read_text().strip() == f"-m pip install --quiet {expected}"


def test_an_error_is_an_error_and_names_with_shell_in_them_do_nothing(checkout: Path, tmp_path: Path) -> None:
    given = {"candidate": f"$(touch {tmp_path}/pwned)", "baseline": write(tmp_path / "old"), "install": "false"}
    code, outputs, _ = run_action(checkout, tmp_path, **given)
    assert (code, outputs["verdict"]) == (1, "")
    assert not (tmp_path / "pwned").exists()


def test_twelve_prompts_before_a_merge_stop_a_bad_release_and_let_an_equal_one_through(
    checkout: Path, tmp_path: Path
) -> None:
    old = write(tmp_path / "old", prompts=40)
    for name, worsen, expected in (("equal", None, 0), ("bad", loses("clip_text", 3), 3)):
        new = write(tmp_path / name, prompts=40, weights="b", seed=1, worsen=worsen)
        manifest = Path(new) / "run.json"
        document = json.loads(manifest.read_text())
        document["plan"]["prompts"] = document["plan"]["prompts"][:12]  # --limit 12
        manifest.write_text(json.dumps(document))
        given = {"candidate": new, "baseline": old, "install": "false", "policy": "pre-merge"}
        assert run_action(checkout, tmp_path, **given)[0] == expected


JOB_KEYS = {
    "image", "variables", "cache", "before_script", "script", "allow_failure", "artifacts", "extends", "rules",
}  # fmt: skip


def shell_lines(document: dict[str, Any]) -> list[str]:
    """Every shell line of a workflow of GitHub or GitLab; expressions of GitHub stand for one word."""
    jobs = document.get("jobs") or document
    steps = [step for job in jobs.values() for step in job.get("steps", [])]
    lines = [step["run"] for step in steps if "run" in step]
    lines += [line for job in jobs.values() for key in ("before_script", "script") for line in job.get(key, [])]
    return [re.sub(r"\$\{\{.*?\}\}", "WORD", line) for line in lines]


@pytest.mark.parametrize("name", ["gate.github.yml", "gate.gitlab-ci.yml"])
def test_the_documented_workflows_are_valid_and_use_real_options_inputs_and_policies(name: str) -> None:
    from vbench_lite.cli import group
    from vbench_lite.gate.policy import shipped_policies

    text = (ROOT / "docs" / "examples" / name).read_text()
    document = yaml.safe_load(text)
    lines = shell_lines(document)
    assert sum(line.startswith("vbench") for line in lines) >= 1
    for line in lines:
        assert subprocess.run(["bash", "-n", "-c", line]).returncode == 0, line
        for command, rest in re.findall(r"vbench (run|gate) ([^\n]*(?:\\\n[^\n]*)*)", line):
            known = {option for parameter in group.get_command(None, command).params for option in parameter.opts}
            assert set(re.findall(r"(?<![\w-])--[a-z-]+", rest)) <= known
    assert "12" in text
    assert "pre-merge" in text
    assert "pre-merge" in shipped_policies()
    if "jobs" in document:
        known = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
        used = [step["with"] for step in document["jobs"]["gate"]["steps"] if "vbench-lite@" in step.get("uses", "")]
        assert used
        assert all(set(each) <= set(known) for each in used)
    else:
        for job in document.values():
            assert set(job) <= JOB_KEYS
            assert "script" in job or document[job["extends"]]["script"]
