"""Whether a generator can run here, told without loading it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from vbench_lite.inputs import catalogue
from vbench_lite.records import Definition


def what_is_missing(definition: Definition) -> str:
    """Why a generator cannot run on this machine as it is, with the command that would mend it; "" if it can."""
    missing = [name for name in definition.about.get("python_packages", []) if importlib.util.find_spec(name) is None]
    if missing:
        return f"needs: pip install {' '.join(missing)}"
    if definition.adapter == "http":
        key = str(definition.settings.get("key_env", definition.settings.get("api_key_env", "")))
        return f"needs: export {key}=..." if key and not os.environ.get(key) else ""
    if definition.adapter == "command":
        command = definition.settings.get("command", [])
        program, cwd = str(command[0]) if command else "", Path(definition.settings.get("cwd", ""))
        if not cwd.is_dir():
            return f"needs the folder {cwd}: {definition.source}"
        if program and (cwd / program).exists():
            return ""
        return "" if program and shutil.which(program) else f"needs the program {program or '(none named)'}"
    if definition.adapter == "hybrid":
        return next(filter(None, map(what_is_missing, catalogue.parts(definition))), "")
    if definition.adapter in ("diffusers", "token-transformer") and definition.model:
        return _weights_missing(definition)
    return ""


def _weights_missing(definition: Definition) -> str:
    folder = Path(definition.model)
    if folder.is_absolute():
        return "" if folder.is_dir() else f"weights are missing: {folder}"
    from huggingface_hub import try_to_load_from_cache

    revision = definition.revision or None
    cached = try_to_load_from_cache(definition.model, "model_index.json", revision=revision)
    if isinstance(cached, str):
        return ""
    pin = f" --revision {revision}" if revision not in (None, "main") else ""
    return f"needs: hf download {definition.model}{pin}"
