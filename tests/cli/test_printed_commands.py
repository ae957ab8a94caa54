"""Every command that the product prints can be executed as it stands, and does what the sentence around it says."""

from __future__ import annotations

import ast
import html
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import vbench_lite
from tests.cli.calling import call, vbench
from vbench_lite.analysis.commands import more_command, renew_command, score_command
from vbench_lite.run.view import open_run

PACKAGE = Path(vbench_lite.__file__).parent
COMMANDS = "run|score|report|compare|gate|check|baseline|list|doctor|init|selftest|review"
PRINTED = re.compile(rf"vbench (?:{COMMANDS})\b[^\n;|<>`()]*")
NEW = "née 'new' run $HOME"
"""A folder whose name means other things to a shell."""
SIM = """
route = "diffusion"
adapter = "simulated"
[clip]
frames = 4
width = 64
height = 64
fps = 8
[settings]
noise = {noise}
[price]
usd_per_clip = 0.01
"""
ENDS = (r"\. [A-Z].*", r"\.$", r", about .*", r" \(exit code .*")
"""What follows a command within its sentence."""


def printed_in(text: str) -> list[list[str]]:
    """The commands in a text, each as its words after `vbench`; those joined by && one by one."""
    found = []
    text = re.sub(r"^(Usage|Try).*", "", text, flags=re.MULTILINE).replace("$(whoami)", "tester")
    for match in PRINTED.findall(text):
        command = match
        for end in ENDS:
            command = re.sub(end, "", command)
        found += [part for part in command.split(" && ") if part.startswith("vbench ")]
    try:
        return [shlex.split(command)[1:] for command in dict.fromkeys(found)]
    except ValueError as error:
        raise AssertionError(f"{error} in {found}") from None


