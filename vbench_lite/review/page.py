"""Renders the page of a review: for the server, or self-contained."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from vbench_lite.review.material import Material
from vbench_lite.review.session import Settings


def asset(name: str) -> str:
    """One of the files beside the template."""
    return (files("vbench_lite.review") / "assets" / name).read_text("utf-8")


def page_html(material: Material, settings: Settings, offline: Mapping[str, Any] | None = None) -> str:
    """The page.

    Args:
        material: For the title and the reasons.
        settings: Mode and questions.
        offline: Questions and clips of a self-contained page; None for the served page.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vbench_lite", "review/assets"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    style, script = asset("review.css"), asset("review.js")
    return environment.get_template("review.html").render(
        title=material.title, mode=settings.mode, questions=settings.questions, reasons=material.reasons,
        offline=offline is not None, style=style, script=script, csp=_policy(style, script),
        facts=_json({"mode": settings.mode, "questions": settings.questions, "reasons": material.reasons}),
        data=_json(offline or {}),
    )  # fmt: skip


def _policy(style: str, script: str) -> str:
    """Content security policy of the self-contained page: style and script by digest, embedded clips, no requests."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; media-src blob: data:; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _json(value: Any) -> str:
    """JSON that cannot contain a tag: every "<" is escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
