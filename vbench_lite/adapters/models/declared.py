"""Reads declarations from the files of a checkpoint and the source of diffusers, without importing diffusers."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from vbench_lite.errors import BadFile
from vbench_lite.records import Definition
from vbench_lite.userfile import parse_json, read_text


@cache
def declared_arguments(pipeline: str) -> frozenset[str] | None:
    """The arguments of a diffusers pipeline's call, read from its source, because importing it takes ten seconds.

    Returns:
        The names; None if diffusers has no such class with its own `__call__`.
    """
    spec = importlib.util.find_spec("diffusers")
    for path in (Path(spec.origin).parent / "pipelines").rglob("*.py") if spec and spec.origin else ():
        text = path.read_text("utf-8")
        if f"class {pipeline}(" not in text:
            continue
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and node.name == pipeline:
                methods = {m.name: m.args for m in node.body if isinstance(m, ast.FunctionDef)}
                return _names(methods) if "__call__" in methods else None
    return None


def _names(methods: Mapping[str, ast.arguments]) -> frozenset[str]:
    """The names, including the guidance of a component of the pipeline."""
    call = methods["__call__"]
    guided = "__init__" in methods and any(a.arg == "guider" for a in methods["__init__"].args)
    names = {argument.arg for argument in (*call.args, *call.kwonlyargs)} - {"self"}
    return frozenset(names | ({"guidance_scale"} if guided else set()))


def pipeline_name(definition: Definition) -> str:
    """The class in the index of a checkpoint; "" if the checkpoint is not on this machine."""
    index = Path(definition.model) / "model_index.json"
    if not index.is_file() and definition.model.count("/") == 1:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        try:
            cached = try_to_load_from_cache(
                definition.model, "model_index.json", revision=definition.revision or None
            )
        except HFValidationError:
            return ""
        index = Path(cached) if isinstance(cached, str) else index
    return str(read_config(index).get("_class_name", ""))


def read_config(path: Path) -> dict[str, Any]:
    """A configuration file; {} if it cannot be read. Loading the model reports the error."""
    try:
        found = parse_json(path, read_text(path)) if path.is_file() else {}
    except (BadFile, OSError):
        return {}
    return found if isinstance(found, dict) else {}