def execute(text: str, least: int = 1) -> list[list[str]]:
    """Executes the commands of a text; exit codes 3 and 4 are answers of the gate and of an incomplete run."""
    commands = printed_in(text)
    assert len(commands) >= least, text
    for words in commands:
        result = call(*words)
        assert result.code in (0, 3, 4), f"vbench {shlex.join(words)}\n{result.output}"
    return commands


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace: two runs of a generator, the later one noisier, and a promoted baseline."""
    folder = tmp_path_factory.mktemp("my work")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("VBENCH_CACHE", str(folder / "cache"))
        Path("mine.toml").write_text(SIM.format(noise=2))
        Path("later.toml").write_text(SIM.format(noise=3).replace("mine", "later"))
        lines = [f"a {colour} {thing} spins on a white background" for colour in ("red", "blue", "green")
                 for thing in ("sneaker", "watch")]  # fmt: skip
        Path("six.txt").write_text("\n".join(lines))
        common = ("--suite", "six.txt", "--metrics", "conformance,temporal_flickering", "--limit", "4", "--no-report")
        vbench("run", "-g", "mine.toml", *common, "--clips-per-prompt", "1", "--out", "results/old")
        vbench("run", "-g", "later.toml", *common, "--clips-per-prompt", "1", "--out", f"results/{NEW}", "--seed", "7")
        vbench("baseline", "promote", "results/old", "--reason", "first", "--by", "tester")
    return folder


@pytest.fixture(autouse=True)
def workplace(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(made, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("VBENCH_CACHE", str(made / "cache"))


def test_the_commands_of_an_undecided_gate_extend_both_runs() -> None:
    output = vbench("gate", f"results/{NEW}", "--baseline", "results/old", code=4).output
    commands = execute(output, least=2)
    assert {words[words.index("--out") + 1] for words in commands} == {"results/old", f"results/{NEW}"}
    for name in ("old", NEW):
        manifest = open_run(f"results/{name}").manifest
        assert len(manifest.plan.prompts) > 4 or manifest.plan.clips_per_prompt > 1


def test_a_baseline_without_clips_is_made_again_and_promoted() -> None:
    run = open_run("results/baseline")
    assert execute(renew_command(run), least=2) == execute(score_command(run), least=2)
    execute(more_command(run, clips_per_prompt=2))
    assert open_run("results/baseline").manifest.plan.clips_per_prompt == 2
    assert len(vbench("baseline", "history").output.splitlines()) == 4
    execute(vbench("score", "results/baseline", code=1).output, least=2)


def test_the_commands_on_a_page_and_after_a_promotion_work() -> None:
    vbench("report", "results/old", "-o", "page.html")
    page = re.sub(r"<script.*?</script>", "", Path("page.html").read_text(), flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]*>", "\n", page))
    assert {words[0] for words in execute(text, least=2)} >= {"baseline", "gate"}
    execute(vbench("baseline", "promote", f"results/{NEW}", "--reason", "next", "--by", "tester", "--to", "b").output)
    execute(vbench("baseline", "history", "nowhere").output)


def test_the_commands_of_notes_on_margins_and_on_the_first_baseline_work() -> None:
    Path("results/baseline/margins.json").unlink()
    output = vbench("gate", "results/old", "--baseline", "results/baseline", "--json", code=4).stdout
    assert "margins were computed" in output
    (note,) = [line for line in output.replace('\\"', '"').splitlines() if "margins were computed" in line]
    execute(note.split('": "', 1)[1].rsplit('",', 1)[0])
    assert Path("results/baseline/margins.json").exists()


def test_the_commands_of_errors_work() -> None:
    for arguments in (
        ("report", "nowhere"), ("gate", "results/old"), ("score", "cache"), ("run", "--suite", "nosuch"),
        ("run", "--suite", "ads", "-g", "nosuch"), ("score", "results/old", "--metrics", "nosuch"),
    ):  # fmt: skip
        result = call(*arguments)
        assert result.code in (1, 2)
        commands = [words for words in printed_in(result.output) if words[:3] != ["run", "--suite", "ads"]]
        for words in commands:
            vbench(*words)
        assert commands or arguments == ("report", "nowhere"), result.output


def test_a_run_without_its_table_says_how_to_score_it() -> None:
    Path(f"results/{NEW}/clips.csv").unlink()
    execute(call("report", f"results/{NEW}").output)
    assert Path(f"results/{NEW}/clips.csv").exists()
    Path("results/baseline/summary.json").unlink()
    assert "version control" in call("report", "results/baseline").output


def test_runs_that_cannot_be_compared_name_commands_that_make_them_comparable() -> None:
    vbench("run", "-g", "later.toml", "--suite", "six.txt", "--metrics", "temporal_flickering", "--limit", "2",
           "--clips-per-prompt", "1", "--out", "results/two", "--no-report")  # fmt: skip
    output = call("compare", "results/old", "results/two").output
    assert "the choice of prompts differs" in output
    (words,) = execute(output)
    vbench("compare", "results/old", words[words.index("--out") + 1])


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Texts that a module can print, with {} for the parts of f-strings; without docstrings and the help of options."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    quiet |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "help"}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (inside | quiet):
            yield node.lineno, node.value


PLACEHOLDER = re.compile(rf"vbench (?:{COMMANDS})\b[^\n.;]*?(?:<\w+>|\.\.\.|\b[A-Z]{{3,}}\b)")
VALUE = re.compile(rf"vbench (?:{COMMANDS})\b[^\n;:(]*\{{\}}")
"""A command that holds a value is made by `vbench_command`, so that a path with a space remains one word."""


@pytest.mark.parametrize("folder", sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob("*.py"))))
def test_no_printed_command_holds_a_placeholder_or_an_unquoted_value(folder: str) -> None:
    for path in (PACKAGE / folder).rglob("*.py"):
        for line, text in strings_of(path):
            where = f"{path.relative_to(PACKAGE)}:{line}: {text}"
            assert not PLACEHOLDER.search(text), where
            assert not VALUE.search(text), where
