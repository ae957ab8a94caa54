"""The pages agree with the code: commands, options, metrics, links and paths.

`python -m tests.test_docs` writes docs/cli.md.
"""

import functools
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vbench_lite.cli import group
from vbench_lite.metrics import shipped_metrics

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "cli.md"
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "generators/*/README.md", "reports/*.md", "results/**/*.md")
    for path in ROOT.glob(pattern)
)
NOW = [page for page in PAGES if page != "CHANGELOG.md"]  # the changelog may name what is gone

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
OWN_PATH = re.compile(
    r"(?<![\w./-])(?:vbench_lite|tests|benchmarks|docs|generators|prompts|results/baseline)/[\w./-]*[\w/]"
)
OF_THE_READER = {
    "prompts/0000.txt", "metrics/greenness.py", "generators/NAME.toml", "generators/our-model.toml",
    "generators/their-model.toml", "metrics/NAME.py", "prompts/NAME.toml", "prompts/products.toml",
}  # fmt: skip
"""Files of the reader's own folder."""
RETIRED = {
    "metric or column flicker": re.compile(r"`flicker`|\bflicker(?:_\w+| (?:differs|is|of|↑))"),
    "unit sides/s": re.compile(r"(?<!frame )\bsides/s\b"),
    "unit squared": re.compile(r"\| squared \||`squared`|\"squared\""),
    "unit share": re.compile(r"\| share \||unit = \"share\"|\"unit\": \"share\""),
    "column or key of format 1": re.compile(r"`(?:unusable_because|usd_per_clip_made|made)`"),
    "value of execution": re.compile(r"\bmade = \"(?:here|beside|elsewhere|before)\""),
}


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def without_code_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def commands() -> Iterator[tuple[click.Context, click.Command]]:
    """Every command of the program, with the context in which it is called."""

    def walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
        yield context, command
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from walk(found, click.Context(found, info_name=name, parent=context))

    yield from walk(group, click.Context(group, info_name="vbench"))


def reference() -> str:
    """The text of docs/cli.md."""
    parts = [
        "# Commands and options",
        "This page is generated from the commands by `python -m tests.test_docs`. A test compares the two. "
        "`vbench COMMAND --help` prints the same text.",
    ]
    for context, command in commands():
        usage = command.collect_usage_pieces(context)
        parts += [f"## `{context.command_path}`", f"```text\n{' '.join([context.command_path, *usage])}\n```"]
        paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(command.help or "").replace("\b\n", ""))
        parts += [f"```text\n{p.strip()}\n```" if re.match(r"Examples?:", p.strip()) else p for p in paragraphs]
        rows = [row for option in command.params if (row := option.get_help_record(context))]
        parts.append(
            "\n".join(["| option | meaning |", "|---|---|", *(f"| {_code(a)} | {_cell(b)} |" for a, b in rows)])
        )
        if isinstance(command, click.Group):
            names = ", ".join(f"`{context.command_path} {name}`" for name in command.list_commands(context))
            parts.append(f"Commands: {names}.")
    return "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


def test_the_reference_of_commands_is_up_to_date():
    assert REFERENCE.read_text("utf-8") == reference(), "run: python -m tests.test_docs"


def test_every_command_and_every_option_is_named():
    text = text_of("docs/cli.md")
    found = list(commands())
    assert len(found) >= 12
    for context, command in found:
        assert f"## `{context.command_path}`" in text
        section = text.partition(f"## `{context.command_path}`\n")[2].partition("\n## ")[0]
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert all(name in section for name in option.opts), f"{context.command_path}: {option.opts}"


@functools.cache
def names_of_commands_and_options():
    found = list(commands())
    options = {name for _, command in found for option in command.params for name in option.opts}
    return {context.info_name for context, _ in found}, options | {"--help", "--version"}


@pytest.mark.parametrize("page", PAGES)
def test_options_and_commands_that_a_page_names_exist(page):
    names, known = names_of_commands_and_options()
    for line in text_of(page).splitlines():
        for call in re.findall(r"\bvbench ([a-z]+\b(?![./\"])[^`|#]*)", line):
            command, *words = call.split()
            if not words and command not in names:
                continue  # a sentence about vbench
            for word in words:
                if re.fullmatch(r"--[a-z][a-z-]*", word):
                    assert word in known, f"{page}: {line.strip()}"
        for option in re.findall(r"`(--[a-z][a-z-]+)", line):
            assert option in known | options_of_benchmarks(), f"{page}: {option}"


def options_of_benchmarks() -> set[str]:
    programs = [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("vbench_lite/metrics/judges/*.py")]
    return {name for path in programs for name in re.findall(r"\"(--[a-z-]+)\"", path.read_text("utf-8"))}


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_resolve(page):
    for match in LINK.finditer(without_code_blocks(text_of(page))):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), f"{page}: {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors_of(file), f"{page}: {target}"


def anchors_of(file: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code_blocks(file.read_text("utf-8")), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", NOW)
def test_paths_of_this_repository_that_a_page_names_exist(page):
    for path in OWN_PATH.findall(text_of(page)):
        assert (ROOT / path).exists() or path in OF_THE_READER, f"{page}: {path}"


@pytest.mark.parametrize("page", NOW)
def test_no_page_names_what_is_gone(page):
    for what, pattern in RETIRED.items():
        found = pattern.search(text_of(page))
        assert not found, f"{page}: {what}: {found and found[0]}"


def test_the_table_of_metrics_is_that_of_their_descriptions():
    rows = re.findall(r"^\| `(\w+)` \| (clip|set) \| ([\w ]+) \| ([\w /]+) \|", text_of("docs/metrics.md"), flags=re.M)
    words = {True: "higher", False: "lower", None: "not ranked"}
    assert sorted(rows) == sorted(
        (m.name, m.per, words[m.higher_is_better], m.unit) for m in shipped_metrics().values()
    )


def test_every_unit_of_a_metric_is_in_the_glossary():
    units = set(re.findall(r"^\| ([\w/ ]+) \|", text_of("docs/glossary.md").partition("## Units")[2], flags=re.M))
    assert {metric.unit for metric in shipped_metrics().values()} <= units


if __name__ == "__main__":
    REFERENCE.write_text(reference(), "utf-8")
