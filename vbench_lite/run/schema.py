"""JSON schemas of run.json and summary.json, generated from their records."""

from __future__ import annotations

import inspect
from typing import Any, Literal

import msgspec

from vbench_lite.records import FORMAT
from vbench_lite.run.manifest import Manifest
from vbench_lite.run.summary import Summary

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(file: Literal["run", "summary"]) -> dict[str, Any]:
    """The schema of the current format of a file.

    Args:
        file: "run" for run.json, "summary" for summary.json.

    Returns:
        A JSON schema, draft 2020-12.

    Example:
        >>> json_schema("run")["title"]
        'run.json'
    """
    kind: type[Any] = {"run": Manifest, "summary": Summary}[file]
    (found,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    if "MetricInfo" in parts:  # its name is its key
        parts["MetricInfo"]["properties"].pop("name")
        parts["MetricInfo"]["required"].remove("name")
    top = parts[kind.__name__]
    top["properties"]["format"] = {"const": FORMAT}
    schema = {"$schema": DIALECT, "title": f"{file}.json", **found, "$defs": parts}
    return dict(_plain(msgspec.json.decode(msgspec.json.encode(schema))))


def _plain(node: Any) -> Any:
    """Removes parts that depend on the version of msgspec: indents of descriptions, and defaults of empty mappings."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _plain(value) for key, value in node.items() if (key, value) != ("default", {})}
    if isinstance(text := kept.get("description"), str):
        kept["description"] = inspect.cleandoc(text)
    return kept
