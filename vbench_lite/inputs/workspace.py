"""The files that `vbench init` writes: a folder in which a team evaluates its own model."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path

from vbench_lite.environment import REPOSITORY
from vbench_lite.errors import StoreError, UsageError
from vbench_lite.escaping import vbench_command
from vbench_lite.files import write_whole

ADAPTERS = ("diffusers", "command", "http", "python")
OWNER = "      # in place of OWNER: the account that holds the repository of vbench-lite, or a fork of it\n"
"""A line of the workflow, until the repository has its address."""
ENV = "        env:\n          MY_SERVICE_KEY: ${{{{ secrets.MY_SERVICE_KEY }}}} # a secret of the repository\n"
"""Lines of the workflow that give a hosted service its key."""
IGNORED = "results/*\n!results/baseline/\nreports/\n"


def workspace_files(name: str, suite: str, adapter: str) -> dict[str, str]:
    """The files of a new workspace: relative path -> text.

    Raises:
        UsageError: A name is not a valid file name, or there is no template for the adapter.
    """
    for what, value in (("generator", name), ("suite", suite)):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", value):
            raise UsageError(f'the {what} "{value}" is not a valid file name: use letters, digits, ".", "_", "-".')
    if adapter not in ADAPTERS:
        raise UsageError(f'no template for the adapter "{adapter}": choose one of {", ".join(ADAPTERS)}.')
    module = re.sub(r"\W", "_", name)
    words = {
        "name": name, "suite": suite, "module": f"_{module}" if module[0].isdigit() else module,
        "source": f"git+{REPOSITORY}", "owner": OWNER if "/OWNER/" in REPOSITORY else "",
        "env": ENV if adapter == "http" else "",
    }
    templates = {
        f"generators/{name}.toml": f"generator-{adapter}.toml",
        f"prompts/{suite}.toml": "suite.toml",
        ".github/workflows/video-quality.yml": "workflow.yml",
    }
    if adapter == "python":
        templates[f"{words['module']}.py"] = "generator.py.txt"
    if adapter == "command":
        templates[f"generators/{name}.py"] = "program.py.txt"
    made = {path: _template(template, words) for path, template in templates.items()}
    made["policy.toml"] = (files("vbench_lite.gate") / "policies" / "default.toml").read_text("utf-8")
    made[".gitignore"] = IGNORED
    return made


def _template(template: str, words: dict[str, str]) -> str:
    """A template with {name}, {suite}, {module}, {source}, {owner} and {env} filled in; {{ and }} are braces."""
    text = (files("vbench_lite.inputs") / "templates" / template).read_text("utf-8")
    text = re.sub(r"(?<!\{)\{(name|suite|module|source|owner|env)\}(?!\})", lambda match: words[match[1]], text)
    return text.replace("{{", "{").replace("}}", "}")


def write_workspace(folder: Path, made: dict[str, str]) -> list[Path]:
    """Write the files. Existing files are never overwritten.

    Raises:
        StoreError: A file already exists. Nothing is written.
    """
    there = [path for path in made if (folder / path).exists()]
    if there:
        raise StoreError(f"{folder} already contains {', '.join(there)}. Nothing was written. Choose another folder.")
    for path, text in made.items():
        write_whole(folder / path, text)
    return [folder / path for path in made]


def next_command(folder: Path, name: str, suite: str, adapter: str) -> str:
    """The first command to run in a new workspace. It costs nothing and works with the unchanged files."""
    inside = "" if folder == Path(".") else f"cd {shlex.quote(str(folder))} && "
    how = {"http": "--dry-run", "diffusers": "--dry-run"}.get(adapter, "--limit 2")
    return inside + vbench_command("run", "--suite", suite, "-g", name, *how.split())
