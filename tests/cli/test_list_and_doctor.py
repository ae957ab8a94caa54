import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click import unstyle
from click.testing import CliRunner
from rich.cells import cell_len

from vbench_lite.cli import COMMANDS, group
from vbench_lite.cli.doctor_command import command as doctor
from vbench_lite.cli.list_command import shortened
from vbench_lite.cli.selftest_command import _print as print_selftest
from vbench_lite.metrics.registry import known_metrics
from vbench_lite.scoring.damage import DAMAGES
from vbench_lite.scoring.selftest import SelftestResult


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    return CliRunner()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(runner: CliRunner, name: str) -> None:
    result = runner.invoke(group, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"vbench {name}" in result.output
    assert "Example" in result.output


@pytest.mark.parametrize("what", ["suites", "generators", "metrics"])
def test_lists_name_what_ships(runner: CliRunner, what: str) -> None:
    rows = json.loads(runner.invoke(group, ["list", what, "--json"]).output)
    expected = {"suites": "ads", "generators": "tiny-diffusion", "metrics": "fvd"}[what]
    assert expected in [row["name"] for row in rows]
    assert expected in runner.invoke(group, ["list", what]).output


def commands_of(output: str) -> dict[str, str]:
    """What the list prints below each generator's name, with continued lines joined as a shell does."""
    found: dict[str, str] = {}
    name = ""
    for line in output.partition("To run one that is not ready:\n")[2].splitlines():
        if line.startswith("    "):
            found[name] = found.get(name, "") + line[4:] + "\n"
        else:
            name = line.strip().removesuffix(":")
    return {name: text.replace("\\\n", "").strip() for name, text in found.items()}


def test_list_of_generators_ends_with_commands_that_can_be_copied(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAL_KEY", raising=False)
    commands = commands_of(runner.invoke(group, ["list", "generators"]).output)
    assert commands["pika-2.2"] == "export FAL_KEY=..."
    words = shlex.split(commands["wan2.1-t2v-14b"])
    assert words[:2] == ["hf", "download"]
    assert re.fullmatch(r"[0-9a-f]{40}", words[words.index("--revision") + 1])


def too_long(output: str, columns: int) -> list[str]:
    """The lines that are longer than a terminal is wide, without those of a single word or quotation."""
    one_word = re.compile(r"""(-> )?(\S+|"[^"]*"|'[^']*')( \\)?""")
    lines = output.splitlines()
    assert lines
    return [line for line in lines if cell_len(line) > columns and not one_word.fullmatch(line.strip())]


def test_lines_of_doctor_in_a_pipe_have_80_columns_unless_a_word_is_longer(runner: CliRunner) -> None:
    assert too_long(runner.invoke(group, ["doctor"]).output, 80) == []


@pytest.fixture(params=["as it ships", "long names"])
def listed(request: pytest.FixtureRequest, runner: CliRunner) -> None:
    """Generators, suites and runs of the working folder, some with names and texts that need most of a line."""
    if request.param == "as it ships":
        return
    for name in ("a" * 61, "\u8cf4" * 26):
        for path, text in (
            (f"generators/{name}.toml", 'route = "undisclosed"\nadapter = "http"\n[settings]\nkey_env = "KEY"\n'),
            (f"prompts/{name}.toml", f'title = "{"b" * 50} c"\n[[prompt]]\nid = "p"\ntext = "a cat"\n'),
            (f"results/{name}/run.json", "{"),
        ):
            Path(path).parent.mkdir(exist_ok=True, parents=True)
            Path(path).write_text(text)


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("what", ["generators", "suites", "metrics", "runs"])
def test_a_list_breaks_no_word_and_fits_the_terminal(runner: CliRunner, what: str, columns: int) -> None:
    rows = json.loads(runner.invoke(group, ["list", what, "--json"]).output)
    terminal = {"COLUMNS": str(columns), "FORCE_COLOR": "1", "TERM": "dumb"}
    output = unstyle(runner.invoke(group, ["list", what], env=terminal).output)
    assert too_long(output, columns) == []
    hidden = re.findall(r"\w+", output.partition("Not shown: ")[2].partition(". --json")[0])
    words = set(output.split())
    for row in rows:
        shown = [shortened(str(cell)) for name, cell in row.items() if name not in (*hidden, "name", "ready")]
        assert {row["name"], *" ".join(shown).split()} <= words


def test_a_broken_definition_blocks_no_list_and_is_named(runner: CliRunner) -> None:
    Path("generators").mkdir()
    broken = {
        "torn": 'route = "diff', "nested": 'route = "diffusion"\nadapter = "x"\nclip = ' + "[" * 3000,
        "routeless": 'adapter = "x"', "number": 'route = "diffusion"\nadapter = 5',
        "nowhere": 'route = "hybrid"\nadapter = "hybrid"\n[settings]\ndraft = "absent"\nrefiner = "tiny-diffusion"',
        "half": 'route = "hybrid"\nadapter = "hybrid"',
    }
    for name, text in broken.items():
        Path("generators", f"{name}.toml").write_text(text)
    Path("generators", "folder.toml").mkdir()
    done = runner.invoke(group, ["list", "generators", "--json"])
    assert done.exception is None
    ready = {row["name"]: row["ready"] for row in json.loads(done.output)}
    assert ready["tiny-diffusion"] == "yes"
    assert all(ready[name].startswith("correct ") for name in (*broken, "folder"))
    assert runner.invoke(doctor, ["--json"]).exception is None


def test_a_broken_suite_and_a_broken_run_block_no_list(runner: CliRunner) -> None:
    Path("prompts").mkdir()
    Path("prompts/torn.toml").write_text("title = ")
    for name, text in {"torn": "{", "odd": '{"format": 2, "suite": 5}', "nested": "[" * 100_000}.items():
        Path("results", name).mkdir(parents=True)
        Path("results", name, "run.json").write_text(text)
    suites = runner.invoke(group, ["list", "suites", "--json"])
    assert {"torn", "ads"} <= {row["name"] for row in json.loads(suites.output)}
    runs = json.loads(runner.invoke(group, ["list", "runs", "--json"]).output)
    assert [row["name"] for row in runs] == ["results/nested", "results/odd", "results/torn"]
    assert all(f"{row['name']}/run.json" in row["scored"] for row in runs)


def test_without_runs_the_list_says_how_to_make_one(runner: CliRunner) -> None:
    assert "vbench run --suite ads" in runner.invoke(group, ["list", "runs"]).output


def test_a_suite_of_the_working_folder_comes_first(runner: CliRunner) -> None:
    Path("prompts").mkdir()
    Path("prompts/ads.toml").write_text('title = "ours"\n[[prompt]]\nid = "a"\ntext = "a red car"\n')
    rows = json.loads(runner.invoke(group, ["list", "suites", "--json"]).output)
    assert [row["title"] for row in rows if row["name"] == "ads"] == ["ours"]


def test_doctor_finds_all_that_the_default_run_needs(runner: CliRunner) -> None:
    result = runner.invoke(doctor, ["--json"])
    findings = json.loads(result.output)
    assert [f for f in findings if f["needed"] and not f["ok"]] == []
    assert result.exit_code == 0
    assert {"torch", "codec libx264 (write)", "generator tiny-diffusion"} <= {f["what"] for f in findings}


def test_doctor_tells_of_a_key_without_showing_it(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAL_KEY", "very-secret")
    output = runner.invoke(doctor, []).output
    assert "key FAL_KEY" in output
    assert "very-secret" not in output


def test_doctor_names_every_key_of_every_hosted_generator(runner: CliRunner) -> None:
    Path("generators").mkdir()
    Path("generators/ours.toml").write_text(
        'route = "undisclosed"\nadapter = "http"\n[settings]\nkey_env = "OUR_KEY"\nsecret_env = "OUR_SECRET"\n'
    )
    named = {f["what"] for f in json.loads(runner.invoke(doctor, ["--json"]).output)}
    shipped = Path(__file__).parents[2] / "generators"
    keys = {key for path in shipped.glob("*.toml") for key in re.findall(r'_env = "(\w+)"', path.read_text())}
    assert len(keys) >= 6
    assert {f"key {key}" for key in (*keys, "OUR_KEY", "OUR_SECRET")} <= named


def test_a_misspelt_command_gets_a_suggestion():
    done = subprocess.run(
        [sys.executable, "-c", "from vbench_lite.cli import main; main()", "rn"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert 'no command named "rn". Did you mean "run"? See them with: vbench --help' in done.stderr


@pytest.mark.parametrize(("words", "offered"), [("vbench ru", "run"), ("vbench run --qui", "--quick")])
def test_the_shell_completes_commands_and_options(words: str, offered: str):
    given = {"_VBENCH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    program = "import sys; sys.argv = ['vbench']; from vbench_lite.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, **given}, capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"plain,{offered}"]


@pytest.mark.parametrize(("more", "plan"), [([], "4 prompts, 1 clips"), (["--limit", "2"], "2 prompts, 1 clips")])
def test_a_quick_run_is_a_small_part_of_the_suite(runner: CliRunner, more: list[str], plan: str) -> None:
    result = runner.invoke(group, ["run", "--suite", "ads", "--quick", "--dry-run", *more])
    assert plan in result.output


@pytest.mark.parametrize("columns", [80, 100])
def test_the_tables_of_selftest_break_no_name_and_have_every_value(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    metrics = [metric.name for metric in known_metrics().values()]
    cells = [
        SelftestResult(damage, metric, (), round(0.9 - nth / 1000, 4), "down", True)
        for nth, (metric, damage) in enumerate(itertools.product(metrics, DAMAGES))
    ]
    print_selftest(cells, [])
    tables = capsys.readouterr().out.partition("Marked with")[0]
    assert too_long(tables, columns) == []
    words = tables.split()
    assert {*metrics, *" ".join(DAMAGES).split()} <= set(words)
    assert sum(word.endswith("!") for word in words) == len(cells)
