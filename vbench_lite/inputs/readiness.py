"""Checks whether a generator can run on this machine, without loading it."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

from vbench_lite.adapters.hosted.settings import KEY_EXAMPLE, address_needed, key_in
from vbench_lite.escaping import from_here
from vbench_lite.inputs import catalogue
from vbench_lite.records import Definition
from vbench_lite.userfile import is_folder, is_there


def what_is_missing(definition: Definition) -> str:
    """What a generator lacks on this machine, with the command that installs it; "" if it can run."""
    if definition.adapter == "http" and (address := address_needed(definition)):
        return f"needs {address}"
    packages = [name for name in definition.about.get("python_packages", []) if not _installed(name)]
    needs = [f"needs: pip install {shlex.join(packages)}"] if packages else []
    if definition.adapter == "http":
        needs += _keys_missing(definition)
    elif definition.adapter == "command":
        needs += _program_missing(definition)
    elif definition.adapter == "hybrid":
        needs += filter(None, map(what_is_missing, catalogue.parts(definition)))
    elif definition.adapter in ("diffusers", "token-transformer") and definition.model:
        needs += _weights_missing(definition)
    return " && ".join([*needs[:1], *(need.removeprefix("needs: ") for need in needs[1:])])


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # the parent package is not installed, or the name is not valid
        return False


def _keys_missing(definition: Definition) -> list[str]:
    keys = [str(definition.settings[name]) for name in ("key_env", "secret_env") if definition.settings.get(name)]
    return [f"needs: export {shlex.quote(key)}={KEY_EXAMPLE}" for key in keys if not key_in(key)]


def _program_missing(definition: Definition) -> list[str]:
    command = definition.settings.get("command")
    program = str(command[0]) if isinstance(command, list) and command else ""
    cwd = Path(str(definition.settings.get("cwd", "")))
    if not is_folder(cwd):
        return [f"needs the folder {cwd}, from {definition.source}"]
    if program and (is_there(cwd / program) or shutil.which(program)):
        return []
    return [f"needs the program {program or '(none named)'}, see {definition.source or 'its TOML'}"]


def _weights_missing(definition: Definition) -> list[str]:
    folder = Path(definition.model)
    if folder.is_absolute():
        return [] if is_folder(folder) else [f"needs weights in {folder}"]
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", definition.model):
        return [_weights_in(definition)]
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    revision = definition.revision or None
    try:
        cached = try_to_load_from_cache(definition.model, "model_index.json", revision=revision)
    except HFValidationError:  # such as "../model", which is a folder
        return [_weights_in(definition)]
    if isinstance(cached, str):
        return []
    pin = f" --revision {revision}" if revision not in (None, "main") else ""
    return [f"needs: hf download {definition.model}{pin}"]


def _weights_in(definition: Definition) -> str:
    toml = from_here(definition.folder / f"{definition.name}.toml")
    return f"needs weights in {from_here(definition.folder / definition.model)}: {toml} describes how to get them"
